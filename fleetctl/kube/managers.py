"""Who manages a field of an object: the managed fields that server-side apply keeps (fieldsV1)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

__all__ = ["owners_of"]


def owners_of(body: bytes, fields: tuple[str, ...]) -> dict[str, str]:
    """Find who manages fields, given as ``.spec.replicas``, in an object's managed fields."""
    try:
        managed = msgspec.json.decode(body, type=_Managed).metadata.managedFields
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {field: entry.manager for field in fields for entry in managed if _manages(entry.fieldsV1, _steps(field))}


class _Entry(msgspec.Struct):
    manager: str = ""
    fieldsV1: Any = None  # noqa: N815


class _WithManaged(msgspec.Struct):
    managedFields: tuple[_Entry, ...] = ()  # noqa: N815


class _Managed(msgspec.Struct):
    metadata: _WithManaged


_STEP: Final = re.compile(r"""\.(?P<name>[^.\[\]]+)|\[(?P<key>[^\]]*)\]""")


def _steps(field: str) -> list[str]:
    """Return the keys of a path in a fieldsV1 tree: ``f:name``, and ``k:{...}`` or ``v:...`` for brackets."""
    found = []
    for match in _STEP.finditer(field):
        if match["name"] is not None:
            found.append(f"f:{match['name']}")
        else:
            found.append(f"[{match['key']}]")
    return found


def _manages(tree: Any, steps: list[str]) -> bool:  # noqa: ANN401  # JSON
    for step in steps:
        if not isinstance(tree, dict):
            return False
        if step.startswith("["):
            tree = next((below for key, below in tree.items() if _same_key(key, step[1:-1])), None)
        else:
            tree = tree.get(step)
    return tree is not None


def _same_key(key: str, bracket: str) -> bool:
    """Compare ``k:{"name":"gateway"}`` with ``name="gateway"``, ``v:"x"`` with ``="x"``."""
    sort, _, text = key.partition(":")
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    if sort == "k" and isinstance(value, dict):
        return ",".join(f"{name}={msgspec.json.encode(one).decode()}" for name, one in value.items()) == bracket
    return sort == "v" and f"={msgspec.json.encode(value).decode()}" == bracket
