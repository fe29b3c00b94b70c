"""How commands that make runs ask, end and name their exit codes."""

import pathlib
import signal
import subprocess
import sys

import pytest

from fleetctl.cli import demo, running
from fleetctl.model import codes, errors, events, exits, outcomes
from fleetctl.rollout import accounts
from fleetctl.sim import folders


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs an answer is refused where nobody can give one."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(errors.Refused) as refused:
        running.confirm("Go?")
    assert refused.value.code is codes.Code.RUN_NEEDS_CONFIRMATION


def _summary(state: events.RunState, **counts: int) -> accounts.Summary:
    found = {outcomes.Outcome(name): count for name, count in counts.items()}
    wave = accounts.WaveLine(1, "1", 10, found, {}, 0, 0)
    return accounts.Summary(
        run="r",
        kind="rollout",
        bundle="app",
        version="1",
        plan="p1:0",
        state=state,
        why="",
        who="me",
        created=0.0,
        ended=None,
        waves=(wave,),
        causes=(),
        owed=0,
        not_started=0,
        in_flight=0,
        broken=0,
        restorable=0,
        fresh=0,
        going_back_to=(),
    )


@pytest.mark.parametrize(
    ("state", "counts", "number", "code"),
    [
        (events.RunState.FINISHED, {"changed": 3, "unchanged": 2}, None, exits.Exit.OK),
        (events.RunState.FINISHED, {"changed": 3, "unreachable": 1}, None, exits.Exit.OWED),
        (events.RunState.FINISHED, {"changed": 3, "skipped": 1}, None, exits.Exit.OWED),
        (events.RunState.FINISHED, {"failed": 1, "unreachable": 1}, None, exits.Exit.FAILED),
        (events.RunState.HALTED, {"failed": 1}, None, exits.Exit.HALTED),
        (events.RunState.PAUSED, {"changed": 1}, None, exits.Exit.WAITING),
        (events.RunState.PAUSED, {"failed": 1}, signal.SIGINT, exits.Exit.INTERRUPTED),
        (events.RunState.PAUSED, {}, signal.SIGTERM, exits.Exit.TERMINATED),
    ],
)
def test_exit_codes(
    state: events.RunState, counts: dict[str, int], number: signal.Signals | None, code: exits.Exit
) -> None:
    """The code says the worst of what a run came to."""
    assert running.exit_of(_summary(state, **counts), number) is code


def test_a_simulated_fleet_that_does_not_start(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo says so, and leaves no process behind."""

    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__([sys.executable, "-c", ""])
            self.wait()

    monkeypatch.setattr(demo, "_run", lambda *_, **__: "store-1")
    monkeypatch.setattr(folders.subprocess, "Popen", Ended)  # type: ignore[attr-defined]
    with pytest.raises(errors.NotConfigured) as refused, demo._fleet(tmp_path):  # noqa: SLF001
        pass
    assert refused.value.code is codes.Code.SIM_NOT_STARTED
