"""Whether data fits a shape, told fast: a yes can be trusted, a no says nothing about what is wrong.

Nearly all data is right, and ``model_validate`` makes an object of every map in it, with copies of all defaults, only
for us to throw them away. Here the same core schema (https://docs.pydantic.dev/latest/internals/architecture/) checks
maps as maps. It takes nothing that the shape refuses: what it does not know to be a plain model stays as it is.
"""

from __future__ import annotations

import functools
from typing import Any

import pydantic
import pydantic_core

from fleetctl.schema import written

__all__ = ["fits"]

_Schema = dict[str, Any]
_INNER = {"dict": ("keys_schema", "values_schema"), "list": ("items_schema",), "nullable": ("schema",)}
"""What stands below a schema that hands on what it was given, by its type."""


def fits(data: object, shape: type[pydantic.BaseModel], *, unset: bool) -> bool:
    """Tell whether data fits a shape; ``unset`` allows for ``!unset``, where the shape does, and costs a little more.

    False may also mean that the mark is there and ``unset`` was not given: ask the shape itself.
    """
    return _validator(shape, unset).isinstance_python(data)


@functools.cache
def _validator(shape: type[pydantic.BaseModel], unset: bool) -> pydantic_core.SchemaValidator:  # noqa: FBT001  # cached by place
    schema: Any = shape.__pydantic_core_schema__
    return pydantic_core.SchemaValidator(_lean(schema, unset=unset))


def _lean(schema: _Schema, *, unset: bool) -> Any:  # noqa: ANN401  # the many types of pydantic_core.CoreSchema
    sort = schema["type"]
    if sort == "model" and schema["schema"]["type"] == "model-fields":
        return _map(schema, unset=unset)
    if sort == "function-wrap" and schema["function"]["function"] is written.let_unset_pass:
        said = _lean(schema["schema"], unset=unset)
        return {**schema, "schema": said} if unset else said
    # Not below other functions: one may be about the model, and would get a map.
    inner = {key: _lean(schema[key], unset=unset) for key in _INNER.get(sort, ()) if key in schema}
    return {**schema, **inner}


def _map(model: _Schema, *, unset: bool) -> _Schema:
    fields = {}
    for name, field in model["schema"]["fields"].items():
        alias, inner = field.get("validation_alias", name), field["schema"]
        if not isinstance(alias, str):
            return model
        optional = inner["type"] == "default"
        said = _lean(inner["schema"] if optional else inner, unset=unset)
        fields[alias] = {"type": "typed-dict-field", "schema": said, "required": not optional}
    config = model["config"]
    extra = config.get("extra_fields_behavior", "ignore")
    return {"type": "typed-dict", "fields": fields, "config": config, "extra_behavior": extra}
