"""Visits and the Lease in the cluster: held while something changes, gone afterwards, and what it costs."""

import asyncio
import json
import pathlib
from typing import Any

import pytest

from fleetctl.kube import leases
from fleetctl.model import events, outcomes, plans
from fleetctl.runs import working
from fleetctl.sim import clusters, replies
from fleetctl.state import debts
from tests.unit.rollout import shops

CHANGED, UNCHANGED = outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED


def _call(cluster: clusters.Cluster, method: str, path: str, body: bytes = b"") -> Any:  # noqa: ANN401 - JSON
    status, found = cluster.answer(method, path, {"authorization": f"Bearer {cluster.token}"}, body)[:2]
    assert status < 400, found
    return json.loads(found)


def _heard(shop: shops.Shops, site: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write down what a site is asked: method and the path's last part."""
    cluster, said = shop.fleet.servers[site].cluster, []
    answer = cluster.answer

    def listen(method: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
        said.append(f"{method} {target.partition('?')[0].rpartition('/')[2]}")
        return answer(method, target, headers, body)

    monkeypatch.setattr(cluster, "answer", listen)
    return said


def test_a_visit_that_changes_something_holds_the_lease(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before the first change to the end; the parent is read once more after it was claimed."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        said = _heard(shop, "s1", monkeypatch)
        done = shop.rollout()
        begin = said.index("POST leases")
        assert said[begin - 2 : begin + 2] == ["GET app", "GET kube-system", "POST leases", "GET app"]
        assert "PATCH app" not in said[:begin]
        assert said[-2:] == ["PATCH app", "DELETE fleetctl-app"]
        assert shop.row(done.run, "s1").requests == len(said) - 2, "what the plan asks is not the visit's"
        assert (done.unguarded, shop.objects("s1", "Lease", "coordination.k8s.io")) == (0, {})


def test_nothing_to_do_is_one_request(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parent already names needs no Lease."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        said = _heard(shop, "s1", monkeypatch)
        shop.rollout()
        assert said == ["GET app"]


def test_a_soak_holds_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes of waiting keep nobody away; the last writing is bound to the parent as it was read."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        said = _heard(shop, "s1", monkeypatch)
        shop.rollout(strategy=plans.Strategy(waves=(plans.WaveRule(),), site_timeout=10.0, soak=0.05))
        assert said[-1] == "PATCH app"
        assert said.count("DELETE fleetctl-app") == 1
        assert said[said.index("DELETE fleetctl-app") + 1] == "GET app", "whose mark is it now?"


def test_a_mark_of_somebody_else_ends_a_soak(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who changed the site meanwhile goes on with it; this visit writes nothing more, and nothing is owed."""
    theirs = "r1:theirs r-9 1"
    with shops.opened(tmp_path, ("s1",)) as shop:
        server = shop.fleet.servers["s1"]
        cluster = server.cluster

        async def rest(_worker: object, seconds: float) -> None:
            assert seconds == 60
            async with asyncio.timeout(30):
                while server._open:  # noqa: SLF001, ASYNC110  # no connection is kept; another thread sees it end
                    await asyncio.sleep(0.01)
            notes = _call(cluster, "GET", "/api/v1/namespaces/app/secrets/app")["metadata"]["annotations"]
            _apply(cluster, {**notes, "fleetctl.dev/applying": theirs})

        monkeypatch.setattr(working._Worker, "_rest", rest)  # noqa: SLF001  # a minute in no time
        run = shop.rollout(strategy=plans.Strategy(waves=(plans.WaveRule(),), site_timeout=10.0, soak=60.0))
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.reason) == (outcomes.Outcome.SKIPPED, outcomes.Reason.MOVED)
        assert shop.parent("s1")["applying"] == theirs
        assert shop.store.read(debts.open_ones) == []


def test_without_the_namespace_the_run_says_so(tmp_path: pathlib.Path) -> None:
    """Counted for the run, not per site; the journal alone kept others away."""
    with shops.opened(tmp_path) as shop:
        for site in ("s1", "s3"):
            _call(shop.fleet.servers[site].cluster, "DELETE", f"/api/v1/namespaces/{leases.NAMESPACE}")
        done = shop.rollout()
        assert set(shop.outcomes(done.run).values()) == {CHANGED}
        assert done.unguarded == 2


def test_a_site_that_another_operator_works_on_is_owed(tmp_path: pathlib.Path) -> None:
    """Tried again at the wave's end, then skipped as locked; nothing was sent. Later it is paid."""
    with shops.opened(tmp_path) as shop:
        cluster = shop.fleet.servers["s2"].cluster
        _call(cluster, "POST", leases.COLLECTION, leases.body("app", "others s2 r-9 1", cluster.store.clock()))
        run = shop.rollout()
        assert run.state is events.RunState.FINISHED
        row = shop.row(run.run, "s2")
        assert (row.outcome, row.effect, row.reason) == (
            outcomes.Outcome.SKIPPED,
            outcomes.Effect.NONE,
            outcomes.Reason.LOCKED,
        )
        assert row.cause is not None
        assert str(row.cause) == "Locked Lease fleetctl-system/fleetctl-app: held by others s2 r-9 1"
        assert shop.objects("s2", "Secret") == {}
        assert len(shop.store.read(debts.open_ones)) == 1
        _call(cluster, "DELETE", leases.path("app"))
        [paid] = shop.catchup()
        assert shop.outcomes(paid.run) == {"s2": CHANGED}


def test_what_another_operator_did_just_before_is_seen(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent is read again once the Lease is ours: work that was done meanwhile is not done twice."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        cluster = shop.fleet.servers["s1"].cluster
        answer, path = cluster.answer, "/api/v1/namespaces/app/secrets/app"
        notes = _call(cluster, "GET", path)["metadata"]["annotations"]
        release, notes["fleetctl.dev/release"] = notes["fleetctl.dev/release"], "r1:old"
        _apply(cluster, notes)

        def meanwhile(method: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
            if method == "POST":
                notes["fleetctl.dev/release"] = release
                _apply(cluster, notes, answer)
            return answer(method, target, headers, body)

        monkeypatch.setattr(cluster, "answer", meanwhile)
        done = shop.rollout()
        row = shop.row(done.run, "s1")
        assert (row.outcome, row.effect) == (UNCHANGED, outcomes.Effect.NONE)
        assert shop.objects("s1", "Lease", "coordination.k8s.io") == {}


def _apply(cluster: clusters.Cluster, notes: dict[str, str], answer: Any = None) -> None:  # noqa: ANN401 - a method
    """Write the parent as another fleetctl does."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app", "namespace": "app", "annotations": notes}}
    headers = {"authorization": f"Bearer {cluster.token}", "content-type": "application/apply-patch+yaml"}
    path = "/api/v1/namespaces/app/secrets/app?fieldManager=fleetctl-applyset&force=true"
    status, found = (answer or cluster.answer)("PATCH", path, headers, json.dumps(body).encode())[:2]
    assert status == 200, found
