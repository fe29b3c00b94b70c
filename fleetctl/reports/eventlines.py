"""``--events FILE``: what happens in a run as JSON lines, the first of which says what they are."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from fleetctl.model import codes, errors, events
from fleetctl.reports import envelopes

__all__ = ["writing"]

_FIRST: Final = {"apiVersion": envelopes.API_VERSION, "kind": "EventList"}


@contextlib.contextmanager
def writing(path: pathlib.Path, clock: Callable[[], float] = time.time) -> Iterator[events.Observe]:
    """Give what writes events into a file that only its owner may read; raises ``NotConfigured``."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise errors.NotConfigured(codes.Code.OUTPUT_UNWRITABLE, message) from None
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(msgspec.json.encode(_FIRST) + b"\n")

        def observe(event: events.Event) -> None:
            # Writing may fail in the middle of a run; the run matters more than its account here.
            with contextlib.suppress(OSError):
                file.write(msgspec.json.encode({"time": clock(), **msgspec.to_builtins(event)}) + b"\n")

        yield observe
