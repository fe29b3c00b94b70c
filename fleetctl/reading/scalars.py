"""Unquoted YAML words: what they mean, and which of them readers of YAML 1.1 and 1.2 understand differently.

Kubernetes tooling reads YAML 1.1 rules of thumb, editors and newer libraries read YAML 1.2, and a number may lose its
spelling on the way (``1.10``). An unquoted word is therefore accepted only if every reader agrees on its value and a
number only if writing the value gives the same text again. Everything else is refused with the text to write instead.
Sources: YAML 1.2.2 section 10.3 (core schema), yaml.org/type for YAML 1.1.
"""

from __future__ import annotations

import difflib
import functools
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
_INDICATORS_11 = frozenset({"=", "<<"})
_SUSPECT_STARTS = frozenset("-+.0123456789~nNtTfFyYoO=<")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL_12 = re.compile(r"0o[0-7]+")
_OCTAL_11 = re.compile(r"[-+]?0[0-7]+")
_FLOAT_11 = re.compile(r"[-+]?[0-9]+\.[0-9]*[eE][-+][0-9]+|\.[0-9]+[eE][-+][0-9]+")
_PREFIXED = re.compile(r"[-+]?0([xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][-+]?[01_]+)")
_SEXAGESIMAL_11 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DATE_11 = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?", re.DOTALL)
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+){2,}")
"""IPv4 addresses and versions: two dots are in nobody's number, and no date begins with them."""
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INT64 = range(-(2**63), 2**63)
_LONGEST = 26
"""Characters of an integer that may still fit into 64 bits, in octal with sign and prefix; Python balks at 4,300."""


class Ambiguous(msgspec.Struct, frozen=True):
    """A word that is refused: ``why`` follows «unquoted WORD », ``fixes`` are texts that are safe to write."""

    why: str
    fixes: tuple[str, ...]

    def message(self, word: str) -> str:
        """Return the whole complaint in one sentence."""
        return f"unquoted {word} {self.why}; write {' or '.join(self.fixes)}"


@functools.lru_cache(maxsize=2**16)
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
    if word in _INDICATORS_11:
        return Ambiguous("has a meaning of its own in YAML 1.1 and is text in 1.2", (_quoted(word),))
    return word if _DOTTED.fullmatch(word) else _number(word)


def is_plain_text(word: str) -> bool:
    """Tell whether an unquoted word is that very text for every reader."""
    return resolve(word) == word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the nearest known word, or "" when none is near."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def _number(word: str) -> Scalar | Ambiguous:
    other = _in_other_base(word)
    if other is not None:
        return other
    if _NUMBER.fullmatch(word):
        return _decimal(word)
    if _NOT_FINITE.fullmatch(word):
        return Ambiguous("is not a number that JSON can carry", (f"{_quoted(word)} for text",))
    if _DATE_11.fullmatch(word):
        return Ambiguous("is a date in YAML 1.1 and text in 1.2", (_quoted(word),))
    if _SEXAGESIMAL_11.fullmatch(word):
        return Ambiguous("is a number in base 60 in YAML 1.1 and text in 1.2", (_quoted(word),))
    return _for_some(word)


def _in_other_base(word: str) -> Ambiguous | None:
    """Refuse octal and hexadecimal numbers: what they are worth is not what they look like."""
    for pattern, base in ((_OCTAL_11, 8), (_HEX, 16), (_OCTAL_12, 8)):
        if not pattern.fullmatch(word):
            continue
        if len(word) > _LONGEST or int(word, base) not in _INT64:
            return _too_large(word)
        number = int(word, base)
        why = f"is the number {number}"
        if pattern is _OCTAL_12:
            why = f"is text in YAML 1.1 and the number {number} in 1.2"
        elif pattern is _OCTAL_11 and number != int(word):
            why = f"is the octal number {number} in YAML 1.1 and {int(word)} in 1.2"
        return Ambiguous(why, (str(number), f"{_quoted(word)} for text"))
    return None


def _for_some(word: str) -> str | Ambiguous:
    """Refuse what some readers take for a number: that of Kubernetes leaves ``_`` out and knows ``0X`` and ``-0o``."""
    bare = word.replace("_", "")
    if (
        not _PREFIXED.fullmatch(word)
        and not _PREFIXED.fullmatch(bare)
        and (bare == word or not _NUMBER.fullmatch(bare))
    ):
        return word
    safe = bare != word and isinstance(resolve(bare), int | float)
    fixes = (bare, f"{_quoted(word)} for text") if safe else (_quoted(word),)
    return Ambiguous("is a number for some readers of YAML and text for others", fixes)


def _decimal(word: str) -> Scalar | Ambiguous:
    text = f"{_quoted(word)} for text"
    if _INTEGER.fullmatch(word):
        if len(word) > _LONGEST or int(word) not in _INT64:
            return _too_large(word)
        return number if str(number := int(word)) == word else Ambiguous(f"is the number {number}", (str(number), text))
    value = float(word)
    if not math.isfinite(value):
        return _too_large(word)
    shown = values.float_text(value)
    if shown == word:
        return value
    if "e" in word.lower() and not _FLOAT_11.fullmatch(word):
        return Ambiguous(f"is text in YAML 1.1 and the number {shown} in 1.2", (shown, text))
    return Ambiguous(f"is the number {shown}", (shown, text))


def _too_large(word: str) -> Ambiguous:
    return Ambiguous("is a number too large for 64 bits", (f"{_quoted(word)} for text",))


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
