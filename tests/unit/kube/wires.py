"""TLS servers on this machine that behave as a test tells them to, and what they saw."""

import contextlib
import datetime as dt
import ipaddress
import os
import pathlib
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

from cryptography import x509
from cryptography.x509 import oid

from tests.kubebox import certificates

__all__ = ["Authority", "Behaviour", "Connection", "Seen", "Server", "answer", "answering", "black_hole"]

_HOUR = dt.timedelta(hours=1)
_PATIENCE = 20


class Authority(certificates.Authority):
    """An authority that also signs certificates nobody should accept."""

    def odd(self, *, host: str = "127.0.0.1", begins: int = -1, ends: int = 240) -> certificates.Pair:
        """Return a server's certificate for a host, valid from and to so many hours from now."""
        self.begins, self.ends = begins * _HOUR, ends * _HOUR
        try:
            named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            named = x509.DNSName(host)
        subject = x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, "odd")])
        usage = oid.ExtendedKeyUsageOID.SERVER_AUTH
        return self._signed(subject, usage, x509.SubjectAlternativeName([named]))


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """One accepted connection after its handshake."""

    def __init__(self, link: socket.socket, server: "Server") -> None:
        """Take the connection; the server keeps what is seen."""
        self._link = link
        self._server = server
        self._read = b""

    def request(self) -> Seen | None:
        """Read one request; None at the end of the connection."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return None
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._read) < length:
            if not self._more():
                return None
        body, self._read = self._read[:length], self._read[length:]
        seen = Seen(method, path, headers, body)
        self._server.seen.append(seen)
        return seen

    def _more(self) -> bytes:
        more = self._link.recv(65536)
        self._read += more
        return more

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._link.sendall(data)

    def receive(self) -> bytes:
        """Read whatever comes next, once."""
        return self._link.recv(65536)

    def send_outside(self, data: bytes) -> None:
        """Send bytes under the TLS layer, where only TLS records should be."""
        os.write(self._link.fileno(), data)

    def until_closed(self) -> None:
        """Wait for the other end to close, and note that it did."""
        while self._link.recv(65536):
            pass
        self._server.closed.set()

    def reset(self) -> None:
        """End the connection as a crashed host does."""
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def user(self) -> str:
        """Return the name in the certificate that the client showed, or ""."""
        assert isinstance(self._link, ssl.SSLSocket)
        shown = self._link.getpeercert() or {}
        parts = [part for parts in shown.get("subject", ()) for part in parts]
        return str(dict(parts).get("commonName", ""))  # type: ignore[arg-type]


Behaviour = Callable[[Connection], None]
"""Serves one connection; what breaks in it is the client's doing."""


class Server:
    """Listens on a port of 127.0.0.1, one thread per connection, until the ``with`` block ends."""

    def __init__(self, pair: certificates.Pair | None, behaviour: Behaviour, *, clients: bytes | None = None) -> None:
        """Take the certificate to show and, where clients must show one, their authority (PEM); None is no TLS."""
        self.seen: list[Seen] = []
        self.connections = 0
        self.handshakes = 0
        self.closed = threading.Event()
        self._behaviour = behaviour
        self._plain = pair is None
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if pair is not None:
            self._show(pair)
        if clients is not None:
            self._tls.verify_mode = ssl.CERT_REQUIRED
            self._tls.load_verify_locations(cadata=clients.decode())
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._open: set[socket.socket] = set()

    def _show(self, pair: certificates.Pair) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "pair.pem")
            file.write_bytes(pair.certificate + pair.key)
            self._tls.load_cert_chain(file)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection and thread."""
        self.stop_listening()
        self._threads[0].join(_PATIENCE)
        for link in list(self._open):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(_PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)

    def stop_listening(self) -> None:
        """Refuse new connections from here on."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._socket.accept()
                self.connections += 1
                self._open.add(link)
                thread = threading.Thread(target=self._serve, args=(link,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, link: socket.socket) -> None:
        try:
            link.settimeout(_PATIENCE)
            if self._plain:
                self._behaviour(Connection(link, self))
                return
            with self._tls.wrap_socket(link, server_side=True) as safe:
                self._open.add(safe)
                self.handshakes += 1
                self._behaviour(Connection(safe, self))
                self._open.discard(safe)
        except (OSError, ValueError):
            pass
        finally:
            self._open.discard(link)
            link.close()


def answer(body: bytes = b"{}", status: int = 200, headers: str = "") -> bytes:
    """Return a whole answer as it goes over the wire."""
    return f"HTTP/1.1 {status} Said\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def answering(*said: bytes) -> Behaviour:
    """Give these answers one after another on each connection, the last one for ever."""

    def serve(connection: Connection) -> None:
        queue = list(said) or [answer()]
        while connection.request() is not None:
            connection.send(queue.pop(0) if len(queue) > 1 else queue[0])

    return serve


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Listen on a port, and never accept."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
