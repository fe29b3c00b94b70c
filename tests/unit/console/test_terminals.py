"""What a terminal can show: its size, and blocks of lines that fit it."""

import fcntl
import os
import pty
import struct
import termios

import pytest

from fleetctl.console import terminals
from tests.golden import scenes


def test_what_is_redrawn_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS may be stale, and 60 columns may be too many: lines that wrap by themselves cannot be drawn over."""
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("LINES", "12")
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "w") as stream:
        assert terminals.size(stream) == (90, 12)  # it has no size of its own yet
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 50, 0, 0))
        assert terminals.size(stream) == (50, 12)


def test_a_terminal_without_a_size_is_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 by 24, as ever."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    assert terminals.size(scenes.Screen()) == (80, 24)


@pytest.mark.parametrize(
    ("room", "expected"),
    [(9, (["a", "b", "c", "d"], 3)), (3, (["a", "b", "c"], 2)), (2, (["a"], 1)), (0, (["a"], 1)), (-5, (["a"], 1))],
)
def test_blocks_are_taken_while_they_fit(room: int, expected: tuple[list[str], int]) -> None:
    """Whole ones only, in order, and one whatever the room."""
    assert terminals.fitting([["a"], ["b", "c"], ["d"]], room) == expected


def test_no_block_is_no_line() -> None:
    """Nothing to show takes no room."""
    assert terminals.fitting([], 5) == ([], 0)


@pytest.mark.parametrize("sign", ["\u061c", "\u2028", "\u2029", "\u202e", "\ud800", "\x1b", "\x85", "\r"])
def test_signs_that_steer_are_written_as_escapes(sign: str) -> None:
    """Whatever they are, the text can be written and stays on its line."""
    shown = terminals.visible(f"a{sign}b")
    assert shown.startswith("a\\")
    assert shown.encode("ascii")
    assert len(shown.splitlines()) == 1
