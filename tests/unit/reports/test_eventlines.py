"""``--events FILE``: what it says, to whom, and what happens when it cannot be written."""

import json
import os
import pathlib
import stat
import threading

import pytest

from fleetctl.model import codes, errors, events, outcomes
from fleetctl.reports import eventlines
from tests.golden import scenes

WAVE = events.WaveStarted(2, 60, 1, 12)


def _written(path: pathlib.Path, found: list[events.Event]) -> list[dict[str, object]]:
    clock = iter(range(1, len(found) + 1))
    with eventlines.writing(path, lambda: float(next(clock))) as observe:
        for event in found:
            observe(event)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_first_line_says_what_follows(tmp_path: pathlib.Path) -> None:
    """Also where nothing follows."""
    assert _written(tmp_path / "e", []) == [{"apiVersion": "fleetctl.dev/v1alpha1", "kind": "EventList"}]


def test_every_event_is_a_line(tmp_path: pathlib.Path) -> None:
    """With the time, its name, and all that it tells."""
    cause = outcomes.Cause("Broken", "it", "Tromsø\n☃")
    ended = events.SiteEnded("s0", 2, outcomes.Outcome.UNREACHABLE, outcomes.Effect.NONE, cause=cause, owed=True)
    lines = _written(tmp_path / "e", [WAVE, ended, events.RunEnded("r-1", events.RunState.HALTED, "why")])[1:]
    assert lines == [
        {"time": 1, "event": "WaveStarted", "wave": 2, "members": 60, "budgetFailed": 1, "budgetUnreachable": 12},
        {
            "time": 2,
            "event": "SiteEnded",
            "site": "s0",
            "wave": 2,
            "outcome": "unreachable",
            "effect": "none",
            "reason": "",
            "cause": {"reason": "Broken", "subject": "it", "message": "Tromsø\n☃"},
            "owed": True,
            "earlier": False,
        },
        {"time": 3, "event": "RunEnded", "run": "r-1", "state": "halted", "why": "why"},
    ]


def test_a_whole_run_reads_back(tmp_path: pathlib.Path) -> None:
    """Line by line, in order."""
    found = scenes.happened()
    lines = _written(tmp_path / "e", found)[1:]
    assert [line["event"] for line in lines] == [type(event).__name__ for event in found]


def test_lines_can_be_read_while_the_run_goes_on(tmp_path: pathlib.Path) -> None:
    """Nothing waits in a buffer."""
    path = tmp_path / "e"
    with eventlines.writing(path) as observe:
        observe(WAVE)
        assert len(path.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("there", [False, True])
def test_only_its_owner_may_read_it(there: bool, tmp_path: pathlib.Path) -> None:  # noqa: FBT001
    """Also when the file was there, with more in it, for all to read."""
    path = tmp_path / "e"
    if there:
        path.write_text("old\n" * 1000, encoding="utf-8")
        path.chmod(0o644)
    assert len(_written(path, [WAVE])) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pipe_will_do(tmp_path: pathlib.Path) -> None:
    """Its mode is its maker's business."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o644)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text(encoding="utf-8")))
    reader.start()
    with eventlines.writing(path) as observe:
        observe(WAVE)
    reader.join(30)
    assert len(read[0].splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["missing/e", ".", "/dev/full"])
def test_a_file_that_cannot_be_written_is_said_before_the_run(name: str, tmp_path: pathlib.Path) -> None:
    """A folder that is not there, a folder, a full disk."""
    with pytest.raises(errors.NotConfigured) as raised, eventlines.writing(tmp_path / name):
        pass
    assert raised.value.code == codes.Code.OUTPUT_UNWRITABLE


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: pathlib.Path) -> None:
    """Nor does a disk that is full in the middle of it: what follows is left out, so that no gap looks like silence."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with eventlines.writing(path) as observe:
        observe(WAVE)
        assert os.read(reader, 65536).count(b"\n") == 2
        os.close(reader)
        observe(WAVE)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        observe(WAVE)
    assert os.read(reader, 65536) == b""
    os.close(reader)
