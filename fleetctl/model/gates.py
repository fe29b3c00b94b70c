"""Gates: what must hold after a wave before the next one begins. Part of a strategy, and so of a plan.

A gate is asked again and again until its answer has been good for ``hold`` seconds, or bad once more often than
``failures``. An approval is not asked but given, by a person. References to secrets stand here, values never.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from fleetctl.model import secretrefs

__all__ = ["CONDITION", "Ask", "Condition", "Exec", "Gate", "Header", "Health", "Promql", "State"]

CONDITION: Final = re.compile(
    r"(?P<sign><=|>=|==|!=|<|>) ?(?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
)
"""How a condition on numbers is written, such as ``<= 0.01``."""


class State(enum.StrEnum):
    """Where a gate stands."""

    ASKING = "asking"
    WAITING = "waiting"
    """For a person's approval."""
    PASSED = "passed"
    FAILED = "failed"
    APPROVED = "approved"
    ACCEPTED = "accepted"
    """It failed, and somebody went on past it."""


class Header(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A header of a request: its text, or where that is kept; ``prefix`` comes before the secret."""

    name: str
    text: str = ""
    secret: secretrefs.Reference | None = None
    prefix: str = ""


class Ask(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A GET request; without ``statuses`` each of 200 to 299 is good. ``timeout`` is for the whole answer, seconds."""

    url: str
    headers: tuple[Header, ...] = ()
    statuses: tuple[int, ...] = ()
    timeout: float = 10.0


class Condition(msgspec.Struct, frozen=True):
    """What every value must be: a sign and a number."""

    sign: str
    number: float

    def __str__(self) -> str:
        """Return the condition as people write it."""
        return f"{self.sign} {self.number:g}"

    def holds(self, value: float) -> bool:
        """Tell whether it holds for a value; never for NaN, which is no answer."""
        if value != value:  # noqa: PLR0124  # what NaN is known by
            return False
        return {
            "<": value < self.number,
            "<=": value <= self.number,
            ">": value > self.number,
            ">=": value >= self.number,
            "==": value == self.number,
            "!=": value != self.number,
        }[self.sign]


class Promql(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A query to a Prometheus: it must give a value, and the condition must hold for every one."""

    at: Ask
    query: str
    condition: Condition


class Exec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A program and its words, run in the project's folder, that must end with 0 within ``timeout`` seconds."""

    command: tuple[str, ...]
    timeout: float = 60.0


class Health(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Such a part of the wave's members, in percent, must be as the run wants them."""

    percent: float


class Gate(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One gate; exactly one of the five kinds is set. Times in seconds."""

    name: str
    after: tuple[str, ...] = ()
    """Names of the waves after which it stands; none for every wave but the last."""
    health: Health | None = None
    http: Ask | None = None
    promql: Promql | None = None
    exec: Exec | None = None
    approval: bool = False
    hold: float = 0.0
    interval: float = 10.0
    failures: int = 0

    @property
    def kind(self) -> str:
        """Return its kind in one word, as files have it."""
        found = {"health": self.health, "http": self.http, "promql": self.promql, "exec": self.exec}
        return next((name for name, said in found.items() if said is not None), "approval")

    @property
    def secrets(self) -> tuple[secretrefs.Reference, ...]:
        """Return the secrets that it needs."""
        asked = self.http or (self.promql.at if self.promql else None)
        return tuple(one.secret for one in asked.headers if one.secret) if asked else ()

    def stands_after(self, wave: str) -> bool:
        """Tell whether it stands after a wave of that name, if that is not the last."""
        return not self.after or wave in self.after
