"""Credentials that take a while to get and end: got once for all who need them, held, and renewed before their end."""

from __future__ import annotations

import abc
import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from fleetctl.kube import transport

__all__ = ["Renewed", "Unusable", "until"]

_MARGIN: Final = 60.0
_MARGIN_SHARE: Final = 0.2
"""A credential is held for over so many seconds before its end, or so much of its life if that is less."""
_FRESH: Final = 30.0
"""Seconds in which neither a failure nor a refused credential makes us ask again: thousands of sites share one."""


class Unusable(Exception):
    """No usable credential came; the message says why, and holds no secret."""


class _Taken(msgspec.Struct, frozen=True):
    """What asking came to, since when, and how long it holds (by the clock on the wall)."""

    proof: transport.Proof | None
    fault: str
    since: float
    until: float

    def __repr__(self) -> str:
        return f"_Taken({self.since:.0f}, {self.until:.0f})"


class _Run:
    """Asking once, in a thread; whoever waits for it keeps it wanted, and with the last of them goes its reason."""

    def __init__(self, pool: concurrent.futures.Executor, ask: Callable[[threading.Event], _Taken]) -> None:
        self._unwanted = threading.Event()
        self._waiting = 0
        self._taken = pool.submit(ask, self._unwanted)

    @property
    def is_unwanted(self) -> bool:
        """Whether it was given up."""
        return self._unwanted.is_set()

    @property
    def taken(self) -> _Taken | None:
        """What it came to, if it is over."""
        return self._taken.result() if self._taken.done() and not self.is_unwanted else None

    async def wait(self) -> _Taken:
        """Return what it comes to."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever waited with it
                loop.call_soon_threadsafe(over.set)

        self._waiting += 1
        self._taken.add_done_callback(tell)
        try:
            await over.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not self._taken.done():
                self._unwanted.set()
        return self._taken.result()


class Renewed(abc.ABC):
    """Gives one credential: asked for at the first use, then again when it ends or is refused."""

    def __init__(self, named: str, pool: concurrent.futures.Executor, clock: Callable[[], float]) -> None:
        """Take what people call it, where to ask, and the clock that credentials end by."""
        self._named = named
        self._pool = pool
        self._clock = clock
        self._last: _Run | None = None

    def __repr__(self) -> str:
        """Name it, not what it gave."""
        return f"{type(self).__name__}({self._named})"

    @abc.abstractmethod
    def ask(self, unwanted: threading.Event) -> tuple[transport.Proof, float | None]:
        """Return a new credential and when it ends; raises ``Unusable``. Called in a thread."""

    def held(self) -> transport.Proof | None:
        """Return the credential if it is there and holds; nothing is started."""
        taken = self._last.taken if self._last is not None else None
        return taken.proof if taken is not None and self._clock() < taken.until else None

    async def current(self) -> transport.Proof:
        """Return the credential, a new one if need be; raises ``Broken``. Whoever comes meanwhile waits along."""
        last = self._last
        taken = last.taken if last is not None else None
        if last is None or last.is_unwanted or (taken is not None and self._clock() >= taken.until):
            last = self._last = _Run(self._pool, self._taken)
        taken = await last.wait()
        if taken.proof is None:
            raise transport.Broken("no-credential", f"{self._named}: {taken.fault}", sent=False)
        return taken.proof

    def refuse(self, proof: transport.Proof) -> bool:
        """Take note that a server refused a credential; tells whether there is, or may be, a better one."""
        taken = self._last.taken if self._last is not None else None
        if taken is None:
            return True
        if taken.proof is not proof:
            return taken.proof is not None
        if self._clock() - taken.since < _FRESH:
            return False
        self._last = None
        return True

    def _taken(self, unwanted: threading.Event) -> _Taken:
        """Ask, in a thread; never raises."""
        began = self._clock()
        try:
            proof, end = self.ask(unwanted)
        except Unusable as unusable:
            return self._failed(str(unusable))
        if end is None:
            return _Taken(proof, "", began, float("inf"))
        now = self._clock()
        if end <= now:
            return self._failed("its credential has expired already; is the clock right?")
        return _Taken(proof, "", began, until(end, now))

    def _failed(self, fault: str) -> _Taken:
        now = self._clock()
        return _Taken(None, fault, now, now + _FRESH)


def until(end: float, now: float) -> float:
    """Return until when a credential is used that ends then."""
    return end - min(_MARGIN, _MARGIN_SHARE * (end - now))
