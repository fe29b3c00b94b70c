"""From files to six clusters: the first rollout of a bundle, the second one, and the bundle that is shipped."""

import shutil

import pytest

from tests.architecture import sources
from tests.contract import talking
from tests.integration import shops, wires

pytestmark = pytest.mark.kubebox

_KINDS = "configmaps,services,deployments,statefulsets,namespaces"


def test_from_files_to_clusters(shop: shops.Shop) -> None:
    """A project is validated, explained, rendered, planned and started; kubectl then finds the set by its label."""
    shop.release("1.0.0", *shops.standard())
    assert "6 sites" in shop.run("inventory", "validate").out
    explained = shop.run("inventory", "explain", "store-1", "app.greeting").out
    assert [line.split() for line in explained.splitlines()[:2]] == [
        ['"good', 'morning"', "inventory/defaults.yaml:3:24", "defaults"],
        ["shadows", '"hello"', "templates/app/bundle.yaml:6:20", "bundle", "app"],
    ]
    shop.run("render", "--all", "--out", str(shop.folder / "out"))
    rendered = next((shop.folder / "out" / "store-4").rglob("configmap-site.yaml"))
    assert "name: store-4" in rendered.read_text(encoding="utf-8")

    plan = ["rollout", "plan", "app", "--all", "--strategy", shop.quick, "--out"]
    planned = shop.run(*plan, str(shop.folder / "plan.json")).out
    assert "nothing -> 1.0.0 on 6 sites" in planned
    assert planned.endswith("fleetctl rollout start --plan plan.json\n")
    digest = shop.run(*plan, str(shop.folder / "same.json"), "-o", "json").json["name"]
    assert shop.everywhere(_status) == dict.fromkeys(shops.SITES, 404), "so far nothing was changed"

    done = shop.run("rollout", "start", "--plan", str(shop.folder / "plan.json"), "-o", "json").json
    assert (done["state"], done["plan"]) == ("finished", digest)
    assert shop.outcomes(done["name"]) == dict.fromkeys(shops.SITES, "changed")
    for site in shops.SITES:
        label = f"{shops.PART_OF}={shops.set_id('app', shop.namespace)}"
        assert sorted(shop.kubectl(site, "get", _KINDS, "-A", "-l", label, "-o", "name").split()) == [
            "configmap/greeting",
            "configmap/site",
            "deployment.apps/web",
            f"namespace/{shop.namespace}",
            "service/web",
            "statefulset.apps/journal",
        ]
        parent = shop.parent(site)
        assert (parent["run"], parent["site"], parent["project"]) == (done["name"], site, "shops")
        assert "applying" not in parent
        assert shop.place(site).get("configmaps", "site")["data"] == {"name": site}
        assert shop.place(site).get("deployments", "web")["status"]["readyReplicas"] == 2


def _status(place: talking.Place) -> int:
    return place.api.call("GET", f"/api/v1/namespaces/{place.namespace}").status


def test_the_second_start_costs_one_request(shop: shops.Shop, doors: dict[str, wires.Wire]) -> None:
    """Where nothing is to do, a rollout reads the parent of each cluster and sends nothing else."""
    shop.release("1.0.0", *shops.standard())
    shop.start()
    before = shop.everywhere(shops.versions)
    for door in doors.values():
        door.take()
    again = shop.start()
    assert shop.outcomes(again["name"]) == dict.fromkeys(shops.SITES, "unchanged")
    read = wires.Request("GET", f"/api/v1/namespaces/{shop.namespace}/secrets/app")
    assert {site: door.take() for site, door in doors.items()} == {site: [read] for site in shops.SITES}
    assert shop.everywhere(shops.versions) == before


def test_the_shipped_bundle(shop: shops.Shop) -> None:
    """The bundle retail-pos comes up on every cluster, its journal on a volume, and stays as it is."""
    shutil.copytree(sources.ROOT / "templates" / "retail-pos", shop.folder / "templates" / "retail-pos")
    text = (shop.folder / "inventory" / "sites.yaml").read_text(encoding="utf-8")
    (shop.folder / "inventory" / "sites.yaml").write_text(text.replace("{app: {}}", "{retail-pos: {}}"), "utf-8")
    shop.write(
        "inventory/defaults.yaml",
        "kind: Defaults\nlabels: {region: eu-north}\nlocation: {timezone: Europe/Oslo}\nvars:\n  pos:\n"
        "    headOffice: {url: 'https://pos-hub.example', cidrs: ['192.0.2.0/26']}\n"
        "    network: {terminals: ['10.144.0.0/16']}\n    journal: {storageClass: shop}\n",
    )
    shop.disks(["journal"])
    shop.strategy(waves=[{"name": "all"}])  # each wave waits ten seconds for the journal
    start = ["rollout", "start", "retail-pos", "--all", "--yes", "--strategy", shop.quick, "-o", "json"]
    done = shop.run(*start).json
    assert shop.outcomes(done["name"]) == dict.fromkeys(shops.SITES, "changed")
    for site in shops.SITES:
        label = f"{shops.PART_OF}={shops.set_id('retail-pos', 'pos')}"
        kinds = "all,configmaps,networkpolicies,serviceaccounts,namespaces,priorityclasses"
        assert len(shop.kubectl(site, "get", kinds, "-A", "-l", label, "-o", "name").split()) == 15
        place = shop.place(site)._replace(namespace="pos")
        assert place.get("statefulsets", "journal")["status"]["readyReplicas"] == 1
    again = shop.run(*start, "--verify").json
    assert shop.outcomes(again["name"]) == dict.fromkeys(shops.SITES, "unchanged")
