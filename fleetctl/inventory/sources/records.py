"""What a source gives, before it is a site: records with a place, and what can go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fleetctl.model import codes, problems

__all__ = ["Failed", "Gathered", "Record", "one"]


class Record(msgspec.Struct, frozen=True):
    """One thing of a source, its fields as the source has them, and where people find it.

    ``nodes`` are the things at the site that may be nodes; a record of a table is both, and has itself.
    """

    mark: problems.Mark
    data: dict[str, Any]
    nodes: tuple[Record, ...] | None = None


class Gathered(msgspec.Struct):
    """What a source said: sites as a file would have them, by name, and remarks for people."""

    sites: list[dict[str, Any]]
    inputs: dict[str, str] = {}
    """Digests of the files that were read, by their path from the source's folder."""
    notes: list[str] = []


class Failed(Exception):
    """A source that could not be read; nothing of it is used."""

    def __init__(self, found: Iterable[problems.Problem]) -> None:
        self.problems = problems.in_order(found)
        super().__init__(self.problems[0].message)


def one(code: codes.Code, message: str, mark: problems.Mark | None = None, field: problems.Field = ()) -> Failed:
    """Return the failure for a single problem."""
    return Failed([problems.Problem(code, message, mark, field)])
