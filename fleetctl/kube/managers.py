"""Who manages which fields of an object: the managed fields that server-side apply keeps (fieldsV1)."""

from __future__ import annotations

from typing import Any

import msgspec

from fleetctl.kube import fieldsets

__all__ = ["Entry", "applied", "entries", "owners_of"]


class Entry(msgspec.Struct, frozen=True):
    """What one manager has of an object, by one way of writing."""

    manager: str = ""
    operation: str = ""
    time: str = ""
    """When it last changed anything of it, as the server wrote that down."""
    subresource: str = ""
    fieldsV1: Any = None  # noqa: N815  # as Kubernetes spells it


class _WithManaged(msgspec.Struct):
    managedFields: tuple[Entry, ...] = ()  # noqa: N815


class _Managed(msgspec.Struct):
    metadata: _WithManaged


def entries(body: bytes) -> tuple[Entry, ...]:
    """Return an object's managed fields; nothing where they cannot be read."""
    try:
        return msgspec.json.decode(body, type=_Managed).metadata.managedFields
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def applied(managed: tuple[Entry, ...], manager: str) -> Entry | None:
    """Return what a manager has of an object by server-side apply; None where it has nothing."""
    found = (one for one in managed if (one.manager, one.operation, one.subresource) == (manager, "Apply", ""))
    return next(found, None)


def owners_of(managed: tuple[Entry, ...], fields: tuple[str, ...], but: str = "") -> dict[str, tuple[str, ...]]:
    """Find who manages fields, given as causes name them (``.spec.replicas``), by an object's managed fields.

    A field may have several managers; ``but`` is one that does not count, and fields that nobody else has are left out.
    """
    found = {
        field: tuple(
            dict.fromkeys(one.manager for one in managed if one.manager != but and _manages(one.fieldsV1, field))
        )
        for field in fields
    }
    return {field: names for field, names in found.items() if names}


def _manages(tree: Any, field: str) -> bool:  # noqa: ANN401  # JSON
    """Follow a path through a tree. Keys may hold dots (``.data.app.yaml``), so the tree says where a step ends."""
    waiting = [(tree, field)] if field else []
    while waiting:
        here, rest = waiting.pop()
        if not rest:
            return True
        if isinstance(here, dict):
            for key, below in here.items():
                step = fieldsets.written(key)
                if step and rest.startswith(step) and rest[len(step) :][:1] in {"", ".", "["}:
                    waiting.append((below, rest[len(step) :]))
    return False
