"""How a fleet is put together, as tables."""

from __future__ import annotations

from typing import TextIO

from fleetctl.console import tables
from fleetctl.inventory import graphing

__all__ = ["show"]


def show(found: graphing.Graph, stream: TextIO, *, wide: bool) -> None:
    """Write files and groups with their counts; ``wide`` adds where groups stand and which they must agree with."""
    rows = [[file.path, f"{file.sites:,}" if file.sites else "-", _says(file)] for file in found.files]
    tables.table(("FILE", "SITES", "ALSO"), rows, stream)
    if found.groups:
        stream.write("\n")
    heads = ["GROUP", "PRIORITY", "SITES", "MATCH"]
    lines = [[one.name, str(one.priority), f"{one.sites:,}", one.match or "every site"] for one in found.groups]
    if wide:
        heads += ["PLACE", "EQUAL"]
        lines = [
            [*line, str(one.mark), ",".join(one.beside) or "-"] for line, one in zip(lines, found.groups, strict=True)
        ]
    tables.table(heads, lines, stream)
    ungrouped = f", {found.ungrouped:,} of them in no group" if found.ungrouped and found.groups else ""
    stream.write(f"\n{found.sites:,} sites, {found.nodes:,} nodes{ungrouped}\n")


def _says(file: graphing.FileLine) -> str:
    groups = f"{len(file.groups):,} groups" if len(file.groups) > 3 else ",".join(file.groups)
    return ", ".join(part for part in ("defaults" if file.defaults else "", groups) if part) or "-"
