"""Versions of Kubernetes as sites name them, and ranges of them as bundles ask for them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

import msgspec

__all__ = ["Range", "RangeError", "parse"]

_VERSION = re.compile(r"v?(?P<numbers>[0-9]{1,6}\.[0-9]{1,6}(?:\.[0-9]{1,6})?)(?:[-+/].*)?")
_PART = re.compile(r"(?P<sign>>=|<=|>|<|=)(?P<numbers>[0-9]{1,6}\.[0-9]{1,6}(?:\.[0-9]{1,6})?)")
_SIGNS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


class RangeError(ValueError):
    """A text that is no range; the message follows «"x" »."""


class Range(msgspec.Struct, frozen=True):
    """Conditions that all must hold, each a sign and two or three numbers."""

    text: str
    parts: tuple[tuple[str, tuple[int, ...]], ...]

    def takes(self, version: str) -> bool:
        """Tell whether a version such as ``v1.36.3+k3s1`` or ``1.36/stable`` is in the range.

        Two sides are compared as far as both go: ``<=1.36`` takes all of 1.36, and a channel, which names no patch,
        is taken where any of its patches would be. What cannot be read is taken: nothing speaks against it.
        """
        match = _VERSION.fullmatch(version)
        if match is None:
            return True
        here = _numbers(match["numbers"])
        return all(_holds(here, sign, wanted) for sign, wanted in self.parts)


def parse(text: str) -> Range:
    """Read a range such as ``>=1.30 <1.37``; raises ``RangeError``."""
    parts = []
    for word in text.split(" "):
        match = _PART.fullmatch(word)
        if match is None:
            msg = 'is no range of versions such as ">=1.30 <1.37" (signs >= > <= < =, blanks between conditions)'
            raise RangeError(msg)
        parts.append((match["sign"], _numbers(match["numbers"])))
    made = Range(text, tuple(parts))
    if not _is_possible(made):
        msg = "is a range that no version is in"
        raise RangeError(msg)
    return made


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def _holds(here: tuple[int, ...], sign: str, wanted: tuple[int, ...]) -> bool:
    if len(here) < len(wanted) and here == wanted[: len(here)]:
        return True  # some patch of it is on the right side
    return _SIGNS[sign](here[: len(wanted)], wanted)


def _is_possible(found: Range) -> bool:
    """Tell whether any version is in a range: if one is, one stands at an edge or next to it."""
    edges = {(*numbers, 0)[:3] for _, numbers in found.parts} | {(0, 0, 0)}
    near = {
        (major, max(minor + by, 0), max(patch + step, 0))
        for major, minor, patch in edges
        for by in (-1, 0, 1)
        for step in (-1, 0, 1)
    }
    return any(all(_holds(one, sign, wanted) for sign, wanted in found.parts) for one in near)
