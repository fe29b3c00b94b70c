"""Tables and one-line results, the way kubectl writes them: name first, two blanks between columns, no lines."""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from fleetctl.console import terminals
from fleetctl.model import sites

if TYPE_CHECKING:  # a list of sites shall not wait for the libraries that render
    from fleetctl.rendering import rendering, trees

__all__ = ["left_out", "rendered", "table", "validated"]


_LEAST_INDENT: Final = 4


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], stream: TextIO) -> None:
    """Write rows under heads; columns are as wide as what is in them, the last one is not padded.

    On a terminal the last column wraps: under itself, unless a word in it would not fit there.
    """
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))][:-1]
    offset, columns = sum(widths) + 2 * len(widths), terminals.width(stream)
    for *first, last in lines:
        head = "".join(f"{cell.ljust(width)}  " for cell, width in zip(first, widths, strict=True))
        longest = max(map(len, last.split()), default=0)
        indent = " " * max(_LEAST_INDENT, min(offset, (columns or 0) - longest))
        stream.writelines(f"{text.rstrip()}\n" for text in terminals.wrapped(last, columns, indent, head))


def validated(fleet: sites.Fleet, files: int, stream: TextIO) -> None:
    """Say that an inventory is sound, and what it amounts to."""
    states = Counter(site.state for site in fleet.sites.values())
    parts = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "none"
    counts = f"{_count(len(fleet.sites), 'site')} ({parts}) and {_count(len(fleet.groups), 'group')}"
    stream.write(f"{counts} in {_count(files, 'file')}: no errors.\n")


def rendered(
    result: rendering.Rendered, written: trees.Written, folder: pathlib.Path, unassigned: int, stream: TextIO
) -> None:
    """Say what was rendered, how alike the sites are, and what became of the files."""
    by_bundle: dict[str, list[str]] = {}
    for release in result.releases:
        by_bundle.setdefault(f"{release.bundle} {release.version}", []).append(release.digest)
    for name, digests in by_bundle.items():
        distinct = len(set(digests))
        alike = "all alike" if distinct == 1 else f"{distinct:,} different releases"
        stream.write(f"{name} for {_count(len(digests), 'site')}: {alike}\n")
    left_out(result, stream)
    if unassigned:
        verbs = ("is", "was") if unassigned == 1 else ("are", "were")
        stream.write(f"{_count(unassigned, 'selected site')} {verbs[0]} not assigned and {verbs[1]} left out\n")
    stream.write(
        f"{_count(result.documents, 'object')} ({result.distinct:,} different) in {folder}: "
        f"{written.written:,} written, {written.unchanged:,} unchanged, {written.removed:,} removed\n"
    )


def left_out(result: rendering.Rendered, stream: TextIO) -> None:
    """Say which sites do not meet what a bundle requires."""
    for one in result.left_out:
        verb = "was" if len(one.sites) == 1 else "were"
        example = f"e.g. {one.sites[0]}" if len(one.sites) > 1 else one.sites[0]
        stream.write(f"{_count(len(one.sites), 'site')} {verb} left out of {one.bundle}: {one.why} ({example})\n")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
