"""A cluster's API on a real socket: TLS, HTTP/1.1 with keep-alive, and the faults that links and servers have."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import ssl
from typing import Final

import msgspec

from fleetctl.sim import clusters, objects

__all__ = ["Fault", "Server"]

_MOST: Final = 8 * 1024 * 1024
_REASONS: Final = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    409: "Conflict",
}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a site; times in seconds."""

    refuse: bool = False
    """Nothing listens."""
    silent: bool = False
    """Connections are taken and never answered."""
    latency: float = 0.0
    status: int = 0
    """Every answer has this status: 401, 429, 500, 503."""
    retry_after: int = 0


class Server:
    """Serves one cluster on a port of 127.0.0.1, which stays the same when it is closed and opened again."""

    def __init__(self, cluster: clusters.Cluster, context: ssl.SSLContext) -> None:
        self.cluster = cluster
        self.fault = Fault()
        self.port = 0
        self._context = context
        self._server: asyncio.Server | None = None
        self._open: set[_Conversation] = set()

    async def start(self) -> None:
        """Listen."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: _Conversation(self), "127.0.0.1", self.port, ssl=self._context, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and all that goes through it."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for conversation in list(self._open):
                conversation.drop()
            await server.wait_closed()

    async def suffer(self, fault: Fault) -> None:
        """Let something be wrong, or (with ``Fault()``) right again."""
        self.fault = fault
        if fault.refuse:
            await self.stop()
        else:
            await self.start()
        if fault.silent:
            for conversation in list(self._open):
                conversation.fall_silent()


class _Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._silent = server.fault.silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP
        self._transport = transport
        self._server._open.add(self)  # noqa: SLF001  # one room, one file

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End."""
        self._server._open.discard(self)  # noqa: SLF001
        self._transport = None

    def drop(self) -> None:
        """Break off."""
        if self._transport is not None:
            self._transport.abort()

    def fall_silent(self) -> None:
        """Answer nothing from now on."""
        self._silent = True

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and answer every request that is whole."""
        if self._silent:
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            length = int(headers.get("content-length", "0"))
            if length > _MOST:
                self.drop()
                return
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            method, target, _ = head[0].split(" ", 2)
            self._answer(method, target, headers, body)

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        fault = self._server.fault
        extra = ""
        if fault.status:
            self._server.cluster.requests += 1
            reason = {401: "Unauthorized", 429: "TooManyRequests", 500: "InternalError"}.get(
                fault.status, "ServiceUnavailable"
            )
            status, content = fault.status, objects.Refusal(fault.status, reason, "simulated").status()
            extra = f"Retry-After: {fault.retry_after}\r\n" if fault.retry_after else ""
        else:
            status, content = self._server.cluster.answer(method, target, headers, body)
        kind = "application/json" if content[:1] in {b"{", b"["} else "text/plain"
        date = email.utils.formatdate(self._server.cluster.store.clock(), usegmt=True)
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Answer')}\r\nContent-Type: {kind}\r\nDate: {date}\r\n{extra}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        if fault.latency:
            asyncio.get_running_loop().call_later(fault.latency, self._write, head.encode() + content)
        else:
            self._write(head.encode() + content)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._transport is not None:
                self._transport.write(data)
