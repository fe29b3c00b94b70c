"""A run without a terminal: one line for what happens, one now and then while nothing does."""

import io
import time

import pytest

from fleetctl.console import plain
from fleetctl.model import events, outcomes

PULL = outcomes.Cause("ImagePullBackOff", "reg.example/gateway:1.4.0", "no match for platform")


class Told:
    """A plain view with a clock of its own, and what it said since last asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self._stream = io.StringIO()
        self.view = plain.Plain(self._stream, clock=lambda: self.now, wall=lambda: 36_012 + self.now)

    def lines(self) -> list[str]:
        """Return what was said since the last call."""
        found = self._stream.getvalue().splitlines()
        self._stream.seek(0)
        self._stream.truncate()
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """A view at 10:00:12."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return Told()


def _started(**more: object) -> events.RunStarted:
    waves, budgets = (("canary", 2), ("2", 100)), ((0, 1), (2, 20))
    return events.RunStarted("r-1", "rollout", "pos", "1.4.0", "p1:a", waves, budgets, **more)  # type: ignore[arg-type]


def _end(site: str, wave: int, outcome: outcomes.Outcome = outcomes.Outcome.CHANGED, **more: object) -> events.Event:
    return events.SiteEnded(site, wave, outcome, outcomes.Effect.NONE, **more)  # type: ignore[arg-type]


def _fail(site: str, wave: int) -> events.Event:
    return _end(site, wave, outcomes.Outcome.FAILED, cause=PULL)


def test_a_run_from_beginning_to_end(told: Told) -> None:
    """Every line has its time; waves say when they begin and end, failures who and why."""
    for event in (
        _started(),
        events.WaveStarted(1, 2, 0, 1),
        _end("a", 1),
        _fail("b", 1),
        events.RunEnded("r-1", events.RunState.HALTED, "1 of 2 sites in wave 1 (canary) failed (budget 0)"),
    ):
        told.view.observe(event)
        told.now += 1
    assert told.lines() == [
        "10:00:12 rollout r-1 started: pos 1.4.0",
        "10:00:13 wave 1/2 started: 2 sites",
        "10:00:15 b failed: ImagePullBackOff reg.example/gateway:1.4.0: no match for platform",
        "10:00:15 wave 1/2  2/2  1 changed  1 failed",
        "10:00:16 r-1 halted: 1 of 2 sites in wave 1 (canary) failed (budget 0)",
    ]


def test_a_run_that_goes_on_says_what_is_done(told: Told) -> None:
    """Sites that ended before are neither news nor left out of the count."""
    told.view.observe(_started(resumed=True, simulated=True))
    for site in ("a", "b"):
        told.view.observe(_end(site, 1, earlier=True))
    told.view.observe(_end("c", 2, outcomes.Outcome.FAILED, cause=PULL, earlier=True))
    told.view.observe(events.WaveStarted(2, 100, 2, 20))
    assert told.lines() == [
        "10:00:12 rollout r-1 goes on: pos 1.4.0  SIMULATED",
        "10:00:12 wave 2/2 goes on: 1 of 100 sites done",
    ]


def test_progress_is_said_every_ten_seconds_at_most(told: Told) -> None:
    """However much happens in between."""
    told.view.observe(_started())
    told.view.observe(events.WaveStarted(2, 100, 2, 20))
    told.lines()
    for number in range(99):
        told.now += 0.3
        told.view.observe(_end(f"s{number}", 2))
    assert told.lines() == ["10:00:22 wave 2/2  34/100  34 changed", "10:00:32 wave 2/2  68/100  68 changed"]


def test_silence_is_broken_once_a_minute(told: Told) -> None:
    """The same line is not repeated, save that somebody (CI) may take silence for death; then with what is awaited."""
    told.view.observe(_started())
    told.view.observe(events.WaveStarted(2, 100, 2, 20))
    told.view.observe(_end("s0", 2))
    told.view.observe(events.SiteMoved("s1", 2, events.Phase.OBSERVING, "Deployment pos/gateway 0 of 1 ready"))
    told.lines()
    for _ in range(150):
        told.now += 1
        told.view.tick()
    slowest = "wave 2/2  1/100  1 changed  slowest s1 observing"
    assert told.lines() == [
        "10:00:22 wave 2/2  1/100  1 changed",
        f"10:01:22 {slowest} 1m10s: Deployment pos/gateway 0 of 1 ready",
        f"10:02:22 {slowest} 2m10s: Deployment pos/gateway 0 of 1 ready",
    ]


def test_a_run_that_stands_is_silent(told: Told) -> None:
    """Neither before its first wave nor after its end there is progress to tell."""
    told.view.tick()
    told.view.observe(_started())
    told.now += 500
    told.view.tick()
    told.view.observe(events.WaveStarted(2, 100, 2, 20))
    told.view.observe(events.RunEnded("r-1", events.RunState.PAUSED, ""))
    told.lines()
    told.now += 500
    told.view.tick()
    assert told.lines() == []


@pytest.mark.parametrize(("simulated", "command"), [(False, "fleetctl"), (True, "fleetctl --sim")])
def test_not_every_failure_is_named(told: Told, simulated: bool, command: str) -> None:  # noqa: FBT001
    """Ten thousand lines would hide the rest; a command of the same fleet lists them."""
    told.view.observe(_started(simulated=simulated))
    told.view.observe(events.WaveStarted(2, 100, 2, 20))
    for number in range(99):
        told.view.observe(_fail(f"s{number}", 2))
    lines = told.lines()
    assert sum(" failed: " in line for line in lines) == 50
    assert lines[-1] == f"10:00:12 further sites are counted, not named: {command} rollout status --failed"


def test_a_site_cannot_forge_a_line(told: Told) -> None:
    """What a cluster says stays on its line, as text."""
    cause = outcomes.Cause("Broken", "\x1b[2J", "no\n10:00:00 r-1 finished")
    told.view.observe(_started())
    told.view.observe(_end("s0", 2, outcomes.Outcome.FAILED, cause=cause))
    assert told.lines()[1:] == ["10:00:12 s0 failed: Broken \\x1b[2J: no\\n10:00:00 r-1 finished"]


class _Gone(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_goes_away_does_not_end_the_run() -> None:
    """``2>&1 | tee log`` and Ctrl-C ends tee, while visits that are under way go on to their end."""
    view = plain.Plain(_Gone())
    view.observe(_started())
    view.observe(_fail("a", 1))
    view.tick()
