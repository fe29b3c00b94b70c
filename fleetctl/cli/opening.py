"""What a command opens before it works: the project, its fleet, the selected sites. Composes, decides nothing."""

from __future__ import annotations

import pathlib
import sys
from typing import TYPE_CHECKING

import typer

from fleetctl.model import codes, errors

if TYPE_CHECKING:
    from fleetctl.inventory import fleets

__all__ = ["Opening", "of", "read_stdin"]


class Opening:
    """Opens things on demand, from the folder that ``-C`` names; hands out no state of its own."""

    def __init__(self, start: pathlib.Path) -> None:
        self._start = start

    def fleet(self) -> fleets.Loaded:
        """Load the project's inventory; raises ``NotConfigured`` or ``InvalidInput``."""
        from fleetctl.inventory import fleets, locating  # --help and version need neither

        return fleets.load(locating.find(self._start))


def of(ctx: typer.Context) -> Opening:
    """Return the opening that the root command prepared."""
    opening = ctx.find_object(Opening)
    if opening is None:
        msg = "a command ran without the root command"
        raise RuntimeError(msg)
    return opening


def read_stdin() -> str:
    """Return standard input, for ``--site -``; raises ``UsageError`` when it is not text."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        message = "standard input cannot be read: it is not UTF-8 text"
        raise errors.UsageError(codes.Code.SELECTION_UNREADABLE_FILE, message) from None
