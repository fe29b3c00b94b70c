"""Unquoted YAML words: what they mean, and which of them readers of YAML 1.1 and 1.2 understand differently.

Kubernetes tooling reads YAML 1.1 rules of thumb, editors and newer libraries read YAML 1.2, and a number may lose its
spelling on the way (``1.10``). An unquoted word is therefore accepted only if every reader agrees on its value and a
number only if writing the value gives the same text again. Everything else is refused with the text to write instead.
Sources: YAML 1.2.2 section 10.3 (core schema), yaml.org/type for YAML 1.1.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable

import msgspec

from fleetctl.model import values

__all__ = ["Ambiguous", "Scalar", "did_you_mean", "is_plain_text", "resolve"]

Scalar = None | bool | int | float | str

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOLEANS = frozenset(
    {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}
)
_SUSPECT_STARTS = frozenset("-+.0123456789~nNtTfFyYoO")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL_12 = re.compile(r"0o[0-7]+")
_OCTAL_11 = re.compile(r"[-+]?0[0-7_]+")
_BINARY_11 = re.compile(r"[-+]?0b[01_]+")
_UNDERSCORED_11 = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?")
_SEXAGESIMAL_11 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DATE_11 = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?", re.DOTALL)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INT64 = range(-(2**63), 2**63)


class Ambiguous(msgspec.Struct, frozen=True):
    """A word that is refused: ``why`` follows «unquoted WORD », ``fixes`` are texts that are safe to write."""

    why: str
    fixes: tuple[str, ...]

    def message(self, word: str) -> str:
        """Return the whole complaint in one sentence."""
        return f"unquoted {word} {self.why}; write {' or '.join(self.fixes)}"


def resolve(word: str) -> Scalar | Ambiguous:
    """Return the value of an unquoted word, or why it has none that all readers share."""
    if word and word[0] not in _SUSPECT_STARTS:
        return word
    if word in _NULLS:
        return None
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word in _OLD_BOOLEANS:
        return Ambiguous("is a boolean in YAML 1.1 and text in 1.2", (_quoted(word),))
    return _number(word)


def is_plain_text(word: str) -> bool:
    """Tell whether an unquoted word is that very text for every reader."""
    return resolve(word) == word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the nearest known word, or "" when none is near."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def _number(word: str) -> Scalar | Ambiguous:
    if _OCTAL_11.fullmatch(word):
        octal = word.replace("_", "")
        return Ambiguous(
            f"is the octal number {int(octal, 8)} in YAML 1.1 and {int(octal)} in 1.2",
            (str(int(octal, 8)), f"{_quoted(word)} for text"),
        )
    if _NUMBER.fullmatch(word):
        return _decimal(word)
    if _HEX.fullmatch(word):
        return Ambiguous(f"is the number {int(word, 16)}", (str(int(word, 16)), f"{_quoted(word)} for text"))
    if _OCTAL_12.fullmatch(word):
        return Ambiguous(
            f"is text in YAML 1.1 and the number {int(word, 8)} in 1.2",
            (str(int(word, 8)), f"{_quoted(word)} for text"),
        )
    if _NOT_FINITE.fullmatch(word):
        return Ambiguous("is not a number that JSON can carry", (f"{_quoted(word)} for text",))
    if _DATE_11.fullmatch(word):
        return Ambiguous("is a date in YAML 1.1 and text in 1.2", (_quoted(word),))
    if _SEXAGESIMAL_11.fullmatch(word):
        return Ambiguous("is a number in base 60 in YAML 1.1 and text in 1.2", (_quoted(word),))
    if _BINARY_11.fullmatch(word) or ("_" in word and _UNDERSCORED_11.fullmatch(word)):
        return Ambiguous("is a number in YAML 1.1 and text in 1.2", (_quoted(word),))
    return word


def _decimal(word: str) -> Scalar | Ambiguous:
    text = f"{_quoted(word)} for text"
    if _INTEGER.fullmatch(word):
        if len(word) > 20 or int(word) not in _INT64:
            return Ambiguous("is a number too large for 64 bits", (text,))
        return number if str(number := int(word)) == word else Ambiguous(f"is the number {number}", (str(number), text))
    value = float(word)
    if not math.isfinite(value):
        return Ambiguous("is a number too large for 64 bits", (text,))
    shown = values.float_text(value)
    if shown == word:
        return value
    if "e" in word.lower():
        return Ambiguous(f"is text in YAML 1.1 and the number {shown} in 1.2", (shown, text))
    return Ambiguous(f"is the number {shown}", (shown, text))


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
