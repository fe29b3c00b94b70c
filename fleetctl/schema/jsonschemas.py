"""People's own JSON Schemas (values.schema.json, vars.schema.json) and what they say against a value."""

from __future__ import annotations

import json
from collections.abc import Sequence

import jsonschema_rs

from fleetctl.model import placeholders, problems, secretrefs, values
from fleetctl.reading import scalars

__all__ = ["Checker", "Complaint", "SchemaError"]

_OF_VALUES = frozenset({"const", "enum", "format", "maxLength", "minLength", "pattern"})
"""Keywords that ask what a text is, and not only whether it is text."""
_REFERENCING = (jsonschema_rs.ReferencingError, jsonschema_rs.ValidationErrorKind.Referencing)

Complaint = tuple[problems.Field, str]
"""Where in the value, and what is wrong there."""


class SchemaError(ValueError):
    """A text that is not a usable JSON Schema."""


class _DoubleKey(Exception):
    """A key that stands twice: JSON readers would keep the last one, and the rule of the first would be gone."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise _DoubleKey(key)
        made[key] = value
    return made


class Checker:
    """One compiled schema. References may not leave the file, so nothing is ever fetched."""

    def __init__(self, text: str | bytes) -> None:
        try:
            self._schema = json.loads(text, object_pairs_hook=_unique)
            self._validator = jsonschema_rs.validator_for(self._schema, validate_formats=True, offline=True)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            msg = f"not JSON: {error}"
            raise SchemaError(msg) from None
        except _DoubleKey as error:
            msg = f"the key {json.dumps(str(error), ensure_ascii=False)} stands twice in one map"
            raise SchemaError(msg) from None
        except RecursionError:
            msg = "nested too deeply to be read"
            raise SchemaError(msg) from None
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            refers = isinstance(getattr(error, "kind", error), _REFERENCING)
            what = 'a "$ref" may only lead to a place in the same file' if refers else "not a JSON Schema"
            place = problems.field_text(getattr(error, "instance_path", ()))
            msg = f"{what}: {f'{place}: ' if place else ''}{_first_line(error)}"
            raise SchemaError(msg) from None

    @property
    def schema(self) -> object:
        """The schema itself, for who describes what it takes."""
        return self._schema

    def complaints(self, value: object) -> list[Complaint]:
        """Return everything the schema has against a value; an empty list means that it fits.

        A reference to a secret counts as text whose value is not known: what asks for a length, a pattern, a format or
        certain values is passed over there.
        """
        if secretrefs.within(value):
            value = secretrefs.replaced(value, _placeholder)  # type: ignore[arg-type]  # plain data
        if self._validator.is_valid(value):
            return []
        return [
            complaint
            for error in self._validator.iter_errors(value)
            if error.kind.name not in _OF_VALUES or not _is_hidden(value, error.instance_path)
            for complaint in self._said(error)
        ]

    def _said(self, error: jsonschema_rs.ValidationError) -> list[Complaint]:
        field: problems.Field = tuple(error.instance_path)
        details = error.kind.as_dict()
        if error.kind.name == "additionalProperties":
            known = self._properties_beside(error.schema_path)
            return [((*field, key), f"unknown key{scalars.did_you_mean(key, known)}") for key in details["unexpected"]]
        if error.kind.name == "required":
            return [((*field, details["property"]), "this key is required")]
        return [(field, error.message)]

    def _properties_beside(self, path: list[str | int]) -> list[str]:
        """Return the property names next to a keyword of the schema, where they can be found."""
        at: object = self._schema
        for step in path[:-1]:
            at = problems.value_at(at, (step,))
        return list(at.get("properties", {})) if isinstance(at, dict) else []


def _placeholder(reference: values.Vars) -> values.Value:
    """Return what a schema sees of a reference; a faulty one, which is told elsewhere, stays as it is."""
    try:
        return placeholders.text(secretrefs.of(reference))
    except ValueError:
        return reference


def _is_hidden(value: object, path: Sequence[problems.Step]) -> bool:
    at = problems.value_at(value, path)
    return isinstance(at, str) and at.startswith(placeholders.MARK)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
