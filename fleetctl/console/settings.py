"""Settings as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from fleetctl.console import tables
from fleetctl.model import settings

__all__ = ["show"]


def show(found: Iterable[settings.Setting], stream: TextIO, *, origin: bool) -> None:
    """Write settings, one a line, and with ``origin`` where each is from."""
    flags = {flag.name: flag for flag in (settings.PROJECT, *settings.FLAGS)}
    heads = ["NAME", "FLAG", "VALUE"]
    rows = []
    for one in found:
        value = "-" if one.value is None else str(one.value)
        cells = [one.name, flags[one.name].flag, value]
        rows.append([*cells, one.place or one.layer.value] if origin else cells)
    tables.table([*heads, "FROM"] if origin else heads, rows, stream)
