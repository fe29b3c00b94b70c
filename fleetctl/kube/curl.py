"""The wire on libcurl: all transfers of an event loop in one multi handle.

libcurl says which sockets and when; they are watched through one epoll of our own, which the loop watches as a single
descriptor, and through one timer that is moved only when it fires too early. Measured on a real kube-apiserver, that is
a fifth less CPU per visit than a watcher per socket (docs/adr/0007).
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from typing import Any, Final, Self

import pycurl

from fleetctl.kube import deadlines, sessions, transport

__all__ = ["CurlTransport"]

_IN, _OUT, _REMOVE = 1, 2, 4
_EPOLL: Final = hasattr(select, "epoll")


class CurlTransport:
    """Transfers of the running event loop; use as ``async with``."""

    def __init__(self, limits: transport.Limits = transport.Limits()) -> None:  # noqa: B008  # frozen
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._known: set[int] = set()
        self._epoll = select.epoll() if _EPOLL else None
        if self._epoll is not None:
            self._loop.add_reader(self._epoll.fileno(), self._ready)
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._soon = self._closed = False
        self._waiting: dict[Any, tuple[asyncio.Future[None], sessions.Late]] = {}
        self._interval = deadlines.interval(limits)
        self._patrol: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is under way, and every connection."""
        self._closed = True
        for handle, (future, _late) in list(self._waiting.items()):
            self.forget(handle)
            future.cancel()
        for timer in (self._timer, self._patrol):
            if timer is not None:
                timer.cancel()
        self._multi.close()
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def session(self, endpoint: transport.Endpoint) -> transport.Session:
        """Return a session; nothing is sent yet."""
        return sessions.Session(self.run, endpoint, self._limits)

    async def run(self, handle: Any, late: sessions.Late) -> None:  # noqa: ANN401  # pycurl is not typed
        """Carry out a prepared transfer; raises ``pycurl.error``, or what ``late`` says that it is.

        Cancelling takes it off the wire.
        """
        future = self._loop.create_future()
        self._waiting[handle] = future, late
        self._multi.add_handle(handle)
        if self._patrol is None:
            self._patrol = self._loop.call_later(self._interval, self._look_round)
        try:
            await future
        finally:
            if handle in self._waiting:
                self.forget(handle)

    def forget(self, handle: Any) -> None:  # noqa: ANN401
        """Take a transfer off the wire."""
        self._waiting.pop(handle, None)
        self._multi.remove_handle(handle)

    # --- called by libcurl

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if self._epoll is None:
            self._watch_in_loop(what, descriptor)
            return
        if what == _REMOVE:
            if descriptor in self._known:
                self._known.discard(descriptor)
                with contextlib.suppress(OSError):  # closed already
                    self._epoll.unregister(descriptor)
            return
        mask = (select.EPOLLIN if what & _IN else 0) | (select.EPOLLOUT if what & _OUT else 0)
        if descriptor in self._known:
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile, and its number given to another
                self._epoll.modify(descriptor, mask)
                return
        self._known.add(descriptor)
        self._epoll.register(descriptor, mask)

    def _watch_in_loop(self, what: int, descriptor: int) -> None:
        """Watch one socket by the loop itself, where there is no epoll."""
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        if what != _REMOVE and what & _IN:
            self._loop.add_reader(descriptor, self._act, descriptor, _IN)
        if what != _REMOVE and what & _OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, _OUT)

    def _set_timer(self, milliseconds: int) -> None:
        if milliseconds < 0:
            self._due = None
        elif milliseconds == 0:
            if not self._soon:
                self._soon = True
                self._loop.call_soon(self._now)
        else:
            self._due = self._loop.time() + milliseconds / 1000
            if self._timer is None or self._timer.when() > self._due:
                self._arm(self._due)

    # --- called by the loop

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._fire)

    def _now(self) -> None:
        self._soon = False
        if not self._closed:
            self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _fire(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() + 0.0005 >= self._due:
            self._due = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        else:
            self._arm(self._due)

    def _look_round(self) -> None:
        """Take off the wire what is late; one timer does for all, as long as anything is under way."""
        now = self._loop.time()
        for handle, (future, late) in list(self._waiting.items()):
            broken = late(now)
            if broken is not None:
                self.forget(handle)
                if not future.done():
                    future.set_exception(broken)
        waiting = bool(self._waiting)
        self._patrol = self._loop.call_later(self._interval, self._look_round) if waiting else None

    def _ready(self) -> None:
        assert self._epoll is not None  # noqa: S101  # only then it is watched
        for descriptor, mask in self._epoll.poll(0, 256):
            what = (_IN if mask & ~select.EPOLLOUT else 0) | (_OUT if mask & select.EPOLLOUT else 0)
            self._multi.socket_action(descriptor, what)
        self._reap()

    def _act(self, descriptor: int, what: int) -> None:
        self._multi.socket_action(descriptor, what)
        self._reap()

    def _reap(self) -> None:
        while True:
            more, done, failed = self._multi.info_read()
            for handle in done:
                self._end(handle, None)
            for handle, number, message in failed:
                self._end(handle, pycurl.error(number, message))
            if not more:
                return

    def _end(self, handle: Any, error: BaseException | None) -> None:  # noqa: ANN401
        future, _ = self._waiting.pop(handle)
        self._multi.remove_handle(handle)
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
