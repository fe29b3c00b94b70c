"""The wire of a watch: lines as they come, in chunks, until the watch ends or the client goes.

Nothing runs while nothing happens: a change wakes the watch, and so does the moment at which the next one is due.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from fleetctl.sim import objects, watching

__all__ = ["Link", "Stream"]

_LAST: Final = b"0\r\n\r\n"
_MOST_WAITING: Final = 4 * 1024 * 1024
_TICK: Final = 0.1


class Link(Protocol):
    """The connection that a watch goes through."""

    def pass_on(self, data: bytes) -> int:
        """Write, and tell how many bytes the client has not taken yet."""
        ...

    def finish(self) -> None:
        """Go on with the next request."""
        ...

    def drop(self) -> None:
        """Break off."""
        ...


class Stream:
    """One watch on one connection."""

    def __init__(self, watch: watching.Watch, store: objects.Objects, link: Link, bandwidth: int) -> None:
        """Take a watch and where its lines go, at so many bytes a second or (0) at once."""
        self._watch = watch
        self._store = store
        self._link = link
        self._size = max(1, int(bandwidth * _TICK)) if bandwidth else None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._soon = self._ended = False
        self._wakes: float | None = 0.0
        self._waiting = bytearray()

    def begin(self) -> None:
        """Write what is due, and stay."""
        self._store.histories.listeners.add(self._wake)
        self._look()

    def end(self) -> None:
        """Stop, whatever is still due."""
        self._ended = True
        self._store.histories.listeners.discard(self._wake)
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        """Look soon: whoever changes something is not to wait for those who watch."""
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._soon = False
        if self._ended:
            return
        if self._wakes is not None:
            lines, self._wakes = self._watch.look()
            for line in lines:
                self._waiting += b"%x\r\n%b\r\n" % (len(line), line)
            if self._wakes is None:
                self._waiting += _LAST
        unread = self._link.pass_on(bytes(self._waiting[: self._size]))
        del self._waiting[: self._size or len(self._waiting)]
        if unread + len(self._waiting) > _MOST_WAITING:
            self.end()
            self._link.drop()
            return
        self._go_on()

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting:
            self._timer = self._loop.call_later(_TICK, self._look)
        elif self._wakes is None:
            self.end()
            self._link.finish()
        else:
            self._timer = self._loop.call_later(max(0.0, self._wakes - self._store.clock()), self._look)
