"""Exit codes of the process: a fixed table that scripts and CI may rely on."""

from __future__ import annotations

import enum
from collections.abc import Iterable

__all__ = ["Exit", "worst"]


class Exit(enum.IntEnum):
    """What the process says to its caller; docs/reference/exit-codes.md is held equal to this table by a test."""

    OK = 0
    """All selected sites are fine, changed or not."""
    DIFFERENCES = 1
    """Differences or findings at or above the threshold."""
    USAGE = 2
    """The command line is wrong."""
    INVALID = 3
    """Invalid input: inventory, template, schema; nothing was contacted."""
    OWED = 4
    """Sites unreachable, skipped or owed, nothing else wrong."""
    EMPTY = 5
    """The selection matched nothing."""
    FAILED = 6
    """At least one site failed or is unhealthy."""
    HALTED = 7
    """A run was halted by a gate or a budget."""
    CONFIGURATION = 8
    """The operator's own credentials, keys, rights or configuration are missing."""
    REFUSED = 9
    """Refused, nothing changed."""
    WAITING = 10
    """Waiting for an approval or a window, or paused."""
    INTERNAL = 70
    """A bug in fleetctl; the traceback is in a file that the message names."""
    INTERRUPTED = 130
    """Ctrl-C."""
    BROKEN_PIPE = 141
    """The reader of standard output went away."""
    TERMINATED = 143
    """SIGTERM."""


_PRECEDENCE = (70, 143, 130, 8, 9, 7, 10, 6, 4, 1, 0)


def worst(exits: Iterable[Exit]) -> Exit:
    """Return the one code that stands for several results of a run.

    Usage, invalid input and an empty selection (2, 3, 5) end a command before there are several results, so they have
    no place in the order and raise ``ValueError``.
    """
    return min(exits, key=_PRECEDENCE.index, default=Exit.OK)
