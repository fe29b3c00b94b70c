"""Documents against their shapes: every fault as a problem at its line, in our words.

Pydantic says what is wrong with which field; here that becomes the code, the sentence and the mark that people see.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import pydantic
import pydantic_core

from fleetctl.model import codes, problems, secretrefs, settings, values
from fleetctl.reading import scalars, yaml12
from fleetctl.schema import quick, shapes

__all__ = ["Area", "check", "faults", "kind", "only"]

Area = Literal["inventory", "project", "bundle", "settings", "strategy"]
"""Which part of a project a document belongs to; the first half of its problems' codes."""

_FLAGS = list(shapes.Flags.model_fields)
_FREE = frozenset({"config", "keptIn", "values", "vars"})
"""Keys of the maps that people fill as they like."""
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a map",
    "list_type": "a list",
    "model_type": "a map",
    "model_attributes_type": "a map",
}


def kind(document: yaml12.Document, area: Area, allowed: tuple[str, ...]) -> str | problems.Problem:
    """Return the document's kind, or the problem that it says none that belongs here."""
    data = document.data
    if not isinstance(data, dict):
        message = f"expected a map with apiVersion and kind, got {values.kind_of(data)}"
        return problems.Problem(codes.Code(f"{area}/wrong-type"), message, document.mark(()))
    found = data.get("kind")
    if found is None:
        message = f"this key is required; known here: {', '.join(allowed)}"
        return problems.Problem(codes.Code(f"{area}/missing-key"), message, document.mark(()), ("kind",))
    if not isinstance(found, str):
        message = f"expected one of {', '.join(allowed)}, got {values.kind_of(found)}"
        return problems.Problem(codes.Code(f"{area}/wrong-type"), message, document.mark(("kind",)), ("kind",))
    if found not in allowed:
        near = scalars.did_you_mean(found, allowed)
        message = f'unknown kind "{found}"{near or "; known here: " + ", ".join(allowed)}'
        code = codes.Code.INVENTORY_UNKNOWN_KIND if area == "inventory" else codes.Code(f"{area}/bad-value")
        return problems.Problem(code, message, document.mark(("kind",)), ("kind",))
    return found


def check(document: yaml12.Document, area: Area, shape: type[shapes.Shape]) -> list[problems.Problem]:
    """Hold a document against a shape; an empty list means that it fits."""
    found: list[problems.Problem] = []
    if not quick.fits(document.data, shape, unset=document.mentions(str(values.UNSET))):
        try:
            shape.model_validate(document.data)
        except pydantic.ValidationError as error:
            found = [_problem(document, area, shape, fault) for fault in error.errors(include_url=False)]
    if document.mentions(secretrefs.KEY):
        found += _reference_problems(document, area)
    return found


def faults(data: object, shape: type[shapes.Shape]) -> list[str]:
    """Hold data that is in no file against a shape; returns what is wrong, in sentences."""
    try:
        shape.model_validate(data)
    except pydantic.ValidationError as error:
        return [_said(shape, fault, fault["loc"])[1] for fault in error.errors(include_url=False)]
    return []


def only(text: bytes, shown: str, area: Area, wanted: str) -> tuple[yaml12.Document | None, list[problems.Problem]]:
    """Read a file that is one document of a kind, and hold it against its shape; None when something is wrong."""
    documents, found = yaml12.read(text, shown)
    if not found and len(documents) != 1:
        message = f"expected one document of kind {wanted}, got {len(documents)}"
        found = [problems.Problem(codes.Code(f"{area}/wrong-type"), message, problems.Mark(shown, 1, 1))]
    if not found:
        said = kind(documents[0], area, (wanted,))
        found = [said] if isinstance(said, problems.Problem) else check(documents[0], area, shapes.KINDS[wanted])
    return (None, found) if found else (documents[0], [])


def _reference_problems(document: yaml12.Document, area: Area) -> Iterator[problems.Problem]:
    """Find faulty references to secrets in the maps that people fill as they like."""
    for field, value in _references(document.data, (), free=False):
        if area == "bundle":
            message = "only the inventory says where a secret is kept; leave the value out here"
            yield problems.Problem(codes.Code.BUNDLE_BAD_VALUE, message, document.mark(field), field)
            continue
        for fault in secretrefs.faults(value):
            at = (*field, *fault.field)
            mark = document.mark(at, key=fault.what == "unknown-key")
            yield problems.Problem(codes.Code(f"{area}/{fault.what}"), fault.message, mark, at)


def _references(value: object, field: problems.Field, *, free: bool) -> Iterator[tuple[problems.Field, values.Vars]]:
    steps: Iterable[tuple[problems.Step, object]] = ()
    if isinstance(value, dict):
        if free and secretrefs.is_reference(value):
            yield field, value
            return
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, inner in steps:
        yield from _references(inner, (*field, step), free=free or step in _FREE)


def _problem(
    document: yaml12.Document, area: Area, shape: type[shapes.Shape], fault: pydantic_core.ErrorDetails
) -> problems.Problem:
    of_key = fault["loc"][-1:] == ("[key]",) and fault["type"] != "extra_forbidden"
    field = fault["loc"][:-1] if of_key else (*fault["loc"], *fault.get("ctx", {}).get("below", ()))
    what, message = _said(shape, fault, field)
    code = _code(area, what)
    return problems.Problem(
        code, message, document.mark(field, key=of_key or fault["type"] == "extra_forbidden"), field
    )


def _code(area: Area, what: str) -> codes.Code:
    if what == "bad-selector":
        return codes.Code.SELECTION_BAD_SELECTOR
    if what == "never-a-default":
        return codes.Code.SETTINGS_NEVER_A_DEFAULT
    return codes.Code(f"{area}/{what}")


def _said(shape: type[shapes.Shape], fault: pydantic_core.ErrorDetails, field: problems.Field) -> tuple[str, str]:
    """Return the second half of the code and the sentence."""
    sort, given = fault["type"], values.kind_of(fault["input"])
    if "said" in fault.get("ctx", {}):
        return sort, fault["msg"]
    match sort:
        case "extra_forbidden" if _keys_at(shape, field[:-1]) == _FLAGS and settings.refusal(str(field[-1])):
            return "never-a-default", settings.refusal(str(field[-1]))
        case "extra_forbidden":
            known = _keys_at(shape, field[:-1])
            near = scalars.did_you_mean(str(field[-1]), known)
            return "unknown-key", f"unknown key{near or '; known here: ' + ', '.join(known)}"
        case "missing":
            return "missing-key", "this key is required"
        case "literal_error":
            return "bad-value", f"expected {fault['ctx']['expected']}, got {given}"
        case "greater_than_equal":
            return "bad-value", f"expected at least {fault['ctx']['ge']:g}, got {given}"
        case "less_than_equal":
            return "bad-value", f"expected at most {fault['ctx']['le']:g}, got {given}"
        case "too_long":
            return "bad-value", "this map must be empty in v1alpha1; put values under vars"
        case _ if sort in _EXPECTED:
            return "wrong-type", f"expected {_EXPECTED[sort]}, got {given}{_fix(sort, fault['input'])}"
        case _:
            return "bad-value", f"{fault['msg'][:1].lower()}{fault['msg'][1:]}, got {given}"


def _fix(sort: str, value: object) -> str:
    """Say how to write a number or boolean where text is expected."""
    return f'; write "{values.text_of(value)}"' if sort == "string_type" and isinstance(value, int | float) else ""


def _keys_at(shape: type[shapes.Shape], field: problems.Field) -> list[str]:
    """Return the keys that a shape knows at a field, as they are written in files."""
    found: Any = shape
    for step in field:
        found = _inner(found, step)
    if isinstance(found, type) and issubclass(found, pydantic.BaseModel):
        return [info.alias or name for name, info in found.model_fields.items()]
    return []


def _inner(annotation: Any, step: problems.Step) -> Any:  # noqa: ANN401  # annotations have no common type
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        fields: Mapping[str, Any] = {info.alias or name: info for name, info in annotation.model_fields.items()}
        return _bare(fields[str(step)].annotation) if step in fields else None
    arguments = typing.get_args(annotation)
    return _bare(arguments[-1]) if arguments else None


def _bare(annotation: Any) -> Any:  # noqa: ANN401
    """Take off ``Annotated`` and ``| None``."""
    while typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType):
        annotation = typing.get_args(annotation)[0]
    return annotation
