"""Kubernetes quantities, such as ``500m`` and ``1.5Gi``: read exactly, and written as API servers write them.

Source: apimachinery ``pkg/api/resource/quantity.go``. An API server stores the canonical spelling whatever it was
given, and a manifest that spells a quantity otherwise differs from what it reads back: the largest suffix that leaves a
whole number, binary suffixes only for what was given with one and is at least 1,024.
"""

from __future__ import annotations

import fractions
import re

import msgspec

__all__ = ["Quantity", "QuantityError", "amount", "parse"]

_FORM = re.compile(
    r"(?P<number>[-+]?(?:[0-9]{1,24}(?:\.[0-9]{0,24})?|\.[0-9]{1,24}))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[-+]?[0-9]{1,2}))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LARGEST = 2**63 - 1


class QuantityError(ValueError):
    """A text that is no quantity, or one that an API server would round; the message follows «"x" »."""


class Quantity(msgspec.Struct, frozen=True):
    """An exact number with the family of suffixes it was written with: ``binary``, ``decimal`` or ``exponent``."""

    number: fractions.Fraction
    style: str = "decimal"

    def __str__(self) -> str:
        """Return the canonical spelling."""
        number, whole = self.number, self.number.denominator == 1
        if self.style == "binary" and whole and abs(number) >= 1024:
            fits = [suffix for suffix, bits in _BINARY.items() if number % 2**bits == 0]
            return f"{number / 2 ** _BINARY[fits[-1]]}{fits[-1]}" if fits else f"{number}"
        if number == 0:
            return "0"
        power = max(power for power in _DECIMAL.values() if (number / _tens(power)).denominator == 1)
        shown = number / _tens(power)
        if self.style == "exponent":
            return f"{shown}e{power}" if power else f"{shown}"
        return f"{shown}{next(suffix for suffix, known in _DECIMAL.items() if known == power)}"

    def scaled(self, times: fractions.Fraction, step: fractions.Fraction) -> Quantity:
        """Multiply, and round up to a multiple of ``step``; raises ``QuantityError`` where that is too large."""
        number = -(-self.number * times // step) * step
        if abs(number) > _LARGEST:
            msg = "is too large; API servers know no more than 2^63 - 1"
            raise QuantityError(msg)
        return Quantity(number, self.style)

    def in_unit(self, unit: str) -> fractions.Fraction:
        """Return the number of units, such as ``Mi`` or ``m``, that this is; raises ``KeyError`` for an unknown one."""
        if unit in _BINARY:
            return self.number / (1 << _BINARY[unit])
        return self.number / _tens(_DECIMAL[unit])


def parse(text: str) -> Quantity:
    """Read a quantity; raises ``QuantityError`` for what is none, and for what an API server would round or cap."""
    match = _FORM.fullmatch(text)
    if match is None:
        msg = 'is no quantity such as "500m", "2" or "1.5Gi"'
        raise QuantityError(msg)
    suffix, exponent = match["suffix"] or "", match["exponent"]
    number = fractions.Fraction(match["number"])
    if suffix in _BINARY:
        number *= 2 ** _BINARY[suffix]
    else:
        number *= _tens(int(exponent) if exponent else _DECIMAL[suffix])
    if abs(number) > _LARGEST:
        msg = "is too large; API servers know no more than 2^63 - 1"
        raise QuantityError(msg)
    if (number * 10**9).denominator != 1:
        msg = "is finer than a billionth; API servers would round it up"
        raise QuantityError(msg)
    return Quantity(number, "binary" if suffix in _BINARY else "exponent" if exponent else "decimal")


def amount(text: str) -> Quantity:
    """Read a quantity of something that is there or not; raises ``QuantityError`` for a negative one, too."""
    found = parse(text)
    if found.number < 0:
        msg = "is less than nothing"
        raise QuantityError(msg)
    return found


def _tens(power: int) -> fractions.Fraction:
    return fractions.Fraction(10**power) if power >= 0 else fractions.Fraction(1, 10**-power)
