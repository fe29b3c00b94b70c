"""Visits with pycurl alone, for the benchmark of the wire: a bare loop on its multi interface, and threads beside it.

What is visited is ``wire/clients.py``'s ``Farm``, which is a script and no module, so that it has no type here.
"""

import select
from collections.abc import Callable
from typing import Any

import pycurl

__all__ = ["Visits", "ask", "prepared"]

_APPLY = "application/apply-patch+yaml"
_LONGEST = 1000
"""Milliseconds to wait for sockets, at most."""


def prepared(farm: Any, cluster: dict[str, str]) -> Any:  # noqa: ANN401  # pycurl is not typed
    """Return a handle that trusts the cluster's own authority alone."""
    handle = pycurl.Curl()
    handle.setopt(pycurl.CAINFO_BLOB, cluster["ca"])
    handle.unsetopt(pycurl.CAINFO)
    handle.unsetopt(pycurl.CAPATH)
    handle.setopt(pycurl.TIMEOUT, 30)
    handle.setopt(pycurl.NOSIGNAL, 1)
    if farm.certificate:
        handle.setopt(pycurl.SSLCERT_BLOB, cluster["cert"])
        handle.setopt(pycurl.SSLKEY_BLOB, cluster["key"])
    return handle


def ask(handle: Any, farm: Any, cluster: dict[str, str], call: tuple[str, str, bytes | None]) -> bytearray:  # noqa: ANN401
    """Put a request into a handle; returns what the answer's body will be in."""
    method, path, body = call
    lines = [f"{key}: {value}" for key, value in farm.headers(cluster).items()]
    taken = bytearray()
    handle.setopt(pycurl.URL, cluster["server"] + path)
    handle.setopt(pycurl.WRITEFUNCTION, taken.extend)
    if body is None:
        handle.unsetopt(pycurl.CUSTOMREQUEST)
        handle.setopt(pycurl.HTTPGET, 1)
    else:
        handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.setopt(pycurl.POSTFIELDS, body)
        lines.append(f"Content-Type: {_APPLY}")
    handle.setopt(pycurl.HTTPHEADER, lines)
    return taken


class Visits:
    """Visits each cluster of a farm once, as many at a time as the farm says."""

    def __init__(self, farm: Any, check: Callable[[int, bytes], None]) -> None:  # noqa: ANN401
        self._farm, self._check = farm, check
        self._clusters = iter(farm.clusters)
        self._wire, self._poll = pycurl.CurlMulti(), select.epoll()
        self._under_way: dict[Any, tuple[dict[str, str], list[Any], bytearray]] = {}
        self._wire.setopt(pycurl.M_SOCKETFUNCTION, self._watch)

    def run(self) -> None:
        """Visit; raises ``SystemExit`` where one fails."""
        for _ in range(self._farm.at_a_time):
            self._begin()
        while self._under_way:
            timeout = self._wire.timeout()
            events = self._poll.poll(min(timeout if timeout >= 0 else _LONGEST, _LONGEST) / 1000)
            for descriptor, mask in events:
                what = (1 if mask & ~select.EPOLLOUT else 0) | (2 if mask & select.EPOLLOUT else 0)
                self._wire.socket_action(descriptor, what)
            if not events or self._wire.timeout() == 0:
                self._wire.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            _, done, failed = self._wire.info_read(self._farm.at_a_time)
            if failed:
                raise SystemExit(f"not answered: {failed[0][1:]}")
            for handle in done:
                self._answered(handle)

    def _watch(self, what: int, descriptor: int, *_: object) -> None:
        mask = (select.EPOLLIN if what & 1 else 0) | (select.EPOLLOUT if what & 2 else 0)
        try:
            if what == pycurl.POLL_REMOVE:
                self._poll.unregister(descriptor)
            else:
                self._poll.modify(descriptor, mask)
        except OSError:  # closed already, or not known yet
            if mask:
                self._poll.register(descriptor, mask)

    def _begin(self) -> None:
        cluster = next(self._clusters, None)
        if cluster is not None:
            self._send(prepared(self._farm, cluster), cluster, list(self._farm.calls()))

    def _send(self, handle: Any, cluster: dict[str, str], left: list[Any]) -> None:  # noqa: ANN401
        call = left.pop(0)
        handle.setopt(pycurl.FORBID_REUSE, int(not left))
        self._under_way[handle] = cluster, left, ask(handle, self._farm, cluster, call)
        self._wire.add_handle(handle)

    def _answered(self, handle: Any) -> None:  # noqa: ANN401
        cluster, left, body = self._under_way.pop(handle)
        self._wire.remove_handle(handle)
        self._check(handle.getinfo(pycurl.RESPONSE_CODE), bytes(body))
        if left:
            self._send(handle, cluster, left)
        else:
            handle.close()
            self._begin()
