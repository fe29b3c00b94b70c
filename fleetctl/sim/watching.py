"""Watches of a simulated cluster: which lines are due, and when to look again. Writing them is somebody else's.

After the API concepts of Kubernetes (efficient detection of changes) and what a real API server was seen to do: an
object that leaves a selection is DELETED as it was before, with the version of the change that took it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from fleetctl.sim import histories, kinds, listing, objects

__all__ = ["Part", "Place", "Watch", "begin"]

_MINUTE: Final = 60.0
_HALF_HOUR: Final = 1800.0
_BEFORE_THE_END: Final = 2.0
_UNSUPPORTED: Final = ("resourceVersionMatch", "sendInitialEvents")

_Line = tuple[str, objects.Object]


class Place(NamedTuple):
    """What is watched."""

    resource: kinds.Resource
    namespace: str
    bare: bool
    """Whether metadata is all that is wanted."""


class Part(NamedTuple):
    """What is due of a watch at a time."""

    lines: list[bytes]
    """Each with its end."""
    wakes: float | None
    """When to look again, if nothing is changed before; None when these were the last."""


class Watch:
    """One watch under way."""

    def __init__(
        self, store: objects.Objects, place: Place, query: dict[str, str], wanted: listing.Wanted, advance: _Advance
    ) -> None:
        """Take what was asked for; ``advance`` brings the cluster to the present, and says when it will change."""
        self._store = store
        self._place = place
        self._wanted = wanted
        self._advance = advance
        now = store.clock()
        seconds = listing.number(query.get("timeoutSeconds") or "0")
        self._ends = now + (seconds if seconds > 0 else _HALF_HOUR)
        marked = query.get("allowWatchBookmarks") in {"true", "1"}
        self._marks = min(now + _MINUTE, self._ends - _BEFORE_THE_END) if marked else None
        self._begun = -1
        self._version = _version(query.get("resourceVersion") or "0")
        self._fresh = self._first = self._version == 0

    def look(self) -> Part:
        """Return what is due now."""
        due = self._advance()
        now = self._store.clock()
        lines = self._lines(now)
        if lines is None:
            text = f"too old resource version: {self._version} ({self._store.version})"
            refusal = msgspec.json.decode(objects.Refusal(410, "Expired", text).status())
            return Part([_encoded(("ERROR", refusal))], None)
        if self._marks is not None and now >= self._marks:
            if self._first or self._version > self._begun:  # else there is nothing that the client does not know
                lines.append(("BOOKMARK", self._bookmark()))
            self._marks = now + _MINUTE
        wakes = min(when for when in (self._ends, self._marks, due) if when is not None)
        return Part(list(map(_encoded, lines)), wakes if now < self._ends else None)

    def _lines(self, now: float) -> list[_Line] | None:
        """Return what happened since the last look; None when that is not known any more."""
        resource, namespace, _ = self._place
        found, current = self._store.listed(resource, ""), int(self._store.version)
        lines: list[_Line] = []
        if self._fresh:
            self._fresh, self._version = False, current
            here = self._store.listed(resource, namespace)
            lines = [("ADDED", self._form(one)) for one in here if self._wanted(one)]
        changes = self._store.histories.since(resource, self._version, found, current, now)
        if changes is None:
            return None
        self._version = max(self._version, current)
        self._begun = self._version if self._begun < 0 else self._begun
        return lines + [line for change in changes for line in self._told(change)]

    def _told(self, change: histories.Change) -> list[_Line]:
        before, after = (one if one and self._is_ours(one) else None for one in (change.before, change.after))
        if after is not None:
            return [("MODIFIED" if before else "ADDED", self._form(after))]
        if before is None:
            return []
        meta = {**before["metadata"], "resourceVersion": str(change.version)}
        return [("DELETED", self._form({**before, "metadata": meta}))]

    def _is_ours(self, one: objects.Object) -> bool:
        namespace = self._place.namespace
        return (not namespace or one["metadata"].get("namespace") == namespace) and self._wanted(one)

    def _form(self, one: objects.Object) -> objects.Object:
        return listing.partial(one) if self._place.bare else one

    def _bookmark(self) -> objects.Object:
        resource = self._place.resource
        kind = {"kind": resource.kind, "apiVersion": resource.api_version}
        if self._place.bare:
            kind = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        meta: objects.Object = {"resourceVersion": self._store.version}
        if self._first:  # all that was there has been told
            meta["annotations"], self._first = {"k8s.io/initial-events-end": "true"}, False
        return {**kind, "metadata": meta}


_Advance = Callable[[], float | None]


def _encoded(line: _Line) -> bytes:
    kind, one = line
    return msgspec.json.encode({"type": kind, "object": one}) + b"\n"


def begin(store: objects.Objects, place: Place, query: dict[str, str], advance: _Advance) -> Watch:
    """Return a watch; raises ``Refusal`` for one that cannot be had."""
    for name in _UNSUPPORTED:
        if query.get(name, "") not in {"", "false", "0"}:
            raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do watches with {name}")
    return Watch(store, place, query, listing.wanted(place.resource, query), advance)


def _version(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        words = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise objects.Refusal(500, "", words) from None
