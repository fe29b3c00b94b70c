"""What ``inventory set`` makes of values and files: records, for whoever shows or writes them."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import msgspec

from fleetctl.model import problems, values

__all__ = ["Plan", "Setting"]


class Setting(msgspec.Struct, frozen=True):
    """One value of one site: what it was and what it is to be, and where it stands once it was written."""

    site: str
    field: problems.Field
    before: object
    """``problems.NOTHING`` where there was no value at all."""
    after: object
    mark: problems.Mark
    inherited: problems.Mark | None = None
    """Where the value before was written, when a lower layer said it and not the site."""
    here: bool = True
    """Whether the site itself said the value before."""

    @property
    def changes(self) -> bool:
        """Tell whether the file changes: a value that the site has from elsewhere is written down as its own."""
        return not self.here or not values.same(self.before, self.after)


class Plan(msgspec.Struct, frozen=True):
    """What becomes of the values that were asked for, and the files that change: old and new text."""

    settings: tuple[Setting, ...]
    files: Mapping[pathlib.Path, tuple[bytes, bytes]]
