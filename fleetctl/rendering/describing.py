"""What a bundle is: its line in a catalogue, and the values it takes, as its schema and its defaults tell."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from fleetctl.model import errors, problems, releases, values
from fleetctl.rendering import bundles, usages

__all__ = ["FREE", "Described", "Listed", "Shown", "describe", "load_all"]

FREE = "*"
"""The step that stands for any key, in a map whose keys are free."""

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "boolean", "object": "map"}
_DEEPEST = 32
"""How far a schema is followed down; one that refers to itself has no end."""


class Described(msgspec.Struct, frozen=True):
    """One value; ``default`` is ``problems.NOTHING`` where there is none, and ``must`` tells that sites give one."""

    field: problems.Field
    type: str
    default: object
    must: bool
    description: str
    used: tuple[problems.Mark, ...]

    @property
    def name(self) -> str:
        """The value as people write it: ``namespaces.*.quota``."""
        return problems.field_text(self.field).replace(f'["{FREE}"]', f".{FREE}")


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """One line of a catalogue; ``sites`` is None where nobody asked, a version is None where there is no bundle."""

    name: str
    version: str
    namespace: str
    description: str
    sites: int | None = None
    shipped: str | None = None
    """The version that fleetctl ships."""
    project: str | None = None
    """The version that the project has."""


class Shown(msgspec.Struct, frozen=True):
    """A bundle in full; with ``release``, as it is at a site."""

    bundle: bundles.Bundle
    folder: str
    sites: int
    examples: Sequence[str]
    values: Sequence[Described]
    release: releases.Release | None = None
    merged: Mapping[str, object] | None = None
    """The values at the site."""


def load_all(folder: pathlib.Path, names: Iterable[str], shown: Callable[[pathlib.Path], str]) -> list[bundles.Bundle]:
    """Load bundles, each once however often it is named; raises ``InvalidInput`` with what is wrong with any."""
    loaded: dict[str, bundles.Bundle] = {}
    found: list[problems.Problem] = []
    files = 0
    for name in names:
        try:
            bundle = bundles.load(folder, name, shown)
        except errors.InvalidInput as error:
            found += error.problems
            files += error.files
        else:
            loaded[bundle.name] = bundle
    if found:
        raise errors.InvalidInput(found, files=files)
    return list(loaded.values())


def describe(bundle: bundles.Bundle) -> list[Described]:
    """Return every value that a bundle takes, in the order of its schema; without one, every value that it sets."""
    schema = bundle.checker.schema if bundle.checker else None
    known = _Schema(schema).leaves() if isinstance(schema, dict) else _set(bundle.values, ())
    lacking = {field for field, _ in bundle.checker.complaints(bundle.values)} if bundle.checker else set()
    used = usages.usages(bundle)
    return [
        Described(
            field=field,
            type=kind,
            default=problems.value_at(bundle.values, field),
            must=any(one[: len(field)] == field for one in lacking),
            description=description,
            used=tuple(usages.touching(used, ("vars", bundle.values_key, *_fixed(field)))),
        )
        for field, kind, description in known
    ]


def _fixed(field: problems.Field) -> problems.Field:
    return field[: field.index(FREE)] if FREE in field else field


_Leaf = tuple[problems.Field, str, str]


def _set(value: values.Value, field: problems.Field) -> Iterator[_Leaf]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _set(inner, (*field, key))
    elif field:
        kinds = {bool: "boolean", int: "whole number", float: "number", str: "text", list: "list", dict: "map"}
        yield field, kinds.get(type(value), "any"), ""


class _Schema:
    """A JSON Schema, as far as it says which keys there are."""

    def __init__(self, root: dict[str, object]) -> None:
        self._root = root

    def leaves(self) -> Iterator[_Leaf]:
        """Yield every value that is no map, and maps whose keys are free; in the order of the schema."""
        yield from self._below(self._root, (), "")

    def _below(self, given: object, field: problems.Field, description: str) -> Iterator[_Leaf]:
        one = self._resolved(given)
        description = str(one.get("description") or description)
        keys, free = one.get("properties"), one.get("additionalProperties")
        keys = keys if isinstance(keys, dict) else {}
        if len(field) > _DEEPEST:
            return
        if field and (isinstance(free, dict) or not keys):
            yield field, self._type(one), description
        for key, inner in keys.items():
            yield from self._below(inner, (*field, key), "")
        if isinstance(free, dict) and self._resolved(free).get("properties"):
            yield from self._below(free, (*field, FREE), "")

    def _resolved(self, given: object) -> dict[str, object]:
        """Return a schema with what it refers to; what stands beside ``$ref`` wins."""
        one = given if isinstance(given, dict) else {}
        for _ in range(_DEEPEST):
            reference = one.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#"):
                break
            steps = [step.replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:]]
            target = problems.value_at(self._root, tuple(steps))
            own = {key: value for key, value in one.items() if key != "$ref"}
            one = {**(target if isinstance(target, dict) else {}), **own}
        return one

    def _type(self, one: dict[str, object]) -> str:
        choices, kind = one.get("enum"), one.get("type")
        if isinstance(choices, list):
            return "|".join(values.text_of(choice) for choice in choices if isinstance(choice, str | int | float))
        if kind == "array":
            of = self._type(self._resolved(one.get("items")))
            return "list" if of == "any" else f"list of {of}"
        kinds = kind if isinstance(kind, list) else [kind]
        return " or ".join(_TYPES.get(str(name), "any") for name in kinds)
