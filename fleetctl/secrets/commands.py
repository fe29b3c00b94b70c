"""Provider ``exec``, and how any command that knows secrets is run: no shell, bounded in time and output."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from fleetctl.model import codes, secretrefs
from fleetctl.reading import processes
from fleetctl.secrets import masking, providers

__all__ = ["TIMEOUT", "Exec", "run"]

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


def run(
    around: providers.Surroundings, words: Sequence[str], *, timeout: float = TIMEOUT, most: int = masking.MOST
) -> processes.Done:
    """Run a command in the project's folder and return its end; raises ``Fault``.

    What it says on standard error is not for anybody: it may hold what it knows.
    """
    environment = around.variables_of_children()
    try:
        return processes.run(words, folder=around.root, environment=environment, timeout=timeout, most=most + 2)
    except processes.Failed as failed:
        name = words[0]
        code, message = {
            "start": (codes.Code.SECRET_NOT_CONFIGURED, f"{name} cannot be run: {failed}"),
            "time": (codes.Code.SECRET_UNAVAILABLE, f"{name} took more than {timeout:g} s"),
            "size": (codes.Code.SECRET_BAD_VALUE, f"the output of {name} is larger than {most // 2**20} MiB"),
        }[failed.why]
        raise providers.Fault(code, message) from None
