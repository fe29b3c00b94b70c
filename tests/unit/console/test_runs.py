"""How runs stand and end: what happened first, on one screen, the commands to go on with last."""

import io
import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.console import runs
from fleetctl.model import events, outcomes
from fleetctl.rollout import accounts
from tests.golden import scenes

CHANGED, FAILED = outcomes.Outcome.CHANGED, outcomes.Outcome.FAILED
HALTED, FINISHED = events.RunState.HALTED, events.RunState.FINISHED


def _shown(summary: accounts.Summary, columns: int = 80) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        stream = scenes.Screen()
        runs.show(summary, stream)
    return stream.getvalue().splitlines()


def _wave(number: int, members: int, done: int) -> accounts.WaveLine:
    return accounts.WaveLine(number, str(number), members, {CHANGED: done} if done else {}, {}, 1, 8)


@given(
    waves=st.integers(1, 40),
    at=st.integers(0, 40),
    causes=st.lists(st.text(max_size=800), max_size=12),
    columns=st.sampled_from([80, 120]),
    state=st.sampled_from(list(events.RunState)),
)
def test_an_ending_fits_a_screen(waves: int, at: int, causes: list[str], columns: int, state: events.RunState) -> None:
    """25 lines for any number of sites, waves and causes; what a cluster says is text."""
    summary = scenes.summary(
        simulated=True,
        unguarded=300,
        state=state,
        waves=tuple(
            _wave(number, 300, 300 if number < at else 100 if number == at else 0) for number in range(1, waves + 1)
        ),
        causes=tuple(
            accounts.CauseGroup(outcomes.Cause("Broken", "it", text), FAILED, scenes.names(2000)) for text in causes
        ),
    )
    lines = _shown(summary, columns)
    one = max((len(text) for text in causes[:1]), default=0)
    assert len(lines) <= 25 or one > 300
    assert lines[0] == "SIMULATED"
    assert not any("\x1b" in line for line in lines)


def test_waves_of_one_kind_are_added_up() -> None:
    """Those that ended, the one that stopped, and those that were not begun."""
    waves = tuple(_wave(number, 10, 10 if number < 12 else 3 if number == 12 else 0) for number in range(1, 21))
    lines = [line for line in _shown(scenes.summary(waves=waves)) if line.startswith("  wave")]
    assert [line.split() for line in lines] == [
        ["waves", "1-11", "110/110", "110", "changed"],
        ["wave", "12", "3/10", "3", "changed"],
        ["waves", "13-20", "0/80"],
    ]


@pytest.mark.parametrize("size", [10, 10_000])
def test_a_large_fleet_takes_no_more_lines(size: int) -> None:
    """Members are examples, the rest a number."""
    waves = (_wave(1, 5, 5), _wave(2, size, size))
    causes = (accounts.CauseGroup(scenes.PULL, FAILED, scenes.names(size)),)
    assert len(_shown(scenes.summary(waves=waves, causes=causes, restorable=size))) == 19


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (HALTED, ["Look closer", "Go back", "Go on", "Try again"]),
        (events.RunState.PAUSED, ["Look closer", "Go back", "Go on"]),
        (events.RunState.ABORTED, ["Look closer", "Go back"]),
        (FINISHED, ["Look closer", "Go back", "Pay what is owed"]),
        (events.RunState.RUNNING, ["Look closer", "If it was killed"]),
    ],
)
@pytest.mark.parametrize("simulated", [False, True])
def test_the_last_lines_are_commands(state: events.RunState, ends: list[str], simulated: bool) -> None:  # noqa: FBT001
    """Only those that would not be refused, each of the fleet that it is about."""
    lines = _shown(scenes.summary(state=state, simulated=simulated), 100)
    found = [line for line in lines if "  fleetctl " in line]
    assert [line.partition(":")[0] for line in found] == ends
    assert all(("fleetctl --sim " in line) == simulated for line in found)
    assert all(shlex.split(line.partition(":")[2].partition("   (")[0])[0] == "fleetctl" for line in found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "356 sites run 1.4.0, 7 are broken, 23 are owed it."),
        ({"kind": "remove", "broken": 0, "owed": 1}, "356 sites are without retail-pos, 1 is owed it."),
        (
            {"kind": "undo", "version": "nothing", "broken": 1, "owed": 0},
            "356 sites are without retail-pos, 1 is broken.",
        ),
        ({"kind": "undo", "version": "2 versions"}, "356 sites are as they should be, 7 are broken, 23 are owed it."),
        ({"kind": "catchup", "version": "what is owed", "broken": 0, "owed": 0}, "356 sites are as they should be."),
    ],
)
def test_what_runs_where_is_said_in_words_that_are_true(more: dict[str, object], expected: str) -> None:
    """A run that takes a bundle off leaves no version behind; an undo may bring back several."""
    assert expected in _shown(scenes.summary(**more))


def test_a_run_that_takes_off_says_so() -> None:
    """Not that the version it took off is there now."""
    lines = _shown(scenes.summary(kind="remove", state=FINISHED))
    assert lines[0] == f"remove {scenes.RUN} finished after 3m41s: retail-pos taken off"


def test_what_is_no_longer_owed_is_not_called_owed() -> None:
    """After an abort, or once the debts are paid, sites were out of reach and that is all."""
    text = "\n".join(_shown(scenes.summary(owed=0, state=events.RunState.ABORTED)))
    assert "1 unreachable" in text
    assert "owed" not in text


def test_a_halt_by_silence_does_not_speak_of_failures() -> None:
    """Nothing failed, so there is nothing to go on without."""
    waves = (accounts.WaveLine(1, "1", 9, {scenes.SILENT: 9}, {}, 1, 3),)
    summary = scenes.summary(waves=waves, causes=(), broken=0, restorable=0, fresh=0, not_started=90)
    assert _shown(summary)[-1] == f"Go on:  fleetctl rollout resume {scenes.RUN} --accept-failed   (the 90)"


def test_skipped_sites_have_their_reason() -> None:
    """Over all waves that are told together."""
    skipped = outcomes.Outcome.SKIPPED
    waves = tuple(
        accounts.WaveLine(number, str(number), 3, {skipped: 3}, {reason: 3}, 1, 1)
        for number, reason in enumerate([outcomes.Reason.LOCKED, outcomes.Reason.MOVED] * 4, 1)
    )
    (line,) = [line for line in _shown(scenes.summary(waves=waves)) if line.startswith("  wave")]
    assert line.split("  ")[-2:] == ["12 owed (locked)", "12 skipped (moved)"]


@pytest.mark.parametrize(("why", "expected"), [("", "aborted: nothing"), ("by hand", "aborted (by hand): nothing")])
def test_an_abort_says_why_if_it_is_known(why: str, expected: str) -> None:
    """And has no empty brackets if it is not."""
    assert expected in _shown(scenes.summary(state=events.RunState.ABORTED, why=why))[0]


def test_a_pipe_gets_a_message_a_line() -> None:
    """Nothing is wrapped for ``grep``."""
    stream = io.StringIO()
    runs.show(scenes.summary(), stream)
    assert f"  7x  {scenes.PULL}" in stream.getvalue().splitlines()
    stream = io.StringIO()
    runs.sites(scenes.lines(), stream)
    assert len(stream.getvalue().splitlines()) == 4


def test_sites_that_are_not_visited_have_no_wave() -> None:
    """Wave 0 is ours, not the reader's."""
    stream = io.StringIO()
    line = accounts.SiteLine(
        "s0",
        0,
        events.Phase.DONE,
        outcomes.Outcome.SKIPPED,
        outcomes.Effect.NONE,
        outcomes.Reason.MAINTENANCE,
        None,
        None,
        None,
    )
    runs.sites([line], stream)
    assert stream.getvalue().splitlines()[1].split() == ["s0", "-", "skipped", "none", "maintenance"]


@pytest.mark.parametrize(("count", "sites"), [(1, "1 site"), (1200, "1,200 sites")])
def test_sites_without_a_place_for_a_lease_are_counted(count: int, sites: str) -> None:
    """Once for the run, however many there are."""
    text = " ".join(" ".join(_shown(scenes.summary(unguarded=count))).split())
    assert text.count(f"no Lease kept other operators away from {sites}: fleetctl-system, or the right to it,") == 1
    assert "Lease" not in "".join(_shown(scenes.summary()))


def test_the_history_says_how_long_ago() -> None:
    """In short times; an undo to several versions has no version."""
    stream = io.StringIO()
    runs.history(scenes.history(time.time()), stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert [line[2] for line in lines] == ["RELEASE", "retail-pos", "retail-pos@1.4.0"]
    assert [line[-1] for line in lines] == ["AGE", "4m20s", "3d"]


@pytest.mark.parametrize(("simulated", "command"), [(False, "fleetctl rollout"), (True, "fleetctl --sim rollout")])
def test_small_endings_name_the_fleet_too(simulated: bool, command: str) -> None:  # noqa: FBT001
    """A command for the simulated fleet would else go to the real one."""
    stream = io.StringIO()
    runs.paused("r-1", stream, simulated=simulated)
    assert f"Go on:  {command} resume r-1\n" in stream.getvalue()
