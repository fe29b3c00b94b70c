"""What changed between two states of a fleet: sites that came and went, then the same changes once for all sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.inventory import comparing, edits
from fleetctl.model import problems, values
from fleetctl.reading import yamltext

__all__ = ["show", "show_plan", "value_text"]

_EXAMPLES: Final = 3


def show(found: comparing.Comparison, stream: TextIO) -> None:
    """Write what changed; nothing at all where nothing did."""
    columns = terminals.width(stream)
    for line in _lines(found):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        stream.writelines(f"{text.rstrip()}\n" for text in terminals.wrapped(line, columns, indent, ""))


def show_plan(made: edits.Plan, files: Sequence[str], stream: TextIO, *, dry_run: bool) -> None:
    """Write what ``inventory set`` makes of each value, by place, and the files that it wrote or would write."""
    columns = terminals.width(stream)
    for one in made.settings:
        before = value_text(one.before)
        if not one.here and one.before is not problems.NOTHING:
            before += f" ({one.inherited or 'built in'})"
        change = f"{before} -> {value_text(one.after)}" if one.changes else f"{before}, as it was"
        line = f"{one.mark}  {one.site} {problems.field_text(one.field)}: {change}"
        stream.writelines(f"{text}\n" for text in terminals.wrapped(terminals.visible(line), columns, "    "))
    verb = "would write" if dry_run else "wrote"
    stream.writelines(f"{verb} {terminals.visible(file)}\n" for file in files)


def _lines(found: comparing.Comparison) -> Iterator[str]:
    for sign, names in (("+", found.added), ("-", found.removed)):
        if names:
            yield f"{sign} {_sites(names)}"
    for fold in found.folds:
        yield f"~ {_sites(fold.sites)}"
        for change in fold.changes:
            yield f"    {problems.field_text(change.field)}: {value_text(change.before)} -> {value_text(change.after)}"
    if found.differs:
        changed = sum(len(fold.sites) for fold in found.folds)
        yield ""
        yield f"{len(found.added):,} added, {len(found.removed):,} removed, {changed:,} changed"


def _sites(names: Sequence[str]) -> str:
    count = f"{len(names):,} sites" if len(names) > 1 else "1 site"
    more = " ..." if len(names) > _EXAMPLES else ""
    return f"{count}  {' '.join(names[:_EXAMPLES])}{more}"


def value_text(value: object) -> str:
    """Write a value on one line, with words for none and for one that is taken away."""
    if value is problems.NOTHING:
        return "(none)"
    return "(removed)" if value is values.UNSET else yamltext.inline(value)
