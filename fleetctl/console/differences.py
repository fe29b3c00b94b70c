"""Differences between releases: groups of sites where the same differs, the largest first, each with one example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.rollout import comparing

__all__ = ["show"]

_GROUPS: Final = 10
_LINES: Final = 60
"""Lines of differences that one group of several may take; one alone is shown whole."""
_EXAMPLES: Final = 3
_AGAINST: Final = {"last": "the last releases", "live": "the live clusters"}


def show(found: comparing.Comparison, stream: TextIO) -> None:
    """Write what differs where; what does not fit is counted."""
    columns = terminals.width(stream)
    stream.writelines(f"{terminals.visible(line.rstrip())}\n" for line in _lines(found, columns))


def _lines(found: comparing.Comparison, columns: int | None) -> Iterator[str]:
    differing = [group for group in found.groups if group.differences]
    unknown = [group for group in found.groups if not group.known]
    alike = [group for group in found.groups if group.known and not group.differences]
    if found.simulated:
        yield "SIMULATED"
    yield from terminals.wrapped(terminals.visible(_head(found, differing)), columns, "  ")
    for one in found.silent:
        text = f"{_some(one.sites)}: ? {one.cause}"
        yield from terminals.wrapped(terminals.visible(text), columns, "  ")
    for reason, sites in found.left_out:
        yield from terminals.wrapped(terminals.visible(f"left out: {_some(sites)}: {reason}"), columns, "  ")
    for group in differing[:_GROUPS]:
        yield ""
        yield from _group(group, columns, _LINES if len(differing) > 1 else None)
    rest = differing[_GROUPS:]
    if rest:
        kinds = f"{len(rest):,} more kind{'s' if len(rest) > 1 else ''} of difference"
        yield from ("", f"and {kinds} at {_many(sum(len(group.sites) for group in rest))} (-o yaml has them all)")
    if unknown or (alike and differing):
        yield ""
    for group in unknown:
        text = f"{_some(group.sites)}: ? the journal does not have the release that is there"
        yield from terminals.wrapped(terminals.visible(text), columns, "  ")
    if differing or unknown:
        for group in alike:
            yield f"{_many(len(group.sites))}: = nothing differs"


def _head(found: comparing.Comparison, differing: list[comparing.Group]) -> str:
    total = sum(len(group.sites) for group in found.groups)
    against = _AGAINST.get(found.against, found.against)
    head = f"{found.bundle} {found.version} against {against}: "
    if not differing:
        return f"{head}{'nothing differs' if not found.differs else 'nothing is known to differ'} at {_many(total)}"
    count = sum(len(group.sites) for group in differing)
    kinds = "the same differs" if len(differing) == 1 else f"{len(differing):,} kinds of difference"
    return f"{head}{kinds} at {f'{count:,} of ' if count != total else ''}{_many(total)}"


def _group(group: comparing.Group, columns: int | None, room: int | None) -> Iterator[str]:
    example = f", e.g. {group.sites[0]}" if len(group.sites) > 1 else f": {group.sites[0]}"
    yield f"{_many(len(group.sites))}{example}"
    taken = 0
    for number, one in enumerate(group.differences):
        lines = one.lines()
        if room is not None and number and taken + len(lines) > room:
            rest = len(group.differences) - number
            yield f"  and {rest:,} more object{'s' if rest > 1 else ''} (-o yaml has them all)"
            return
        details = f"   {one.change.details}" if one.change.details else ""
        head = f"{one.change.verb} {one.change.id}{details}   {one.template}"
        yield from terminals.wrapped(terminals.visible(head), columns, "    ", "  ")
        shown = lines if room is None else lines[: room - taken]
        yield from (f"    {line}" for line in shown)
        taken += len(lines)
        if len(shown) < len(lines):
            yield f"    and {len(lines) - len(shown):,} more lines (-o yaml has them all)"


def _some(sites: tuple[str, ...]) -> str:
    examples = ", ".join(sites[:_EXAMPLES]) + (", ..." if len(sites) > _EXAMPLES else "")
    return f"{_many(len(sites))} ({examples})"


def _many(count: int) -> str:
    return f"{count:,} site{'s' if count != 1 else ''}"
