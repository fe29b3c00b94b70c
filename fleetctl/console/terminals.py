"""What a stream can show: how wide it is, and text that neither overflows it nor steers the terminal behind it."""

from __future__ import annotations

import os
import re
import textwrap
from typing import TextIO

__all__ = ["visible", "width", "wrapped"]

_WIDEST = 100
_NARROWEST = 60
_USUAL = 80
# C0 and C1 controls save the tab, and the marks that turn the direction of writing around.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def width(stream: TextIO) -> int | None:
    """Return how wide to write; None for a pipe or file, where one message is one line."""
    if not stream.isatty():
        return None
    return max(_NARROWEST, min(_WIDEST, _columns(stream)))


def visible(text: str) -> str:
    """Return text with what would move a cursor or recolour a screen written as an escape; quoted files may hold it."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def wrapped(text: str, columns: int | None, indent: str = "", first: str = "") -> list[str]:
    """Return a paragraph as lines that fit; words (paths, commands) are never broken, and nothing is cut."""
    if columns is None:
        return [f"{first}{text}"]
    lines = textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first]


def _columns(stream: TextIO) -> int:
    """Ask the stream's own terminal: standard output may be a file while errors go to a screen."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except OSError:
        return _USUAL
