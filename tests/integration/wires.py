"""A door before an API server that writes down every request which passes, and can hold some of them at a known place.

It ends TLS, so what it counts are requests as they are on the wire, repetitions included. The server behind it is the
real one; the door changes nothing but the address.
"""

import http.client
import http.server
import pathlib
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from tests.kubebox import certificates, clusters

__all__ = ["Held", "Request", "Wire"]

_PATIENCE = 300
_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Request(NamedTuple):
    """One request; ``path`` has no query."""

    method: str
    path: str

    @property
    def changes(self) -> bool:
        """Tell whether it may change something."""
        return self.method != "GET"


class Held:
    """Requests that wait at the door: on their way in, or their answers on the way out."""

    def __init__(self, match: Callable[[Request], bool], side: Literal["request", "answer"]) -> None:
        """Hold what matches; nothing waits yet."""
        self.match = match
        self.side = side
        self.reached = threading.Event()
        """Set as soon as one waits."""
        self._go = threading.Event()

    def wait(self, patience: float = 60) -> None:
        """Wait until a request waits at the door."""
        assert self.reached.wait(patience), "the request that was to be held did not come"

    def release(self) -> None:
        """Let everything pass from now on."""
        self._go.set()

    def pause(self) -> None:
        """Stay here until it is released."""
        self.reached.set()
        assert self._go.wait(_PATIENCE), "nobody released a held request"


class Wire:
    """The door of one cluster, on a port of its own with an authority of its own; ``with`` closes it."""

    def __init__(self, cluster: clusters.Cluster, folder: pathlib.Path) -> None:
        """Open the door; its certificate is written into the folder."""
        self.cluster = cluster
        self.requests: list[Request] = []
        """What came, in order."""
        self._held: list[Held] = []
        authority = certificates.Authority(f"wire of {cluster.name}")
        self.authority = authority.certificate
        """The certificate that the door's is signed by (PEM)."""
        server, file = authority.server(), folder / f"{cluster.name}.pem"
        file.write_bytes(server.certificate + server.key)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(file)
        self._server = _Server(self, tls)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        """The address of the door."""
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def hold(self, method: str, path: str, side: Literal["request", "answer"] = "request") -> Held:
        """Hold requests of a method whose path ends so, before they reach the server or before their answers leave."""
        held = Held(lambda one: one.method == method and one.path.endswith(path), side)
        self._held.append(held)
        return held

    def take(self) -> list[Request]:
        """Return what came since the last time."""
        taken, self.requests = self.requests, []
        return taken

    def passing(self, request: Request, side: Literal["request", "answer"]) -> None:
        """Write a request down, and wait where it is held."""
        if side == "request":
            self.requests.append(request)
        for held in self._held:
            if held.side == side and held.match(request):
                held.pause()

    def close(self) -> None:
        """Close the door, and wait until everybody who came through it has left."""
        for held in self._held:
            held.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them

    def __init__(self, wire: Wire, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.wire = wire
        self._tls = tls

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection; the handshake is left to its own thread."""
        connection, address = super().get_request()
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Say nothing of clients that went away: some are killed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server  # type: ignore[mutable-override]  # nobody else starts it

    def setup(self) -> None:
        super().setup()
        cluster = self.server.wire.cluster
        tls = ssl.create_default_context(cadata=cluster.authority.decode())
        self._behind = http.client.HTTPSConnection("127.0.0.1", cluster.port, timeout=_PATIENCE, context=tls)

    def finish(self) -> None:
        self._behind.close()
        super().finish()

    def _pass(self) -> None:
        wire, request = self.server.wire, Request(self.command, self.path.partition("?")[0])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wire.passing(request, "request")
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
        self._behind.request(self.command, self.path, body or None, headers)
        with self._behind.getresponse() as answer:
            content = answer.read()
            wire.passing(request, "answer")
            self.send_response_only(answer.status, answer.reason)
            for key, value in answer.getheaders():
                if key.lower() not in _HOP:
                    self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = _pass  # noqa: N815 - the library looks for these
