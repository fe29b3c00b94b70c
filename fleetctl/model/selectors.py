"""The Kubernetes label-selector grammar, verbatim.

``env=prod,hw in (rpi4,nuc),!canary,ring>1``. Which texts are accepted and what they match follows
``k8s.io/apimachinery/pkg/labels`` (Kubernetes 1.36), oddities included: ``x in ()`` means «x is the empty text»,
``x=`` likewise, ``in`` and ``notin`` are ordinary words where a key or value is expected, ``!=`` and ``notin`` match
where the key is absent, and ``>``/``<`` compare 64-bit integers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from fleetctl.model import labels

__all__ = ["Operator", "Requirement", "Selector", "SelectorError", "parse"]

Operator = Literal["=", "==", "!=", "in", "notin", "exists", "!", ">", "<"]

_SPACE = " \t\r\n"
_SPECIAL = "=!(),><"
_SYMBOLS = ("==", "!=", "=", "!", "(", ")", ",", ">", "<")
_BINARY: tuple[Operator, ...] = ("in", "notin", "=", "==", "!=", ">", "<")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)


class SelectorError(ValueError):
    """A text that is not a selector; ``position`` counts characters from 0, the message reads on its own."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Requirement(msgspec.Struct, frozen=True):
    """One comma-separated part; ``values`` is sorted and without repeats."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, declared: Mapping[str, str]) -> bool:
        """Tell whether labels fulfil this requirement."""
        value = declared.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                number = None if value is None else _int64(value)
                if number is None:
                    return False
                bound = int(self.values[0])
                return number > bound if self.operator == ">" else number < bound

    def __str__(self) -> str:
        """Write the requirement so that ``parse`` reads it back."""
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


class Selector(msgspec.Struct, frozen=True):
    """All requirements must hold; none at all matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, declared: Mapping[str, str]) -> bool:
        """Tell whether labels fulfil every requirement."""
        return all(requirement.matches(declared) for requirement in self.requirements)

    def __str__(self) -> str:
        """Write the selector so that ``parse`` reads it back."""
        return ",".join(str(requirement) for requirement in self.requirements)


class _Token(msgspec.Struct, frozen=True):
    kind: str  # a symbol, "word" or "end"
    text: str
    position: int

    def shown(self) -> str:
        return f'"{self.text}"' if self.text else "the end"


def parse(text: str) -> Selector:
    """Read a selector; raises ``SelectorError`` for what a Kubernetes API server would refuse."""
    reader = _Reader(_tokens(text))
    found: list[Requirement] = []
    while (token := reader.peek()).kind != "end":
        if token.kind not in ("word", "!"):
            raise _expected("a label key or !", token)
        found.append(_requirement(reader))
        separator = reader.take()
        if separator.kind == "end":
            break
        if separator.kind != ",":
            raise _expected('"," or the end', separator)
        if (after := reader.peek()).kind not in ("word", "!"):
            raise _expected('a label key or ! after ","', after)
    return Selector(tuple(sorted(found, key=lambda requirement: requirement.key)))


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
        elif text[at] in _SPECIAL:
            symbol = next(s for s in _SYMBOLS if text.startswith(s, at))
            tokens.append(_Token(symbol, symbol, at))
            at += len(symbol)
        else:
            end = at
            while end < len(text) and text[end] not in _SPACE + _SPECIAL:
                end += 1
            tokens.append(_Token("word", text[at:end], at))
            at = end
    tokens.append(_Token("end", "", len(text)))
    return tokens


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token:
        return self._tokens[self._at]

    def take(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token


def _expected(what: str, token: _Token) -> SelectorError:
    return SelectorError(f"found {token.shown()} where {what} was expected", token.position)


def _requirement(reader: _Reader) -> Requirement:
    absent = reader.peek().kind == "!"
    if absent:
        reader.take()
    key = reader.take()
    if key.kind != "word":
        raise _expected("a label key", key)
    if fault := labels.key_fault(key.text):
        raise SelectorError(f'the label key "{key.text}" {fault}', key.position)
    if absent:
        return Requirement(key.text, "!")
    if reader.peek().kind in ("end", ","):
        return Requirement(key.text, "exists")
    return _binary(reader, key.text)


def _binary(reader: _Reader, key: str) -> Requirement:
    token = reader.take()
    operator = next((known for known in _BINARY if known == token.text), None)
    if operator is None:
        raise _expected("one of " + " ".join(_BINARY), token)
    values = _value_set(reader) if operator in ("in", "notin") else [_exact_value(reader)]
    for value in values:
        if operator in (">", "<") and _int64(value.text) is None:
            raise SelectorError(f'{operator} compares integers, and "{value.text}" is none', value.position)
        if fault := labels.value_fault(value.text):
            raise SelectorError(f'the label value "{value.text}" {fault}', value.position)
    return Requirement(key, operator, tuple(sorted({value.text for value in values})))


def _exact_value(reader: _Reader) -> _Token:
    token = reader.peek()
    if token.kind in ("end", ","):
        return _Token("word", "", token.position)
    reader.take()
    if token.kind != "word":
        raise _expected("a label value", token)
    return token


def _value_set(reader: _Reader) -> list[_Token]:
    opening = reader.take()
    if opening.kind != "(":
        raise _expected('"("', opening)
    values: list[_Token] = []
    while True:
        token = reader.peek()
        if token.kind == "word":
            values.append(reader.take())
        elif token.kind in (",", ")"):
            values.append(_Token("word", "", token.position))
        else:
            raise _expected('a label value, "," or ")"', token)
        separator = reader.take()
        if separator.kind == ")":
            return values
        if separator.kind != ",":
            raise _expected('"," or ")"', separator)


def _int64(text: str) -> int | None:
    """Read an integer as Go's ``strconv.ParseInt(text, 10, 64)`` does."""
    if not _INTEGER.fullmatch(text) or not text.isascii():
        return None
    return number if (number := int(text)) in _INT64 else None
