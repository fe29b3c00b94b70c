"""What was changed in a simulated cluster, for those who watch; only kinds that somebody watches are written down.

A thousand clusters that nobody watches keep nothing. The first watch of a kind begins its history, which ends when
nobody has asked for it for a while. A watch from before its beginning is told what a real server says of a version that
its cache no longer holds: 410 Expired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from fleetctl.sim import kinds

__all__ = ["Change", "Histories"]

_LASTS: Final = 300.0
_MOST: Final = 1000

_Object = dict[str, Any]
_Key = tuple[str, str]


class Change(NamedTuple):
    """One change of one object."""

    version: int
    when: float
    before: _Object | None
    """The object as it was; None for one that is new."""
    after: _Object | None
    """The object as it became; None for one that is gone."""


class _History:
    """The changes of one kind since somebody watches it."""

    def __init__(self, found: Iterable[_Object], version: int, now: float) -> None:
        self.begins = version
        self.asked = now
        self.changes: deque[Change] = deque()
        self._known = {_key(one): _copy(one) for one in found}

    def note(self, found: _Object, version: int, now: float, *, gone: bool) -> None:
        key = _key(found)
        before = self._known.pop(key, None)
        after = None if gone else _copy(found)
        if after is not None:
            self._known[key] = after
        self.changes.append(Change(version, now, before, after))
        while len(self.changes) > _MOST or self.changes[0].when < now - _LASTS:
            self.begins = self.changes.popleft().version


class Histories:
    """The changes of all kinds that are watched, and who wants to hear of them."""

    def __init__(self) -> None:
        self.listeners: set[Callable[[], None]] = set()
        """Called after every change, whatever it was."""
        self._latest: dict[kinds.Resource, int] = {}
        self._histories: dict[kinds.Resource, _History] = {}

    def note(self, resource: kinds.Resource, found: _Object, version: int, now: float, *, gone: bool = False) -> None:
        """Take note that an object was stored, changed or taken away."""
        self._latest[resource] = version
        history = self._histories.get(resource)
        if history is not None:
            if not self.listeners and history.asked < now - _LASTS:
                del self._histories[resource]
            else:
                history.note(found, version, now, gone=gone)
        for listener in tuple(self.listeners):
            listener()

    def since(
        self, resource: kinds.Resource, version: int, found: Iterable[_Object], current: int, now: float
    ) -> list[Change] | None:
        """Return what came after a version; None when that is not known any more. ``found`` is what there is now."""
        history = self._histories.get(resource)
        if history is None:
            history = self._histories[resource] = _History(found, current, now)
        history.asked = now
        if version < history.begins and version < self._latest.get(resource, 0):
            return None
        return [change for change in history.changes if change.version > version]


def _key(one: _Object) -> _Key:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]


def _copy(one: _Object) -> _Object:
    """Return an object as it is now: those in the store are changed in place."""
    copied: _Object = msgspec.json.decode(msgspec.json.encode(one))
    return copied
