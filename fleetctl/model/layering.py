"""The rules of layers: how one map is laid over another, and when two groups contradict each other.

Layers are few and fixed: built-in < Defaults < file defaults < Groups by priority < Site < Node. Maps merge deeply,
scalars, lists and references to secrets replace, ``key+:`` appends to a list, ``key: !unset`` takes a key away. Nothing
here knows files: faults are returned with their field, and the caller knows where the layer stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import msgspec

from fleetctl.model import codes, problems, secretrefs, values

__all__ = ["Conflict", "Fault", "Setting", "conflicts", "merge", "settings"]


class Fault(msgspec.Struct, frozen=True):
    """Something that cannot be merged, at a field of the upper layer."""

    code: codes.Code
    field: problems.Field
    message: str


class Setting(msgspec.Struct, frozen=True):
    """One leaf of a layer: ``field`` without the append sign, ``written`` with it."""

    field: problems.Field
    written: problems.Field
    value: object
    appends: bool


class Conflict(msgspec.Struct, frozen=True):
    """A leaf that two layers of equal priority set differently."""

    mine: Setting
    theirs: Setting


def merge(lower: values.Vars, upper: values.Written, faults: list[Fault], field: problems.Field = ()) -> values.Vars:
    """Lay one map over another and return the result; neither is changed, untouched parts are shared."""
    merged = dict(lower)
    for key, value in upper.items():
        if key[-1:] == "+" and key != "+":
            _append(merged, upper, key, faults, field)
        elif value is values.UNSET:
            merged.pop(key, None)
        elif _is_map(value):
            below = merged.get(key)
            merged[key] = merge(below if _is_map(below) else {}, value, faults, (*field, key))
        else:
            merged[key] = value
    return merged


def _is_map(value: object) -> TypeGuard[values.Vars]:
    # A reference is told by its key; hardly any map has it, and the call for every map of every site is dear.
    return isinstance(value, dict) and (secretrefs.KEY not in value or not secretrefs.is_reference(value))


def _append(merged: values.Vars, upper: values.Written, key: str, faults: list[Fault], field: problems.Field) -> None:
    name, value = key.removesuffix("+"), upper[key]
    below = merged.get(name, [])
    if name in upper:
        message = f'"{name}" and "{key}" stand in one map; give the whole list, or only what is appended'
        faults.append(Fault(codes.Code.INVENTORY_APPEND_CONFLICT, (*field, key), message))
    elif not isinstance(value, list):
        message = f'"{key}" appends, so it takes a list, not {values.kind_of(value)}'
        faults.append(Fault(codes.Code.INVENTORY_APPEND_TO_NON_LIST, (*field, key), message))
    elif not isinstance(below, list):
        message = f'"{key}" appends to a list, and a lower layer sets "{name}" to {values.kind_of(below)}'
        faults.append(Fault(codes.Code.INVENTORY_APPEND_TO_NON_LIST, (*field, key), message))
    else:
        merged[name] = [*below, *value]


def settings(layer: values.Written, field: problems.Field = (), written: problems.Field = ()) -> Iterator[Setting]:
    """Return every leaf that a layer sets; an empty map is a leaf, since it claims its place."""
    for key, value in layer.items():
        appends = key.endswith("+") and len(key) > 1
        inner, inner_written = (*field, key.removesuffix("+") if appends else key), (*written, key)
        if isinstance(value, dict) and value and not secretrefs.is_reference(value):
            yield from settings(value, inner, inner_written)
        else:
            yield Setting(inner, inner_written, value, appends)


def conflicts(mine: values.Written, theirs: values.Written) -> list[Conflict]:
    """Return where two layers of equal rank cannot both be laid on without an order between them.

    That is a leaf with two values, a leaf on one side where the other has a map, and any list that one side appends to
    and the other sets or appends to as well.
    """
    other = {setting.field: setting for setting in settings(theirs)}
    above = {field[:depth]: setting for field, setting in other.items() for depth in range(1, len(field))}
    found: list[Conflict] = []
    for setting in settings(mine):
        same = other.get(setting.field)
        if same is not None:
            if setting.appends or same.appends or not _equal(setting.value, same.value):
                found.append(Conflict(setting, same))
            continue
        if setting.field in above and setting.value != {}:
            found.append(Conflict(setting, above[setting.field]))
        for depth in range(1, len(setting.field)):
            leaf = other.get(setting.field[:depth])
            if leaf is not None and leaf.value != {}:
                found.append(Conflict(setting, leaf))
    return found


def _equal(one: object, two: object) -> bool:
    """Compare values without Python's «1 equals true»."""
    if type(one) is not type(two):
        return False
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(_equal(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_equal(value, two[key]) for key, value in one.items())
    return one == two
