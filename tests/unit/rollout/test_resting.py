"""Pauses that end when what is waited for is done: a visit on a simulated cluster, and pauses by themselves."""

import asyncio
import json
import pathlib
from typing import Any

import pytest

from fleetctl.kube import client, kinds, transport, views
from fleetctl.model import objects, outcomes
from fleetctl.rollout import resting
from fleetctl.sim import objects as simulated
from fleetctl.sim import replies
from tests.unit.rollout import shops

WEB = objects.ObjectId("apps", "Deployment", "app", "web")
SERVED = kinds.Resource("apps/v1", "Deployment", "deployments", namespaced=True)
DONE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def _watches(shop: shops.Shops, monkeypatch: pytest.MonkeyPatch, refusal: simulated.Refusal | None = None) -> list[str]:
    """Write down which collections the site is asked to let us watch, and refuse it where that is wanted."""
    cluster, found = shop.fleet.servers["s1"].cluster, list[str]()
    answer = cluster.answer

    def listen(method: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
        if "watch=1" in target:
            found.append(target.partition("?")[0].rpartition("/")[2])
            if refusal is not None:
                return replies.refused(refusal)
        return answer(method, target, headers, body)

    monkeypatch.setattr(cluster, "answer", listen)
    return found


def test_a_visit_watches_what_is_not_well(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look finds a Deployment under way; its own word ends the pause."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        asked = _watches(shop, monkeypatch)
        shop.bundle("1.0.0", "app:slow")
        done = shop.rollout()
        assert shop.row(done.run, "s1").outcome is outcomes.Outcome.CHANGED
        assert set(asked) <= {"deployments"}


def test_without_the_right_to_watch_it_looks_by_the_clock(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One refusal is enough, and it costs nothing but the pause."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        asked = _watches(shop, monkeypatch, simulated.Refusal(403, "Forbidden", "you may not"))
        done = shop.rollout()
        assert shop.row(done.run, "s1").outcome is outcomes.Outcome.CHANGED
        assert len(asked) <= 1


class _Session:
    """Answers watches with lines, and keeps what it was asked."""

    def __init__(self, *lines: dict[str, Any], status: int = 200) -> None:
        self.asked: list[str] = []
        self._lines = lines
        self._status = status

    async def send(self, request: transport.Request) -> transport.Answer:
        """Give the lines, then wait until we are told to go."""
        self.asked.append(request.path)
        if self._status != 200:
            return transport.Answer(self._status, b"{}")
        assert request.take is not None
        for line in self._lines:
            assert request.take(json.dumps(line).encode() + b"\n")
        await asyncio.Event().wait()
        raise AssertionError

    def close(self) -> None:
        """Do nothing."""


def _body(status: dict[str, Any], version: str = "5") -> dict[str, Any]:
    meta = {"name": "web", "namespace": "app", "generation": 1, "resourceVersion": version}
    return {"metadata": meta, "spec": {"replicas": 1}, "status": status}


def _rest(session: _Session, status: dict[str, Any], left: float = 3600.0, times: int = 1) -> None:
    """Take pauses of no time, or of an hour while something is watched: that a test ends shows which."""
    view = views.View(WEB, json.dumps(_body(status)).encode())

    async def take() -> None:
        rest = resting.Rest(client.Client(session))
        for _ in range(times):
            await rest.take(view, SERVED, 0.0, left)

    asyncio.run(asyncio.wait_for(take(), 20))


@pytest.fixture
def _an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "_LEAST", 3600.0)
    monkeypatch.setattr(resting, "_LONGEST", 3600.0)


@pytest.mark.usefixtures("_an_hour")
@pytest.mark.parametrize(
    "last", [{"type": "MODIFIED", "object": _body(DONE, "7")}, {"type": "DELETED", "object": _body({})}]
)
def test_it_ends_when_the_object_is_done_or_gone(last: dict[str, Any]) -> None:
    """From the version that was looked at, past what is not yet the end."""
    session = _Session({"type": "MODIFIED", "object": _body({"observedGeneration": 1}, "6")}, last)
    _rest(session, {})
    [asked] = session.asked
    assert asked.startswith("/apis/apps/v1/namespaces/app/deployments?watch=1&")
    assert "resourceVersion=5&" in asked
    assert "fieldSelector=metadata.name%3Dweb" in asked


@pytest.mark.usefixtures("_an_hour")
def test_what_is_settled_already_is_not_watched() -> None:
    """Its pods were looked at before it was done: nothing more would be told."""
    session = _Session()
    _rest(session, DONE)
    assert session.asked == []


@pytest.mark.usefixtures("_an_hour")
def test_there_is_no_watch_of_less_than_its_least_time() -> None:
    """Near the end of a site's time the pause is a pause."""
    session = _Session()
    _rest(session, {}, left=1.0)
    assert session.asked == []


@pytest.mark.usefixtures("_an_hour")
def test_a_refusal_is_remembered() -> None:
    """Whoever may not watch is not told so again and again."""
    session = _Session(status=403)
    _rest(session, {}, times=3)
    assert len(session.asked) == 1


@pytest.mark.usefixtures("_an_hour")
def test_a_line_that_cannot_be_read_is_no_end_of_the_visit() -> None:
    """The look that follows says what is wrong."""
    session = _Session({"type": 5})
    _rest(session, {}, times=2)
    assert len(session.asked) == 1
