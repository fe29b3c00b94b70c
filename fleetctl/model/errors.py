"""The error tree: everything that ends a command before or instead of its result.

::

    FleetctlError                what, code, what to do next, exit code
    ├── UsageError          2    the command line is wrong
    ├── InvalidInput        3    files are wrong; carries every problem found in one pass
    ├── EmptySelection      5    the selection matched nothing
    ├── NotConfigured       8    the operator's own configuration is missing
    ├── Unresolved          8    secrets cannot be had; carries a problem for each cause
    └── Refused             9    refused, nothing changed

A site's failure is never one of these: it is an outcome, a value. An exception from outside this tree is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from fleetctl.model import codes, exits, problems

__all__ = ["EmptySelection", "FleetctlError", "InvalidInput", "NotConfigured", "Refused", "Unresolved", "UsageError"]


class FleetctlError(Exception):
    """Root of the tree; ``hint`` says what to do next and may be empty."""

    exit: ClassVar[exits.Exit] = exits.Exit.INTERNAL

    def __init__(self, code: codes.Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class UsageError(FleetctlError):
    """The command line cannot be carried out as written."""

    exit = exits.Exit.USAGE


class InvalidInput(FleetctlError):
    """Files are wrong: ``problems`` holds all that was found, in order; nothing was changed."""

    exit = exits.Exit.INVALID

    def __init__(self, found: Iterable[problems.Problem], files: int = 0, *, asked: bool = False) -> None:
        self.problems = problems.in_order(found)
        self.asked = asked
        """Whether clusters were asked; if not, nothing was even contacted."""
        self.files = files
        """How many files were read, so that a summary can say «in 3 of 214 files»."""
        first = self.problems[0]
        super().__init__(first.code, first.message)


class EmptySelection(FleetctlError):
    """The selection matched no site."""

    exit = exits.Exit.EMPTY


class NotConfigured(FleetctlError):
    """The operator's own configuration, keys or rights are missing."""

    exit = exits.Exit.CONFIGURATION


class Unresolved(FleetctlError):
    """Secrets cannot be had: ``problems`` holds one for each cause, in order; nothing was changed."""

    exit = exits.Exit.CONFIGURATION

    def __init__(self, found: Iterable[problems.Problem]) -> None:
        self.problems = problems.in_order(found)
        first = self.problems[0]
        super().__init__(first.code, first.message)


class Refused(FleetctlError):
    """Going on could destroy something, so nothing was changed."""

    exit = exits.Exit.REFUSED
