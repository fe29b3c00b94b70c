"""Objects as a cluster shows them, decoded no further than health, causes and evidence need.

Every field may be missing, and lists may be null, as Go writes them. A field of another type than Kubernetes documents
makes the object ``Unreadable``: a verdict then says ``unknown``, nothing crashes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TypeVar

import msgspec

__all__ = [
    "Condition",
    "Event",
    "Meta",
    "Node",
    "Owner",
    "ReplicaSet",
    "ReplicaSetStatus",
    "Revision",
    "Seen",
    "StorageClass",
    "Unreadable",
    "condition",
    "decode",
    "seconds_between",
    "words",
]

_T = TypeVar("_T")

_LONGEST = 1000


class Unreadable(Exception):
    """An object whose form is not that of its kind; the text says where."""


def decode(body: bytes, into: type[_T]) -> _T:
    """Return the wanted fields of an object; raises ``Unreadable``, whatever the bytes are."""
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(words(str(error))) from None


def words(text: str | None) -> str:
    """Return a message of a cluster as one line of bounded length that a terminal can show."""
    shown = (text or "")[: 4 * _LONGEST]
    if not shown.isprintable():
        shown = "".join(letter if letter.isprintable() else " " for letter in shown)
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 4]} ..."


def seconds_between(first: str | None, last: str | None) -> float:
    """Return the time between two timestamps of one cluster; 0 where either is missing or no time."""
    try:
        begin, end = (dt.datetime.fromisoformat(text or "") for text in (first, last))
        return max(0.0, (end - begin).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


class Seen(msgspec.Struct, frozen=True, rename="camel"):
    """A record as the API server writes it; its fields are those that somebody here reads."""


class Owner(Seen, frozen=True):
    """One of the objects that an object belongs to."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class Meta(Seen, frozen=True):
    """What all objects have."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[Owner, ...] | None = None

    @property
    def owner(self) -> str:
        """Return the UID of the controller that made the object, or ""."""
        return next((owner.uid for owner in self.owner_references or () if owner.controller), "")

    @property
    def terminating(self) -> bool:
        """Tell whether the object is being deleted."""
        return bool(self.deletion_timestamp)

    def label(self, key: str) -> str:
        """Return the value of a label, or ""."""
        return (self.labels or {}).get(key, "")

    def annotation(self, key: str) -> str:
        """Return the value of an annotation, or ""."""
        return (self.annotations or {}).get(key, "")


class Condition(Seen, frozen=True):
    """One of an object's conditions."""

    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    observed_generation: int | None = None


def condition(found: Iterable[Condition] | None, kind: str) -> Condition | None:
    """Return the condition of a type, if the object has it."""
    return next((one for one in found or () if one.type == kind), None)


class ReplicaSetStatus(Seen, frozen=True):
    """How many pods a ReplicaSet has."""

    replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class ReplicaSet(Seen, frozen=True):
    """One template of a Deployment."""

    metadata: Meta = Meta()
    status: ReplicaSetStatus = ReplicaSetStatus()


class Revision(Seen, frozen=True):
    """A ControllerRevision: one template of a StatefulSet or DaemonSet."""

    metadata: Meta = Meta()
    revision: int = 0


class _NodeStatus(Seen, frozen=True):
    conditions: tuple[Condition, ...] | None = None


class Node(Seen, frozen=True):
    """A node."""

    metadata: Meta = Meta()
    status: _NodeStatus = _NodeStatus()

    @property
    def ready(self) -> bool:
        """Tell whether the node's kubelet answers and can run pods."""
        found = condition(self.status.conditions, "Ready")
        return found is not None and found.status == "True"


class StorageClass(Seen, frozen=True):
    """A StorageClass."""

    metadata: Meta = Meta()
    volume_binding_mode: str = ""


class _Involved(Seen, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class _Series(Seen, frozen=True):
    count: int = 0
    last_observed_time: str | None = None


class Event(Seen, frozen=True):
    """Something that a controller or kubelet noted about an object (core/v1)."""

    type: str = ""
    reason: str = ""
    message: str = ""
    involved_object: _Involved = _Involved()
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: _Series | None = None

    @property
    def times(self) -> int:
        """Return how often it happened."""
        return max(1, self.count or 0, self.series.count if self.series else 0)

    @property
    def first(self) -> str:
        """Return when it happened first, as a timestamp, or ""."""
        return self.first_timestamp or self.event_time or ""

    @property
    def last(self) -> str:
        """Return when it happened last, as a timestamp, or ""."""
        return (self.series.last_observed_time if self.series else None) or self.last_timestamp or self.first

    @property
    def container(self) -> str:
        """Return the name of the container that it is about, or ""."""
        path = self.involved_object.field_path
        return path.partition("{")[2].removesuffix("}")
