"""A run folded from its events: counts, budgets, causes, the slowest visit, and how long the rest takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.console import counting
from fleetctl.model import events, outcomes

NONE = outcomes.Effect.NONE
CHANGED, FAILED, SILENT = outcomes.Outcome.CHANGED, outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of our own."""
    return Clock()


def _started(*members: int, failed: int = 100, unreachable: int = 100) -> events.RunStarted:
    return events.RunStarted(
        "r-1",
        "rollout",
        "pos",
        "1.4.0",
        "p1:abc",
        tuple((str(number), count) for number, count in enumerate(members, 1)),
        tuple((2, 3) for _ in members),
        total_failed=failed,
        total_unreachable=unreachable,
    )


def _open(progress: counting.Progress, wave: int) -> None:
    progress.take(events.WaveStarted(wave, progress.waves[wave - 1].members, 2, 3))


def _end(site: str, outcome: outcomes.Outcome = CHANGED, wave: int = 1, **more: object) -> events.SiteEnded:
    return events.SiteEnded(site, wave, outcome, NONE, owed=outcome is SILENT, **more)  # type: ignore[arg-type]


def _visit(progress: counting.Progress, clock: Clock, sites: list[str], seconds: float, wave: int = 1) -> None:
    for site in sites:
        progress.take(events.SiteMoved(site, wave, events.Phase.APPLYING))
    clock.now += seconds
    for site in sites:
        progress.take(_end(site, wave=wave))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0s"), (59.9, "59s"), (60, "1m00s"), (252, "4m12s"), (3599, "59m59s"), (3600, "1h00m"), (86400, "1d")],
)
def test_times_are_short(seconds: float, expected: str) -> None:
    """Two units at most, and none that says nothing."""
    assert counting.duration(seconds) == expected


@pytest.mark.parametrize(
    ("outcome", "reason", "owed", "expected"),
    [
        (CHANGED, "", False, "changed"),
        (SILENT, "", True, "owed (unreachable)"),
        (SILENT, "", False, "unreachable"),
        (outcomes.Outcome.SKIPPED, "maintenance", True, "owed (maintenance)"),
        (outcomes.Outcome.SKIPPED, "moved", False, "skipped (moved)"),
    ],
)
def test_outcomes_in_words(outcome: outcomes.Outcome, reason: str, owed: bool, expected: str) -> None:  # noqa: FBT001
    """Owed is what there is a debt for, nothing else."""
    assert counting.word(outcome, outcomes.Reason(reason), owed=owed) == expected


def test_budgets_are_those_of_the_open_wave(clock: Clock) -> None:
    """What halts next is what counts: failures of earlier waves are behind us."""
    progress = counting.Progress(clock)
    progress.take(_started(3, 60))
    _open(progress, 1)
    progress.take(_end("a", FAILED))
    assert str(progress.failed) == "1 (budget 2 in wave 1)"
    _open(progress, 2)
    assert str(progress.failed) == "0 (budget 2 in wave 2)"


def test_the_budget_of_the_run_is_shown_when_it_is_nearer(clock: Clock) -> None:
    """A small run may have less room in all than its waves have one by one."""
    progress = counting.Progress(clock)
    progress.take(_started(3, 60, failed=1, unreachable=1))
    _open(progress, 1)
    progress.take(_end("a", FAILED))
    progress.take(_end("b", SILENT))
    _open(progress, 2)
    assert str(progress.failed) == "1 (budget 1 in the run)"
    assert str(progress.unreachable) == "1 (budget 1 in the run)"


def test_what_is_owed_is_not_what_is_out_of_reach(clock: Clock) -> None:
    """Sites in maintenance are owed and spend no budget; sites that refuse our credentials spend another one."""
    progress = counting.Progress(clock)
    progress.take(_started(9))
    _open(progress, 1)
    for number in range(20):
        waiting = events.SiteEnded(
            f"m{number}",
            0,
            outcomes.Outcome.SKIPPED,
            NONE,
            outcomes.Reason.MAINTENANCE,
            owed=True,
            earlier=True,
        )
        progress.take(waiting)
    progress.take(_end("a", FAILED, reason=outcomes.Reason.CREDENTIALS))
    assert (progress.owed, progress.unreachable.count, progress.failed.count) == (20, 0, 0)
    assert progress.waves[0].words() == "1 failed"


def test_causes_are_gathered_by_what_sites_have_in_common(clock: Clock) -> None:
    """Addresses differ, the trouble does not; the same words for a failure and for silence are two causes."""
    progress = counting.Progress(clock)
    progress.take(_started(9))
    _open(progress, 1)
    for number, outcome in enumerate((FAILED, FAILED, SILENT)):
        progress.take(_end(f"s{number}", outcome, cause=outcomes.Cause("Broken", "it", f"at 10.0.0.{number}:443")))
    found = [(one.sites, one.outcome, one.example) for one in progress.causes.values()]
    assert found == [(2, FAILED, "s0"), (1, SILENT, "s2")]


def test_the_slowest_is_not_one_that_soaks(clock: Clock) -> None:
    """Soaking takes its time everywhere; what waits for health may be stuck."""
    progress = counting.Progress(clock)
    progress.take(_started(9))
    _open(progress, 1)
    progress.take(events.SiteMoved("old", 1, events.Phase.SOAKING))
    clock.now += 60
    progress.take(events.SiteMoved("young", 1, events.Phase.APPLYING))
    clock.now += 5
    progress.take(events.SiteMoved("young", 1, events.Phase.OBSERVING, "Deployment pos/gateway 0 of 1"))
    slowest = progress.slowest()
    assert slowest is not None
    assert (slowest.site, slowest.detail, progress.waited(slowest)) == ("young", "Deployment pos/gateway 0 of 1", 5)
    progress.take(_end("young"))
    slowest = progress.slowest()
    assert slowest is not None
    assert (slowest.site, slowest.phase) == ("old", events.Phase.SOAKING)
    progress.take(_end("old"))
    assert progress.slowest() is None


def test_no_guess_before_there_is_anything_to_go_by(clock: Clock) -> None:
    """A few visits say little; sites that ended before this process say nothing."""
    progress = counting.Progress(clock)
    progress.take(_started(4, 60))
    _open(progress, 1)
    for number in range(40):
        progress.take(_end(f"e{number}", wave=2, earlier=True))
    _visit(progress, clock, ["a", "b", "c", "d"], 100)
    assert progress.eta() is None


def test_waves_that_fit_take_a_visit_each(clock: Clock) -> None:
    """A canary of five says how long a visit takes, not that 55 sites take eleven times as long."""
    progress = counting.Progress(clock)
    progress.take(_started(5, 15, 35))
    _open(progress, 1)
    _visit(progress, clock, list("abcde"), 90)
    assert progress.eta() == 180


def test_sites_that_wait_for_a_slot_take_longer(clock: Clock) -> None:
    """As soon as sites wait while others are under way, the number of slots is known."""
    progress = counting.Progress(clock)
    progress.take(_started(40))
    _open(progress, 1)
    _visit(progress, clock, [f"s{number}" for number in range(10)], 30)
    assert progress.eta() == 90


def test_nothing_left_takes_no_time(clock: Clock) -> None:
    """There is no guess about a run that is at its end."""
    progress = counting.Progress(clock)
    progress.take(_started(5))
    _open(progress, 1)
    _visit(progress, clock, list("abcde"), 90)
    assert progress.eta() is None


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(outcomes.Outcome)), st.booleans()), max_size=60))
def test_every_site_is_counted_once(found: list[tuple[int, outcomes.Outcome, bool]]) -> None:
    """Whatever happens in whichever order, the waves' sums are the events'."""
    progress = counting.Progress(Clock())
    progress.take(_started(60, 60))
    for number, (wave, outcome, moves) in enumerate(found):
        if moves:
            progress.take(events.SiteMoved(f"s{number}", wave, events.Phase.PRUNING))
        progress.take(_end(f"s{number}", outcome, wave))
    assert [one.done for one in progress.waves] == [sum(wave == number for wave, _, _ in found) for number in (1, 2)]
    assert not any(one.active for one in progress.waves)
    assert progress.slowest() is None
    assert progress.owed == sum(outcome is SILENT for _, outcome, _ in found)
