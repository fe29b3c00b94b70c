"""The shapes of the kinds served: what fields they have, of which type, and how their lists and maps are merged.

``schemas.json`` is drawn from the OpenAPI document of a real kube-apiserver 1.36; a test compares the two.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any, Final

import msgspec

from fleetctl.sim import kinds

__all__ = ["ANY", "Type", "of", "step_of"]

_FILE: Final = pathlib.Path(__file__).with_name("schemas.json")
_DEFAULTS: Final = {"protocol": "TCP"}


class Type:
    """One type. ``sort`` is string, number, boolean, scalar, any, struct, map or list."""

    __slots__ = ("atomic", "element", "fields", "keys", "sort")

    def __init__(self, sort: str) -> None:
        self.sort = sort
        self.atomic = sort not in {"struct", "map", "list"}
        """Whether a value is owned and replaced as one."""
        self.fields: dict[str, Type] = {}
        self.element: Type | None = None
        self.keys: tuple[str, ...] = ()
        """What tells the items of a list apart; a list that is not atomic and has none is a set."""

    def below(self, key: str) -> Type | None:
        """Return the type of a field of a struct or map; None where there is no such field."""
        return self.element if self.sort == "map" else self.fields.get(key)


ANY: Final = Type("any")


@functools.cache
def of(resource: kinds.Resource) -> Type:
    """Return the type of a kind's objects."""
    return _types()[f"{resource.api_version} {resource.kind}"]


def step_of(item: Any, sort: Type) -> str:  # noqa: ANN401  # JSON
    """Return the step to an item of a list with keys (``k:``), or of a set (``v:``), as managed fields have it."""
    if not sort.keys:
        return "v:" + msgspec.json.encode(item).decode()
    fields = sort.element.fields if sort.element else {}
    keys = {key: item.get(key, _default(key, fields)) for key in sort.keys}
    return "k:" + msgspec.json.encode(keys).decode()


def _default(key: str, fields: dict[str, Type]) -> object:
    return _DEFAULTS.get(key, 0 if key in fields and fields[key].sort == "number" else "")


@functools.cache
def _types() -> dict[str, Type]:
    """Return the types of all kinds; the types that they are made of are shared."""
    document = msgspec.json.decode(_FILE.read_bytes())
    made = {f"#{name}": Type("struct") for name in document["types"]}

    def read(given: Any) -> Type:  # noqa: ANN401
        if isinstance(given, str):
            return made[given] if given.startswith("#") else Type(given)
        [(sort, element)] = [(key, value) for key, value in given.items() if key != "keys"]
        found = Type("map" if sort in {"map", "whole"} else "list")
        found.atomic = sort in {"whole", "list"}
        found.element = read(element)
        found.keys = tuple(given.get("keys", ()))
        return found

    for name, given in document["types"].items():
        sort = made[f"#{name}"]
        sort.fields = {key: read(field) for key, field in given["fields"].items()}
        sort.atomic = given.get("atomic", False)
    return {name: read(given) for name, given in document["kinds"].items()}
