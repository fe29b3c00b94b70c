"""Every screen of a run, at 80 and 120 columns, as text that is read line by line when it changes.

``FLEETCTL_WRITE_GOLDEN=1 pytest tests/golden`` writes the screens anew: read the diff.
"""

import os
import pathlib
import time
from collections.abc import Callable

import pytest

from fleetctl.console import counting, live, plain, plans, runs, why
from fleetctl.model import events, outcomes
from fleetctl.rollout import accounts, folding
from tests.golden import scenes

FOLDER = pathlib.Path(__file__).parent / "screens"
WRITE = os.environ.get("FLEETCTL_WRITE_GOLDEN") == "1"


def _live(stream: scenes.Screen, columns: int) -> None:
    clock = [0.0]
    progress = counting.Progress(lambda: clock[0])
    for event in scenes.happened():
        if isinstance(event, events.SiteEnded):
            clock[0] += 0.5
            progress.take(events.SiteMoved(event.site, event.wave, events.Phase.OBSERVING))
            clock[0] += 0.5
        progress.take(event)
    clock[0] = 221.0
    stream.writelines(f"{line}\n" for line in live.lines(progress, columns))


def _plain(stream: scenes.Screen, _: int) -> None:
    clock = [0.0]
    view = plain.Plain(stream, clock=lambda: clock[0], wall=lambda: 36_000 + clock[0])
    for event in [*scenes.happened(), events.RunEnded(scenes.RUN, events.RunState.PAUSED, "interrupted")]:
        clock[0] += 0.5
        view.observe(event)


def _plan(stream: scenes.Screen, _: int) -> None:
    plans.show(scenes.preview(), stream)
    plans.saved(scenes.preview(), "plans/a.json", stream)


SCREENS: dict[str, Callable[[scenes.Screen, int], None]] = {
    "plan": _plan,
    "plan-of-nothing": lambda stream, _: plans.show(
        scenes.preview(folds=(folding.Fold(scenes.names(1212), ()),), prunes=(), silent=(), left_out=(), covered=4),
        stream,
    ),
    "plan-of-many-kinds": lambda stream, _: plans.show(
        scenes.preview(
            folds=tuple(
                folding.Fold(
                    scenes.names(10 - number, number * 10),
                    tuple(
                        folding.Change("~", scenes.identity("ConfigMap", f"c{one}"), "data.a 1 -> 2")
                        for one in range(9)
                    ),
                    known=number != 1,
                )
                for number in range(9)
            ),
            simulated=True,
        ),
        stream,
    ),
    "run-halted": lambda stream, _: runs.show(scenes.summary(), stream),
    "run-finished": lambda stream, _: runs.show(scenes.finished(), stream),
    "run-paused": lambda stream, _: runs.show(
        scenes.summary(state=events.RunState.PAUSED, why="interrupted", simulated=True), stream
    ),
    "run-aborted": lambda stream, _: runs.show(
        scenes.summary(state=events.RunState.ABORTED, why="by hand", owed=0), stream
    ),
    "run-running": lambda stream, _: runs.show(
        scenes.summary(
            state=events.RunState.RUNNING,
            why="",
            ended=None,
            created=time.time() - 252.5,
            in_flight=64,
            not_started=900,
        ),
        stream,
    ),
    "run-of-few": lambda stream, _: runs.show(
        scenes.summary(
            state=events.RunState.FINISHED,
            kind="remove",
            why="",
            waves=(
                accounts.WaveLine(1, "canary", 2, {outcomes.Outcome.CHANGED: 2}, {}, 0, 1),
                accounts.WaveLine(2, "2", 8, {outcomes.Outcome.CHANGED: 7, scenes.SILENT: 1}, {}, 1, 3),
            ),
            causes=(accounts.CauseGroup(scenes.REFUSED, scenes.SILENT, scenes.names(1)),),
            owed=1,
            broken=0,
            not_started=0,
            waiting={},
        ),
        stream,
    ),
    "sites": lambda stream, _: runs.sites(scenes.lines(), stream),
    "history": lambda stream, _: runs.history(scenes.history(time.time()), stream),
    "why": lambda stream, _: why.show(scenes.explanation(), stream),
    "why-owed": lambda stream, _: why.show(
        scenes.explanation(
            outcome=scenes.SILENT,
            effect=outcomes.Effect.UNKNOWN,
            cause=scenes.REFUSED,
            evidence=None,
            template="",
            same_cause=0,
            owed=True,
            simulated=True,
        ),
        stream,
    ),
    "live": _live,
    "plain": _plain,
}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen says exactly what it said when somebody last read it, and no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    stream = scenes.Screen()
    SCREENS[name](stream, min(columns, 100))
    text = stream.getvalue()
    file = FOLDER / f"{name}-{columns}.txt"
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > columns and name != "plain"] == []
    if name != "plain":
        assert len(text.splitlines()) <= 25


def test_times_are_short() -> None:
    """Durations read as people say them."""
    found = [counting.duration(seconds) for seconds in (0, 41, 252, 7500, 300_000)]
    assert found == ["0s", "41s", "4m12s", "2h05m", "3d"]
