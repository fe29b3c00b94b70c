"""Runs in each other's way, and runs that are stopped: from another terminal, by Ctrl-C, by a newer run."""

import signal

import pytest

from tests.integration import shops, wires

pytestmark = pytest.mark.kubebox


@pytest.fixture
def under_way(shop: shops.Shop, doors: dict[str, wires.Wire]) -> tuple[shops.Started, wires.Held, str]:
    """A run whose second wave waits at ``_SLOW`` for the answer to an apply; and that run's name."""
    shop.strategy(concurrency=1)
    shop.release("1.0.0", *shops.standard())
    shop.start()
    shop.release("1.1.0", *shops.standard("app:1.1"))
    held = doors["store-1"].hold("PATCH", "/deployments/web", "answer")
    started = shop.begin(*shop.starting("-o", "json"))
    held.wait()
    return started, held, shop.latest()


def _left(shop: shops.Shop, run: str) -> set[str]:
    return {site for site, outcome in shop.outcomes(run).items() if outcome is None}


def test_pause_from_a_second_terminal(shop: shops.Shop, under_way: tuple[shops.Started, wires.Held, str]) -> None:
    """A second run is refused; a pause lets the site under way end and starts no other; resume goes on from there."""
    started, held, run = under_way
    refused = shop.run(*shop.starting(), code=9)
    assert "run/overlaps" in refused.err
    assert run in refused.err
    assert shop.latest() == run
    assert "is paused" in shop.run("rollout", "pause").out
    held.release()
    assert started.wait().code == 10
    left = _left(shop, run)
    assert "store-1" not in left, "the visit that was under way ended as it would"
    assert left, "no other was started"
    assert {shop.image(site) for site in left} == {"app:1.0"}
    assert "paused" in shop.run("rollout", "status", code=10).out
    assert shop.run("rollout", "resume", run, "-o", "json").json["state"] == "finished"
    assert shop.outcomes(run) == dict.fromkeys(shops.SITES, "changed")
    assert {row.attempt for row in shop.rows(run).values()} == {1}


def test_an_interrupt_drains(shop: shops.Shop, under_way: tuple[shops.Started, wires.Held, str]) -> None:
    """Ctrl-C lets the site under way end, starts no other, and ends with 130; resume finishes the run."""
    started, held, run = under_way
    started.send(signal.SIGINT)
    held.release()
    done = started.wait()
    assert done.code == 130
    assert done.json["state"] == "paused"
    assert shop.rows(run)["store-1"].outcome == "changed"
    left = _left(shop, run)
    assert left
    assert {shop.image(site) for site in left} == {"app:1.0"}
    shop.run("rollout", "resume")
    assert shop.outcomes(run) == dict.fromkeys(shops.SITES, "changed")
    assert {row.attempt for row in shop.rows(run).values()} == {1}


def test_a_newer_run_takes_over(shop: shops.Shop, under_way: tuple[shops.Started, wires.Held, str]) -> None:
    """A superseding run ends the older one; the site that the older one still holds is skipped, and paid later."""
    started, held, run = under_way
    shop.release("1.2.0", *shops.standard("app:1.2"))
    newer = shop.start("--supersede", run, code=4)
    assert (newer["state"], newer["owed"]) == ("finished", 1)
    assert shop.outcomes(newer["name"]) == {**dict.fromkeys(shops.SITES, "changed"), "store-1": "skipped"}
    assert shop.rows(newer["name"])["store-1"].reason == "locked"
    held.release()
    older = started.wait()
    assert older.code == 10
    assert older.json["state"] == "aborted"
    assert shop.rows(run)["store-1"].outcome == "changed"
    paid = shop.catchup("-o", "json").json
    assert shop.outcomes(paid["name"]) == {"store-1": "changed"}
    assert {shop.image(site) for site in shops.SITES} == {"app:1.2"}
