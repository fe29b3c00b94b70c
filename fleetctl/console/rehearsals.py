"""What API servers said to a rollout that they rehearsed: sites with the same answer in one line, troubles below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.rollout import rehearsing

__all__ = ["show"]

_GROUPS: Final = 8
_TROUBLES: Final = 4
_UNJUDGED: Final = "its namespace or its kind comes with the release"


def show(found: rehearsing.Rehearsal, stream: TextIO) -> None:
    """Write what was said; what does not fit is counted."""
    columns = terminals.width(stream)
    stream.write("\n")
    for first, rest, text in _lines(found):
        stream.writelines(
            f"{line.rstrip()}\n" for line in terminals.wrapped(terminals.visible(text), columns, rest, first)
        )


def _lines(found: rehearsing.Rehearsal) -> Iterator[tuple[str, str, str]]:
    """Return lines as the start of the first, the start of those that follow, and the text."""
    start = "Server  "
    if not found.groups and not found.silent:
        yield start, "        ", "asked nothing: no site would change"
    for group in found.groups[:_GROUPS]:
        yield start, "          ", f"{_some(group.sites)}: {_counts(group)}"
        start = "        "
        yield from _troubles(group)
    if len(found.groups) > _GROUPS:
        rest = found.groups[_GROUPS:]
        sites = sum(len(one.sites) for one in rest)
        yield "        ", "          ", f"and {len(rest):,} more answers at {sites:,} sites (-o json lists them)"
    for silence in found.silent:
        yield start, "          ", f"{_some(silence.sites)}: ? unknown: {silence.cause}"
        start = "        "


def _counts(group: rehearsing.Group) -> str:
    counts = [
        (group.created, "created"),
        (group.configured, "configured"),
        (group.deleted, "deleted"),
        (len(group.conflicts), "in conflict"),
        (len(group.refused), "refused"),
        (len(group.unknown), "unknown"),
        (group.unchanged, "unchanged"),
    ]
    return ", ".join(f"{count:,} {word}" for count, word in counts if count) or "nothing to apply"


def _troubles(group: rehearsing.Group) -> Iterator[tuple[str, str, str]]:
    found = [f"! {one.id}: {one.details}" for one in group.refused]
    found += [f"! {one.id}: conflict: {one.details}" for one in group.conflicts]
    found += [f"? {one.id}: {one.details or _UNJUDGED}" for one in group.unknown]
    for text in found[:_TROUBLES]:
        yield "          ", "            ", text
    if len(found) > _TROUBLES:
        yield "          ", "            ", f"and {len(found) - _TROUBLES:,} more (-o json lists them)"


def _some(sites: Sequence[str]) -> str:
    return sites[0] if len(sites) == 1 else f"{len(sites):,} sites, e.g. {sites[0]}"
