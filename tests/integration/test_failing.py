"""Releases that are bad: where a run stops, what it says of it, and the way back."""

import pytest

from tests.integration import shops
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

_BAD = "registry.example/app:1.1-missing"


def test_a_bad_image_halts_at_the_canary(shop: shops.Shop, kubebox: clusters.Fleet) -> None:
    """No site but the canary is touched; why names the cause offline; undo brings the old release back."""
    shop.release("1.0.0", *shops.standard())
    shop.start()
    before = shop.everywhere(shops.versions)
    good = {site: shop.parent(site)["release"] for site in shops.SITES}
    shop.release("1.1.0", *shops.standard(_BAD))
    halted = shop.start(code=7)
    found = shop.outcomes(halted["name"])
    (canary,) = [site for site, outcome in found.items() if outcome == "failed"]
    assert (halted["state"], halted["notStarted"]) == ("halted", 5)
    assert found == {**dict.fromkeys(shops.SITES), canary: "failed"}
    (cause,) = [one["cause"] for one in halted["causes"]]
    assert (cause["reason"], cause["subject"]) == ("ImagePullBackOff", _BAD)
    others = [site for site in shops.SITES if site != canary]
    assert {site: shops.versions(shop.place(site)) for site in others} == {site: before[site] for site in others}

    # Frozen, not ended: whoever asks one waits for its answer, and the controllers need not find their way back.
    for cluster in shop.sites.values():
        cluster.pause()
    why = shop.begin("why", canary).wait(patience=10).out
    assert why.startswith(f"{canary} (k3s) failed in wave 1 (canary) of {halted['name']}")
    for words in ("ImagePullBackOff", _BAD, "templates/app/objects.yaml.j2"):
        assert words in why
    assert shop.begin("rollout", "status").wait(patience=10).code == 7
    kubebox.clusters(len(shop.sites))

    undone = shop.undo(halted["name"])
    assert shop.outcomes(undone["name"]) == {canary: "changed"}
    assert shop.image(canary) == "app:1.0"
    assert {site: shop.parent(site)["release"] for site in shops.SITES} == good
    assert shop.outcomes(halted["name"]) == {**dict.fromkeys(others, "skipped"), canary: "failed"}


_WIDGET = {"apiVersion": "shops.example/v1", "kind": "Widget", "metadata": {"name": "till"}, "spec": {"size": 1}}


def _refused() -> shops.Object:
    """Return a Service that the API server refuses, and nobody can know it before."""
    spec = {"selector": {"app": "web"}, "clusterIP": "192.0.2.77", "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "till"}, "spec": spec}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        pytest.param(_WIDGET, "Widget", id="no such kind"),
        pytest.param(_refused(), "192.0.2.77", id="refused"),
    ],
)
def test_a_half_applied_site_is_brought_back(shop: shops.Shop, bad: shops.Object, words: str) -> None:
    """A release of which the API server takes only a part ends failed and partial, and undo takes that part back."""
    shop.release("1.0.0", *shops.standard())
    shop.start()
    good = {site: shop.parent(site)["release"] for site in shops.SITES}
    new = shops.standard("app:1.1", "good evening")
    shop.release("1.1.0", *new, bad)
    halted = shop.start(code=7)
    (canary,) = [row for row in shop.rows(halted["name"]).values() if row.outcome is not None]
    assert (canary.outcome, canary.effect) == ("failed", "partial")
    assert canary.cause
    assert words in str(canary.cause)
    half = shop.parent(canary.site)
    assert "release" not in half
    assert half["applying"].split()[1] == halted["name"]
    assert shop.place(canary.site).get("configmaps", "greeting")["data"] == {"text": "good evening"}

    undone = shop.undo(halted["name"])
    assert shop.outcomes(undone["name"]) == {canary.site: "changed"}
    assert {site: shop.parent(site)["release"] for site in shops.SITES} == good
    assert shop.place(canary.site).get("configmaps", "greeting")["data"] == {"text": "good morning"}
    assert "applying" not in shop.parent(canary.site)
    shop.release("1.0.0", *shops.standard())
    again = shop.start()
    assert shop.outcomes(again["name"]) == dict.fromkeys(shops.SITES, "unchanged")
