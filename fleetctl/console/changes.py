"""What changed between two states of a fleet: sites that came and went, then the same changes once for all sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.inventory import comparing
from fleetctl.model import problems
from fleetctl.reading import yamltext

__all__ = ["show"]

_EXAMPLES: Final = 3


def show(found: comparing.Comparison, stream: TextIO) -> None:
    """Write what changed; nothing at all where nothing did."""
    columns = terminals.width(stream)
    for line in _lines(found):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        stream.writelines(f"{text.rstrip()}\n" for text in terminals.wrapped(line, columns, indent, ""))


def _lines(found: comparing.Comparison) -> Iterator[str]:
    for sign, names in (("+", found.added), ("-", found.removed)):
        if names:
            yield f"{sign} {_sites(names)}"
    for fold in found.folds:
        yield f"~ {_sites(fold.sites)}"
        for change in fold.changes:
            yield f"    {problems.field_text(change.field)}: {_value(change.before)} -> {_value(change.after)}"
    if found.differs:
        changed = sum(len(fold.sites) for fold in found.folds)
        yield ""
        yield f"{len(found.added):,} added, {len(found.removed):,} removed, {changed:,} changed"


def _sites(names: Sequence[str]) -> str:
    count = f"{len(names):,} sites" if len(names) > 1 else "1 site"
    more = " ..." if len(names) > _EXAMPLES else ""
    return f"{count}  {' '.join(names[:_EXAMPLES])}{more}"


def _value(value: object) -> str:
    return "(none)" if value is problems.NOTHING else yamltext.inline(value)
