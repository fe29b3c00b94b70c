"""Clusters that do not answer are owed the release; those that refuse us are not."""

import pytest

from tests.integration import shops
from tests.kubebox import certificates, clusters

pytestmark = pytest.mark.kubebox


def test_what_is_owed_is_paid_once(shop: shops.Shop, kubebox: clusters.Fleet) -> None:
    """A cluster that is away is owed the release; catch-up pays when it is back, and finds nothing more after that."""
    shop.release("1.0.0", *shops.standard())
    shop.sites["store-3"].stop()
    run = shop.start(code=4)
    assert (run["state"], run["owed"]) == ("finished", 1)
    assert shop.outcomes(run["name"]) == {**dict.fromkeys(shops.SITES, "changed"), "store-3": "unreachable"}
    row = shop.rows(run["name"])["store-3"]
    assert (row.effect, row.owed) == ("none", True)
    assert "ConnectionRefused" in shop.run("why", "store-3").out

    kubebox.clusters(len(shop.sites))
    paid = shop.catchup("-o", "json").json
    assert shop.outcomes(paid["name"]) == {"store-3": "changed"}
    assert shop.parent("store-3")["release"]
    assert shop.place("store-3").get("deployments", "web")["status"]["readyReplicas"] == 2
    assert shop.catchup().out.startswith("nothing is owed")
    assert shop.latest() == paid["name"], "no third run was made"


def test_catchup_says_who_is_still_away(shop: shops.Shop) -> None:
    """While what is owed cannot be paid, catch-up says so and leaves no run behind; cron need not hear of it."""
    shop.release("1.0.0", *shops.standard())
    shop.access("store-3", server="https://127.0.0.1:1")
    run = shop.start(code=4)
    still = shop.catchup(code=None)
    assert shop.latest() == run["name"]
    assert still.code == 0
    assert "still out of reach" in still.out


def test_a_refusal_is_not_owed(shop: shops.Shop) -> None:
    """A wrong token is a failure of credentials, a certificate of a strange authority one of identity."""
    shop.release("1.0.0", *shops.standard())
    first = shop.start()
    shop.release("1.1.0", *shops.standard("app:1.1"))
    shop.access("store-2", token="of-nobody")  # noqa: S106 - it opens nothing
    shop.access("store-5", authority=certificates.Authority("somebody else").certificate)
    run = shop.start(code=6)
    rows = shop.rows(run["name"])
    assert {site: str(row.outcome) for site, row in rows.items()} == {
        **dict.fromkeys(shops.SITES, "changed"),
        "store-2": "failed",
        "store-5": "failed",
    }
    assert (rows["store-2"].reason, rows["store-5"].reason) == ("credentials", "identity")
    assert {rows[site].effect for site in ("store-2", "store-5")} == {"none"}
    assert run["owed"] == 0
    assert {shop.parent(site)["run"] for site in ("store-2", "store-5")} == {first["name"]}
    assert shop.catchup().out.startswith("nothing is owed")
