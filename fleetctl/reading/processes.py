"""Programs that are run for what they print: no shell, no terminal, so many seconds, so much to say.

A program leads a group of its own, and all of the group ends with it, whatever it started.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

__all__ = ["Done", "Failed", "Why", "run"]

_MOST_SAID: Final = 64 * 1024
"""Bytes of standard error that are kept, the last ones."""

_LOOK: Final = 0.1
"""Seconds between two looks at whether a program is still wanted."""

Why = Literal["start", "time", "size", "unwanted"]
"""What was the matter: it did not start, did not end in time, printed too much, or nobody waits for it any more."""


class Failed(Exception):
    """A program could not be started (the message says why), took too long, printed too much, or was given up."""

    def __init__(self, why: Why, message: str = "") -> None:
        super().__init__(message)
        self.why = why


class Done(msgspec.Struct, frozen=True):
    """How a program ended (as ``subprocess`` counts it), and what it printed and said on standard error."""

    status: int
    output: bytes
    said: bytes

    def __repr__(self) -> str:
        """Leave out what was printed: it may be a secret."""
        return f"Done({self.status})"


def run(
    words: Sequence[str],
    *,
    folder: pathlib.Path,
    environment: Mapping[str, str],
    timeout: float,
    most: int,
    text: bytes = b"",
    unwanted: threading.Event | None = None,
) -> Done:
    """Run a program in a folder and return its end; ``text`` is what it can read, ``timeout`` is in seconds.

    ``unwanted`` lets another thread give it up. Raises ``Failed``, with nothing left running.
    """
    with tempfile.TemporaryFile() as given:
        given.write(text)
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  # the caller's words, and no shell
                words,
                cwd=folder,
                env=environment,
                stdin=given if text else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            said = error.strerror or "unknown error" if isinstance(error, OSError) else "not a command"
            raise Failed("start", said) from None
    with process:
        try:
            output, complaints = _listen(process, _Patience(time.monotonic() + timeout, unwanted), most)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    return Done(process.returncode, output, complaints)


class _Patience:
    """How long a program is waited for: until some time, or until another thread gives it up."""

    def __init__(self, end: float, unwanted: threading.Event | None) -> None:
        self._end = end
        self._unwanted = unwanted

    def next(self) -> float:
        """Return for how many seconds to wait before asking again; raises ``Failed`` when it is over."""
        if self._unwanted is not None and self._unwanted.is_set():
            raise Failed("unwanted")
        left = self._end - time.monotonic()
        if left <= 0:
            raise Failed("time")
        return left if self._unwanted is None else min(left, _LOOK)


def _listen(process: subprocess.Popen[bytes], patience: _Patience, most: int) -> tuple[bytes, bytes]:
    """Read both streams until they end, and wait for the program; raises ``Failed``."""
    printed, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ, printed)  # type: ignore[arg-type]  # pipes, as asked
        waiting.register(process.stderr, selectors.EVENT_READ, said)  # type: ignore[arg-type]  # the same
        while waiting.get_map():
            for key, _ in waiting.select(patience.next()):
                piece = os.read(key.fd, 65536)
                key.data.extend(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
            if len(printed) > most:
                raise Failed("size")
            del said[:-_MOST_SAID]
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience.next())
    return bytes(printed), bytes(said)
