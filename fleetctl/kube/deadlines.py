"""Which of its time limits a request has reached: how far it has come, and since when nothing of it has moved.

libcurl has one limit for connecting and TLS together, and none for the first byte of an answer. Each stage has its
own here, because whoever reads of it does something else: a host that is away, a host whose TLS hangs (a dead process,
or packets too large for the path), a server that does not answer, and a link that broke in the middle of an answer.
"""

from __future__ import annotations

import enum
from typing import Final

from fleetctl.kube import transport

__all__ = ["Stage", "Watch", "interval", "over"]

_SLOWEST: Final = 0.5


class Stage(enum.IntEnum):
    """How far a request has come."""

    CONNECTING = 0
    SHAKING_HANDS = 1
    WAITING = 2
    """The request is on its way, or was taken; nothing of an answer has come."""
    ANSWERING = 3


_SILENT: Final[tuple[tuple[transport.Kind, str], ...]] = (
    ("connect-timeout", "no connection after {:.0f}s"),
    ("handshake-timeout", "connected, but TLS was not ready after {:.0f}s"),
    ("timeout", "no answer after {:.0f}s"),
    ("stalled", "the answer stopped half-way for {:.0f}s"),
)


class Watch:
    """Follows one request, by whatever clock its caller has."""

    def __init__(self, limits: transport.Limits) -> None:
        self._limits = (limits.connect, limits.handshake, limits.first_byte, limits.stall)
        self._seen: tuple[Stage, int] | None = None
        self._since = 0.0

    def begin(self) -> None:
        """Begin with another request."""
        self._seen = None

    def late(self, now: float, stage: Stage, moved: int) -> transport.Broken | None:
        """Tell which limit is over, if one is; ``moved`` grows with every byte of request and answer."""
        if (stage, moved) != self._seen:
            self._seen, self._since = (stage, moved), now
            return None
        silent = now - self._since
        return _broken(stage, silent) if silent >= self._limits[stage] else None


def over(stage: Stage, seconds: float) -> transport.Broken:
    """Return what it means that the time for all of a request is over."""
    if stage is Stage.ANSWERING:
        return transport.Broken("slow", f"the answer was not whole after {seconds:.0f}s", sent=True)
    return _broken(stage, seconds)


def interval(limits: transport.Limits) -> float:
    """Return how often to look, in seconds: often enough that no limit is overstepped by more than a quarter."""
    return min(_SLOWEST, min(limits.connect, limits.handshake, limits.first_byte, limits.stall) / 8)


def _broken(stage: Stage, seconds: float) -> transport.Broken:
    kind, words = _SILENT[stage]
    return transport.Broken(kind, words.format(seconds), sent=stage >= Stage.WAITING)
