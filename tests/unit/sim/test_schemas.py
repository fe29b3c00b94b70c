"""The shapes of the kinds served are those of a real kube-apiserver."""

import json
import pathlib
from collections.abc import Iterable
from typing import Any

import pytest

from fleetctl.sim import kinds, schemas
from tests.kubebox import clusters

FILE = pathlib.Path(schemas.__file__).with_name("schemas.json")
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", None: "any"}


class _Drawn:
    """The shapes that an OpenAPI document (version 2) describes."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.definitions = definitions
        self.types: dict[str, Any] = {}
        names = {
            (group["group"], group["version"], group["kind"]): name
            for name, one in definitions.items()
            for group in one.get("x-kubernetes-group-version-kind", ())
        }
        self.kinds = {
            f"{one.api_version} {one.kind}": self._named(names[one.group, one.version, one.kind])
            for one in kinds.RESOURCES
        }

    def _type(self, given: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if "$ref" in given:
            return self._named(given["$ref"].rpartition("/")[2])
        if given.get("type") == "array":
            items, sort = self._type(given["items"]), given.get("x-kubernetes-list-type")
            if sort == "map":
                return {"items": items, "keys": given["x-kubernetes-list-map-keys"]}
            return {"set": items} if sort == "set" else {"list": items}
        if given.get("type") == "object":
            if "additionalProperties" not in given:
                return "any"
            sort = "whole" if given.get("x-kubernetes-map-type") == "atomic" else "map"
            return {sort: self._type(given["additionalProperties"])}
        return _SCALARS[given.get("type")]

    def _named(self, name: str) -> Any:  # noqa: ANN401 - JSON
        given = self.definitions[name]
        if name.endswith(("Quantity", "IntOrString")):
            return "scalar"
        if "properties" not in given:
            return self._type(given)
        short = name.removeprefix("io.k8s.api.").removeprefix("io.k8s.apimachinery.pkg.")
        if short not in self.types:
            self.types[short] = {}
            fields = {key: self._type(field) for key, field in given["properties"].items()}
            if "managedFields" in fields:
                fields["managedFields"] = "any"  # read by the server itself
            atomic = {"atomic": True} if given.get("x-kubernetes-map-type") == "atomic" else {}
            self.types[short] = {"fields": fields, **atomic}
        return f"#{short}"


@pytest.mark.kubebox
def test_shapes_are_those_of_a_real_server(kubebox: clusters.Fleet) -> None:
    """The file holds what the real server's OpenAPI document says of these kinds, and no more."""
    document = kubebox.cluster().api().call("GET", "/openapi/v2").json
    drawn = _Drawn(document["definitions"])
    held = json.loads(FILE.read_bytes())
    assert held["kinds"] == drawn.kinds
    used = _reached(held["types"], drawn.kinds.values())
    assert used == set(held["types"])
    assert held["types"] == {name: drawn.types[name] for name in used}


def _reached(types: dict[str, Any], begin: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [name[1:] for name in begin]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [part.partition('"')[0] for part in json.dumps(types[name]).split('"#')[1:]]
    return found


def test_every_kind_has_a_shape() -> None:
    """Each kind that is served can be typed, and has metadata."""
    for one in kinds.RESOURCES:
        metadata = schemas.of(one).below("metadata")
        assert metadata is not None
        labels = metadata.below("labels")
        assert labels is not None
        assert (labels.sort, labels.atomic) == ("map", False)


def test_steps_have_their_defaults() -> None:
    """A port without a protocol is the TCP one; what is no key does not count."""
    spec = schemas.of(kinds.BY_KIND["", "Service"]).below("spec")
    assert spec is not None
    ports = spec.below("ports")
    assert ports is not None
    assert schemas.step_of({"port": 80, "name": "x"}, ports) == 'k:{"port":80,"protocol":"TCP"}'
