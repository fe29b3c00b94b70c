"""Proxies on this machine, as far as a client of API servers needs them: HTTP CONNECT and SOCKS5, and what they saw."""

import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Self

__all__ = ["Connect", "Proxy", "Socks"]

_PATIENCE = 20
_WHO = b'HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'


class Proxy:
    """Listens on a port of 127.0.0.1 and carries each connection to where it is asked, until the ``with`` block ends.

    ``names`` is what the proxy alone knows: a host's name and the port of 127.0.0.1 that it stands for.
    """

    scheme = ""

    def __init__(self, names: Mapping[str, int] | None = None, login: tuple[str, str] | None = None) -> None:
        """Take the names that it resolves, and the name and password that it demands, if any."""
        self.asked: list[str] = []
        """Where it was asked to go: ``host:port``."""
        self.heard = bytearray()
        """All that it was told before the way was open."""
        self._names = names or {}
        self._login = login
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def address(self) -> str:
        """Return its host and port."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection and thread."""
        for link in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(_PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)

    def _start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._serve, self._socket.accept()[0])

    def _serve(self, link: socket.socket) -> None:
        with link, contextlib.suppress(OSError, ValueError):
            link.settimeout(_PATIENCE)
            self._open.append(link)
            asked = self._greet(link)
            if asked is None:
                return
            self.asked.append(asked)
            host, _, port = asked.rpartition(":")
            with socket.create_connection(("127.0.0.1", self._names.get(host, int(port)))) as further:
                further.settimeout(_PATIENCE)
                self._open.append(further)
                self._let_through(link)
                back = self._start(_pump, further, link)
                _pump(link, further)
                back.join(_PATIENCE)

    def _take(self, link: socket.socket, count: int) -> bytes:
        """Read exactly so many bytes."""
        found = b""
        while len(found) < count:
            more = link.recv(count - len(found))
            if not more:
                raise ValueError("the client went away")
            found += more
        self.heard += found
        return found

    def _greet(self, link: socket.socket) -> str | None:
        """Return where the client wants to go; None where it is not let through."""
        raise NotImplementedError

    def _let_through(self, link: socket.socket) -> None:
        """Say that the way is open."""
        raise NotImplementedError


class Connect(Proxy):
    """RFC 9110, 9.3.6."""

    scheme = "http"

    def _greet(self, link: socket.socket) -> str | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(link, 1)
        if self._login is not None and b"proxy-authorization: basic " not in head.lower():
            link.sendall(_WHO)
            return None
        method, asked, _ = head.decode().split(" ", 2)
        return asked if method == "CONNECT" else None

    def _let_through(self, link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


class Socks(Proxy):
    """SOCKS5: RFC 1928, with the user name and password of RFC 1929."""

    scheme = "socks5"

    def _greet(self, link: socket.socket) -> str | None:
        _, count = self._take(link, 2)
        offered = self._take(link, count)
        wanted = 0 if self._login is None else 2
        if wanted not in offered:
            link.sendall(b"\x05\xff")
            return None
        link.sendall(bytes((5, wanted)))
        if self._login is not None:
            given = tuple(self._take(link, self._take(link, size)[-1]).decode() for size in (2, 1))
            link.sendall(bytes((1, given != self._login)))
            if given != self._login:
                return None
        _, _, _, sort = self._take(link, 4)
        if sort == 3:
            host = self._take(link, self._take(link, 1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(self._take(link, 4 if sort == 1 else 16)))
        return f"{host}:{struct.unpack('!H', self._take(link, 2))[0]}"

    def _let_through(self, link: socket.socket) -> None:
        link.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
