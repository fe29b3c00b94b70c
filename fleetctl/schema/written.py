"""How fields look to a JSON Schema: what their own checks accept, said with patterns as far as patterns can.

A schema must never refuse what the reader accepts: where a rule is out of its reach (an IANA zone, a selector's
grammar) it says less. Patterns are ECMA-262, which every editor speaks; ``!unset`` reaches a schema as empty text,
since a YAML tag has no place in JSON's data model.
"""

from __future__ import annotations

import re
from typing import Any

import pydantic
import pydantic_core
from pydantic.json_schema import JsonSchemaValue

from fleetctl.model import labels, values

__all__ = [
    "ADDRESS",
    "DNS_LABEL",
    "FREE",
    "LABEL_KEY",
    "LABEL_VALUE",
    "SITE_LABEL_KEY",
    "TIMEZONE",
    "Append",
    "Text",
    "Unsettable",
    "let_unset_pass",
    "whole",
]

_DNS_PART = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
LABEL_VALUE = f"(?:{_NAME})?"
LABEL_KEY = rf"(?:(?=.{{1,253}}/){_DNS_PART}(?:\.{_DNS_PART})*/)?{_NAME}"
SITE_LABEL_KEY = f"(?!(?:{'|'.join(labels.RESERVED)})$){LABEL_KEY}"
ADDRESS = rf"[0-9a-fA-F:.]+(?:%.+)?|(?=.{{1,253}}$){_DNS_PART}(?:\.{_DNS_PART})*"
TIMEZONE = r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}"


def whole(pattern: str | re.Pattern[str]) -> str:
    """Return a pattern of Python that must match a whole text as ECMA-262 has it; groups lose their names."""
    text = pattern if isinstance(pattern, str) else pattern.pattern
    return f"^(?:{re.sub(r'[(][?]P<[a-z]+>', '(?:', text)})$"


class Text:
    """Metadata of a text field: the pattern of what is accepted, and how a person would name it."""

    def __init__(self, pattern: str | re.Pattern[str], expected: str) -> None:
        self._more = {"pattern": whole(pattern), "patternErrorMessage": f"Expected {expected}."}

    def __get_pydantic_json_schema__(
        self, core: pydantic_core.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the pattern to what the type says of itself."""
        return {**handler(core), **self._more}


class Append:
    """Metadata of a map that people fill: ``key+`` takes a list there, at any depth outside of lists."""

    def __get_pydantic_json_schema__(
        self, core: pydantic_core.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say what the type says, and the rule of appending."""
        return {**handler(core), **_APPENDING}


_APPENDING: dict[str, Any] = {
    "patternProperties": {r"^.+\+$": {"type": "array", "description": "Appends to the list that lower layers made."}},
    "additionalProperties": {"$ref": "#/definitions/Free"},
}
FREE: dict[str, Any] = {"description": "Any value.", **_APPENDING}
"""The definition that ``Append`` refers to; its keywords bind maps only, so that all else is welcome."""


class Unsettable:
    """Metadata of a field that may be ``!unset``: the mark passes its checks, and in a schema empty text does."""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401  # whatever is annotated
        handler: pydantic.GetCoreSchemaHandler,
    ) -> pydantic_core.CoreSchema:
        """Let the mark pass around the checks of the type."""
        return pydantic_core.core_schema.no_info_wrap_validator_function(let_unset_pass, handler(source))

    def __get_pydantic_json_schema__(
        self, core: pydantic_core.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Widen what the type says by empty text; keywords of other types do not bind it."""
        said = dict(handler.resolve_ref_schema(handler(core)))
        if "enum" in said:
            said["enum"] = [*said["enum"], ""]
        elif said["type"] == "string":
            if "pattern" in said:
                said["pattern"] = f"^$|{said['pattern']}"
        else:
            said["type"] = [said["type"], "string"]
            said["pattern"] = "^$"
            said["patternErrorMessage"] = f"Expected {_NAMES[said['type'][0]]}, or !unset."
        return said


_NAMES = {
    "object": "a map",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "a boolean",
}


def let_unset_pass(value: object, handler: pydantic.ValidatorFunctionWrapHandler) -> object:
    """Let ``!unset`` pass, and have anything else checked."""
    return value if value is values.UNSET else handler(value)
