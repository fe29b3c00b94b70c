"""Objects that change hands: taken over from whoever made them, given back as they were, or let go of as they are.

What ``kubectl apply`` wrote without the server's help is somebody else's to the server, and would stay when the release
no longer names it. So it is made the bundle's first, as kubectl itself does when it changes over to server-side apply.
Source: ``UpgradeManagedFieldsPatch`` and ``FindFieldsOwners`` of client-go's util/csaupgrade; what happens to managed
fields that are sent is ``DecodeManagedFields`` of the apiserver's fieldmanager.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from fleetctl.kube import answers, applysets, fieldsets

__all__ = [
    "ADOPTED",
    "CLIENT",
    "RELEASED",
    "Kept",
    "Live",
    "give_back",
    "keep",
    "let_go",
    "read",
    "secret_fault",
    "take",
]

ADOPTED: Final = "fleetctl.dev/adopted"
"""Annotation of an object that was somebody else's: the run that took it over."""
RELEASED: Final = "fleetctl.dev/released"
"""Annotation of an adopted object that left its set and was not deleted: the run that let it go."""

CLIENT: Final = "kubectl-client-side-apply"
"""Field manager of ``kubectl apply`` without the server's help; an adoption takes over what it has."""

_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_Json = dict[str, Any]


class _Meta(msgspec.Struct):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    managedFields: list[_Json] | None = None  # noqa: N815  # as Kubernetes spells it


class _Shape(msgspec.Struct):
    metadata: _Meta


class Live(msgspec.Struct):
    """An object as it was read."""

    found: _Json

    @property
    def meta(self) -> _Json:
        """Return its metadata."""
        found: _Json = self.found["metadata"]
        return found

    @property
    def uid(self) -> str:
        """Return its UID."""
        return str(self.meta.get("uid", ""))

    @property
    def set_id(self) -> str | None:
        """Return which set it belongs to."""
        return (self.meta.get("labels") or {}).get(applysets.PART_OF)

    @property
    def adopted(self) -> str | None:
        """Return the run that took it over."""
        return (self.meta.get("annotations") or {}).get(ADOPTED)

    @property
    def going(self) -> bool:
        """Tell whether it is being deleted."""
        return bool(self.meta.get("deletionTimestamp"))

    @property
    def managed(self) -> list[_Json]:
        """Return its managed fields."""
        return self.meta.get("managedFields") or []


class Kept(msgspec.Struct):
    """What an object was: the object itself without what the server writes, and what its client had applied.

    Of a Secret the values are null and the annotations left out: the journal never holds them.
    """

    uid: str
    object: _Json
    managers: list[_Json] = []
    """Entries of the managed fields that became the bundle's."""


def read(body: bytes) -> Live:
    """Read an object; raises ``answers.Failure`` for what is none."""
    answers.decode(body, _Shape)
    return Live(answers.decode(body, _Json))


def keep(live: Live) -> Kept:
    """Return what is kept of an object before anything of it changes."""
    found = {key: value for key, value in live.found.items() if key != "status"}
    meta = {key: value for key, value in live.meta.items() if key not in _SERVER}
    if live.adopted is not None or RELEASED in (meta.get("annotations") or {}):
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k not in {ADOPTED, RELEASED}}
    if _is_secret(found):
        if "data" in found:
            found["data"] = dict.fromkeys(found["data"] or ())
        meta.pop("annotations", None)  # copies of the whole object are common among them; they stay where they are
    return Kept(live.uid, {**found, "metadata": meta}, [one for one in live.managed if _is_clients(one, live.managed)])


def secret_fault(live: Live, body: bytes) -> str:
    """Tell why a Secret cannot be taken over: a value that would be lost could not be brought back. "" if it can."""
    held = (live.found.get("data") or {}) if _is_secret(live.found) else {}
    if not held:
        return ""
    wanted = msgspec.json.decode(body, type=_Json)
    clear = {
        key: base64.b64encode(str(value).encode()).decode() for key, value in (wanted.get("stringData") or {}).items()
    }
    coded = {**(wanted.get("data") or {}), **clear}
    lost = sorted(key for key, value in held.items() if coded.get(key) != value)
    return f"its {', '.join(lost[:3])}{', ...' if len(lost) > 3 else ''} would change" if lost else ""


def take(live: Live, manager: str, run: str) -> bytes:
    """Return the patch that marks an object as adopted and makes what was applied by its client the bundle's."""
    operations = _at_version(live)
    managed = _upgraded(live, manager)
    if managed != live.managed:
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": managed})
    notes = live.meta.get("annotations")
    if notes:
        operations.append({"op": "add", "path": _pointer("annotations", ADOPTED), "value": run})
    else:
        operations.append({"op": "add", "path": "/metadata/annotations", "value": {ADOPTED: run}})
    if RELEASED in (notes or {}):
        operations.append({"op": "remove", "path": _pointer("annotations", RELEASED)})
    return msgspec.json.encode(operations)


def give_back(kept: Kept, live: Live, manager: str) -> bytes:
    """Return what brings an object back to what it was, to be applied as the bundle's manager.

    What others manage by now is theirs and left out. All that the bundle has beside it goes with this apply.
    """
    found = _filled(kept.object, live.found) if _is_secret(kept.object) else kept.object
    others: fieldsets.Tree = {}
    for entry in live.managed:
        if entry.get("manager") not in {manager, applysets.MANAGER}:
            others = fieldsets.merged(others, entry.get("fieldsV1") or {})
    rest = fieldsets.without(found, others) if others else found
    left: _Json = _whole(rest) if isinstance(rest, dict) else {}
    identity = {key: live.meta[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in live.meta}
    metadata = {**left.get("metadata", {}), **identity}
    head = {"apiVersion": kept.object["apiVersion"], "kind": kept.object["kind"]}
    return msgspec.json.encode({**left, **head, "metadata": metadata}, order="sorted")


def let_go(live: Live, manager: str, *, back: Sequence[_Json] = (), run: str = "") -> bytes:
    """Return the patch that takes our label, notes and managed fields off an object and leaves all it holds.

    ``back`` are entries that others had; ``run`` is written down as the one that released it.
    """
    operations = _at_version(live)
    labels, notes = live.meta.get("labels") or {}, live.meta.get("annotations") or {}
    gone = [_pointer("labels", one) for one in (applysets.PART_OF, applysets.RETAINED) if one in labels]
    gone += [_pointer("annotations", one) for one in (ADOPTED, RELEASED) if one in notes]
    operations += [{"op": "remove", "path": path} for path in gone]
    if run:
        operations.append({"op": "add", "path": _pointer("annotations", RELEASED), "value": run})
    if live.managed:
        theirs = [one for one in live.managed if one.get("manager") not in {manager, applysets.MANAGER}]
        theirs = [_with(one, next((old for old in back if _who(old) == _who(one)), {})) for one in theirs]
        known = {_who(one) for one in theirs}
        theirs += [one for one in back if _who(one) not in known]
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": theirs})
    return msgspec.json.encode(operations)


def _at_version(live: Live) -> list[_Json]:
    """Bind a patch to the version that was read: replaced, not tested, so that the server answers with a 409."""
    version = live.meta.get("resourceVersion", "")
    return [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]


def _pointer(field: str, key: str) -> str:
    return f"/metadata/{field}/{key.replace('~', '~0').replace('/', '~1')}"


def _who(entry: _Json) -> tuple[object, object, object]:
    return entry.get("manager"), entry.get("operation"), entry.get("subresource")


def _is_secret(found: _Json) -> bool:
    return (found.get("apiVersion"), found.get("kind")) == ("v1", "Secret")


def _is_clients(entry: _Json, managed: Sequence[_Json]) -> bool:
    """Tell whether a manager has applied without the server: it owns the note that such an apply leaves."""
    if entry.get("operation") != "Update" or entry.get("subresource"):
        return False
    return entry.get("manager") in {CLIENT, *(one.get("manager") for one in managed if _has_note(one))}


def _has_note(entry: _Json) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource"):
        return False
    node: Any = entry.get("fieldsV1")
    for step in ("f:metadata", "f:annotations", f"f:{_LAST}"):
        node = node.get(step) if isinstance(node, dict) else None
    return node is not None


def _upgraded(live: Live, manager: str) -> list[_Json]:
    """Return managed fields in which what clients applied is what the bundle applied.

    Annotations of a Secret stay the client's: no journal has them, so they must not go.
    """
    managed, secret = live.managed, _is_secret(live.found)
    theirs = [one for one in managed if _is_clients(one, managed)]
    if not theirs:
        return managed
    ours = next((one for one in managed if _who(one) == (manager, "Apply", None)), theirs[0])
    fields: fieldsets.Tree = {} if ours in theirs else ours.get("fieldsV1") or {}
    for one in theirs:
        if one.get("apiVersion") == ours.get("apiVersion"):
            fields = fieldsets.merged(fields, _split(one)[1] if secret else one.get("fieldsV1") or {})
    found: list[_Json] = []
    for one in managed:
        if one is ours:
            found.append({**ours, "manager": manager, "operation": "Apply", "fieldsV1": fields})
        notes = _split(one)[0] if secret and one in theirs else {}
        if notes:
            found.append({**one, "fieldsV1": notes})
        elif one is not ours and one not in theirs:
            found.append(one)
    return found


def _with(entry: _Json, old: _Json) -> _Json:
    """Return an entry of the managed fields with what its manager had before."""
    if not old or old.get("apiVersion") != entry.get("apiVersion"):
        return entry
    return {**entry, "fieldsV1": fieldsets.merged(old.get("fieldsV1") or {}, entry.get("fieldsV1") or {})}


def _split(entry: _Json) -> tuple[_Json, _Json]:
    """Return which annotations an entry of the managed fields has, and what else."""
    fields = entry.get("fieldsV1") or {}
    meta = fields.get("f:metadata") or {}
    notes = {key: value for key, value in meta.items() if key == "f:annotations"}
    others = {key: value for key, value in meta.items() if key != "f:annotations"}
    rest = {key: value for key, value in fields.items() if key != "f:metadata"}
    return ({"f:metadata": notes} if notes else {}), {**rest, **({"f:metadata": others} if others else {})}


def _filled(kept: _Json, live: _Json) -> _Json:
    """Put into what was kept of a Secret the values that it has now."""
    held = live.get("data") or {}
    if "data" not in kept:
        return kept
    return {**kept, "data": {key: held[key] for key in kept["data"] or () if key in held}}


def _whole(value: Any) -> Any:  # noqa: ANN401  # JSON
    """Return a value without nulls, which an apply takes for values."""
    if isinstance(value, dict):
        return {key: _whole(child) for key, child in value.items() if child is not None}
    return [_whole(child) for child in value] if isinstance(value, list) else value
