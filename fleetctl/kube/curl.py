"""The wire on libcurl: all transfers of an event loop in one multi handle.

libcurl says which sockets and when; they are watched through one epoll of our own, which the loop watches as a single
descriptor, and through one timer that is moved only when it fires too early. Measured on a real kube-apiserver, that is
a fifth less CPU per visit than a watcher per socket (docs/explanation/performance.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from typing import Any, Final, Self

import pycurl

from fleetctl.kube import transport

__all__ = ["CurlTransport"]

_IN, _OUT, _REMOVE = 1, 2, 4
_EPOLL: Final = hasattr(select, "epoll")
_HTTP_DATE_MOST: Final = 3600.0

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


class CurlTransport:
    """Transfers of the running event loop; use as ``async with``."""

    def __init__(self, limits: transport.Limits = transport.Limits()) -> None:  # noqa: B008  # frozen
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._known: set[int] = set()
        self._epoll = select.epoll() if _EPOLL else None
        if self._epoll is not None:
            self._loop.add_reader(self._epoll.fileno(), self._ready)
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False
        self._waiting: dict[Any, asyncio.Future[None]] = {}

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is under way, and every connection."""
        for handle, future in list(self._waiting.items()):
            self.forget(handle)
            future.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._multi.close()
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def session(self, endpoint: transport.Endpoint) -> transport.Session:
        """Return a session; nothing is sent yet."""
        return _Session(self, endpoint, self._limits)

    async def run(self, handle: Any) -> None:  # noqa: ANN401  # pycurl is not typed
        """Carry out a prepared transfer; raises ``pycurl.error``. Cancelling takes it off the wire."""
        future = self._loop.create_future()
        self._waiting[handle] = future
        self._multi.add_handle(handle)
        try:
            await future
        finally:
            if handle in self._waiting:
                self.forget(handle)

    def forget(self, handle: Any) -> None:  # noqa: ANN401
        """Take a transfer off the wire."""
        self._waiting.pop(handle, None)
        self._multi.remove_handle(handle)

    # --- called by libcurl

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if self._epoll is None:
            self._watch_in_loop(what, descriptor)
            return
        if what == _REMOVE:
            if descriptor in self._known:
                self._known.discard(descriptor)
                with contextlib.suppress(OSError):  # closed already
                    self._epoll.unregister(descriptor)
            return
        mask = (select.EPOLLIN if what & _IN else 0) | (select.EPOLLOUT if what & _OUT else 0)
        if descriptor in self._known:
            self._epoll.modify(descriptor, mask)
        else:
            self._known.add(descriptor)
            self._epoll.register(descriptor, mask)

    def _watch_in_loop(self, what: int, descriptor: int) -> None:
        """Watch one socket by the loop itself, where there is no epoll."""
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        if what != _REMOVE and what & _IN:
            self._loop.add_reader(descriptor, self._act, descriptor, _IN)
        if what != _REMOVE and what & _OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, _OUT)

    def _set_timer(self, milliseconds: int) -> None:
        if milliseconds < 0:
            self._due = None
        elif milliseconds == 0:
            if not self._soon:
                self._soon = True
                self._loop.call_soon(self._now)
        else:
            self._due = self._loop.time() + milliseconds / 1000
            if self._timer is None or self._timer.when() > self._due:
                self._arm(self._due)

    # --- called by the loop

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._fire)

    def _now(self) -> None:
        self._soon = False
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _fire(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() + 0.0005 >= self._due:
            self._due = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        else:
            self._arm(self._due)

    def _ready(self) -> None:
        assert self._epoll is not None  # noqa: S101  # only then it is watched
        for descriptor, mask in self._epoll.poll(0, 256):
            what = (_IN if mask & ~select.EPOLLOUT else 0) | (_OUT if mask & select.EPOLLOUT else 0)
            self._multi.socket_action(descriptor, what)
        self._reap()

    def _act(self, descriptor: int, what: int) -> None:
        self._multi.socket_action(descriptor, what)
        self._reap()

    def _reap(self) -> None:
        while True:
            more, done, failed = self._multi.info_read()
            for handle in done:
                self._end(handle, None)
            for handle, number, message in failed:
                self._end(handle, pycurl.error(number, message))
            if not more:
                return

    def _end(self, handle: Any, error: BaseException | None) -> None:  # noqa: ANN401
        future = self._waiting.pop(handle)
        self._multi.remove_handle(handle)
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


class _Session:
    """One handle for all requests of a visit; its first request makes a connection that no other session gets."""

    def __init__(self, wire: CurlTransport, endpoint: transport.Endpoint, limits: transport.Limits) -> None:
        self._wire = wire
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
            await self._wire.run(handle)
        except pycurl.error as error:
            self._fresh = True  # whatever this connection holds, the next request does not want it
            raise self._broken(error.args[0], error.args[1]) from None
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
                return min(float(text), _HTTP_DATE_MOST)
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
