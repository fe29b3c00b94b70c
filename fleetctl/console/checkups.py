"""A doctor's findings as lines: the verdict, what was looked at, what was found, and under it the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from fleetctl.console import terminals
from fleetctl.model import checkups

__all__ = ["show"]


def show(found: Sequence[checkups.Checkup], stream: TextIO) -> None:
    """Write all findings, and how many are not well."""
    verdicts = max(len(one.verdict) for one in found)
    names = max(len(one.name) for one in found)
    columns = terminals.width(stream)
    indent = " " * (verdicts + names + 4)
    for one in found:
        head = f"{one.verdict:<{verdicts}}  {one.name:<{names}}  "
        lines = terminals.wrapped(terminals.visible(one.found), columns, indent, head)
        if one.remedy:
            lines += terminals.wrapped(terminals.visible(one.remedy), columns, indent, indent)
        stream.writelines(f"{line}\n" for line in lines)
    counts = Counter(one.verdict for one in found)
    said = [f"{counts[kind]} {kind}" for kind in checkups.Verdict if counts[kind]]
    stream.write(f"\n{len(found)} checks: {', '.join(said)}.\n")
