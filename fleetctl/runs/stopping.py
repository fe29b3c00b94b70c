"""How a run is asked to stop: first gently, then at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator

__all__ = ["Stop", "listening"]

_DRAIN = 30.0
_DRAIN_IN_CI = 5.0


class Stop:
    """A wish to stop, of two depths: ``soft`` starts no new site, ``hard`` cancels what is under way."""

    def __init__(self) -> None:
        self.soft = asyncio.Event()
        self.hard = asyncio.Event()
        self.signal: signal.Signals | None = None
        """What asked for it, if a signal did: SIGINT and SIGTERM end the process with codes of their own."""

    def ask(self, number: signal.Signals | None = None) -> None:
        """Deepen the wish by one step."""
        self.signal = self.signal or number
        if self.soft.is_set():
            self.hard.set()
        self.soft.set()


@contextlib.contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Let SIGINT and SIGTERM of this process ask ``stop``; a run that is asked once has a while to drain."""
    loop = asyncio.get_running_loop()
    seconds = _DRAIN_IN_CI if os.environ.get("CI") == "true" else _DRAIN
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    timers: list[asyncio.TimerHandle] = []

    def asked(number: signal.Signals) -> None:
        stop.ask(number)
        if not timers:
            timers.append(loop.call_later(seconds, stop.hard.set))

    for number in numbers:
        loop.add_signal_handler(number, asked, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
        for timer in timers:
            timer.cancel()
