"""Whether an object has the shape of its kind; what it has otherwise is told in the words of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fleetctl.sim import fields, schemas

__all__ = ["faults"]

_NUMBER: Final = "expected numeric (int or float), got "
_GO: Final = {str: "string", bool: "bool", list: "list", dict: "map"}


def faults(sort: schemas.Type, value: Any, path: fields.Path = ()) -> Iterator[str]:  # noqa: ANN401  # JSON
    """Yield what is wrong with a value, in the words of a real server. A null is nowhere wrong."""
    if value is None or sort.sort == "any":
        return
    if sort.sort in {"struct", "map"}:
        if not isinstance(value, dict):
            yield f"{fields.shown(path)}: expected map, got &{{{_go(value)}}}"
            return
        yield from _in_map(sort, value, path)
    elif sort.sort == "list":
        if not isinstance(value, list):
            yield f"{fields.shown(path)}: expected list, got &{{{_go(value)}}}"
            return
        yield from _in_list(sort, value, path)
    elif said := _scalar(sort.sort, value):
        yield f"{fields.shown(path)}: {said}"


def _in_map(sort: schemas.Type, value: dict[str, Any], path: fields.Path) -> Iterator[str]:
    for key, inner in value.items():
        below = sort.below(key)
        if below is None:
            yield f"{fields.shown((*path, f'f:{key}'))}: field not declared in schema"
        else:
            yield from faults(below, inner, (*path, f"f:{key}"))


def _in_list(sort: schemas.Type, value: list[Any], path: fields.Path) -> Iterator[str]:
    assert sort.element is not None  # noqa: S101  # a list has elements
    seen: set[str] = set()
    for index, item in enumerate(value):
        if sort.atomic:
            yield from faults(sort.element, item, (*path, f"i:{index}"))
            continue
        if sort.keys and not isinstance(item, dict):
            what = "a null element" if item is None else "non-map elements"
            yield f"{fields.shown(path)}: element {index}: associative list with keys may not have {what}"
            continue
        step = schemas.step_of(item, sort)
        if step in seen:
            yield f"{fields.shown(path)}: duplicate entries for key {fields.shown((step,))}"
        seen.add(step)
        yield from faults(sort.element, item, (*path, step))


def _scalar(sort: str, value: Any) -> str:  # noqa: ANN401
    """Return what is wrong with a scalar, or nothing."""
    if sort == "string" and not isinstance(value, str):
        return f"expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"
    if sort == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{{{_go(value)}}}"
    if sort == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return _NUMBER + _GO.get(type(value), "unknown")
    if sort == "number" and isinstance(value, float):
        return "cannot convert float64 to int32"
    if sort == "scalar" and isinstance(value, list | dict):
        return f"expected scalar, got &{{{_go(value)}}}"
    return ""


def _go(value: Any) -> str:  # noqa: ANN401
    """Return a value roughly as Go prints it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go(inner)}" for key, inner in value.items()) + "]"
    return "[" + " ".join(map(_go, value)) + "]" if isinstance(value, list) else str(value)
