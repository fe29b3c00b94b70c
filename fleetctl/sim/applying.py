"""Server-side apply: who owns which field, what is a conflict, and what goes when a manager no longer names it.

Source: structured-merge-diff and the apiserver's fieldmanager, for the kinds served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fleetctl.sim import fields, objects, schemas

__all__ = ["Conflicts", "Managed", "apply", "made", "updated"]

_IDENTITY: Final = frozenset({"apiVersion", "kind"})
_META_IDENTITY: Final = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"}
)
_ABSENT: Final = object()
_NAME: Final = ("f:metadata", "f:name")

Managed = dict[str, Any]
"""An entry of ``metadata.managedFields``."""


class Conflicts(Exception):
    """Fields that others own, each with the entry of its owner."""

    def __init__(self, found: list[tuple[fields.Path, Managed]]) -> None:
        super().__init__("conflicts")
        self.found = found

    def refusal(self) -> objects.Refusal:
        """Return the conflicts as an API server words them."""
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {_named(entry)}", "field": fields.shown(path)}
            for path, entry in self.found
        ]
        if len(causes) == 1:
            text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
        else:
            by_manager: dict[str, list[str]] = {}
            for cause in causes:
                by_manager.setdefault(cause["message"], []).append(f"- {cause['field']}")
            parts = [
                f"{said.replace('conflict', 'conflicts', 1)}:" + "\n" + "\n".join(named)
                for said, named in by_manager.items()
            ]
            text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(parts)
        return objects.Refusal(409, "Conflict", text, causes=causes)


def _named(entry: Managed) -> str:
    name: str = msgspec.json.encode(entry["manager"]).decode()
    return f"{name} using {entry['apiVersion']} at {entry['time']}" if entry["operation"] == "Update" else name


class _Merge:
    """One merge of an applied object into a live one."""

    def __init__(self) -> None:
        self.mine: set[fields.Path] = set()
        """What the applied object names."""
        self.changed: set[fields.Path] = set()
        """Those of them that the live object has otherwise, or not at all."""

    def merge(self, sort: schemas.Type, live: Any, wanted: Any, path: fields.Path) -> Any:  # noqa: ANN401  # JSON
        """Return the live value with the applied one in it; neither is changed."""
        if wanted is None or sort.atomic:
            self._own(path, changed=live != wanted)
            return wanted
        if sort.sort == "list":
            return self._merge_list(sort, live if isinstance(live, list) else [], wanted, path)
        before = live if isinstance(live, dict) else {}
        merged = dict(before)
        for key, value in wanted.items():
            below = sort.below(key) or schemas.ANY
            at = (*path, f"f:{key}")
            if key not in before:
                self.changed.add(at)
            made = self.merge(below, before.get(key, _ABSENT), value, at)
            if value == {}:
                self._own(at, changed=key not in before)
            if made is None and sort.sort == "map":
                made = ""
            if made is None or (made in ({}, []) and (value or below.sort in {"map", "list"})):
                merged.pop(key, None)
            else:
                merged[key] = made
        return merged

    def _merge_list(self, sort: schemas.Type, live: list[Any], wanted: list[Any], path: fields.Path) -> list[Any]:
        """Merge a list by the keys of its items."""
        assert sort.element is not None  # noqa: S101  # a list has elements
        before = {schemas.step_of(item, sort): item for item in live}
        after = {}
        for item in wanted:
            step = schemas.step_of(item, sort)
            at = (*path, step)
            after[step] = self.merge(sort.element, before.get(step, _ABSENT), item, at)
            self._own(at, changed=step not in before)
        return [after[step] if step in after else before[step] for step in _order(list(before), list(after))]

    def _own(self, path: fields.Path, *, changed: bool) -> None:
        self.mine.add(path)
        if changed:
            self.changed.add(path)


def _order(before: list[str], after: list[str]) -> list[str]:
    """Return the order of a merged list: that of what is applied; what only others have stays about where it was."""
    shared = [step for step in after if step in set(before)]
    known, placed, order = set(after), set[str](), list[str]()
    left = right = 0
    while left < len(before) or right < len(after):
        step = before[left] if left < len(before) else ""
        if step and right < len(after) and step != after[right] and step in known and shared and shared[0] != step:
            left += 1
            continue
        if step and step not in known:
            order.append(step)
            left += 1
            continue
        if step and (step in placed or (right < len(after) and step == after[right])):
            left += 1
        if right < len(after):
            order.append(after[right])
            placed.add(after[right])
            shared = shared[1:] if shared[:1] == [after[right]] else shared
            right += 1
    return order


def apply(
    live: objects.Object | None, wanted: objects.Object, sort: schemas.Type, by: Managed, *, force: bool
) -> objects.Object:
    """Return the object after an apply; raises ``Conflicts``. The live object is not changed.

    ``by`` says who applies: an entry of the managed fields, yet without fields. An apply that changes nothing returns
    an object equal to the live one.
    """
    merge = _Merge()
    result = merge.merge(sort, live or {}, _owned_part(wanted), ())
    entries = list((live or {}).get("metadata", {}).get("managedFields", ()))
    mine = next((entry for entry in entries if _who(entry) == _who(by)), None)
    others = [(entry, set(fields.paths(entry["fieldsV1"]))) for entry in entries if entry is not mine]
    clashes = [
        (path, entry)
        for entry, owned in sorted(others, key=lambda other: other[0]["manager"])
        for path in fields.ordered(owned & merge.changed)
    ]
    if clashes and not force:
        raise Conflicts(clashes)
    for path, entry in clashes:
        next(owned for other, owned in others if other is entry).discard(path)
    kept = merge.mine.union([_NAME], *(owned for _, owned in others))
    gone = set(fields.paths(mine["fieldsV1"])) - kept if mine else set()
    if gone:
        result = _without(sort, result, fields.tree(gone), fields.tree(kept))
    if mine is not None and _content(result) != _content(live or {}):
        entries[entries.index(mine)] = {**mine, "time": by["time"]}
    metadata = dict(result.get("metadata", {}))
    metadata["managedFields"] = _entries([*others, (by, merge.mine)], entries)
    return {**result, **{key: wanted[key] for key in _IDENTITY}, "metadata": metadata}


def _content(found: objects.Object) -> objects.Object:
    """Return an object without what the server keeps about its fields."""
    metadata = {key: value for key, value in found.get("metadata", {}).items() if key != "managedFields"}
    return {**found, "metadata": metadata}


def made(wanted: objects.Object, sort: schemas.Type, by: Managed) -> objects.Object:
    """Return an object that was sent as a whole, with the managed fields that it has then."""
    merge = _Merge()
    result = merge.merge(sort, {}, _owned_part(wanted), ())
    above = {path[:end] for path in merge.mine for end in range(1, len(path))}
    # An empty object has its structs already, spec and metadata, and maps such as data not.
    above -= _structs(sort)
    metadata = {**result.get("metadata", {}), "managedFields": _entries([(by, merge.mine | above)], [])}
    return {**result, **{key: wanted[key] for key in _IDENTITY}, "metadata": metadata}


def updated(
    live: objects.Object, new: objects.Object, managed: list[Managed], sort: schemas.Type, by: Managed
) -> objects.Object:
    """Return an object that was changed in place, with the managed fields that it has then.

    ``managed`` are those to begin with. What differs becomes the changer's, and what is gone nobody's.
    """
    merge, before, after = _Merge(), _Merge(), _Merge()
    merge.merge(sort, _owned_part(live), _owned_part(new), ())
    before.merge(sort, {}, _owned_part(live), ())
    after.merge(sort, {}, _owned_part(new), ())
    merge.changed -= _structs(sort)
    lost = merge.changed | (before.mine - after.mine)
    owned = [(entry, set(fields.paths(entry["fieldsV1"]))) for entry in managed]
    kept = [(entry, paths - lost) for entry, paths in owned if _who(entry) != _who(by)]
    own = next((paths for entry, paths in owned if _who(entry) == _who(by)), set())
    entries = _entries([*kept, (by, (own - lost) | merge.changed)], managed)
    return {**new, "metadata": {**new["metadata"], "managedFields": entries}}


def _structs(sort: schemas.Type) -> set[fields.Path]:
    return {(f"f:{key}",) for key, below in sort.fields.items() if below.sort == "struct"}


def _owned_part(wanted: objects.Object) -> objects.Object:
    """Return what of an object can be owned."""
    part = {key: value for key, value in wanted.items() if key not in _IDENTITY and key != "metadata"}
    metadata = {key: value for key, value in wanted["metadata"].items() if key not in _META_IDENTITY}
    return {**part, "metadata": metadata} if metadata else part


def _who(entry: Managed) -> tuple[str, str]:
    return entry["manager"], entry["operation"]


def _without(sort: schemas.Type, value: Any, gone: fields.Tree, kept: fields.Tree) -> Any:  # noqa: ANN401
    """Return a value without the fields that are gone, and without what that leaves empty."""
    for step, below in gone.items():
        child = _child(sort, value, step) if step != "." else _ABSENT
        if child is _ABSENT:
            continue
        held = kept.get(step)
        # A struct in which nobody names anything any more goes as a whole, with what the server has added to it.
        if held is None and (fields.is_member(below) or sort.sort == "struct"):
            value = _replaced(sort, value, step, _ABSENT)
            continue
        inner = (sort.element if sort.sort == "list" else sort.below(step[2:])) or schemas.ANY
        left = _without(inner, child, below, held or {})
        value = _replaced(sort, value, step, _ABSENT if left in ({}, []) else left)
    return value


def _child(sort: schemas.Type, value: Any, step: str) -> Any:  # noqa: ANN401
    if isinstance(value, dict) and step.startswith("f:"):
        return value.get(step[2:], _ABSENT)
    if isinstance(value, list) and sort.sort == "list":
        return next((item for item in value if schemas.step_of(item, sort) == step), _ABSENT)
    return _ABSENT


def _replaced(sort: schemas.Type, value: Any, step: str, child: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        rest = {key: inner for key, inner in value.items() if key != step[2:] or child is not _ABSENT}
        return rest if child is _ABSENT else {**rest, step[2:]: child}
    made = [child if schemas.step_of(item, sort) == step else item for item in value]
    return [item for item in made if item is not _ABSENT]


def _entries(managed: list[tuple[Managed, set[fields.Path]]], before: list[Managed]) -> list[Managed]:
    """Return the managed fields, in the server's order; the time of an entry stays when its fields do."""
    earlier: Mapping[tuple[str, str], Managed] = {_who(entry): entry for entry in before}
    made = []
    for entry, owned in managed:
        if not owned:
            continue
        found = {**entry, "fieldsType": "FieldsV1", "fieldsV1": fields.tree(owned)}
        old = earlier.get(_who(entry))
        made.append(old if old is not None and old["fieldsV1"] == found["fieldsV1"] else found)
    return sorted(made, key=lambda entry: (entry["operation"], entry["time"], entry["manager"]))
