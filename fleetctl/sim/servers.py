"""A cluster's API on a real socket: TLS, HTTP/1.1 with keep-alive, and the faults that links and servers have."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import http
from typing import Final, NamedTuple, cast

from fleetctl.sim import authorities, clusters, faults, objects, replies, streaming

__all__ = ["Server"]

_MOST_HEAD: Final = 64 * 1024
_MOST_BODY: Final = 3 * 1024 * 1024
_MOST_SKIPPED: Final = 64 * 1024 * 1024
_HANDSHAKE: Final = 10.0
_TICK: Final = 0.1
"""Seconds between two parts of a slow answer."""
_KINDS: Final = {b"{": "application/json", b"[": "application/json"}
_CLOSE: Final = "Connection: close\r\n"
_PHRASES: Final = {int(status): status.phrase for status in http.HTTPStatus}
_REASONS: Final = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Server:
    """Serves one cluster on a port of 127.0.0.1, which stays the same when it is closed and opened again."""

    def __init__(self, cluster: clusters.Cluster, authority: authorities.Authority) -> None:
        self.cluster = cluster
        self.fault = faults.Fault()
        self.port = 0
        self._authority = authority
        self._server: asyncio.Server | None = None
        self._open: set[_Conversation] = set()

    async def start(self, *, expired: bool = False) -> None:
        """Listen, with a certificate that holds or with one that has expired."""
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: _Conversation(self),
                "127.0.0.1",
                self.port,
                ssl=self._authority.expired if expired else self._authority.context,
                ssl_handshake_timeout=_HANDSHAKE,
                reuse_address=True,
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and all that goes through it."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for conversation in list(self._open):
                conversation.drop()
            # Not waited for: from Python 3.12 on, that lasts until clients in the midst of a handshake have gone too.
            await asyncio.sleep(0)

    async def suffer(self, fault: faults.Fault) -> None:
        """Let something be wrong, or (with ``faults.Fault()``) right again; raises OSError where the port was taken."""
        if fault.refuse or fault.expired != self.fault.expired:
            await self.stop()
        if not fault.refuse:
            await self.start(expired=fault.expired)
        self.fault = fault
        self.cluster.controllers.fare(fault.workloads)
        self.cluster.rights = fault.rights
        if fault.silent:
            for conversation in list(self._open):
                conversation.fall_silent()

    @property
    def is_down(self) -> bool:
        """Tell whether it is one of the times when a flapping site is away."""
        fault, cluster = self.fault, self.cluster
        return bool(fault.flapping) and not faults.is_up(
            cluster.name, fault.flapping, fault.seed, cluster.store.clock()
        )


class _Head(NamedTuple):
    """The first part of a request."""

    method: str
    target: str
    headers: dict[str, str]
    keep: bool
    size: int
    whole: int
    """How long the request is, its body included."""


class _Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._silent = server.fault.silent
        self._stream: streaming.Stream | None = None
        self._keep = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of its classes
        self._server._open.add(self)  # noqa: SLF001  # one room, one file
        if self._server.is_down:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End."""
        self._server._open.discard(self)  # noqa: SLF001
        self._transport = None
        if self._stream is not None:
            self._stream.end()

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
        if self._server.fault.reset or self._server.is_down:
            self.drop()
            return
        self._buffer += data
        self._take_all()

    def _take_all(self) -> None:
        try:
            while self._take():
                pass
        except objects.Refusal as refusal:
            self._send(replies.refused(refusal), keep=False)

    def _take(self) -> bool:
        """Take one request out of what has come; tell whether there was one. Raises ``Refusal`` for what is none."""
        if self._transport is None or self._transport.is_closing() or self._stream is not None:
            return False
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end > _MOST_HEAD or (end < 0 and len(self._buffer) > _MOST_HEAD):
                raise objects.Refusal(431, "", "the request's headers are too long")
            if end < 0:
                return False
            self._head = _parsed(bytes(self._buffer[:end]))
            if self._head.headers.get("expect", "").lower() == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = self._head
        if len(self._buffer) < head.whole:
            return False
        body = bytes(self._buffer[head.size : head.whole])
        del self._buffer[: head.whole]
        self._head = None
        self._answer(head, body)
        return True

    def _answer(self, head: _Head, body: bytes) -> None:
        fault, cluster = self._server.fault, self._server.cluster
        if fault.hostile and self._transport is not None:
            cluster.requests += 1
            self._silent = True
            faults.play(fault.hostile, self._transport)
            return
        extra = ""
        if fault.status:
            cluster.requests += 1
            reason = _REASONS.get(fault.status, "")
            reply = replies.refused(objects.Refusal(fault.status, reason, reason or "simulated"))
            extra = f"Retry-After: {fault.retry_after}\r\n" if fault.retry_after else ""
        elif len(body) > _MOST_BODY:
            cluster.requests += 1
            text = f"Request entity too large: limit is {_MOST_BODY}"
            reply = replies.refused(objects.Refusal(413, "RequestEntityTooLarge", text))
        else:
            reply = cluster.answer(head.method, head.target, head.headers, body)
        if head.method == "HEAD":
            reply = reply._replace(body=b"")
        if fault.latency > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(fault.latency, lambda: self._send(reply, keep=head.keep, extra=extra))
        else:
            self._send(reply, keep=head.keep, extra=extra)

    def _send(self, reply: replies.Reply, *, keep: bool, extra: str = "") -> None:
        if self._transport is None or self._silent:
            return
        status, content = reply.code, reply.body
        first = b"{" if reply.watch is not None else content[:1]
        kind = reply.content_type or _KINDS.get(first, "text/plain; charset=utf-8")
        if reply.etag:
            extra += f"Etag: {reply.etag}\r\nVary: Accept\r\n"
        date = email.utils.formatdate(self._server.cluster.store.clock(), usegmt=True)
        # What is said of a body in a 304 would be taken for news of the body that the client has (RFC 9110, 15.4.5).
        length = f"Content-Length: {len(content)}" if reply.watch is None else "Transfer-Encoding: chunked"
        about = "" if status == 304 else f"Content-Type: {kind}\r\n{length}\r\n"
        line = f"HTTP/1.1 {status} {_PHRASES.get(status, 'Answer')}\r\n"
        head = f"{line}Date: {date}\r\n{extra}{about}{'' if keep else _CLOSE}\r\n"
        fault = self._server.fault
        if reply.watch is not None:
            self._transport.write(head.encode())
            self._keep = keep
            self._stream = streaming.Stream(reply.watch, self._server.cluster.store, self, fault.bandwidth)
            self._stream.begin()
            return
        if fault.stuck:
            content, keep = b"", True
        elif fault.cut:
            content, keep = content[: len(content) // 2], False
        self._write(head.encode() + content, fault.bandwidth, keep=keep)
        self._silent |= fault.stuck

    # --- for a stream

    def pass_on(self, data: bytes) -> int:
        """Write a part of a watch, and tell how many bytes wait to be taken."""
        if self._transport is None or self._silent:
            return 0
        if self._server.is_down:
            self.drop()
            return 0
        with contextlib.suppress(OSError):
            cut = self._server.fault.cut
            self._transport.write(data[: len(data) // 2] if cut else data)
            if cut:
                self._transport.close()
        return self._transport.get_write_buffer_size()

    def finish(self) -> None:
        """Go on after a watch."""
        self._stream = None
        if not self._keep and self._transport is not None:
            self._transport.close()
        self._take_all()

    # --- for everything else

    def _write(self, answer: bytes, bandwidth: int, *, keep: bool) -> None:
        """Write an answer, at once or little by little."""
        if self._transport is None or self._silent:
            return
        size = max(1, int(bandwidth * _TICK)) if bandwidth else len(answer)
        with contextlib.suppress(OSError):
            self._transport.write(answer[:size])
            if size < len(answer):
                later = asyncio.get_running_loop().call_later
                later(_TICK, lambda: self._write(answer[size:], bandwidth, keep=keep))
            elif not keep:
                self._transport.close()


def _parsed(head: bytes) -> _Head:
    """Return a request's head; raises ``Refusal``."""
    line, *rest = head.decode("latin-1").split("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in {"HTTP/1.0", "HTTP/1.1"} or not parts[1].startswith("/"):
        raise objects.Refusal(400, "BadRequest", "not an HTTP/1.1 request")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in rest)}
    if "transfer-encoding" in headers:
        raise objects.Refusal(501, "NotImplemented", "a simulated cluster does not do transfer encodings")
    given = headers.get("content-length", "0")
    if not (given.isascii() and given.isdecimal()) or len(given) > 9 or int(given) > _MOST_SKIPPED:
        raise objects.Refusal(400, "BadRequest", f"no length for a body: {given[:32]}")
    keep = parts[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    size = len(head) + 4
    return _Head(parts[0], parts[1], headers, keep, size, size + int(given))
