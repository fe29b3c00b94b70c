"""What a stream can show: how wide it is, and text that neither overflows it nor steers the terminal behind it."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable
from typing import TextIO

__all__ = ["fitting", "size", "visible", "width", "wrapped"]

_WIDEST = 100
_NARROWEST = 60
_USUAL = 80
_USUAL_ROWS = 24
# C0 and C1 controls save the tab, the marks that turn the direction of writing around, the separators that some take
# for line ends, and halves of surrogate pairs, which no encoding can write.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def width(stream: TextIO) -> int | None:
    """Return how wide to write; None for a pipe or file, where one message is one line."""
    if not stream.isatty():
        return None
    return max(_NARROWEST, min(_WIDEST, _columns(stream)))


def size(stream: TextIO) -> tuple[int, int]:
    """Return how many columns and lines may be redrawn in place: never more than the terminal has at this moment."""
    try:
        real = os.get_terminal_size(stream.fileno())
    except OSError:
        real = os.terminal_size((0, 0))
    columns = min((known for known in (real.columns, _said("COLUMNS")) if known), default=_USUAL)
    rows = min((known for known in (real.lines, _said("LINES")) if known), default=_USUAL_ROWS)
    return min(_WIDEST, columns), rows


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


def fitting(blocks: Iterable[list[str]], room: int) -> tuple[list[str], int]:
    """Return the lines of the first blocks that fit into so many, and how many blocks those are; one at least."""
    lines: list[str] = []
    taken = 0
    for block in blocks:
        if taken and len(lines) + len(block) > room:
            break
        lines += block
        taken += 1
    return lines, taken


def _columns(stream: TextIO) -> int:
    """Ask the stream's own terminal: standard output may be a file while errors go to a screen."""
    said = _said("COLUMNS")
    if said:
        return said
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except OSError:
        return _USUAL


def _said(name: str) -> int:
    said = os.environ.get(name, "")
    return int(said) if said.isdecimal() else 0
