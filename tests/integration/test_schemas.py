"""Our verdict on an object against that of a real API server of each minor, for objects broken in every place.

Each object of objects.yaml is applied as a dry run, strictly, as it stands and with one thing changed. Then

- what we call wrong, the server refuses: a check that is stricter than the server is a lie;
- what the server refuses because it cannot decode it, we call wrong. What it refuses as invalid (422) rests on rules
  of its own code that no schema tells, except for custom resources, whose rules all stand in their schema. That an
  entry of a list must have the key by which the list is a map is not checked either.
"""

import http.client
import itertools
import json
import pathlib
import ssl
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fleetctl.model import codes, problems
from fleetctl.openapi import customs, minors, validators
from tests.contract import plainhttp, talking
from tests.integration import mutating
from tests.kubebox import clusters

pytestmark = [pytest.mark.kubebox, pytest.mark.slow]

OBJECTS = list(
    yaml.load_all(pathlib.Path(__file__).with_name("objects.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
)
DEFINITION, CUSTOM = OBJECTS[-2:]
_MOST = 150
"""Mutants of one object that are tried; all of them, some 13,000, take a quarter of an hour on two cores."""


class Server:
    """An API server that is asked many times over one connection."""

    def __init__(self, cluster: clusters.Cluster) -> None:
        """Connect as an administrator."""
        self.minor = minors.get(cluster.minor)
        tls = ssl.create_default_context(cadata=cluster.authority.decode())
        self._connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, timeout=60, context=tls)
        self._token = cluster.token
        self._plurals: dict[str, dict[str, str]] = {}

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and answer; 0 when the server broke the connection, as one whose handler panics does."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = plainhttp.APPLY
        try:
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            with self._connection.getresponse() as response:
                raw = response.read()
                return response.status, json.loads(raw) if raw.startswith(b"{") else {}
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            return 0, {}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def apply(self, body: dict[str, Any], dry_run: str = "All") -> tuple[int, Any]:
        """Apply an object strictly."""
        query = "fieldManager=check&fieldValidation=Strict&force=true" + (f"&dryRun={dry_run}" if dry_run else "")
        return self.call("PATCH", f"{self._path(body)}?{query}", body)

    def _path(self, body: dict[str, Any]) -> str:
        version, kind = body["apiVersion"], body["kind"]
        known = self.minor.kinds.get((version, kind))
        namespace = "namespaces/default/" if known is None or known.namespaced else ""
        root = f"/{'apis' if '/' in version else 'api'}/{version}"
        if kind not in self._plurals.get(version, {}):
            _, found = self.call("GET", root)
            self._plurals[version] = {one["kind"]: one["name"] for one in found["resources"] if "/" not in one["name"]}
        return f"{root}/{namespace}{self._plurals[version][kind]}/{body['metadata']['name']}"


@pytest.fixture(params=clusters.MINORS)
def server(kubebox: clusters.Fleet, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real API server."""
    made = Server(kubebox.cluster(request.param))
    yield made
    made.close()


def _sample(body: dict[str, Any]) -> Iterator[mutating.Mutant]:
    """Yield some mutants, spread over the object, always the same."""
    found = sorted(mutating.mutants(body), key=lambda one: zlib.crc32(repr((one.change, one.field)).encode()))
    return itertools.islice(found, _MOST)


def _differences(server: Server, validator: validators.Validator, body: dict[str, Any], *, rules: bool) -> list[str]:
    """Return where we and the server differ; with ``rules``, all that the server refuses in ``spec`` must be found."""

    def in_rules(mutant: mutating.Mutant) -> bool:
        return rules and mutant.field[0] == "spec"

    found: list[str] = []
    for mutant in _sample(body):
        status, answer = server.apply(mutant.body)
        said = validator.complaints(mutant.body)
        shown = f"{mutant.change} at {problems.field_text(mutant.field)}"
        if said and 200 <= status < 300 and not _kept_another(said[0], mutant.body, answer):
            found.append(f"{shown}: taken, and we say {said[0].message}")
        elif not said and status >= 300 and (in_rules(mutant) or not _beyond_schema(status, answer)):
            found.append(f"{shown}: refused, and we say nothing: {answer.get('message')}")
    return found


def _beyond_schema(status: int, answer: dict[str, Any]) -> bool:
    """Tell a refusal that no schema tells: by a rule in code, or because an entry of a list has none of its keys."""
    return status == http.client.UNPROCESSABLE_ENTITY or "omits all key fields" in answer.get("message", "")


def _kept_another(said: validators.Complaint, sent: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Tell whether the server took a number that is too large for 32 bits, and keeps another."""
    return said.code is codes.Code.OBJECT_BAD_VALUE and problems.value_at(sent, said.field) != problems.value_at(
        answer, said.field
    )


@pytest.mark.parametrize(
    "body", [pytest.param(body, id=f"{body['kind']}-{body['metadata']['name']}") for body in OBJECTS[:-2]]
)
def test_own_kinds(server: Server, body: dict[str, Any]) -> None:
    """The object is right as it stands, and both agree about what is wrong with its mutants."""
    validator = validators.of_kind(server.minor, server.minor.kinds[body["apiVersion"], body["kind"]])
    status, answer = server.apply(body)
    assert (status < 300, validator.complaints(body)) == (True, ()), answer
    assert _differences(server, validator, body, rules=False) == []


def test_custom_resources(server: Server) -> None:
    """The same for a custom resource, by its definition and by what the cluster says that it serves."""
    status, answer = server.apply(DEFINITION, dry_run="")
    assert status < 300, answer
    document = _served(server)
    (served,) = customs.of_document(document)
    defined = customs.of_definition(json.dumps(DEFINITION).encode())
    assert defined is not None
    assert (served.group, served.kind, served.namespaced) == (defined.group, defined.kind, defined.namespaced)
    for one in (defined, served):
        validator = validators.of_custom(server.minor, one.schemas["check.example/v1"])
        assert validator is not None
        status, answer = server.apply(CUSTOM)
        assert (status < 300, validator.complaints(CUSTOM)) == (True, ()), answer
        assert _differences(server, validator, CUSTOM, rules=True) == []


def _served(server: Server) -> Any:  # noqa: ANN401 - a document of the server
    """Return the cluster's document about the custom kind, once it has one and takes objects."""

    def look() -> Any:  # noqa: ANN401 - as the server answers
        status, document = server.call("GET", "/openapi/v3/apis/check.example/v1")
        return status == http.client.OK and "components" in document and server.apply(CUSTOM)[0] < 300 and document

    return talking.until(look, "the custom kind is served", 120)
