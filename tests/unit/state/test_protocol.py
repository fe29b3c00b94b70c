"""The rollout protocol on the real journal: whatever happens in whichever order, its invariants hold.

Each rule is then taken away, and a short story shows what goes wrong without it: so the check can fail.
"""

import pathlib
import shutil
import tempfile
from collections.abc import Callable

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import stateful

from fleetctl.model import events, outcomes
from fleetctl.state import claims, debts, holds, runs
from tests.unit.state import making, world

CHANGED, FAILED, SILENT = outcomes.Outcome.CHANGED, outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE
OVER = claims.LEASE + claims.GRACE

_processes = st.integers(0, 1)


class Protocol(stateful.RuleBasedStateMachine):
    """Every step that two processes, a network and an operator may take."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self._opened = making.opened(self.folder)
        self.world = world.World(self._opened.__enter__())

    def teardown(self) -> None:
        """Close the journal."""
        self._opened.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    @stateful.rule(seconds=st.sampled_from([5.0, 25.0, 40.0, 61.0, OVER]))
    def tick(self, seconds: float) -> None:
        """Time passes."""
        self.world.tick(seconds)

    @stateful.rule(process=_processes)
    def claim(self, process: int) -> None:
        """A process takes a site."""
        self.world.claim(process)

    @stateful.rule(process=_processes)
    def send(self, process: int) -> None:
        """A process sends a change."""
        self.world.send(process)

    @stateful.rule(process=_processes)
    def renew(self, process: int) -> None:
        """A process prolongs its lease."""
        self.world.renew(process)

    @stateful.rule(index=st.integers(0, 3))
    def land(self, index: int) -> None:
        """A change is committed."""
        self.world.land(index)

    @stateful.rule(process=_processes, outcome=st.sampled_from([CHANGED, FAILED, SILENT]))
    def finish(self, process: int, outcome: outcomes.Outcome) -> None:
        """A visit ends."""
        self.world.finish(process, outcome)

    @stateful.rule(process=_processes)
    def crash(self, process: int) -> None:
        """A process dies."""
        self.world.crash(process)

    @stateful.rule(process=_processes)
    def pay(self, process: int) -> None:
        """A catch-up begins."""
        self.world.pay(process)

    @stateful.rule(process=_processes)
    def claim_payment(self, process: int) -> None:
        """A catch-up goes on."""
        self.world.claim_payment(process)

    @stateful.rule(site=st.sampled_from([*world.SITES, holds.FLEET]), seconds=st.sampled_from([0.0, 50.0, OVER]))
    def hold(self, site: str, seconds: float) -> None:
        """Somebody wants a site left alone, or not any more."""
        self.world.hold(site, seconds)

    @stateful.rule()
    def abort(self) -> None:
        """The operator ends the run."""
        self.world.abort()

    @stateful.rule()
    def pause(self) -> None:
        """The operator stops the run for a while."""
        self.world.pause()

    @stateful.rule()
    def resume(self) -> None:
        """The operator lets it go on."""
        self.world.resume()

    @stateful.rule()
    def undo(self) -> None:
        """The operator takes it back."""
        self.world.undo()

    @stateful.rule()
    def end(self) -> None:
        """The run ends by itself."""
        self.world.end()

    @stateful.invariant()
    def journal_holds_together(self) -> None:
        """No row contradicts another."""
        self.world.check()


TestProtocol = Protocol.TestCase
TestProtocol.settings = hypothesis.settings(max_examples=60, stateful_step_count=40, deadline=None)


# --- what each rule is for


def _take_over(found: world.World) -> None:
    """A process sends, sleeps, and another takes the site over before the request lands."""
    found.claim(0)
    found.tick(claims.LEASE - world.DEADLINE)
    found.send(0)
    found.crash(0)
    found.tick(claims.LEASE - 28.0)
    found.claim(1)
    found.land(0)


def _late_request(found: world.World) -> None:
    """A process sleeps beyond its lease and the grace, and then sends."""
    found.claim(0)
    found.tick(OVER)
    found.claim(1)
    found.send(0)
    found.land(0)


def _finished_again(found: world.World) -> None:
    """A site that has its outcome is offered once more."""
    found.claim(0)
    found.send(0)
    found.land(0)
    found.finish(0, CHANGED)
    found.tick(OVER)
    for _ in world.SITES:
        found.claim(0)
        found.crash(0)


def _started_late(found: world.World) -> None:
    """A run was aborted, and somebody wants the next site."""
    found.claim(0)
    found.journal.store.write_now(lambda conn: runs.pause(conn, found.run.id, "by hand", found.journal.now))
    found.claim(1)


def _two_outcomes(found: world.World) -> None:
    """A slow process ends its visit after another has ended the same site's."""
    found.claim(0)
    found.tick(OVER)
    found.claim(1)
    found.finish(1, SILENT)
    found.finish(0, SILENT)


def _spent_budget(found: world.World) -> None:
    """The one failure that is too many."""
    found.claim(0)
    found.send(0)
    found.land(0)
    found.finish(0, FAILED)


def _stopped_debt(found: world.World) -> None:
    """A debt is about to be paid, and its run is aborted."""
    found.claim(0)
    found.finish(0, SILENT)
    found.pay(1)
    found.crash(1)
    found.abort()
    found.tick(OVER)
    found.claim_payment(1)


def _frozen_debt(found: world.World) -> None:
    """A debt is about to be paid, and its run is paused; the payment of the other site is under way."""
    found.claim(0)
    found.finish(0, SILENT)
    found.claim(0)
    found.finish(0, SILENT)
    found.pay(0)
    found.send(0)
    found.land(0)
    found.pause()
    found.claim_payment(1)
    found.finish(0, CHANGED)


def _unknown_effect(found: world.World) -> None:
    """A visit ends in silence, its request lands while the debt is being paid."""
    found.claim(0)
    found.send(0)
    found.finish(0, SILENT)
    found.pay(1)
    found.land(0)


def _left_alone(found: world.World) -> None:
    """Somebody climbs up to the router of a site that a run has not come to yet."""
    found.claim(0)
    found.hold("b", OVER)
    found.claim(1)


_RECORD = claims._record  # noqa: SLF001  # the rule under test


def _without_attempts(conn: object, run: runs.Run, one: claims.Claim, result: outcomes.Result, now: float) -> bool:
    conn.execute("UPDATE run_sites SET outcome = NULL WHERE run = ? AND site = ?", (run.id, one.site))  # type: ignore[attr-defined]
    attempt = conn.execute("SELECT attempt FROM run_sites WHERE run = ? AND site = ?", (run.id, one.site)).fetchone()[0]  # type: ignore[attr-defined]
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return _RECORD(conn, run, claims.Claim(**{**fields, "attempt": attempt}), result, now)  # type: ignore[arg-type]


def _drop_lease(conn: object, _run: str, one: claims.Claim, _result: outcomes.Result) -> None:
    conn.execute("DELETE FROM leases WHERE site = ?", (one.site,))  # type: ignore[attr-defined]


def _always_running(conn: object, run: str) -> runs.Run:
    found = runs.find(conn, run)  # type: ignore[arg-type]
    assert found is not None
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return runs.Run(**{**fields, "state": events.RunState.RUNNING})


def _without(rule: str, patch: pytest.MonkeyPatch) -> None:
    match rule:
        case "R2":
            patch.setattr(claims, "_FREE", claims._FREE.replace("s.outcome IS NULL AND", ""))  # noqa: SLF001
        case "R3":
            patch.setattr(runs, "get", _always_running)
        case "R4":
            patch.setattr(claims, "_record", _without_attempts)
        case "R5":
            patch.setattr(claims, "tallies", lambda _conn, _run: [])
        case "R9":
            patch.setattr(debts, "drop_unpayable", lambda _conn, _run, _sites, _now: 0)
        case "HOLD":
            patch.setattr(holds, "skip", lambda _conn, _run, _now: 0)
        case "GRACE":
            patch.setattr(claims, "GRACE", -25.0)
        case "KEEP":
            patch.setattr(claims, "_release", _drop_lease)
        case _:
            pass  # R1 is kept by whoever sends


_STORIES: list[tuple[str, Callable[[world.World], None], str]] = [
    ("R1", _late_request, "I3"),
    ("R2", _finished_again, "I2"),
    ("R3", _started_late, "I4"),
    ("R4", _two_outcomes, "I1"),
    ("R5", _spent_budget, "I5"),
    ("R9", _stopped_debt, "I6"),
    ("R9", _frozen_debt, "I6"),
    ("GRACE", _take_over, "I3"),
    ("KEEP", _unknown_effect, "I3"),
    ("HOLD", _left_alone, "I9"),
]


@pytest.mark.parametrize(
    ("rule", "story", "invariant"), _STORIES, ids=[f"{rule}{story.__name__}" for rule, story, _ in _STORIES]
)
def test_each_rule_is_needed(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    story: Callable[[world.World], None],
    invariant: str,
) -> None:
    """With all rules the story ends well; without this one its invariant breaks."""
    world.World.play(tmp_path / "with", story)
    _without(rule, monkeypatch)

    def unfenced(found: world.World) -> None:
        found.fenced = rule != "R1"
        story(found)

    with pytest.raises(world.Broken, match=invariant):
        world.World.play(tmp_path / "without", unfenced)
