"""Errors on screen: what happened, where, what to do next; problems in files the way compilers write them."""

from __future__ import annotations

import os
import pathlib
import platform
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from typing import TextIO

import fleetctl
from fleetctl.console import terminals
from fleetctl.model import codes, errors, problems

__all__ = ["show", "show_bug", "show_found"]

_MOST = 50
"""Problems shown in full; the count says how many there are."""
_LEAST_INDENT = 4
_PACKAGE = pathlib.Path(fleetctl.__file__).parent


def show(error: errors.FleetctlError, stream: TextIO) -> None:
    """Write an error that ends a command."""
    if isinstance(error, errors.InvalidInput | errors.Unresolved):
        _show_problems(error, stream)
        return
    columns = terminals.width(stream)
    lines = terminals.wrapped(f"{terminals.visible(error.message)}  [{error.code}]", columns)
    hint = error.hint.split("\n") if error.hint else []
    # A hint of several lines is a drawing, such as a selector with a pointer under it: its columns must stay.
    lines += terminals.wrapped(hint[0], columns) if len(hint) == 1 else hint
    stream.writelines(f"{line}\n" for line in lines)


def show_bug(error: Exception, stream: TextIO) -> None:
    """Write one line about a bug, and put its traceback into a file that only its owner can read.

    The error's own text is not shown: it may hold any value of the fleet, secret or not.
    """
    name, place = type(error).__name__, _place(error)
    try:
        descriptor, path = tempfile.mkstemp(prefix="fleetctl-bug-", suffix=".txt")  # 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"fleetctl {fleetctl.__version__}, Python {platform.python_version()}, {platform.platform()}\n")
            file.write("Read this before you send it: it may hold values of your fleet.\n\n")
            traceback.print_exception(error, file=file)
    except OSError as fault:
        advice = f"please report it (the traceback could not be saved: {fault.strerror})"
    else:
        advice = f"please report it with {path}"
    stream.write(f"This is a bug in fleetctl ({name}{place}); {advice}  [{codes.Code.INTERNAL}]\n")


def _place(error: Exception) -> str:
    """Return `` at MODULE:LINE``, the innermost place of ours."""
    ours = [
        (pathlib.Path(frame.filename).relative_to(_PACKAGE.parent), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if pathlib.Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    return f" at {ours[-1][0].as_posix()}:{ours[-1][1]}" if ours else ""


def show_found(found: Sequence[problems.Problem], stream: TextIO) -> None:
    """Write problems, each with its place, up to as many as anybody reads."""
    columns = terminals.width(stream)
    for problem in found[:_MOST]:
        stream.writelines(f"{line}\n" for line in _lines(problem, columns))
    if len(found) > _MOST:
        stream.write(f"... and {len(found) - _MOST:,} more\n")


def _show_problems(error: errors.InvalidInput | errors.Unresolved, stream: TextIO) -> None:
    show_found(error.problems, stream)
    # Of secrets, a store may have been asked.
    what = "contacted" if isinstance(error, errors.InvalidInput) and not error.asked else "changed"
    stream.write(f"\n{_count(error)}. Nothing was {what}.\n")
    stream.write(f"Explain any code: fleetctl explain {error.problems[0].code}\n")


def _count(error: errors.InvalidInput | errors.Unresolved) -> str:
    number = len(error.problems)
    files = len({problem.mark.path for problem in error.problems if problem.mark})
    text = f"{number:,} error{'s' if number > 1 else ''}"
    if not files or not isinstance(error, errors.InvalidInput) or not error.files:
        return text
    return f"{text} in {files:,} of {error.files:,} file{'s' if error.files > 1 else ''}"


def _lines(problem: problems.Problem, columns: int | None) -> list[str]:
    """Lay out one problem: its place, then the sentence, wrapped under itself where a terminal is narrow."""
    place = terminals.visible(f"{problem.mark}  ") if problem.mark else ""
    field = f"{problems.field_text(problem.field)}: " if problem.field else ""
    text = place + terminals.visible(f"{field}{problem.message}  [{problem.code}]")
    indent = " " * _indent(place, (text, *problem.notes), columns)
    lines = terminals.wrapped(text, columns, indent)
    for note in problem.notes:
        lines += terminals.wrapped(terminals.visible(note), columns, indent, indent)
    return lines


def _indent(place: str, texts: Iterable[str], columns: int | None) -> int:
    """Return how far further lines stand in: below the sentence, unless a path in it would not fit there any more."""
    if columns is None:
        return _LEAST_INDENT
    longest = max(len(word) for text in texts for word in (text.split() or [""]))
    return max(_LEAST_INDENT, min(len(place), columns // 2, columns - longest))
