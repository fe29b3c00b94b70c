"""Which objects belong to a bundle: ApplySets as KEP-3659 specifies and kubectl ships them, with notes of our own.

The parent of a set is the Secret ``<bundle>`` in the bundle's home namespace. Its annotations say where members may
stand, so that a crash leaks nothing: before any object changes they are widened to the union of what was and will be
(``applying`` set, ``release`` dropped), and narrowed when all is done. The parent is only ever written by server-side
apply: annotations that an update had set would survive later applies.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

import fleetctl
from fleetctl.kube import answers
from fleetctl.model import objects

__all__ = [
    "ABSENT",
    "ID",
    "MANAGER",
    "PART_OF",
    "PROTECTED",
    "RETAINED",
    "Applying",
    "Member",
    "Parent",
    "Scope",
    "Written",
    "after",
    "body",
    "member",
    "path",
    "protected",
    "prunable",
    "read",
    "retained",
    "set_id",
]

MANAGER: Final = "fleetctl-applyset"
"""Field manager of what is written beside the bundles' own objects. Never renamed: its fields would be orphaned."""

ID: Final = "applyset.kubernetes.io/id"
PART_OF: Final = "applyset.kubernetes.io/part-of"
RETAINED: Final = "fleetctl.dev/retained"
"""Label of objects that left their set and were not deleted, because their kind is protected."""

PROTECTED: Final = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("storage.k8s.io", "StorageClass"),
    }
)
"""Kinds that are never pruned, as (group, kind): what goes with them cannot be brought back."""

_TOOL: Final = "fleetctl"
_TOOLING: Final = "applyset.kubernetes.io/tooling"
_KINDS: Final = "applyset.kubernetes.io/contains-group-kinds"
_NAMESPACES: Final = "applyset.kubernetes.io/additional-namespaces"
_OURS: Final = "fleetctl.dev/"


class Scope(msgspec.Struct, frozen=True):
    """Where members of a set may stand: kinds as ``Kind.group`` (no dot for the core group), and namespaces."""

    kinds: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ids: Iterable[objects.ObjectId], home: str) -> Scope:
        """Return the scope of some objects; the home namespace is always part of it."""
        found = list(ids)
        kinds = frozenset(f"{one.kind}.{one.group}".removesuffix(".") for one in found)
        return cls(kinds, frozenset(one.namespace for one in found if one.namespace) | {home})

    def __or__(self, other: Scope) -> Scope:
        """Return what either holds."""
        return Scope(self.kinds | other.kinds, self.namespaces | other.namespaces)


class Applying(msgspec.Struct, frozen=True):
    """The mark of a change under way: the release it brings ("" takes the bundle off), by which run and attempt."""

    digest: str
    run: str
    attempt: int

    def __str__(self) -> str:
        """Return the mark as the annotation holds it."""
        return f"{self.digest} {self.run} {self.attempt}"


class Parent(msgspec.Struct, frozen=True):
    """A set's parent as it was read."""

    exists: bool = False
    uid: str = ""
    resource_version: str = ""
    tooling: str = ""
    release: str | None = None
    previous: str | None = None
    applying: Applying | None = None
    kinds: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    """The home namespace counts as well, named or not."""
    run: str = ""
    commit: str = ""
    project: str = ""
    site: str = ""

    @property
    def ours(self) -> bool:
        """Tell whether fleetctl manages the set; another tool's is not ours to change."""
        return self.tooling.rpartition("/")[0] == _TOOL


ABSENT: Final = Parent()


class Written(msgspec.Struct, frozen=True):
    """What a parent is to say: ``release`` when all is done, ``applying`` while it is not."""

    scope: Scope
    release: str | None = None
    previous: str | None = None
    applying: Applying | None = None
    run: str = ""
    commit: str = ""
    project: str = ""
    site: str = ""


class Member(msgspec.Struct, frozen=True):
    """An object that a cluster lists as part of a set, its path there, and its metadata as they were listed."""

    id: objects.ObjectId
    meta: answers.Meta
    path: str
    api_version: str = ""
    body: bytes = b""


def set_id(name: str, namespace: str) -> str:
    """Return the id of the set whose parent is a Secret of this name.

    Source: ``ApplySet.ID`` in kubectl's pkg/cmd/apply/applyset.go; the core group leaves the dot at the end.
    """
    hashed = hashlib.sha256(f"{name}.{namespace}.Secret.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(hashed).decode().rstrip('=')}-v1"


def path(bundle: str, namespace: str) -> str:
    """Return where the parent of a bundle's set stands."""
    return f"/api/v1/namespaces/{namespace}/secrets/{bundle}"


def read(found: answers.Partial) -> Parent:
    """Return what a parent says; an annotation that makes no sense counts as work left half done."""
    meta = found.metadata
    notes = meta.annotations or {}
    ours = {key.removeprefix(_OURS): value for key, value in notes.items() if key.startswith(_OURS)}
    return Parent(
        exists=True,
        uid=meta.uid,
        resource_version=meta.resourceVersion,
        tooling=notes.get(_TOOLING, ""),
        release=ours.get("release") or None,
        previous=ours.get("previous") or None,
        applying=_mark(ours.get("applying")),
        kinds=_names(notes.get(_KINDS)),
        namespaces=_names(notes.get(_NAMESPACES)),
        run=ours.get("run", ""),
        commit=ours.get("commit", ""),
        project=ours.get("project", ""),
        site=ours.get("site", ""),
    )


def _mark(text: str | None) -> Applying | None:
    if text is None:
        return None
    parts = text.split(" ")
    if len(parts) == 3 and parts[2].isdecimal() and len(parts[2]) < 10:
        return Applying(parts[0], parts[1], int(parts[2]))
    return Applying("", "", 0)


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name for name in (text or "").split(",") if name)


def body(bundle: str, namespace: str, parent: Parent, written: Written) -> bytes:
    """Return the parent to apply.

    One that was read is only overwritten as it was read. A resourceVersion alone would not do: applied to an object
    that is gone it creates it anew, and only together with the UID it is refused.
    """
    notes = {
        _TOOLING: f"{_TOOL}/{fleetctl.__version__}",
        _KINDS: ",".join(sorted(written.scope.kinds)),
        _NAMESPACES: ",".join(sorted(written.scope.namespaces - {namespace})),
    }
    ours = {
        "release": written.release,
        "previous": written.previous,
        "applying": str(written.applying) if written.applying else None,
        "run": written.run,
        "commit": written.commit,
        "project": written.project,
        "site": written.site,
    }
    notes |= {_OURS + key: value for key, value in ours.items() if value}
    metadata = {
        "name": bundle,
        "namespace": namespace,
        "labels": {ID: set_id(bundle, namespace)},
        "annotations": notes,
    }
    if parent.exists:
        metadata |= {"uid": parent.uid, "resourceVersion": parent.resource_version}
    return msgspec.json.encode({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}, order="deterministic")


def after(parent: Parent, written: Written, meta: answers.Meta) -> Parent:
    """Return the parent as it is once its writing was answered: what the next writing builds on."""
    return msgspec.structs.replace(
        parent,
        exists=True,
        uid=meta.uid,
        resource_version=meta.resourceVersion,
        tooling=f"{_TOOL}/{fleetctl.__version__}",
        release=written.release,
        previous=written.previous,
        applying=written.applying,
        kinds=written.scope.kinds,
        namespaces=written.scope.namespaces,
        run=written.run,
        commit=written.commit,
        project=written.project,
        site=written.site,
    )


@functools.lru_cache(maxsize=256)  # sites of one class share most objects, and a rollout sends them all
def member(body: bytes, set_id: str) -> bytes:
    """Return an object to apply, with the label that makes it part of the set."""
    found = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(found["metadata"], type=dict[str, msgspec.Raw])
    labels = msgspec.json.decode(metadata["labels"], type=dict[str, str]) if "labels" in metadata else {}
    labels[PART_OF] = set_id
    metadata["labels"] = msgspec.Raw(msgspec.json.encode(labels, order="sorted"))
    found["metadata"] = msgspec.Raw(msgspec.json.encode(metadata, order="sorted"))
    return msgspec.json.encode(found, order="sorted")


def prunable(found: Iterable[Member], applied: Collection[str]) -> tuple[list[Member], list[str]]:
    """Return the members to delete, in the order to do it, and in words what else was not applied and stays.

    ``applied`` are the UIDs that this visit's applies returned, so that no object is taken for another of its name.
    """
    doomed: list[Member] = []
    kept: list[str] = []
    for one in sorted(found, key=lambda one: (objects.rank(one.id), one.id), reverse=True):
        if one.meta.uid in applied:
            continue
        if one.meta.ownerReferences:
            kept.append(f"{one.id} was left alone: it belongs to another object")
        elif (one.id.group, one.id.kind) in PROTECTED:
            kept.append(f"{one.id} was kept: a {one.id.kind} is never pruned")
        elif one.meta.deletionTimestamp is not None:
            kept.append(f"{one.id} is being deleted already")
        else:
            doomed.append(one)
    return doomed, kept


def protected(found: Iterable[Member], applied: Collection[str]) -> list[Member]:
    """Return the members that were not applied and stay because of their kind."""
    left = (one for one in found if one.meta.uid not in applied and not one.meta.ownerReferences)
    return [one for one in left if (one.id.group, one.id.kind) in PROTECTED and not one.meta.deletionTimestamp]


def retained(one: Member, api_version: str, bundle: str) -> bytes:
    """Return what marks a protected object that left the bundle's set, to be applied as ``MANAGER``.

    As another manager than the bundle's: under that one, all fields that are not named would be given up.
    """
    metadata = {"name": one.id.name, "uid": one.meta.uid, "labels": {RETAINED: bundle}}
    if one.id.namespace:
        metadata["namespace"] = one.id.namespace
    return msgspec.json.encode({"apiVersion": api_version, "kind": one.id.kind, "metadata": metadata}, order="sorted")
