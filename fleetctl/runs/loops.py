"""One event loop per command: uvloop where it is there, no garbage collector in the way; and many sites at once."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine
from types import FrameType
from typing import Any, TypeVar

__all__ = ["each", "run"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_ROUND = 50_000
"""Objects between two collections: a run makes few cycles and many short-lived objects."""


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end on a loop of its own."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ROUND, 20, 20)
    try:
        with asyncio.Runner(loop_factory=_factory()) as runner:
            return runner.run(_heeding(work))
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def each(items: Collection[_Item], work: Callable[[_Item], Awaitable[None]], *, at_once: int) -> None:
    """Work on every item, in their order, on so many at a time; what one raises ends all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(worker())


async def _heeding(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Let SIGTERM end the work as SIGINT does, by cancelling it, and then do what the process does at SIGTERM.

    A handler of the process that raises is not enough: uvloop reports what it raises, and goes on.
    """
    before = signal.getsignal(signal.SIGTERM)
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is None or not callable(before) or threading.current_thread() is not threading.main_thread():
        return await work
    told: list[int] = []

    def cancel(number: int, _: FrameType | None) -> None:
        told.append(number)
        loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGTERM, cancel)
    try:
        return await work
    finally:
        signal.signal(signal.SIGTERM, before)
        if told:
            before(told[0], None)


def _factory() -> Any:  # noqa: ANN401  # asyncio's own type for it differs between versions
    try:
        import uvloop  # noqa: PLC0415  # an extra: no wheels for some platforms
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
