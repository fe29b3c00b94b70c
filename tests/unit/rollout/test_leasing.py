"""Two visits and one Lease: whatever is lost or late, they never both hold it."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any, Literal

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.kube import answers, client, leases
from fleetctl.model import outcomes
from fleetctl.rollout import failing, leasing
from tests.unit.rollout import ordering

Weather = Literal["fair", "lost", "refused", "late"]


class World:
    """A server with one place for a Lease, and the time that passes for everybody; its clock is not ours."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.stored: dict[str, Any] | None = None
        self.version = 0
        self.place = True
        self.dated = True


class Api:
    """What a visit uses of its client."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.guard: client.Guard | None = None
        self.unknown = False
        self.weather: Weather = "fair"
        self.sent: list[str] = []

    @property
    def server_time(self) -> tuple[float, float] | None:
        """A header has whole seconds."""
        told = 5e8 + self.world.now
        return (told - 1, told + 1) if self.world.dated else None

    async def write_aside(self, method: str, _path: str, body: bytes) -> bytes:
        """Store it, if it is bound to what is there."""
        self._sent(method)
        made, there = json.loads(body), self.world.stored
        if not self.world.place:
            raise answers.Failure("missing", "NotFound", "no namespace", status=404)
        if method == "PUT" and there is None:
            raise answers.Failure("missing", "NotFound", "gone", status=404)
        if (method == "POST") != (there is None) or (there and self._bound(made["metadata"], there)):
            raise answers.Failure("conflict", "Conflict", "modified", status=409)
        self.world.version += 1
        uid = there["metadata"]["uid"] if there else f"u{self.world.version}"
        self.world.stored = {**made, "metadata": {"uid": uid, "resourceVersion": str(self.world.version)}}
        return self._answered(json.dumps(self.world.stored).encode())

    async def get_raw(self, _path: str, *, aside: bool = False) -> bytes:  # noqa: ARG002  # as the client's
        """Return it."""
        self._sent("GET")
        if self.world.stored is None:
            raise answers.Failure("missing", "NotFound", "gone", status=404)
        return self._answered(json.dumps(self.world.stored).encode())

    async def delete(self, _path: str, *, uid: str, resource_version: str, aside: bool) -> bool:
        """Delete it, if it is the one that is meant."""
        assert aside
        self._sent("DELETE")
        there = self.world.stored
        if there is not None and self._bound({"uid": uid, "resourceVersion": resource_version}, there):
            raise answers.Failure("conflict", "Conflict", "modified", status=409)
        self.world.stored = None
        return True

    def _sent(self, method: str) -> None:
        self.sent.append(method)
        if self.weather == "refused":
            raise answers.Failure("unreachable", "ConnectionRefused", "nothing listens there")
        if self.weather == "late":
            self.world.now += 25

    def _answered(self, body: bytes) -> bytes:
        if self.weather == "lost":
            self.world.now += 5
            raise answers.Failure("unreachable", "ReadTimeout", "no answer")
        return body

    @staticmethod
    def _bound(said: dict[str, str], there: dict[str, Any]) -> bool:
        return any(said.get(key) != there["metadata"][key] for key in ("uid", "resourceVersion"))


class Visitor:
    """A visit, as far as its Lease."""

    def __init__(self, world: World, run: str, attempt: int = 1) -> None:
        self.api = Api(world)
        self.world = world
        self.lease = leasing.Lease(ordering.order(run, attempt), self.api, {}, lambda: world.now)  # type: ignore[arg-type]

    async def until(self) -> float:
        """Return how long this visit may change things, as of what it knows by itself; 0 when it may not."""
        if self.api.guard is None:
            return 0.0
        sent, self.api.weather = self.api.weather, "refused"  # whoever hears nothing has only what it knows
        try:
            return self.world.now + await self.api.guard.keep()
        except (client.Fenced, answers.Failure):
            return 0.0
        finally:
            self.api.weather = sent


def _run(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401  # whatever it returns
    return asyncio.run(work)


def test_a_visit_claims_renews_and_gives_back() -> None:
    """One request each; between renewals keeping it costs none."""
    world = World()
    one = Visitor(world, "r-1")
    assert _run(one.lease.claim())
    for _ in range(4):
        world.now += 10
        assert _run(one.lease.keep()) >= 40
    assert one.api.sent == ["POST", "PUT", "PUT"]
    _run(one.lease.release())
    assert (world.stored, one.api.guard) == (None, None)


def test_where_there_is_no_place_nothing_is_held() -> None:
    """The visit goes on, guarded by the journal alone."""
    world = World()
    world.place = False
    one = Visitor(world, "r-1")
    assert not _run(one.lease.claim())
    assert one.api.guard is None


@pytest.mark.parametrize("dated", [True, False])
def test_somebody_elses_is_left_alone_until_it_is_over(dated: bool) -> None:  # noqa: FBT001  # a parameter
    """Held is a skip that is owed, and says by whom; a term and a grace after its last renewal it is taken."""
    world = World()
    world.dated = dated
    assert _run(Visitor(world, "r-1").lease.claim())
    two = Visitor(world, "r-2")
    with pytest.raises(failing.Stopped) as stopped:
        _run(two.lease.claim())
    assert (stopped.value.outcome, stopped.value.reason) == (outcomes.Outcome.SKIPPED, outcomes.Reason.LOCKED)
    assert stopped.value.cause.message == "held by shops s1 r-1 1"
    world.now += 99
    with pytest.raises(failing.Stopped):
        _run(two.lease.claim())
    world.now += 4
    assert _run(two.lease.claim())


def test_a_later_attempt_of_the_same_run_need_not_wait() -> None:
    """The journal has let it begin, so the earlier one is over."""
    world = World()
    first, second = Visitor(world, "r-1"), Visitor(world, "r-1", attempt=2)
    assert _run(first.lease.claim())
    assert _run(second.lease.claim())
    world.now += 30
    with pytest.raises(client.Fenced):
        _run(first.lease.keep())


def test_a_renewal_whose_answer_was_lost_is_found_again() -> None:
    """The second try is refused as of an old version; what stands there is our own."""
    world = World()
    one = Visitor(world, "r-1")
    assert _run(one.lease.claim())
    world.now += 20
    one.api.weather = "lost"
    _run(one.lease.keep())
    world.now += 5
    one.api.weather = "fair"
    assert _run(one.lease.keep()) > 50
    _run(one.lease.release())
    assert world.stored is None


def test_one_under_which_a_request_may_land_is_kept() -> None:
    """KEEP: an effect that nobody knows does not end with the visit."""
    world = World()
    one = Visitor(world, "r-1")
    assert _run(one.lease.claim())
    one.api.unknown = True
    _run(one.lease.release())
    assert world.stored is not None


def test_without_an_answer_it_ends_in_time() -> None:
    """Renewals that fail leave what is left of the term, and then nothing."""
    world = World()
    one = Visitor(world, "r-1")
    assert _run(one.lease.claim())
    one.api.weather = "refused"
    world.now += 30
    assert _run(one.lease.keep()) == 30
    world.now += 29.5
    with pytest.raises(answers.Failure):
        _run(one.lease.keep())


_ACTS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["claim", "claim", "keep", "release"]),
    st.sampled_from(["fair", "fair", "fair", "lost", "refused", "late"]),
    st.sampled_from([0, 1, 5, 19, 21, 35, 45, 59, 90]),
)


@hypothesis.settings(max_examples=400)
@hypothesis.given(st.lists(_ACTS, min_size=2, max_size=20), st.booleans())
def test_two_never_both_hold_it(acts: list[tuple[int, str, Weather, float]], dated: bool) -> None:  # noqa: FBT001
    """Whatever three visits do, and whatever becomes of their requests."""
    world = World()
    world.dated = dated
    visitors = [Visitor(world, f"r-{number}") for number in range(3)]

    async def work() -> None:
        for number, act, weather, pause in acts:
            world.now += pause
            one = visitors[number]
            one.api.weather = weather
            with contextlib.suppress(answers.Failure, failing.Stopped, client.Fenced):
                if act != "keep" or one.api.guard is not None:
                    await getattr(one.lease, act)()
            holding = [other for other in visitors if await other.until() > world.now]
            assert len(holding) <= 1

    _run(work())


def test_the_name_is_one_that_a_role_can_name() -> None:
    """As the documentation of rights has it."""
    assert leases.path("retail-pos").endswith("/namespaces/fleetctl-system/leases/fleetctl-retail-pos")
