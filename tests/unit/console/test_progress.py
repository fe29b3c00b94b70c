"""Who sees what: a live view on a terminal that can be drawn on, lines everywhere else."""

import contextlib
import io
import subprocess
import sys
import threading

import pytest

from fleetctl.console import live, plain, progress
from fleetctl.model import events
from tests.architecture import sources
from tests.golden import scenes


@pytest.mark.parametrize(
    ("terminal", "variables", "animated"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, True),
        (True, {"CI": "true"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "unknown"}, False),
        (False, {}, False),
    ],
)
def test_who_gets_a_live_view(
    terminal: bool,  # noqa: FBT001
    variables: dict[str, str],
    animated: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A terminal, unless it is one of CI or cannot move its cursor; colour is another matter."""
    for name, value in {"CI": "", "TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    stream = scenes.Screen() if terminal else io.StringIO()
    with progress.showing(stream) as observe:
        for event in scenes.happened():
            observe(event)
    assert ("\x1b[?25l" in stream.getvalue()) == animated
    assert ("wave 2/4 started: 60 sites" in stream.getvalue()) != animated


def test_lines_are_told_while_no_event_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of its own asks for them, and ends with the view, also when the run fails."""
    asked = threading.Event()
    monkeypatch.setattr(progress, "_TICK", 0.001)
    monkeypatch.setattr(plain.Plain, "tick", lambda _: asked.set())
    with contextlib.suppress(ZeroDivisionError), progress.showing(io.StringIO()):
        assert asked.wait(30)
        raise ZeroDivisionError
    assert "progress" not in [thread.name for thread in threading.enumerate()]


def test_rich_is_for_those_who_watch() -> None:
    """Neither a pipe nor any other screen pays for it."""
    script = (
        "import io, sys\n"
        "from fleetctl.console import plans, progress, runs, why\n"
        "with progress.showing(io.StringIO()): pass\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'rich'], 'rich was imported'\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=sources.ROOT, check=True)


def test_observers_take_what_the_engine_tells() -> None:
    """Both are what ``events.Observe`` says."""
    views: list[events.Observe] = [plain.Plain(io.StringIO()).observe, live.Live(scenes.Screen()).observe]
    for view in views:
        for event in scenes.happened():
            view(event)
