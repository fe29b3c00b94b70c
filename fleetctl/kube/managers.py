"""Who manages a field of an object: the managed fields that server-side apply keeps (fieldsV1)."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["owners_of"]


def owners_of(body: bytes, fields: tuple[str, ...], but: str = "") -> dict[str, tuple[str, ...]]:
    """Find who manages fields, given as causes name them (``.spec.replicas``), in an object's managed fields.

    A field may have several managers; ``but`` is one that does not count, and fields that nobody else has are left out.
    """
    try:
        managed = msgspec.json.decode(body, type=_Managed).metadata.managedFields
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    found = {
        field: tuple(
            dict.fromkeys(one.manager for one in managed if one.manager != but and _manages(one.fieldsV1, field))
        )
        for field in fields
    }
    return {field: names for field, names in found.items() if names}


class _Entry(msgspec.Struct):
    manager: str = ""
    fieldsV1: Any = None  # noqa: N815


class _WithManaged(msgspec.Struct):
    managedFields: tuple[_Entry, ...] = ()  # noqa: N815


class _Managed(msgspec.Struct):
    metadata: _WithManaged


def _manages(tree: Any, field: str) -> bool:  # noqa: ANN401  # JSON
    """Follow a path through a tree. Keys may hold dots (``.data.app.yaml``), so the tree says where a step ends."""
    waiting = [(tree, field)] if field else []
    while waiting:
        here, rest = waiting.pop()
        if not rest:
            return True
        if isinstance(here, dict):
            for key, below in here.items():
                step = _written(key)
                if step and rest.startswith(step) and rest[len(step) :][:1] in {"", ".", "["}:
                    waiting.append((below, rest[len(step) :]))
    return False


def _written(key: str) -> str:
    """Return a key of the tree as a path has it: ``f:name`` is ``.name``, ``k:{"name":"a"}`` is ``[name="a"]``."""
    sort, _, text = key.partition(":")
    if sort == "f":
        return f".{text}"
    if sort == "i":
        return f"[{text}]"
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    if sort == "k" and isinstance(value, dict):
        return f"[{','.join(f'{name}={_quoted(one)}' for name, one in value.items())}]"
    return f"[={_quoted(value)}]" if sort == "v" else ""


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()
