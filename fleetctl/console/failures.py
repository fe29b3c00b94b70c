"""Errors on screen: what happened, where, what to do next; problems in files the way compilers write them."""

from __future__ import annotations

import os
import shutil
import tempfile
import textwrap
import traceback
from typing import TextIO

from fleetctl.model import codes, errors, problems

__all__ = ["show", "show_bug"]

_MOST = 50
"""Problems shown in full; the count says how many there are."""
_WIDEST = 100
_NARROWEST = 60


def show(error: errors.FleetctlError, stream: TextIO) -> None:
    """Write an error that ends a command."""
    if isinstance(error, errors.InvalidInput):
        _show_problems(error, stream)
        return
    stream.write(f"{error.message}  [{error.code}]\n")
    if error.hint:
        stream.write(f"{error.hint}\n")


def show_bug(error: Exception, stream: TextIO) -> None:
    """Write one line about a bug, and put its traceback into a file that only its owner can read."""
    descriptor, path = tempfile.mkstemp(prefix="fleetctl-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    stream.write(f"This is a bug in fleetctl: {type(error).__name__}: {error}  [{codes.Code.INTERNAL}]\n")
    stream.write(f"Please report it with {path}\n")


def _show_problems(error: errors.InvalidInput, stream: TextIO) -> None:
    width = _width(stream)
    shown = error.problems[:_MOST]
    for problem in shown:
        stream.writelines(f"{line}\n" for line in _lines(problem, width))
    hidden = len(error.problems) - len(shown)
    if hidden:
        stream.write(f"... and {hidden:,} more\n")
    stream.write(f"\n{_count(error)}. Nothing was contacted.\n")
    stream.write(f"Explain any code: fleetctl explain {error.problems[0].code}\n")


def _count(error: errors.InvalidInput) -> str:
    number = len(error.problems)
    files = len({problem.mark.path for problem in error.problems if problem.mark})
    text = f"{number:,} error{'s' if number > 1 else ''}"
    if not files or not error.files:
        return text
    return f"{text} in {files:,} of {error.files:,} file{'s' if error.files > 1 else ''}"


def _lines(problem: problems.Problem, width: int | None) -> list[str]:
    """Lay out one problem: its place, then the sentence, wrapped under itself where a terminal is narrow."""
    place = f"{problem.mark}  " if problem.mark else ""
    field = f"{problems.field_text(problem.field)}: " if problem.field else ""
    text = f"{place}{field}{problem.message}  [{problem.code}]"
    if width is None:
        return [text, *(f"    {note}" for note in problem.notes)]
    indent = " " * min(len(place), width // 2)
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    for note in problem.notes:
        lines += textwrap.wrap(note, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return lines


def _width(stream: TextIO) -> int | None:
    """Return how wide to write; None for a pipe or file, where one line is one problem."""
    if not stream.isatty():
        return None
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))
