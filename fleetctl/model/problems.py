"""Problems at a place in a file, and how a place is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from fleetctl.model import codes

__all__ = ["NOTHING", "Field", "Mark", "Problem", "Step", "field_text", "in_order", "parse_field", "value_at"]

Step = str | int
"""A map key or a list position."""
Field = tuple[Step, ...]
"""Where a value stands inside a document: map keys and list positions from the root, e.g. ``("sites", 12, "name")``."""

NOTHING: Final = object()
"""What ``value_at`` returns where there is no value (null is one)."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_+-]+")
_STEP = re.compile(r"""\.?(?:\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|(?P<key>[^.\[\]"]+))""")


class Mark(msgspec.Struct, frozen=True, order=True):
    """A place in a file: path as shown to people, line and column counted from 1."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return ``path:line:column`` as compilers write it, as far as it is known."""
        return ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with the input: where it is, what it is and what to do about it."""

    code: codes.Code
    message: str
    mark: Mark | None = None
    field: Field = ()
    notes: tuple[str, ...] = ()
    """Further lines: quoted source, the other place of a clash, an example site."""


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort by place, then code and text, and drop exact repeats, so that output does not depend on work order."""
    nowhere = Mark("")
    unique = {(p.mark or nowhere, p.code, p.message, p.field): p for p in problems}
    return [unique[key] for key in sorted(unique, key=lambda k: (k[0], k[1], k[2], field_text(k[3])))]


def field_text(field: Sequence[Step]) -> str:
    """Write a field as people read it: ``sites[12].labels["app.kubernetes.io/name"]``."""
    text = ""
    for step in field:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += '["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return text


def parse_field(text: str) -> Field:
    """Read what ``field_text`` writes; raises ``ValueError`` for anything else."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == 0 and text.startswith(".")):
            raise ValueError(text)
        if match["index"] is not None:
            steps.append(int(match["index"]))
        elif match["quoted"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", match["quoted"]))
        else:
            steps.append(match["key"])
        at = match.end()
    return tuple(steps)


def value_at(value: object, field: Sequence[Step]) -> object:
    """Return what stands at a field of plain data, or ``NOTHING``."""
    for step in field:
        if isinstance(value, dict):
            value = value.get(step, NOTHING)
        elif isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return NOTHING
    return value
