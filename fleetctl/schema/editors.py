"""JSON Schemas of our kinds of files, for editors: what the shapes take, with a sentence for every key.

Draft-07, which the YAML language servers of editors speak (github.com/redhat-developer/yaml-language-server). A schema
is no second reader: it never refuses what the reader accepts, and what only a whole fleet can show (a bundle that does
not exist, two groups that contradict each other) it does not know.
"""

from __future__ import annotations

from typing import Any, Final

import pydantic_core
from pydantic import json_schema

from fleetctl.schema import descriptions, shapes, sources, written

__all__ = ["COMBINED", "DRAFT", "KINDS", "combined", "of"]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
COMBINED: Final = "fleetctl"
"""The name of the schema that takes every kind."""
_EVERY: Final[dict[str, type[shapes.Shape]]] = {**shapes.KINDS, "Source": sources.Source}
KINDS: Final = {kind: _EVERY[kind] for kind in sorted(_EVERY)}
"""Every kind of file that people write."""

_Schema = dict[str, Any]
_REFERENCE = "#/definitions/{model}"


class _Maker(json_schema.GenerateJsonSchema):
    """Pydantic's own generator, with our sentences, and without what an editor has no use for."""

    def model_schema(self, schema: pydantic_core.core_schema.ModelSchema) -> json_schema.JsonSchemaValue:
        """Describe the keys of a shape."""
        made = super().model_schema(schema)
        for name, said in made["properties"].items():
            said["description"] = descriptions.of(schema["cls"], name)
        return made

    def dict_schema(self, schema: pydantic_core.core_schema.DictSchema) -> json_schema.JsonSchemaValue:
        """Hold every key against its pattern: with ``patternProperties`` alone, others would pass unseen."""
        made: _Schema = {"type": "object"}
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        if keys.keys() - {"type"}:
            made["propertyNames"] = keys
        made["additionalProperties"] = self.generate_inner(schema["values_schema"]) or True
        self.update_with_validations(made, schema, self.ValidationsMapping.object)
        return made

    def default_schema(self, schema: pydantic_core.core_schema.WithDefaultSchema) -> json_schema.JsonSchemaValue:
        """Say a default where there is a value; "" and {} only mean that nobody said anything."""
        said = self.generate_inner(schema["schema"])
        default = schema.get("default")
        return {**said, "default": default} if isinstance(default, str | int) and default != "" else said

    def nullable_schema(self, schema: pydantic_core.core_schema.NullableSchema) -> json_schema.JsonSchemaValue:
        """Widen the type by null."""
        said = self.generate_inner(schema["schema"])
        if "type" not in said:
            return {"anyOf": [said, {"type": "null"}]}
        types = said["type"] if isinstance(said["type"], list) else [said["type"]]
        return {**said, "type": [*types, "null"]}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # one of pydantic's unions
        """Leave titles out: they only repeat the keys."""
        return False


def of(kind: str) -> _Schema:
    """Return the schema of one kind; raises ``KeyError`` for another word."""
    made = _definitions([kind])
    return _whole({"title": kind, **made.pop(kind)}, made)


def combined() -> _Schema:
    """Return one schema for all kinds: ``kind`` says which of them a document is held against.

    With ``if`` and ``then``, so that an editor shows the faults of that kind, and not of the one that is nearest.
    """
    kinds = list(KINDS)
    made = _definitions(kinds)
    top: _Schema = {
        "title": COMBINED,
        "description": "A file of a fleetctl project.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": made[kinds[0]]["properties"]["apiVersion"],
            "kind": {
                "description": descriptions.KIND,
                "enum": kinds,
                "enumDescriptions": [made[kind]["description"] for kind in kinds],
            },
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": _REFERENCE.format(model=kind)},
            }
            for kind in kinds
        ],
    }
    return _whole(top, made)


def _definitions(kinds: list[str]) -> dict[str, _Schema]:
    """Return the schemas of kinds and of all shapes in them, by name."""
    _, made = json_schema.models_json_schema(
        [(KINDS[kind], "validation") for kind in kinds], ref_template=_REFERENCE, schema_generator=_Maker
    )
    found: dict[str, _Schema] = made["$defs"]
    for kind in kinds:
        found[kind]["properties"]["kind"]["const"] = kind
    return {**found, "Free": written.FREE}


def _whole(top: _Schema, made: dict[str, _Schema]) -> _Schema:
    """Return a schema with the definitions that it needs; those of unsettable maps stand where they are used."""
    needed: set[str] = set()
    todo: list[object] = [top]
    while todo:
        match todo.pop():
            case {"$ref": str(reference)}:
                name = reference.rpartition("/")[2]
                if name not in needed:
                    needed.add(name)
                    todo.append(made[name])
            case dict(inner):
                todo += inner.values()
            case list(inner):
                todo += inner
            case _:
                pass
    return {"$schema": DRAFT, **top, "definitions": {name: made[name] for name in sorted(needed)}}
