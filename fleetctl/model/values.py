"""Plain values: what a YAML 1.2 core document holds, the mark of a key that is taken away, and words for both."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Any

__all__ = ["TAGS", "UNSET", "Unset", "Value", "Vars", "Written", "float_text", "kind_of", "same", "text_of"]

if TYPE_CHECKING:
    Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
else:
    Value = Any  # msgspec knows no recursive types
"""What vars and bundle values are made of."""

Vars = dict[str, Value]
"""A map of values by name."""

Written = dict[str, Any]
"""A map as a file says it: before layers are merged any value may be ``!unset``."""


class Unset(enum.Enum):
    """The value of ``key: !unset``, which takes away what a lower layer set."""

    UNSET = "!unset"

    def __str__(self) -> str:
        """Return the tag as it is written."""
        return self.value


UNSET = Unset.UNSET

TAGS = {str(UNSET): UNSET}
"""The tags that files of an inventory, and words that set values, may use."""


def kind_of(value: object) -> str:
    """Name a value's type with its value, for «expected X, got Y»."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {json.dumps(value if len(value) <= 40 else value[:37] + '...', ensure_ascii=False)}"
        case list():
            return "a list"
        case dict():
            return "a map"
        case Unset():
            return str(value)
        case _:
            return f"a {type(value).__name__}"  # Python's own words for a value may hold its address


def text_of(value: str | float) -> str:
    """Write a scalar into other text, booleans and numbers as YAML and JSON spell them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return float_text(value) if isinstance(value, float) else str(value)


def float_text(value: float) -> str:
    """Write a finite float so that YAML 1.1 sees one too: a dot in the mantissa, a sign in the exponent."""
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def same(one: object, other: object) -> bool:
    """Tell whether plain data are equal, types included: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
