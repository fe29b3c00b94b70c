"""What a check of the operator's own side found."""

from __future__ import annotations

import enum

import msgspec

__all__ = ["Checkup", "Verdict"]


class Verdict(enum.StrEnum):
    """How a check went."""

    OK = "ok"
    MISSING = "missing"
    """Something that only some commands need is not there."""
    WARN = "warn"
    FAIL = "fail"


class Checkup(msgspec.Struct, frozen=True):
    """One check: what was looked at, how it went, what was found, and what to do about it."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
