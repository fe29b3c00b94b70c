"""Settings: defaults of flags, grouped by what they are about, and where each one comes from.

A setting stands for a flag that was not given: flag > ``FLEETCTL_*`` > the user's file > ``fleetctl.yaml`` > built in.
Each field states its unit, its built-in value and the reason for it. What narrows, widens or waves through what a
command does to sites is never a setting: it must be seen on the command line.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Any, Final

__all__ = [
    "FLAGS",
    "NEVER",
    "PROJECT",
    "Flag",
    "Layer",
    "Running",
    "Setting",
    "Settings",
    "Showing",
    "refusal",
]

NEVER: Final = frozenset(
    {
        "acceptFailed",
        "acceptNewHostKeys",
        "adopt",
        "all",
        "exclude",
        "forceConflicts",
        "fromRun",
        "group",
        "only",
        "plan",
        "pruneAdopted",
        "reapply",
        "removeNew",
        "sample",
        "seed",
        "selector",
        "set",
        "sim",
        "site",
        "supersede",
        "yes",
    }
)
"""Flags that can never be defaults, by the names that they would have as keys."""


class Layer(enum.StrEnum):
    """Where a setting comes from, in the words of people."""

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    USER = "user"
    PROJECT = "project"
    BUILT_IN = "built-in"


def _field(flag: str, unit: str, *, built_in: str | int = "", path: bool = False) -> Any:  # noqa: ANN401  # as dataclasses has it
    return dataclasses.field(default=None, metadata={"flag": flag, "unit": unit, "built_in": built_in, "path": path})


@dataclasses.dataclass(frozen=True)
class Showing:
    """What is written where."""

    output: str | None = _field("-o", "format", built_in="table")
    """The format of results; ``table`` unless a command's own help says otherwise, since people read it."""
    events: str | None = _field("--events", "file", path=True)
    """Where the events of a run go; nowhere, since most runs are watched on a screen."""


@dataclasses.dataclass(frozen=True)
class Running:
    """How runs are made."""

    strategy: str | None = _field("--strategy", "file", path=True)
    """A file of kind Strategy; the shipped one, which begins with a canary."""
    concurrency: int | None = _field("-c", "sites at a time", built_in=256)
    """The strategy's own unless set; 256 of the shipped one keep one core busy and no uplink of ours full."""
    timeout: str | None = _field("--timeout", "time for one site", built_in="10m")
    """The strategy's own unless set; ten minutes let a store with a slow uplink pull an image."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting as it counts: its value, the layer it is from, and the variable or the place in a file."""

    name: str
    value: str | int | None
    layer: Layer = Layer.BUILT_IN
    place: str = ""


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of a command."""

    showing: Showing = dataclasses.field(default_factory=Showing)
    running: Running = dataclasses.field(default_factory=Running)
    found: tuple[Setting, ...] = ()
    """Every setting with where it comes from, in the order of ``FLAGS``."""


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag that may have a default."""

    name: str
    """Its key in files."""
    flag: str
    unit: str
    built_in: str | int
    is_path: bool

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return f"FLEETCTL_{self.name.upper()}"


FLAGS: Final = tuple(
    Flag(field.name, field.metadata["flag"], field.metadata["unit"], field.metadata["built_in"], field.metadata["path"])
    for group in (Showing, Running)
    for field in dataclasses.fields(group)
)
"""Every flag that may have a default, in the order in which people see them."""

PROJECT: Final = Flag("project", "-C", "folder", "", is_path=True)
"""Set by its flag or its variable only: a file at home would lead every command to one fleet."""


def refusal(word: str) -> str:
    """Say why a word can be no setting, if it names a flag that never is one, however it is spelled; else ""."""
    asked = word.replace("-", "").replace("_", "").lower()
    named = next((name for name in NEVER if name.lower() == asked), None)
    if named is None:
        return ""
    flag = re.sub(r"[A-Z]", lambda match: f"-{match[0].lower()}", named)
    return f"--{flag} can never be a default: what it lets a command do must be seen on the command line"
