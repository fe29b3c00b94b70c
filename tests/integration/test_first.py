"""From files to six clusters: the first rollout of a bundle, the second one, and the bundle that is shipped."""

import json
import pathlib
import shutil

import pytest

from tests.architecture import sources
from tests.contract import talking
from tests.integration import shops, wires

pytestmark = pytest.mark.kubebox

_ALL = "configmaps,services,deployments,statefulsets,namespaces"


def test_from_files_to_clusters(shop: shops.Shop) -> None:
    """A project is validated, explained, rendered, planned and started; kubectl then finds the set by its label."""
    shop.release("1.0.0", *shops.standard())
    assert "6 sites" in shop.run("inventory", "validate").out
    explained = shop.run("inventory", "explain", "store-1", "app.greeting").out
    assert explained.startswith('"good morning"')
    assert "inventory/defaults.yaml:2" in explained
    assert "hello" in explained, "the bundle's own value is shadowed"

    shop.run("render", "--all", "--out", str(shop.folder / "out"))
    site = (shop.folder / "out" / "store-4").rglob("configmap-site.yaml")
    assert "name: store-4" in next(site).read_text(encoding="utf-8")
    assert shop.everywhere(_namespaces) == dict.fromkeys(shops.SITES, 404), "nothing was contacted"

    file = shop.folder / "plan.json"
    planned = shop.run(
        "rollout", "plan", "app", "--all", "--strategy", str(shop.folder / "quick.yaml"), "--out", str(file)
    )
    assert "on 6 sites" in planned.out
    assert f"fleetctl rollout start --plan {file.name}" in planned.out
    assert shop.everywhere(_namespaces) == dict.fromkeys(shops.SITES, 404), "a plan changes nothing"

    done = shop.run("rollout", "start", "--plan", str(file), "-o", "json").json
    assert (done["state"], done["plan"]) == ("finished", _digest(shop, file))
    assert shop.outcomes(done["name"]) == dict.fromkeys(shops.SITES, "changed")
    for one in shops.SITES:
        names = shop.kubectl(one, "get", _ALL, "-A", "-l", f"{shops.PART_OF}={shop.set_id}", "-o", "name").split()
        assert sorted(names) == [
            "configmap/greeting",
            "configmap/site",
            "deployment.apps/web",
            f"namespace/{shop.namespace}",
            "service/web",
            "statefulset.apps/journal",
        ]
        parent = shop.parent(one)
        assert (parent["run"], parent["site"], parent["project"]) == (done["name"], one, "shops")
        assert "applying" not in parent
        assert shop.place(one).get("configmaps", "site")["data"] == {"name": one}
        assert shop.place(one).get("deployments", "web")["status"]["readyReplicas"] == 2


def _namespaces(place: talking.Place) -> int:
    return place.api.call("GET", f"/api/v1/namespaces/{place.namespace}").status


def _digest(shop: shops.Shop, file: pathlib.Path) -> str:
    """Return the digest of the plan that was saved: a plan of the same files, made now, differs in what was read."""
    assert json.loads(file.read_bytes())["bundle"] == "app"
    with shop.journal() as store:
        return store.read(lambda conn: str(conn.execute("SELECT plan FROM runs").fetchone()[0]))


def test_the_second_start_costs_one_request(shop: shops.Shop, doors: dict[str, wires.Wire]) -> None:
    """Where nothing is to do, a rollout reads the parent of each cluster and sends nothing else."""
    shop.release("1.0.0", *shops.standard())
    shop.start()
    before = shop.everywhere(lambda place: place.get("secrets", "app")["metadata"]["resourceVersion"])
    for door in doors.values():
        door.take()
    again = shop.start()
    assert shop.outcomes(again["name"] if isinstance(again, dict) else again.json["name"]) == dict.fromkeys(
        shops.SITES, "unchanged"
    )
    read = wires.Request("GET", f"/api/v1/namespaces/{shop.namespace}/secrets/app")
    assert {site: door.take() for site, door in doors.items()} == dict.fromkeys(shops.SITES, [read])
    assert shop.everywhere(lambda place: place.get("secrets", "app")["metadata"]["resourceVersion"]) == before


_POS = """kind: SiteList
defaults:
  labels: {region: eu-north}
  location: {timezone: Europe/Oslo}
  bundles: {retail-pos: {}, app: !unset}
  vars:
    pos:
      headOffice: {url: "https://pos-hub.example", cidrs: ["192.0.2.0/26"]}
      network: {terminals: ["10.144.0.0/16"]}
      journal: {storageClass: shop}
sites:
"""
