"""One event loop per command: uvloop where it is installed, and the garbage collector out of the way."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

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
            return runner.run(work)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _factory() -> Any:  # noqa: ANN401  # asyncio's own type for it differs between versions
    try:
        import uvloop  # noqa: PLC0415  # an extra: no wheels for some platforms
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
