"""Provider ``exec``, and how any command that knows secrets is run: no shell, bounded in time and output."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import masking, providers

__all__ = ["TIMEOUT", "Done", "Exec", "run"]

TIMEOUT: Final = 30.0
"""Seconds that a command may take."""


class Exec:
    """Runs a command of the operator; what it prints is the secret."""

    def __init__(self, around: providers.Surroundings, timeout: float = TIMEOUT) -> None:
        self._around = around
        self._timeout = timeout

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return what a command prints, without the line end at its end; raises ``Fault``."""
        done = run(self._around, key, timeout=self._timeout)
        if done.status:
            how = f"ended with {done.status}" if done.status > 0 else f"was killed by signal {-done.status}"
            message = f"{key[0]} {how}; run it by hand to see what it says"
            raise providers.Fault(codes.Code.SECRET_UNAVAILABLE, message)
        return providers.taken(done.output, f"the output of {key[0]}", output=True)


class Done(msgspec.Struct, frozen=True):
    """How a command ended; what it said on standard error went to nobody, for it may hold what it knows."""

    status: int
    output: bytes

    def __repr__(self) -> str:
        """Leave the output out."""
        return f"Done({self.status})"


def run(
    around: providers.Surroundings, words: Sequence[str], *, timeout: float = TIMEOUT, most: int = masking.MOST
) -> Done:
    """Run a command in the project's folder and return its end; raises ``Fault``."""
    try:
        process = subprocess.Popen(  # noqa: S603  # the operator's own words, and no shell
            words,
            cwd=around.root,
            env=around.variables_of_children(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a command"
        raise providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, f"{words[0]} cannot be run: {why}") from None
    try:
        output = _output(process, words[0], time.monotonic() + timeout, timeout, most)
        return Done(process.returncode, output)
    finally:
        _end(process)


def _output(process: subprocess.Popen[bytes], name: str, end: float, timeout: float, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    late = providers.Fault(codes.Code.SECRET_UNAVAILABLE, f"{name} took more than {timeout:g} s")
    pipe = process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)  # type: ignore[arg-type]  # asked for a pipe
        while True:
            if not selector.select(max(0.0, end - time.monotonic())):
                raise late
            piece = os.read(pipe.fileno(), 65536)  # type: ignore[union-attr]  # asked for a pipe
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > most + 2:
                message = f"the output of {name} is larger than {most // 2**20} MiB"
                raise providers.Fault(codes.Code.SECRET_BAD_VALUE, message)
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise late from None
    return b"".join(pieces)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running: the command leads a group of its own, with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
