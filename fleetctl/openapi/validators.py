"""Schemas compiled, once per kind and when it is first met, and what they say against an object in our words."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import jsonschema_rs
import msgspec

from fleetctl.model import codes, problems, values
from fleetctl.openapi import minors, schemas
from fleetctl.reading import scalars

__all__ = ["Complaint", "Validator", "of_custom", "of_kind"]

_PATTERNS: Final = {
    schemas.BASE64: "base64",
    schemas.QUANTITY: 'a quantity such as "500m" or "128Mi"',
    schemas.TIME: 'a time such as "2026-01-31T12:00:00Z"',
}
_TYPES: Final = {
    ("array",): "a list",
    ("boolean", "object"): "a map, or true or false",
    ("boolean",): "true or false",
    ("integer", "string"): "a whole number or text",
    ("integer",): "a whole number",
    ("number", "string"): _PATTERNS[schemas.QUANTITY],
    ("number",): "a number",
    ("object",): "a map",
    ("string",): "text",
}
_SHOWN: Final = 8
"""Fields or words that are listed; more help nobody."""


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong at a field; ``got`` quotes the value, which must not be shown when it is that of a Secret."""

    field: problems.Field
    code: codes.Code
    bare: str
    got: str = ""

    @property
    def message(self) -> str:
        """Return the whole sentence."""
        return self.bare + self.got


class Validator:
    """One compiled schema; ``minor`` is whose definitions it is made of."""

    def __init__(self, schema: schemas.Schema, minor: minors.Minor) -> None:
        self._schema = schema
        self._minor = minor
        self._compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=False, offline=True)

    def complaints(self, value: object) -> tuple[Complaint, ...]:
        """Return everything the schema has against an object."""
        if self._compiled.is_valid(value):
            return ()
        return tuple(said for error in self._compiled.iter_errors(value) for said in self._said(error))

    def _said(self, error: jsonschema_rs.ValidationError) -> list[Complaint]:
        field: problems.Field = tuple(error.instance_path)
        details = error.kind.as_dict()
        match error.kind.name:
            case "additionalProperties":
                return [self._unknown((*field, key), error.schema_path[:-1]) for key in details["unexpected"]]
            case "required":
                return [Complaint((*field, details["property"]), codes.Code.OBJECT_MISSING_FIELD, _REQUIRED)]
            case "type":
                return [Complaint(field, codes.Code.OBJECT_WRONG_TYPE, *_wrong(details["types"], error.instance))]
            case "enum":
                return [Complaint(field, codes.Code.OBJECT_BAD_VALUE, *_not_among(details["options"], error.instance))]
            case "pattern":
                wanted = _PATTERNS.get(details["pattern"], f"text like {details['pattern']}")
                return [Complaint(field, codes.Code.OBJECT_BAD_VALUE, f"expected {wanted}", _got(error.instance))]
            case "minimum" | "maximum" as bound:
                said = f"expected at {'least' if bound == 'minimum' else 'most'} {details['limit']}"
                return [Complaint(field, codes.Code.OBJECT_BAD_VALUE, said, _got(error.instance))]
            case keyword:
                return [
                    Complaint(field, codes.Code.OBJECT_BAD_VALUE, f"breaks the rule {keyword}", f": {error.message}")
                ]

    def _unknown(self, field: problems.Field, path: list[str | int]) -> Complaint:
        name = str(field[-1])
        known = list(problems.value_at(self._schema, (*path, "properties")) or ())  # type: ignore[call-overload]
        near = self._elsewhere(name, path) or scalars.did_you_mean(name, known)
        if not near and len(known) <= _SHOWN:
            near = f"; known here: {', '.join(known) or 'none'}"
        return Complaint(field, codes.Code.OBJECT_UNKNOWN_FIELD, f"unknown field{near}")

    def _elsewhere(self, name: str, path: list[str | int]) -> str:
        """Say which other minors know a field of a definition of Kubernetes' own."""
        if path[:1] != ["$defs"]:
            return ""
        definition, below = str(path[1]), (*path[2:], "properties", name)
        others = [
            one
            for one in minors.shipped()
            if problems.value_at(schemas.own(definition, minors.get(one).schema(definition)), below)
            is not problems.NOTHING
        ]
        if not others:
            return ""
        return f" in Kubernetes {self._minor.name}; {', '.join(others)} {'has' if len(others) == 1 else 'have'} it"


_REQUIRED: Final = "this field is required"


def of_kind(minor: minors.Minor, kind: minors.Kind) -> Validator:
    """Return the validator of a kind of Kubernetes' own."""
    return Validator(_rooted({"$ref": f"#/$defs/{kind.definition}"}, minor), minor)


def of_custom(minor: minors.Minor, schema: schemas.Schema) -> Validator | None:
    """Return the validator of a custom resource from its structural schema; None when that is none.

    A pattern that only Go's regular expressions know is not checked.
    """
    strict = schemas.custom(schema, whole=True)
    for one in (strict, _without_patterns(strict)):
        try:
            return Validator(_rooted(one, minor), minor)
        except (ValueError, jsonschema_rs.ReferencingError):
            continue
    return None


def _rooted(schema: schemas.Schema, minor: minors.Minor) -> schemas.Schema:
    """Return a schema with all definitions that it leads to."""
    definitions: dict[str, Any] = {}
    waiting = _references(schema)
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = schemas.own(name, minor.schema(name))
            waiting |= _references(definitions[name])
    return {**schema, "$defs": definitions}


def _references(schema: object) -> set[str]:
    if isinstance(schema, list):
        return {name for inner in schema for name in _references(inner)}
    if not isinstance(schema, dict):
        return set()
    found = schema.get("$ref")
    own = {found.removeprefix("#/$defs/")} if isinstance(found, str) else set()
    return own | {name for inner in schema.values() if isinstance(inner, dict | list) for name in _references(inner)}


def _without_patterns(schema: schemas.Schema) -> schemas.Schema:
    def bare(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in pairs if key != "pattern" or not isinstance(value, str)}

    stripped: schemas.Schema = json.loads(json.dumps(schema), object_pairs_hook=bare)
    return stripped


def _got(value: object) -> str:
    return f", got {values.kind_of(value)}"


def _wrong(types: list[str], value: object) -> tuple[str, str]:
    wanted = _TYPES.get(tuple(sorted(types)), " or ".join(types))
    fix = ""
    if types == ["string"] and isinstance(value, int | float):
        fix = f'; write "{values.text_of(value)}"'
    elif isinstance(value, str) and types == ["integer"] and re.fullmatch(r"-?[0-9]{1,9}", value):
        fix = f"; write {int(value)}, without quotes"
    elif isinstance(value, str) and types == ["boolean"] and value in {"true", "false"}:
        fix = f"; write {value}, without quotes"
    return f"expected {wanted}", _got(value) + fix


def _not_among(options: list[Any], value: object) -> tuple[str, str]:
    words = [str(word) for word in options if word != ""]
    shown = ", ".join(f'"{word}"' for word in words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")
    near = scalars.did_you_mean(value, words) if isinstance(value, str) else ""
    return f"expected {'one of ' if len(words) > 1 else ''}{shown}", _got(value) + near
