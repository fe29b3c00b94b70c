"""Token files: a token that somebody else renews, as the kubelet does with projected ones, so that it is read anew.

Source: client-go's ``transport/token_source.go``, and KEP-1205 (bound service account tokens). Unlike client-go, the
file is read at once when a server refuses the token, and the request is sent again if there is another one in it.
"""

from __future__ import annotations

import errno
import os
import pathlib
import stat
import time
from collections.abc import Callable
from typing import Final

from fleetctl.kube import proofs, transport

__all__ = ["TokenFile", "read"]

_HELD: Final = 50.0
"""Seconds between two readings: client-go's minute less its ten seconds of leeway."""
_MOST: Final = 1024 * 1024


class TokenFile:
    """Gives the token in a file; what cannot be read later on leaves the last one in use, as for kubectl."""

    def __init__(self, path: pathlib.Path, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the file, and the token that was in it just now."""
        self._path = path
        self._proof = transport.Proof(token)
        self._clock = clock
        self._until = clock() + _HELD

    def __repr__(self) -> str:
        """Name the file, not what is in it."""
        return f"TokenFile({str(self._path)!r})"

    def held(self) -> transport.Proof:
        """Return the token; once in a while it is read anew."""
        if self._clock() >= self._until:
            self._read()
        return self._proof

    async def current(self) -> transport.Proof:
        """Return the token."""
        return self.held()

    def refuse(self, proof: transport.Proof) -> bool:
        """Take note that a server refused a token; tells whether there is another one in the file."""
        if proof is self._proof:
            self._read()
        return proof is not self._proof

    def _read(self) -> None:
        self._until = self._clock() + _HELD
        try:
            token = read(self._path)
        except OSError:
            return
        if token and token != self._proof.token and proofs.is_token(token):
            self._proof = transport.Proof(token)


def read(path: pathlib.Path) -> str:
    """Return the token in a file, without what is blank around it; raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # not to wait for the other end of a pipe
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        return file.read(_MOST).decode("utf-8", "replace").strip()
