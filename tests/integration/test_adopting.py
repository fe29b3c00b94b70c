"""Objects that people made with real kubectl: taken over when told to, and given back as they were."""

import json
from typing import Any

import pytest

from fleetctl.kube import adoptions
from tests.contract import talking
from tests.integration import shops

pytestmark = pytest.mark.kubebox

_SITES = ("store-1", "store-2")
"""One of each minor."""
_REVISION = "deployment.kubernetes.io/revision"
_LAST = "kubectl.kubernetes.io/last-applied-configuration"


def _apply(shop: shops.Shop, site: str, *objects: shops.Object) -> str:
    """Apply objects as people do: by the client, without fields being anybody's."""
    inside = [{**one, "metadata": {**one["metadata"], "namespace": shop.namespace}} for one in objects]
    path = shop.folder / "theirs.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": inside}), encoding="utf-8")
    return shop.kubectl(site, "apply", "-f", str(path))


def _content(found: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an object without what every writing changes: versions, times, its status and its controller's note."""
    meta = {key: value for key, value in found["metadata"].items() if key not in {"resourceVersion", "generation"}}
    meta["annotations"] = {key: value for key, value in meta["annotations"].items() if key != _REVISION}
    managed = [{key: value for key, value in one.items() if key != "time"} for one in meta["managedFields"]]
    mine = [one for one in managed if one.get("subresource") != "status"]
    rest = {key: value for key, value in found.items() if key != "status"}
    return {**rest, "metadata": {**meta, "managedFields": sorted(mine, key=json.dumps)}}


def _both(shop: shops.Shop, site: str) -> tuple[Any, Any]:
    place = shop.place(site)
    return place.get("configmaps", "prices"), place.get("deployments", "web")


def _told(shop: shops.Shop, run: Any, site: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return the notes of a visit, but for the one on Leases."""
    return [note for note in shop.rows(run["name"])[site].notes if "Lease" not in note]


@pytest.mark.parametrize("site", _SITES)
def test_what_kubectl_applied_is_taken_over_and_given_back(shop: shops.Shop, site: str) -> None:
    """Without the option nothing is changed; with it, fields that no release names go; an undo brings all back."""
    shop.release("1.0.0", talking.config_map("greeting", {"text": "hello"}))
    shop.start()
    theirs = [talking.config_map("prices", {"a": "old", "gone": "1"}), talking.deployment("web", "app:0.9", replicas=3)]
    theirs[1]["metadata"]["annotations"] = {"shop.example/owner": "Ada"}
    _apply(shop, site, *theirs)
    before = _both(shop, site)

    wanted = [talking.config_map("prices", {"a": "b"}), talking.deployment("web", "app:1.0", replicas=1)]
    shop.release("1.1.0", talking.config_map("greeting", {"text": "hello"}), *wanted)
    refused = shop.start(code=6)
    cause = shop.rows(refused["name"])[site].cause
    assert cause
    assert cause.reason == "ForeignObject"
    assert list(map(_content, _both(shop, site))) == list(map(_content, before))

    run = shop.start("--adopt", "--supersede", refused["name"])
    assert _told(shop, run, site) == [
        f"ConfigMap {shop.namespace}/prices was adopted",
        f"Deployment {shop.namespace}/web was adopted",
    ]
    prices, web = _both(shop, site)
    assert prices["data"] == {"a": "b"}
    assert [one["metadata"]["uid"] for one in (prices, web)] == [one["metadata"]["uid"] for one in before]
    assert web["spec"]["replicas"] == 1
    assert {one["metadata"]["annotations"][adoptions.ADOPTED] for one in (prices, web)} == {run["name"]}
    assert _LAST not in prices["metadata"]["annotations"]
    assert "shop.example/owner" not in web["metadata"]["annotations"]
    assert prices["metadata"]["labels"][shops.PART_OF] == shops.set_id("app", shop.namespace)

    shop.undo(run["name"])
    assert list(map(_content, _both(shop, site))) == list(map(_content, before))
    assert "unchanged" in _apply(shop, site, theirs[0])
    _apply(shop, site, talking.config_map("prices", {"a": "new"}))
    assert shop.place(site).get("configmaps", "prices")["data"] == {"a": "new"}


def test_what_was_adopted_is_let_go_by_a_release_without_it(shop: shops.Shop) -> None:
    """It stays, and is kubectl's as any object is; with the other option it is deleted."""
    site, greeting = _SITES[0], talking.config_map("greeting", {"text": "hello"})
    shop.release("1.0.0", greeting)
    shop.start()
    _apply(shop, site, talking.config_map("prices", {"a": "old"}), talking.config_map("more", {"a": "old"}))
    shop.release("1.1.0", greeting, talking.config_map("prices", {"a": "b"}), talking.config_map("more", {"a": "b"}))
    shop.start("--adopt")
    shop.release("1.2.0", greeting, talking.config_map("more", {"a": "b"}))
    run = shop.start()
    [note] = _told(shop, run, site)
    assert "prices was let go, not deleted" in note
    found = shop.place(site).get("configmaps", "prices")
    assert found["data"] == {"a": "b"}
    assert found["metadata"]["annotations"] == {adoptions.RELEASED: run["name"]}
    assert "labels" not in found["metadata"]
    assert "managedFields" not in found["metadata"] or not [
        one for one in found["metadata"]["managedFields"] if one["manager"].startswith("fleetctl:")
    ]
    _apply(shop, site, talking.config_map("prices", {"a": "theirs"}))
    assert shop.place(site).get("configmaps", "prices")["data"] == {"a": "theirs"}
    shop.release("1.3.0", greeting)
    shop.start("--prune-adopted")
    assert {one["metadata"]["name"] for one in shop.place(site).listed("configmaps")} >= {"prices", "greeting"}
    assert "more" not in {one["metadata"]["name"] for one in shop.place(site).listed("configmaps")}
