"""Whose objects and fields are whose: what is pruned, what is left alone, what is taken over, what is taken off."""

import functools

import pytest

from tests.contract import talking
from tests.integration import shops

pytestmark = pytest.mark.kubebox


def test_what_left_the_bundle_is_pruned(shop: shops.Shop) -> None:
    """An object that left the bundle goes everywhere; what merely stands beside it stays."""
    shop.release("1.0.0", *shops.standard(), talking.config_map("legacy", {"old": "1"}))
    shop.start()
    for site in shops.SITES:
        shop.place(site).applied(talking.config_map("neighbour", {"mine": "1"}), manager="somebody")
    neighbours = shop.everywhere(lambda place: place.get("configmaps", "neighbour"))
    shop.release("1.1.0", *shops.standard())
    planned = shop.run("rollout", "plan", "app", "--all", "--strategy", shop.quick).out
    assert f"ConfigMap {shop.namespace}/legacy would be deleted at 6 sites" in planned
    run = shop.start()
    assert shop.outcomes(run["name"]) == dict.fromkeys(shops.SITES, "changed")
    names = {"greeting", "kube-root-ca.crt", "neighbour", "site"}
    assert shop.everywhere(lambda place: {one["metadata"]["name"] for one in place.listed("configmaps")}) == (
        dict.fromkeys(shops.SITES, names)
    )
    assert shop.everywhere(lambda place: place.get("configmaps", "neighbour")) == neighbours


def test_what_belongs_to_somebody_else_is_left_alone(shop: shops.Shop) -> None:
    """A new object that exists already without our label is neither adopted nor pruned; that site is left as it is."""
    shop.release("1.0.0", *shops.standard())
    first = shop.start()
    shop.kubectl("store-2", "-n", shop.namespace, "create", "configmap", "prices", "--from-literal=by=hand")
    theirs = shop.place("store-2").get("configmaps", "prices")
    before = shops.versions(shop.place("store-2"))
    shop.release("1.1.0", *shops.standard("app:1.1"), talking.config_map("prices", {"by": "bundle"}))
    run = shop.start(code=6)
    assert shop.outcomes(run["name"]) == {**dict.fromkeys(shops.SITES, "changed"), "store-2": "failed"}
    row = shop.rows(run["name"])["store-2"]
    assert (row.effect, row.reason) == ("none", "foreign")
    assert row.cause
    assert (row.cause.reason, row.cause.subject) == ("ForeignObject", f"ConfigMap {shop.namespace}/prices")
    assert shops.versions(shop.place("store-2")) == before
    assert shop.parent("store-2")["run"] == first["name"]

    shop.release("1.2.0", *shops.standard("app:1.1"))
    assert shop.outcomes(shop.start()["name"]) == dict.fromkeys(shops.SITES, "changed")
    assert shop.place("store-2").get("configmaps", "prices") == theirs
    assert shop.place("store-3").listed("configmaps", fieldSelector="metadata.name=prices") == []


def test_a_conflict_names_who_has_the_field(shop: shops.Shop) -> None:
    """A field that somebody else took is not overwritten, until the run may force exactly this manager."""
    shop.release("1.0.0", *shops.standard())
    shop.start()
    shop.kubectl("store-2", "-n", shop.namespace, "scale", "deployment/web", "--replicas=3")
    image = ["set", "image", "deployment/web", "app=app:hotfix", "--field-manager=night-shift"]
    shop.kubectl("store-2", "-n", shop.namespace, *image)
    shop.release("1.1.0", *shops.standard("app:1.1"))
    run = shop.start(code=6)
    row = shop.rows(run["name"])["store-2"]
    assert shop.outcomes(run["name"]) == {**dict.fromkeys(shops.SITES, "changed"), "store-2": "failed"}
    assert row.cause
    assert (row.cause.reason, row.cause.subject) == ("FieldConflict", f"Deployment {shop.namespace}/web")
    assert ".spec.replicas of kubectl" in row.cause.message
    assert 'containers[name="app"].image of night-shift' in row.cause.message
    assert "night-shift" in shop.run("why", "store-2").out

    assert shop.outcomes(shop.start("--force-conflicts", "night-shift", code=6)["name"])["store-2"] == "failed"
    assert shop.image("store-2") == "app:hotfix", "the scaled replicas were not forced, so nothing of it was"
    forced = shop.start("--force-conflicts", "kubectl,night-shift")
    assert shop.outcomes(forced["name"]) == {**dict.fromkeys(shops.SITES, "unchanged"), "store-2": "changed"}
    found = shop.place("store-2").get("deployments", "web")
    assert (found["spec"]["replicas"], shop.image("store-2")) == (2, "app:1.1")


def test_a_plan_that_prunes_too_much_is_refused(shop: shops.Shop) -> None:
    """More than five objects and ten percent do not go in one run: no run is made, nothing is sent."""
    many = [talking.config_map(f"shelf-{number}", {"number": str(number)}) for number in range(6)]
    shop.release("1.0.0", *shops.standard(), *many)
    first = shop.start()
    before = shop.everywhere(shops.versions)
    shop.release("1.1.0", *shops.standard("app:1.1"))
    refused = shop.run(*shop.starting(), code=9)
    assert "plan/prunes-too-much" in refused.err
    shop.run("rollout", "plan", "app", "--all", code=9)
    assert shop.everywhere(shops.versions) == before
    assert shop.latest() == first["name"]


def test_remove_takes_everything_off_but_claims(shop: shops.Shop) -> None:
    """The whole set goes, and its parent; PersistentVolumeClaims stay, those of the bundle and those of its pods."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "shop",
    }
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "sales"}, "spec": spec}
    template = {"metadata": {"name": "disk"}, "spec": spec}
    keeper = talking.stateful_set("keeper", replicas=1, volumeClaimTemplates=[template])
    shop.disks(["keeper"])
    shop.release("1.0.0", *shops.standard(), claim, keeper)
    shop.start()
    command = ["rollout", "remove", "app", "--all", "--yes", "--strategy", shop.quick, "-o", "json"]
    removed = shop.run(*command).json
    assert shop.outcomes(removed["name"]) == dict.fromkeys(shops.SITES, "changed")
    for site in shops.SITES:
        place = shop.place(site)
        assert shops.versions(place) == {}
        kept = place.api.call("GET", f"/api/v1/namespaces/{shop.namespace}/persistentvolumeclaims").json["items"]
        marks = {
            one["metadata"]["name"]: one["metadata"].get("labels", {}).get("fleetctl.dev/retained") for one in kept
        }
        assert marks == {"disk-keeper-0": None, "sales": "app"}
        talking.until(functools.partial(_is_empty, place), "the pods went with what made them")
    assert shop.outcomes(shop.run(*command).json["name"]) == dict.fromkeys(shops.SITES, "unchanged")
    assert shop.outcomes(shop.start()["name"]) == dict.fromkeys(shops.SITES, "changed"), "what was kept is still ours"


def _is_empty(place: talking.Place) -> bool:
    return not place.listed("pods")
