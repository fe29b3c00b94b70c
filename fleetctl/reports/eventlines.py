"""``--events FILE``: what happens in a run as JSON lines, the first of which says what they are."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import pathlib
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from fleetctl.model import codes, errors, events
from fleetctl.reports import envelopes

__all__ = ["writing"]

_FIRST: Final = {"apiVersion": envelopes.API_VERSION, "kind": "EventList"}


@contextlib.contextmanager
def writing(
    path: pathlib.Path, clock: Callable[[], float] = time.time, *, anew: bool = True
) -> Iterator[events.Observe]:
    """Give what writes events into a file that only its owner may read, anew or behind what is there.

    Raises ``NotConfigured`` before anything has happened.
    """
    try:
        file = _opened(path, anew=anew)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise errors.NotConfigured(codes.Code.OUTPUT_UNWRITABLE, message) from None
    with file:
        failed = False

        def observe(event: events.Event) -> None:
            # Writing may fail in the middle of a run, which matters more than its account here. What follows a line
            # that failed is left out: a gap would not show, an early end does.
            nonlocal failed
            if failed:
                return
            try:
                _write(file, {"time": clock(), **msgspec.to_builtins(event)})
            except OSError:
                failed = True

        yield observe


def _opened(path: pathlib.Path, *, anew: bool) -> io.FileIO:
    mode = stat.S_IRUSR | stat.S_IWUSR
    file = io.FileIO(os.open(path, os.O_CREAT | os.O_WRONLY | (os.O_TRUNC if anew else os.O_APPEND), mode), "w")
    try:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            os.fchmod(file.fileno(), mode)  # it may have been there, for others to read
        if anew:
            _write(file, _FIRST)
    except OSError:
        file.close()
        raise
    return file


def _write(file: io.FileIO, line: Mapping[str, object]) -> None:
    """Write a whole line, also where the system takes it in parts."""
    rest = msgspec.json.encode(line) + b"\n"
    while rest:
        written = file.write(rest)
        if not written:  # a pipe that nobody empties and that does not wait
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[written:]
