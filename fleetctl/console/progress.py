"""Watching a run: a live view where somebody looks, lines everywhere else."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final, TextIO

from fleetctl.console import plain
from fleetctl.model import events

__all__ = ["showing"]

_TICK: Final = 1.0
_UNMOVABLE: Final = frozenset({"dumb", "unknown"})


@contextlib.contextmanager
def showing(stream: TextIO) -> Iterator[events.Observe]:
    """Give what takes a run's events; a terminal of CI, or one that cannot move its cursor, gets lines."""
    animated = stream.isatty() and os.environ.get("CI") != "true" and os.environ.get("TERM", "") not in _UNMOVABLE
    if not animated:
        lines = plain.Plain(stream)
        with _ticking(lines.tick):
            yield lines.observe
        return
    from fleetctl.console import live  # noqa: PLC0415  # rich is for people who watch

    with live.Live(stream, leave=not sys.stdout.isatty()) as view:
        yield view.observe


@contextlib.contextmanager
def _ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Call something once a second, from a thread: the event loop may have nothing to tell for minutes."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(_TICK):
            tick()

    thread = threading.Thread(target=work, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
