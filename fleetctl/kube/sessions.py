"""A visit's connection as libcurl makes it: what is verified, what is limited, and what a failure means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pycurl

from fleetctl.kube import transport

__all__ = ["Run", "Session"]

Run = Callable[[Any], Awaitable[None]]
"""Carries a prepared transfer out; raises ``pycurl.error``."""

_LONGEST_WAIT: Final = 3600.0

# libcurl's reasons -> ours; what is not here is a broken conversation.
_KINDS: Final[dict[int, transport.Kind]] = {
    pycurl.E_COULDNT_CONNECT: "refused",
    pycurl.E_COULDNT_RESOLVE_HOST: "unresolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "unresolved",
    pycurl.E_GOT_NOTHING: "closed",
    pycurl.E_SEND_ERROR: "closed",
    pycurl.E_RECV_ERROR: "closed",
    pycurl.E_PARTIAL_FILE: "closed",
    pycurl.E_SSL_CONNECT_ERROR: "closed",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls",
    pycurl.E_SSL_CERTPROBLEM: "tls",
    pycurl.E_SSL_CACERT_BADFILE: "tls",
    pycurl.E_SSL_ISSUER_ERROR: "tls",
    pycurl.E_FILESIZE_EXCEEDED: "too-large",
}


class Session:
    """One handle for all requests of a visit; its first request makes a connection that no other session gets."""

    def __init__(self, run: Run, endpoint: transport.Endpoint, limits: transport.Limits) -> None:
        self._run = run
        self._endpoint = endpoint
        self._limits = limits
        self._body = bytearray()
        self._headers: list[bytes] = []
        self._header_bytes = 0
        self._too_large = False
        self._fresh = True
        self._handle: Any = None

    def close(self) -> None:
        """Give the connection up."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    async def send(self, request: transport.Request) -> transport.Answer:
        """Return the answer; raises ``Broken``."""
        if self._handle is None:
            self._handle = self._prepare()
        handle = self._handle
        self._begin(handle, request)
        try:
            await self._run(handle)
        except pycurl.error as error:
            self._fresh = True  # whatever this connection holds, the next request does not want it
            number, message = (*error.args, "")[:2]
            raise self._broken(int(number), str(message)) from None
        except asyncio.CancelledError:
            self._fresh = True
            raise
        self._fresh = False
        return transport.Answer(handle.getinfo(pycurl.RESPONSE_CODE), bytes(self._body), self._retry_after())

    def _prepare(self) -> Any:  # noqa: ANN401
        endpoint = self._endpoint
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        handle.setopt(pycurl.PROXY, endpoint.proxy)  # "" keeps the environment's proxies out
        handle.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(self._limits.connect * 1000))
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        handle.setopt(pycurl.LOW_SPEED_TIME, self._limits.stall)
        handle.setopt(pycurl.MAXFILESIZE_LARGE, self._limits.size)
        handle.setopt(pycurl.WRITEFUNCTION, self._take)
        handle.setopt(pycurl.HEADERFUNCTION, self._take_header)
        if endpoint.ca is not None:
            handle.setopt(pycurl.CAINFO_BLOB, endpoint.ca)
        if endpoint.client_cert:
            handle.setopt(pycurl.SSLCERT_BLOB, endpoint.client_cert)
            handle.setopt(pycurl.SSLKEY_BLOB, endpoint.client_key)
        return handle

    def _begin(self, handle: Any, request: transport.Request) -> None:  # noqa: ANN401
        self._body = bytearray()
        self._headers, self._header_bytes, self._too_large = [], 0, False
        headers = [f"Accept: {request.accept}", "Expect:", "User-Agent: fleetctl"]
        if self._endpoint.token:
            headers.append(f"Authorization: Bearer {self._endpoint.token}")
        if request.body is not None:
            headers.append(f"Content-Type: {request.content_type}")
            handle.setopt(pycurl.POSTFIELDS, request.body)
        else:
            handle.setopt(pycurl.HTTPGET, 1)
        handle.setopt(pycurl.CUSTOMREQUEST, request.method)
        handle.setopt(pycurl.HTTPHEADER, headers)
        handle.setopt(pycurl.URL, self._url(handle) + request.path)
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout * 1000)))
        # Connections of one host and port are libcurl's to share; a visit's first request must not get another's.
        handle.setopt(pycurl.FRESH_CONNECT, 1 if self._fresh else 0)

    def _url(self, handle: Any) -> str:  # noqa: ANN401
        """Return the server; where another name is to be checked, the URL has that name and the host is dialled."""
        server = self._endpoint.server.rstrip("/")
        if not self._endpoint.server_name:
            return server
        host, port, path = _split(server)
        name = self._endpoint.server_name
        handle.setopt(pycurl.CONNECT_TO, [f"{name}:{port}:{host}:{port}"])
        return f"https://{name}:{port}{path}"

    def _take(self, data: bytes) -> int | None:
        if len(self._body) + len(data) > self._limits.size:
            self._too_large = True
            return -1
        self._body += data
        return None

    def _take_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > self._limits.headers:
            self._too_large = True
            return -1
        if line[:12].lower() == b"retry-after:":
            self._headers.append(line)
        return None

    def _retry_after(self) -> float | None:
        for line in self._headers:
            text = line.partition(b":")[2].strip()
            if text.isdigit():
                return min(float(text), _LONGEST_WAIT)
        return None

    def _broken(self, number: int, message: str) -> transport.Broken:
        """Say what went wrong, and whether the request may have reached the server."""
        handle = self._handle
        sent = bool(handle.getinfo(pycurl.REQUEST_SIZE)) and handle.getinfo(pycurl.PRETRANSFER_TIME) > 0
        if self._too_large:
            return transport.Broken("too-large", "the answer is larger than any that is taken", sent=True)
        if number == pycurl.E_OPERATION_TIMEDOUT:
            if not sent and handle.getinfo(pycurl.APPCONNECT_TIME) == 0:
                seconds = min(self._limits.connect, handle.getinfo(pycurl.TOTAL_TIME))
                return transport.Broken("connect-timeout", f"no connection after {seconds:.0f}s", sent=False)
            kind: transport.Kind = "stalled" if "too slow" in message or "Speed" in message else "timeout"
            return transport.Broken(kind, f"no answer after {handle.getinfo(pycurl.TOTAL_TIME):.0f}s", sent=True)
        return transport.Broken(_KINDS.get(number, "protocol"), message or f"libcurl {number}", sent=sent)


def _split(server: str) -> tuple[str, str, str]:
    rest = server.removeprefix("https://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, "443"
    return host, port, slash + path
