"""Custom resources whose definition is in no file: clusters tell what their fields are, before anything is applied."""

import json
import pathlib
from typing import Any

import pytest

from fleetctl.openapi import learned
from tests.contract import talking
from tests.integration import shops, wires

pytestmark = pytest.mark.kubebox

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OLD = shops.SITES[2:4]
"""Two sites, of one minor each, whose definition does not know a field yet."""


def _define(shop: shops.Shop, group: str) -> None:
    """Make a kind known at every site; it has ``size`` everywhere, and ``colour`` but at the old sites."""
    for site, cluster in shop.sites.items():
        fields = {"size": {"type": "integer"}, **({} if site in OLD else {"colour": {"type": "string"}})}
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        spec = {"group": group, "scope": "Namespaced", "names": {"kind": "Till", "plural": "tills"}}
        body: dict[str, Any] = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        body |= {"metadata": {"name": f"tills.{group}"}, "spec": {**spec, "versions": [version]}}
        assert cluster.api().call("POST", DEFINITIONS, body).status == 201

    def told() -> bool:
        answers = [one.api().call("GET", f"/openapi/v3/apis/{group}/v1") for one in shop.sites.values()]
        return all(one.status == 200 and "Till" in one.text for one in answers)

    talking.until(told, "the definition is in the cluster's document")


def _till(group: str, **spec: object) -> dict[str, Any]:
    return {"apiVersion": f"{group}/v1", "kind": "Till", "metadata": {"name": "front"}, "spec": spec}


def test_clusters_are_asked_what_a_kind_is(shop: shops.Shop, doors: dict[str, wires.Wire]) -> None:
    """What a cluster would refuse is told with its sites before wave 1, and once its document is known it is small."""
    group = f"{shop.namespace}.example.com"
    _define(shop, group)
    plan = ("rollout", "plan", "app", "--all", "--strategy", shop.quick)
    shop.release("1.0.0", _till(group, size="large", colour="red"))
    refused = shop.run(*plan, code=3).err
    assert "object/wrong-type" in refused
    assert "Till front: expected a whole number (by what 6 clusters serve, e.g. that of store-1)" in refused
    assert "Till front: unknown field; known here: size (by what 2 clusters serve, e.g. that of store-3)" in refused
    assert "spec.colour" in refused
    folder = shop.folder / learned.FOLDER
    assert len([path for path in folder.iterdir() if path.name != "sites.json"]) == len(_documents(folder))
    shop.release("1.1.0", _till(group, size=3))
    _taken(doors)
    done = shop.run(*plan, "-o", "json")
    assert "not checked" not in done.err
    assert done.json["unchecked"] == []
    assert _taken(doors) == dict.fromkeys(shops.SITES, 3), "the parent, the definitions, the rights"
    shop.start()
    assert [one["spec"] for one in shop.everywhere(lambda place: _there(place, group)).values()] == [{"size": 3}] * 6
    _taken(doors)
    shop.start()
    assert _taken(doors) == dict.fromkeys(shops.SITES, 1)


def _taken(doors: dict[str, wires.Wire]) -> dict[str, int]:
    """Return how many requests came to each site since this was asked last."""
    return {site: len(wire.take()) for site, wire in doors.items()}


def _documents(folder: pathlib.Path) -> set[str]:
    """Return the hashes of what sites serve."""
    said = json.loads((folder / "sites.json").read_bytes())["sites"]
    assert set(said) == set(shops.SITES)
    return {name for served in said.values() for name in served.values()}


def _there(place: talking.Place, group: str) -> Any:  # noqa: ANN401 - JSON is anything
    return place.api.call("GET", f"/apis/{group}/v1/namespaces/{place.namespace}/tills/front").json


def test_what_no_cluster_serves_stays_unchecked(shop: shops.Shop) -> None:
    """A kind that is not there yet is said to be unchecked; the plan stands."""
    shop.release("1.0.0", _till(f"none.{shop.namespace}.example.com", size=1))
    done = shop.run("rollout", "plan", "app", "--all", "--strategy", shop.quick)
    assert "6 objects of none." in done.err
    assert "were not checked" in done.err
