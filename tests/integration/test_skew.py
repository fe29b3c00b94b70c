"""Clusters of two minors in one rollout, as while a fleet is being upgraded; store-1, -3 and -5 run the newer."""

import pytest

from tests.contract import talking
from tests.integration import shops
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

NEW, OLD = clusters.MINORS


def _declare(shop: shops.Shop, minors: dict[str, str]) -> None:
    """Say in the inventory which sites run which minor."""
    groups = [
        f"kind: Group\nname: of-{minor.replace('.', '-')}\n"
        f"match: ring in ({', '.join(str(shops.SITES.index(site)) for site in minors if minors[site] == minor)})\n"
        f"priority: 10\ncluster: {{version: v{minor}.3}}\n"
        for minor in dict.fromkeys(minors.values())
    ]
    for number, text in enumerate(groups):
        shop.write(f"inventory/group-{number}.yaml", text)


def _truth(shop: shops.Shop) -> dict[str, str]:
    return {site: cluster.minor for site, cluster in shop.sites.items()}


def _driver(shop: shops.Shop) -> shops.Object:
    """Return an object with a field that the newer minor has and the older one has not."""
    spec = {"tokenRequests": [{"audience": "shop"}], "serviceAccountTokenInSecrets": True}
    meta = {"name": f"{shop.namespace}.example.com"}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": meta, "spec": spec}


def test_a_field_of_the_newer_minor_is_found_before_contact(shop: shops.Shop) -> None:
    """It is refused for the sites of the older minor; brought to the others only, every cluster takes its own."""
    _declare(shop, _truth(shop))
    shop.release("1.0.0", *shops.standard(), _driver(shop))
    said = shop.run("rollout", "plan", "app", "--all", code=3).err
    assert f"spec.serviceAccountTokenInSecrets: unknown field in Kubernetes {OLD}; " in said
    assert "at 3 sites, e.g. store-2" in said

    objects = shop.folder / "templates" / "app" / "objects.yaml.j2"
    text = objects.read_text(encoding="utf-8")
    home, mark, driver = text.rpartition("\n---\n")
    new = f"{{% if site.cluster.version.startswith('v{NEW}.') %}}"
    objects.write_text(f"{home}\n{new}{mark}{driver}{{% endif %}}\n", encoding="utf-8")
    run = shop.start()
    assert shop.outcomes(run["name"]) == dict.fromkeys(shops.SITES, "changed")
    path = f"/apis/storage.k8s.io/v1/csidrivers/{shop.namespace}.example.com"
    there = shop.everywhere(lambda place: place.api.call("GET", path).status)
    assert there == {site: 200 if minor == NEW else 404 for site, minor in _truth(shop).items()}


def test_a_site_that_is_older_than_it_says_fails_alone(shop: shops.Shop) -> None:
    """Where the inventory is wrong the API server's own answer is the cause, and undo takes all of it back."""
    _declare(shop, dict.fromkeys(shops.SITES, NEW))
    shop.release("1.0.0", *shops.standard())
    shop.start()
    good = {site: shop.parent(site)["release"] for site in shops.SITES}
    shop.release("1.1.0", *shops.standard("app:1.1"), _driver(shop))
    shop.strategy(waves=[{"name": "all"}], maxFailed="100%")
    run = shop.start(code=6)
    expected = {site: "changed" if minor == NEW else "failed" for site, minor in _truth(shop).items()}
    assert shop.outcomes(run["name"]) == expected
    (cause,) = run["causes"]
    assert "spec.serviceAccountTokenInSecrets: field not declared in schema" in cause["cause"]["message"]
    undone = shop.undo(run["name"])
    assert shop.outcomes(undone["name"]) == dict.fromkeys(shops.SITES, "changed")
    assert {site: shop.parent(site)["release"] for site in shops.SITES} == good


def test_what_a_bundle_requires_leaves_the_older_out(shop: shops.Shop) -> None:
    """Sites that do not have the minor that a bundle requires are named, and nothing is done to them."""
    _declare(shop, _truth(shop))
    shop.release("1.0.0", talking.config_map("greeting", {"text": "hello"}))
    bundle = shop.folder / "templates" / "app" / "bundle.yaml"
    bundle.write_text(f'{bundle.read_text(encoding="utf-8")}requires: {{kubernetes: ">{OLD}"}}\n', encoding="utf-8")
    assert f"3 sites were left out of app: lacking Kubernetes >{OLD}" in shop.run("render", "--all").out
    run = shop.start()
    new = [site for site, minor in _truth(shop).items() if minor == NEW]
    assert shop.outcomes(run["name"]) == dict.fromkeys(new, "changed")


def test_the_canary_is_one_of_each_minor(shop: shops.Shop) -> None:
    """What differs between minors shows in the first wave: it holds a site of every kind."""
    _declare(shop, _truth(shop))
    shop.release("1.0.0", talking.config_map("greeting", {"text": "hello"}))
    shop.strategy(waves=[{"name": "canary", "count": 2, "canary": True}, {"name": "rest"}])
    rows = shop.rows(shop.start()["name"]).values()
    first = [shop.sites[row.site].minor for row in rows if row.wave == min(row.wave for row in rows)]
    assert sorted(first) == sorted(clusters.MINORS)
