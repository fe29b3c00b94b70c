"""A visit's connection as libcurl makes it: what is verified, what is limited, and what a failure means."""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import pycurl

from fleetctl.kube import curlerrors, deadlines, transport

__all__ = ["Late", "Run", "Session"]

Late = Callable[[float], transport.Broken | None]
"""Tells, at a time of the loop's clock, whether a limit of the transfer under way is over, and which."""
Run = Callable[[Any, Late], Awaitable[None]]
"""Carries a prepared transfer out; raises ``pycurl.error``, or what came too late."""

_LONGEST_WAIT: Final = 3600.0
_A_SECRET: Final = 12
"""Letters of a token that is hidden in objects, too; a shorter one may be a word that stands there anyway."""
_REFUSALS: Final = 300
"""Statuses from here on come with words, which are shown, and not with objects."""
_HIDDEN: Final = b"(hidden)"
_UNAUTHORIZED: Final = 401
_OK: Final = b"200"


class Session:
    """One handle for all requests of a visit, and a pool of its own: nobody else is ever given its connection."""

    def __init__(self, run: Run, endpoint: transport.Endpoint, limits: transport.Limits) -> None:
        self._run = run
        self._bare = self._endpoint = endpoint
        self._prover = endpoint.prover
        self._limits = limits
        self._watch = deadlines.Watch(limits)
        self._body = bytearray()
        self._retry_after: float | None = None
        self._date = self._etag = b""
        self._header_bytes = self._before = 0  # in all, and of those a proxy's
        self._classified = self._too_large = self._sent = False
        self._status = b""
        self._sink: Callable[[bytes], bool] | None = None
        self._busy = False
        self._handle: Any = None
        self._pool: Any = None

    def close(self) -> None:
        """Give the connection up."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    async def send(self, request: transport.Request) -> transport.Answer:
        """Return the answer; raises ``Broken``. One request at a time."""
        if self._busy:
            raise RuntimeError("a session carries one request at a time")
        self._busy = True
        try:
            if self._prover is None:
                return await self._once(request)
            return await self._send_proven(request, self._prover)
        finally:
            self._busy = False

    async def _once(self, request: transport.Request) -> transport.Answer:
        try:
            handle = self._begin(request)
            await self._run(handle, self._late)
            status = handle.getinfo(pycurl.RESPONSE_CODE)
            body, etag = self._said(status), self._etag
            return transport.Answer(status, body, self._retry_after, self._date, self._classified, etag)
        except pycurl.error as error:
            number, message = (*error.args, "")[:2]
            raise self._broken(int(number), str(message)) from None
        finally:
            self._body = bytearray()  # a copy went out; this one would be held until the next request

    def _said(self, status: int) -> bytes:
        """Return the body. A server that sends our token back must not get it shown, logged or stored."""
        token = self._endpoint.token.encode()
        # Its end first: looking for all of a long one costs more than decoding an answer.
        spoken = token and token[-_A_SECRET:] in self._body and token in self._body
        if spoken and (len(token) >= _A_SECRET or status >= _REFUSALS):
            self._body = self._body.replace(token, _HIDDEN)
        return bytes(self._body)

    async def _send_proven(self, request: transport.Request, prover: transport.Prover) -> transport.Answer:
        """Send with the credential of the moment, and with a new one if it was refused: a 401 changes nothing.

        The prover's time is part of the request's: a change must not go out later than its deadline allows.
        """
        ends = time.monotonic() + request.timeout
        proof = await self._prove(prover, ends)
        answer = await self._once(_until(request, ends))
        if answer.status != _UNAUTHORIZED or not prover.refuse(proof):
            return answer
        await self._prove(prover, ends)
        return await self._once(_until(request, ends))

    async def _prove(self, prover: transport.Prover, ends: float) -> transport.Proof:
        """Take the credential of the moment; a connection made with another certificate is given up."""
        proof = prover.held()
        if proof is None:
            try:
                async with asyncio.timeout(ends - time.monotonic()):
                    proof = await prover.current()
            except TimeoutError:
                message = "the credential was not there in time"
                raise transport.Broken("no-credential", message, sent=False) from None
        before, self._endpoint = self._endpoint, self._bare.proven(proof)
        if (before.client_cert, before.client_key) != (self._endpoint.client_cert, self._endpoint.client_key):
            self.close()
        return proof

    def _prepare(self) -> Any:  # noqa: ANN401
        endpoint = self._endpoint
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        # Both are said even when empty: the environment's proxies, and its exceptions from ours, are not for us.
        # Go, and so kubectl, has the proxy look up names; libcurl calls that socks5h.
        handle.setopt(pycurl.PROXY, endpoint.proxy.replace("socks5://", "socks5h://", 1))
        handle.setopt(pycurl.NOPROXY, "")
        handle.setopt(pycurl.DNS_CACHE_TIMEOUT, 0)  # else each connection looks through the names of all others
        handle.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        # Each has its own limit (``_late``). libcurl divides the sum among the addresses of a name.
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int((self._limits.connect + self._limits.handshake) * 1000))
        handle.setopt(pycurl.MAXFILESIZE_LARGE, self._limits.size)
        handle.setopt(pycurl.WRITEFUNCTION, self._take)
        handle.setopt(pycurl.HEADERFUNCTION, self._take_header)
        handle.setopt(pycurl.PREREQFUNCTION, self._note_sent)
        handle.setopt(pycurl.SHARE, self._pool)
        if endpoint.ca is not None:
            handle.setopt(pycurl.CAINFO_BLOB, endpoint.ca)
            # pycurl starts with the system's authorities, and libcurl adds those of a folder to the ones given.
            handle.unsetopt(pycurl.CAINFO)
            handle.unsetopt(pycurl.CAPATH)
        if endpoint.client_cert:
            handle.setopt(pycurl.SSLCERT_BLOB, endpoint.client_cert)
            handle.setopt(pycurl.SSLKEY_BLOB, endpoint.client_key)
            handle.setopt(pycurl.KEYPASSWD, "")  # an encrypted key fails, rather than ask on the terminal
        return handle

    def _begin(self, request: transport.Request) -> Any:  # noqa: ANN401
        """Return the handle with a request in it; raises ``Broken`` when that cannot be written down."""
        self._body = bytearray()
        self._retry_after, self._date, self._classified, self._header_bytes, self._etag = None, b"", False, 0, b""
        self._too_large = self._sent = False
        self._sink, self._status = request.take, b""
        self._watch.begin()
        if not request.path.isascii() or not request.path.isprintable() or " " in request.path:
            raise transport.Broken("protocol", "the path of the request is no URL", sent=False)
        if self._handle is not None and _has_spoken(self._handle):
            self.close()
        if self._handle is None:
            self._pool = pycurl.CurlShare()
            self._pool.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
            self._handle = self._prepare()
        handle = self._handle
        headers = [f"Accept: {request.accept}", "Expect:", "User-Agent: fleetctl"]
        # libcurl takes a header without a value for one to leave out, unless a semicolon ends it.
        headers += [f"{name}: {value}" if value else f"{name};" for name, value in self._endpoint.impersonation]
        if self._endpoint.server_name:
            headers.append(f"Host: {self._endpoint.server.removeprefix('https://').partition('/')[0]}")
        if self._endpoint.token:
            headers.append(f"Authorization: Bearer {self._endpoint.token}")
        if request.if_none_match:
            headers.append(f"If-None-Match: {request.if_none_match}")
        if request.body is not None:
            headers.append(f"Content-Type: {request.content_type}")
            handle.setopt(pycurl.POSTFIELDS, request.body)
        else:
            handle.setopt(pycurl.HTTPGET, 1)
        handle.setopt(pycurl.CUSTOMREQUEST, request.method)
        handle.setopt(pycurl.HTTPHEADER, headers)
        handle.setopt(pycurl.URL, self._url(handle) + request.path)
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout * 1000)))
        return handle

    def _url(self, handle: Any) -> str:  # noqa: ANN401
        """Return the server; where another name is to be checked, the URL has that name and the host is dialled."""
        server = self._endpoint.server.rstrip("/")
        if not self._endpoint.server_name:
            return server
        host, port, path = _split(server)
        name = self._endpoint.server_name
        handle.setopt(pycurl.CONNECT_TO, [f"{name}:{port}:{host}:{port}"])
        return f"https://{name}:{port}{path}"

    # --- called by libcurl

    def _note_sent(self, *_: object) -> int:
        """Note that the connection stands and the request goes out now."""
        self._sent, self._before = True, self._header_bytes
        return pycurl.PREREQFUNC_OK

    def _take(self, data: bytes) -> int | None:
        if self._sink is not None and self._status == _OK:
            self._too_large = not self._sink(data)
            return -1 if self._too_large else None
        if len(self._body) + len(data) > self._limits.size:  # before 8.4, libcurl looks only at what is announced
            self._too_large = True
            return -1
        self._body += data
        return None

    def _take_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > self._limits.headers:
            self._too_large = True
            return -1
        start = line[:5]
        if start == b"HTTP/":  # an interim answer, or a proxy's, came before
            self._retry_after, self._date, self._etag, self._classified = None, b"", b"", False
            self._status = line[9:12]
        elif start in {b"Date:", b"date:"}:
            self._date = line[5:]
        elif start in {b"Etag:", b"ETag:", b"etag:"}:
            self._etag = line[5:]
        elif start in {b"X-Kub", b"x-kub"}:
            self._classified = self._classified or line[:29].lower() == b"x-kubernetes-pf-prioritylevel"
        elif line[:12].lower() == b"retry-after:":
            text = line[12:].strip()
            if text.isdigit() and len(text) < 10:
                self._retry_after = min(float(text), _LONGEST_WAIT)
        return None

    # --- what takes too long

    def _late(self, now: float) -> transport.Broken | None:
        if self._sink is not None and self._status == _OK:
            return None  # nothing need happen as long as it lasts
        moved = self._header_bytes + len(self._body) + self._handle.getinfo(pycurl.SIZE_UPLOAD_T)
        return self._watch.late(now, self._stage(), moved)

    def _stage(self) -> deadlines.Stage:
        if self._sent:
            begun = self._header_bytes > self._before
            return deadlines.Stage.ANSWERING if begun else deadlines.Stage.WAITING
        # Whether a SOCKS proxy has its connection libcurl does not tell; an HTTP proxy answers CONNECT.
        proxy, handle = self._endpoint.proxy, self._handle
        connected = handle.getinfo(pycurl.NUM_CONNECTS) > 0 and not proxy.startswith("socks")
        if connected and (not proxy or handle.getinfo(pycurl.HTTP_CONNECTCODE) // 100 == 2):
            return deadlines.Stage.SHAKING_HANDS
        return deadlines.Stage.CONNECTING

    # --- what went wrong

    def _broken(self, number: int, message: str) -> transport.Broken:
        """Say what went wrong, and whether the request may have reached the server."""
        if self._too_large:
            return transport.Broken("too-large", "the answer is larger than any that is taken", sent=self._sent)
        if number == pycurl.E_OPERATION_TIMEDOUT:
            return deadlines.over(self._stage(), self._handle.getinfo(pycurl.TOTAL_TIME))
        kind, words = curlerrors.meaning(self._handle, number, message)
        return transport.Broken(kind, words, sent=self._sent)


def _has_spoken(handle: Any) -> bool:  # noqa: ANN401
    """Tell whether a kept connection has ended, or says something though nothing was asked.

    libcurl looks only once a second, and would take that for the answer to what is asked next: more than was announced,
    or the 408 with which load balancers end a connection that was idle.
    """
    descriptor = handle.getinfo(pycurl.ACTIVESOCKET)
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _until(request: transport.Request, ends: float) -> transport.Request:
    """Return a request with the time that is left; raises ``Broken``."""
    left = ends - time.monotonic()
    if left <= 0:
        raise transport.Broken("no-credential", "getting the credential left no time for the request", sent=False)
    return msgspec.structs.replace(request, timeout=left)


def _split(server: str) -> tuple[str, str, str]:
    authority, slash, path = server.removeprefix("https://").partition("/")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, "443"
    return host, port, slash + path
