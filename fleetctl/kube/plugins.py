"""Credential plugins: programs of the operator that print a token or a client certificate.

Source: the API ``client.authentication.k8s.io`` in v1 and v1beta1 ("client-go credential plugins" on kubernetes.io) and
client-go's package ``plugin/pkg/client/auth/exec``. Unlike client-go we wait only so long for a plugin, end it when
nobody waits for it any more, ask it a little before its credential ends, and do not ask it anew for every site that
refuses what it has just given.
"""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from fleetctl.kube import execcredentials, renewing, transport
from fleetctl.reading import processes
from fleetctl.secrets import providers

__all__ = ["TIMEOUT", "Invocation", "Plugin", "Plugins"]

TIMEOUT: Final = 20.0
"""Seconds that a plugin may take: less than a request may, so that the reason can be told."""
_MOST: Final = 1024 * 1024
"""Bytes that a plugin may print."""
_AT_ONCE: Final = 8
"""Plugins that run side by side, however many sites wait for one of their own."""
_LONGEST: Final = 300
_SECRET_FLAG: Final = re.compile(r"--?[\w-]*(?:secret|password|token|key)[\w-]*", re.IGNORECASE)
_SHORTEST_SECRET: Final = 6
_PRINTED: Final = re.compile(rb"""[^\s"'\\{}\[\]:,]{6,}""")


class Invocation(msgspec.Struct, frozen=True):
    """One way to call a plugin. Sites whose invocations are equal share the credential."""

    version: str
    """``v1`` or ``v1beta1``."""
    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    """What the kubeconfig adds to our own variables."""
    info: bytes
    """``KUBERNETES_EXEC_INFO``: what the plugin is told, as JSON."""
    named: str
    """What the kubeconfig calls it, for people."""

    def __repr__(self) -> str:
        """Leave out arguments and variables: they may be secret."""
        return f"Invocation({self.named})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Leave them out for libraries that draw records, too."""
        return [("named", self.named)]


class Plugin(renewing.Renewed):
    """Gives one invocation's credential."""

    def __init__(
        self, invocation: Invocation, pool: concurrent.futures.Executor, clock: Callable[[], float], timeout: float
    ) -> None:
        super().__init__(invocation.named, pool, clock)
        self._invocation = invocation
        self._timeout = timeout

    def ask(self, unwanted: threading.Event) -> tuple[transport.Proof, float | None]:
        """Run the plugin; raises ``Unusable``. It is ended, with all that it started, when nobody waits for it."""
        return execcredentials.read(self._output(unwanted), self._invocation.version)

    def _output(self, unwanted: threading.Event) -> bytes:
        """Return what it prints; raises ``renewing.Unusable``."""
        done = self._run(unwanted)
        if done.status:
            raise renewing.Unusable(f"{_ending(done.status)}{self._said(done)}")
        return done.output

    def _run(self, unwanted: threading.Event) -> processes.Done:
        invocation = self._invocation
        variables = providers.Surroundings(pathlib.Path(), os.environ).variables_of_children()
        variables |= dict(invocation.environment)
        variables["KUBERNETES_EXEC_INFO"] = invocation.info.decode()
        try:
            return processes.run(
                invocation.words,
                folder=pathlib.Path.cwd(),
                environment=variables,
                timeout=self._timeout,
                most=_MOST,
                unwanted=unwanted,
            )
        except processes.Failed as failed:
            words = {
                "start": f"it cannot be started: {failed}",
                "time": f"it took more than {self._timeout:g} s",
                "size": f"it printed more than {_MOST // 2**20} MiB",
                "unwanted": "nobody waited for it any more",
            }
            raise renewing.Unusable(words[failed.why]) from None
        except OSError as error:  # our own folder may be gone
            raise renewing.Unusable(f"it cannot be started: {error.strerror}") from None

    def _said(self, done: processes.Done) -> str:
        """Return the last line of its complaints, without anything that it printed or was given as a secret."""
        lines = [line for line in done.said.decode("utf-8", "replace").splitlines() if line.strip()]
        text = lines[-1] if lines else ""
        secrets = {value for _, value in self._invocation.environment} | set(_secret_words(self._invocation.words))
        secrets |= {found.decode("utf-8", "replace") for found in _PRINTED.findall(done.output)}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***")
        text = "".join(letter if letter.isprintable() else " " for letter in text).strip()[:_LONGEST]
        return f": {text}" if text else ""


class Plugins:
    """The plugins of one command: one for each invocation, however many sites name it."""

    def __init__(self, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT) -> None:
        """Take the clock that credentials end by, and how many seconds a plugin may take."""
        self._clock = clock
        self._timeout = timeout
        self._by_invocation: dict[Invocation, Plugin] = {}
        self._pool: concurrent.futures.Executor | None = None

    def plugin(self, invocation: Invocation) -> Plugin:
        """Return the plugin of an invocation; nothing is started yet."""
        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(_AT_ONCE, "credential-plugin")
        if invocation not in self._by_invocation:
            self._by_invocation[invocation] = Plugin(invocation, self._pool, self._clock, self._timeout)
        return self._by_invocation[invocation]


def _secret_words(words: Iterable[str]) -> Iterable[str]:
    """Return the arguments that look secret: what a flag of such a name is given, in the same word or the next."""
    before = ""
    for word in words:
        flag, equals, value = word.partition("=")
        if equals and _SECRET_FLAG.fullmatch(flag):
            yield value
        elif _SECRET_FLAG.fullmatch(before):
            yield word
        before = word


def _ending(status: int) -> str:
    return f"it ended with exit code {status}" if status > 0 else f"it was killed by signal {-status}"
