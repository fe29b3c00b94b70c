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
import time
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

__all__ = ["Done", "Failed", "Why", "run"]

_MOST_SAID: Final = 64 * 1024
"""Bytes of standard error that are kept, the last ones."""

Why = Literal["start", "time", "size"]
"""What was the matter: it did not start, did not end in time, or printed too much."""


class Failed(Exception):
    """A program could not be started (the message says why), took too long or printed too much."""

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
) -> Done:
    """Run a program in a folder and return its end; ``text`` is what it can read, ``timeout`` is in seconds.

    Raises ``Failed``, with nothing left running.
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
            output, complaints = _listen(process, time.monotonic() + timeout, most)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    return Done(process.returncode, output, complaints)


def _listen(process: subprocess.Popen[bytes], end: float, most: int) -> tuple[bytes, bytes]:
    """Read both streams until they end, and wait for the program; raises ``Failed``."""
    printed, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ, printed)  # type: ignore[arg-type]  # pipes, as asked
        waiting.register(process.stderr, selectors.EVENT_READ, said)  # type: ignore[arg-type]  # the same
        while waiting.get_map():
            ready = waiting.select(max(0.0, end - time.monotonic()))
            if not ready and time.monotonic() >= end:
                raise Failed("time")
            for key, _ in ready:
                piece = os.read(key.fd, 65536)
                key.data.extend(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
            if len(printed) > most:
                raise Failed("size")
            del said[:-_MOST_SAID]
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Failed("time") from None
    return bytes(printed), bytes(said)
