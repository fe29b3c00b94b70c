"""Objects broken in every place: what a mistake in a template can make of a field."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Mutant", "mutants"]

_NUMBERS = (0, -1, 2**31, 1.5)
_TEXTS = ("", "no-such-word", "12", "128MiB", "1e3", " 5 ", "2026-02-30T25:00:00Z", "@@@=")


class Mutant(NamedTuple):
    """A broken object: what was done to it, and where."""

    change: str
    field: tuple[str | int, ...]
    body: dict[str, Any]


def mutants(body: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the object with one thing changed, for everything that can be changed but its identity."""
    for field, value in _places(body, ()):
        if field[:1] in {("apiVersion",), ("kind",)} or field in {("metadata", "name"), ("metadata", "namespace")}:
            continue
        if field and field != ("metadata",):
            yield _without(body, field)
            for change, new in _changes(value):
                yield Mutant(change, field, _with(body, field, new))
        if isinstance(value, dict):
            yield Mutant("unknown field", (*field, "noSuchField"), _with(body, (*field, "noSuchField"), "x"))


def _changes(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from (("text", "x"), ("number", 1), ("list", []), ("empty", {}))
    elif isinstance(value, list):
        yield from (("text", "x"), ("map", {}), ("empty", []), ("boolean", True))
    else:
        yield from (("map", {}), ("list", ["x"]), ("boolean", True), ("boolean", False))
        yield from (("number", number) for number in _NUMBERS)
        yield from (("text", text) for text in _TEXTS)
        if isinstance(value, int) and not isinstance(value, bool):
            yield from (("quoted", str(value)), ("float", float(value)))


def _places(value: object, field: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    yield field, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*field, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*field, index))


def _with(body: dict[str, Any], field: tuple[str | int, ...], new: object) -> dict[str, Any]:
    changed: Any = copy.deepcopy(body)
    at = changed
    for step in field[:-1]:
        at = at[step]
    at[field[-1]] = new
    whole: dict[str, Any] = changed
    return whole


def _without(body: dict[str, Any], field: tuple[str | int, ...]) -> Mutant:
    changed = copy.deepcopy(body)
    at: Any = changed
    for step in field[:-1]:
        at = at[step]
    del at[field[-1]]
    return Mutant("missing", field, changed)
