"""What may be wrong with a site; and what a sick or hostile server does beside answering."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final, Literal

import msgspec

from fleetctl.sim import behaviours, permissions

__all__ = ["Fault", "Trick", "is_up", "play"]

Trick = Literal["", "endless", "garbage"]
"""A body that never ends, or bytes that are no HTTP."""

_PART: Final = 64 * 1024
_PAUSE: Final = 0.01
_GARBAGE: Final = bytes(range(256)) * 16
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_BEGINS: Final = b'{"kind":"List","items":["'


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with a site; times in seconds."""

    refuse: bool = False
    """Nothing listens."""
    silent: bool = False
    """Connections are taken and never answered."""
    latency: float = 0.0
    status: int = 0
    """Every answer has this status: 401, 429, 500, 503."""
    retry_after: int = 0
    reset: bool = False
    """Connections are broken off at the first request."""
    cut: bool = False
    """Answers end in the middle."""
    bandwidth: int = 0
    """Answers come at so many bytes a second."""
    expired: bool = False
    """The server's certificate ended yesterday."""
    stuck: bool = False
    """Answers end after their head: the rest never comes."""
    flapping: float = 0.0
    """In each period of so many seconds the site is up or down, as ``seed`` has it."""
    seed: int = 0
    workloads: behaviours.Fate = ""
    """How all pods fare that are made from now on, whatever their images."""
    hostile: Trick = ""
    """What is sent in place of every answer."""
    rights: tuple[permissions.Rule, ...] | None = None
    """All that the site's credential may do; None for everything."""


def is_up(site: str, period: float, seed: int, now: float) -> bool:
    """Tell whether a flapping site answers: a coin is tossed for each period, and falls the same for the same seed."""
    toss = hashlib.sha256(f"{seed} {site} {int(now // period)}".encode()).digest()
    return toss[0] < 128


def play(trick: Trick, transport: asyncio.Transport) -> None:
    """Answer with a trick; one that does not end goes on until the client hangs up, as fast as it reads."""
    if trick == "garbage":
        transport.write(_GARBAGE)
        transport.close()
        return
    transport.write(_HEAD + _chunk(_BEGINS))
    _pour(transport)


def _pour(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        return
    if transport.get_write_buffer_size() < _PART:
        transport.write(_chunk(b"x" * _PART))
    asyncio.get_running_loop().call_later(_PAUSE, _pour, transport)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
