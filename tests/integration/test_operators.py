"""Two operators with a journal each, at the same real clusters at the same time: no site is a mixture."""

import json
import pathlib
import shutil

import pytest

from tests.integration import shops

pytestmark = pytest.mark.kubebox


def test_two_journals_never_mix_their_releases(shop: shops.Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each site has one release or the other, whole; whoever came second says so, and nobody fails."""
    for cluster in shop.sites.values():
        home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fleetctl-system"}}
        assert cluster.api().call("POST", "/api/v1/namespaces", home).status in {201, 409}
    shop.strategy(waves=[{}])
    shop.release("1.0.0", *shops.standard())
    shop.start()
    other = _clone(shop, tmp_path_factory.mktemp("other"))
    shop.release("1.2.0", *shops.standard("app:1.2", "two"))
    theirs = shop.begin("-C", str(other), *shop.starting(), "-o", "json")
    ours = shop.begin(*shop.starting(), "-o", "json")

    ended = [ours.wait(), theirs.wait()]
    for done in ended:
        assert done.code in {0, 4}, done.err
        run = json.loads(done.out)
        assert run["unguarded"] == 0
        assert [one for one in run["causes"] if one["outcome"] == "failed"] == []
    found = {site: (shop.image(site), shop.place(site).get("configmaps", "greeting")["data"]) for site in shops.SITES}
    for site, (image, data) in found.items():
        assert (image, data["text"]) in {("app:1.1", "one"), ("app:1.2", "two")}, f"{site}: {image} {data}"
        assert "release" in shop.parent(site)
        # Of this bundle: clusters are shared with other tests, some of which leave Leases behind.
        lease = "/apis/coordination.k8s.io/v1/namespaces/fleetctl-system/leases/fleetctl-app"
        assert shop.place(site).api.call("GET", lease).status == 404


def _clone(shop: shops.Shop, folder: pathlib.Path) -> pathlib.Path:
    """Copy the project as git does, without what its journal knows, at another version."""
    shop.release("1.1.0", *shops.standard("app:1.1", "one"))
    return shutil.copytree(
        shop.folder, folder / "shops", ignore=shutil.ignore_patterns(".fleetctl", "command-*", "kubectl.json")
    )
