"""What a cluster has otherwise than it was applied, told in two ways; neither changes anything.

``glance`` goes by metadata alone. A field is taken from its manager when another changes or removes it, so of an object
whose fields are all still ours, and whose entry did not change since the release was written down, nothing was changed.
``look`` asks for one object's values: it is applied with ``dryRun=All``, and live object and answer are held against
each other, as far as the fields are our manager's. Whatever the server defaults or normalises, status, and
what others own is the same in both. Source: KEP-555 (server-side apply), KEP-576 (dry-run).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from fleetctl.kube import answers, applysets, client, fieldsets, managers, masking
from fleetctl.model import objects, outcomes

__all__ = ["Field", "Found", "Glance", "Lost", "Seen", "compare", "glance", "look", "lost"]

_IDENTITY: Final = frozenset({".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"})
_NAMED: Final[fieldsets.Tree] = {"f:apiVersion": {}, "f:kind": {}, "f:metadata": {"f:name": {}, "f:namespace": {}}}
_SILENT: Final = frozenset({"broken", "busy", "credentials", "tls", "unreachable"})
"""Failures that say nothing about one object."""

Found = Literal["same", "missing", "differs", "refused"]


class Lost(msgspec.Struct, frozen=True):
    """A field that was applied and is not ours any more, with those that have it now; nobody has one that is gone."""

    path: str
    managers: tuple[str, ...] = ()


class Glance(msgspec.Struct, frozen=True):
    """What metadata tells of a set."""

    missing: tuple[objects.ObjectId, ...]
    extra: tuple[applysets.Member, ...]
    """Members that the release does not hold."""
    suspect: Mapping[objects.ObjectId, tuple[Lost, ...]]
    """What is to be looked at; without a field where our entry is gone or is younger than the release, or where
    metadata do not tell."""


class Field(msgspec.Struct, frozen=True):
    """A field whose value is not what an apply makes it; ``problems.NOTHING`` stands for none."""

    path: str
    live: Any
    wanted: Any
    managers: tuple[str, ...] = ()
    """Who has the field; an apply that does not force would meet a conflict with each."""


class Seen(msgspec.Struct, frozen=True):
    """One object, live and as an apply would leave it, as far as its fields are ours; nothing secret is in it."""

    found: Found
    live: dict[str, Any] | None = None
    wanted: dict[str, Any] | None = None
    fields: tuple[Field, ...] = ()
    cause: outcomes.Cause | None = None
    """Why the API server would refuse it."""
    foreign: bool = False
    """Whether it exists and neither is a member of the set nor was applied by its manager."""
    elsewhere: bool = False
    """Whether it is a member of another set."""
    judged: bool = True
    """Whether the server said so: it cannot where a namespace or a kind is not there yet."""


def lost(applied: bytes, managed: tuple[managers.Entry, ...], manager: str) -> tuple[Lost, ...] | None:
    """Return the fields of an applied object that its manager has no more; None where it has none at all."""
    ours = managers.applied(managed, manager)
    if ours is None or not isinstance(ours.fieldsV1, dict):
        return None
    gone = fieldsets.unowned(msgspec.json.decode(applied), ours.fieldsV1)
    paths = tuple(path for path in gone if path not in _IDENTITY)
    owners = managers.owners_of(managed, paths, manager)
    return tuple(Lost(path, owners.get(path, ())) for path in paths)


def glance(
    wanted: Mapping[objects.ObjectId, bytes], found: Iterable[applysets.Member], manager: str, written: str
) -> Glance:
    """Hold a set as it was listed against what was applied; ``written`` is when the release was written down."""
    there = {one.id: one for one in found}
    suspect: dict[objects.ObjectId, tuple[Lost, ...]] = {}
    for identity, body in wanted.items():
        if identity not in there:
            continue
        managed = managers.entries(there[identity].body)
        ours = managers.applied(managed, manager)
        fields = lost(body, managed, manager)
        # What a Secret is sent as text becomes data, which is nobody's until somebody changes it.
        untold = ours is None or ours.time > written or "f:stringData" in _tree(ours)
        if untold or fields or fields is None:
            suspect[identity] = fields or ()
    return Glance(
        missing=tuple(one for one in wanted if one not in there),
        extra=tuple(one for identity, one in there.items() if identity not in wanted),
        suspect=suspect,
    )


async def look(api: client.Client, path: str, body: bytes, manager: str) -> Seen:
    """Ask what an apply of an object would change; two requests.

    Raises ``answers.Failure`` for silence and for credentials that are refused, not for an apply that is.
    """
    live = await answers.optional(api.get_raw(path))
    try:
        answer = await api.rehearse(path, body, manager=manager)
    except answers.Failure as failure:
        if failure.kind == "missing" and live is None:
            return Seen("missing", judged=False)  # its namespace comes with the release
        if failure.kind in _SILENT:
            raise
        return Seen("refused", cause=_refusal(failure, body))
    if live is None:
        return Seen("missing")
    return compare(live, answer, body, manager)


def compare(live: bytes, answer: bytes, applied: bytes, manager: str) -> Seen:
    """Hold a live object against what a dry-run made of it."""
    managed, rehearsed = managers.entries(live), managers.entries(answer)
    try:
        ours = _values(*(_tree(managers.applied(one, manager)) for one in (managed, rehearsed)))
        was, now = masking.masked(*(answers.decode(body, dict[str, Any]) for body in (live, answer)))
        found = [*fieldsets.differences(was, now, ours)]
        shown = fieldsets.merged(_NAMED, ours)
        live_part, wanted_part = fieldsets.part(was, shown), fieldsets.part(now, shown)
    except RecursionError:
        raise answers.Failure("broken", "UnreadableAnswer", "an object is too deep to be read") from None
    owners = managers.owners_of(managed, tuple(path for path, _, _ in found), manager)
    fields = tuple(Field(path, one, other, owners.get(path, ())) for path, one, other in found)
    foreign = _set_of(live) != _set_of(applied) and managers.applied(managed, manager) is None
    elsewhere = foreign and _set_of(live) != ""
    verdict: Found = "differs" if fields or foreign else "same"
    return Seen(verdict, live_part, wanted_part, fields, foreign=foreign, elsewhere=elsewhere)


def _tree(entry: managers.Entry | None) -> fieldsets.Tree:
    return entry.fieldsV1 if entry is not None and isinstance(entry.fieldsV1, dict) else {}


def _values(one: fieldsets.Tree, other: fieldsets.Tree) -> fieldsets.Tree:
    """Return what is ours before or after; what a Secret is sent as text stands in its data."""
    ours = fieldsets.merged(one, other)
    text = ours.get("f:stringData")
    return fieldsets.merged(ours, {"f:data": text}) if isinstance(text, dict) else ours


def _set_of(body: bytes) -> str:
    return answers.decode(body, answers.Partial).metadata.labels.get(applysets.PART_OF, "")


def _refusal(failure: answers.Failure, body: bytes) -> outcomes.Cause:
    """Return why an apply is refused; what is said of a Secret may quote it."""
    kind = answers.decode(body, answers.Partial).kind
    message = "the API server would refuse it" if kind == "Secret" else failure.message
    return outcomes.Cause(failure.reason, "", message)
