"""A process that is killed in the middle of a wave, and the resume that follows."""

import signal

import pytest

from fleetctl.state import checking
from tests.integration import shops, wires

pytestmark = pytest.mark.kubebox


@pytest.mark.slow
@pytest.mark.timeout(300)  # the dead process's leases last 60 s, and 40 s more until nothing of it can land
def test_a_killed_run_is_resumed(shop: shops.Shop, doors: dict[str, wires.Wire]) -> None:
    """Every site ends with one outcome; sites that had ended are not spoken to again; the journal holds together."""
    shop.strategy(concurrency=2)
    shop.release("1.0.0", *shops.standard())
    shop.start()
    shop.release("1.1.0", *shops.standard("app:1.1", "good evening"))
    canary = shop.run("rollout", "plan", "app", "--all", "--strategy", shop.quick, "-o", "json").json["plan"][
        "members"
    ][0]["site"]
    second = [site for site in shops.SITES if site != canary]
    # One had its request done and never heard of it, the other had sent nothing but the mark on its parent.
    held = [
        doors[second[1]].hold("PATCH", "/deployments/web", "answer"),
        doors[second[2]].hold("PATCH", "/configmaps/greeting"),
    ]
    started = shop.begin(*shop.starting())
    for one in held:
        one.wait()
    started.send(signal.SIGKILL)
    assert started.wait().code == -signal.SIGKILL
    for one in held:
        one.release()
    run = shop.latest()
    ended = {canary, second[0]}
    assert shop.outcomes(run) == {site: "changed" if site in ended else None for site in shops.SITES}
    with shop.journal() as store:
        assert store.read(checking.check) == []
    assert "resume" in shop.run("rollout", "status", run).out
    before = {site: shops.versions(shop.place(site)) for site in ended}
    for door in doors.values():
        door.take()

    done = shop.begin("rollout", "resume", run, "-o", "json").wait(patience=200)
    assert done.code == 0, done
    assert done.json["state"] == "finished"
    assert shop.outcomes(run) == dict.fromkeys(shops.SITES, "changed")
    attempts = {site: row.attempt for site, row in shop.rows(run).items()}
    assert attempts == {**dict.fromkeys(shops.SITES, 1), second[1]: 2, second[2]: 2}
    assert {site: doors[site].take() for site in ended} == {site: [] for site in ended}
    assert {site: shops.versions(shop.place(site)) for site in ended} == before
    for site in shops.SITES:
        assert "applying" not in shop.parent(site)
        assert shop.image(site) == "app:1.1"
        assert shop.place(site).get("configmaps", "greeting")["data"] == {"text": "good evening"}
