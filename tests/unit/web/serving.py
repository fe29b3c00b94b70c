"""A local HTTP server that behaves as a test says."""

import contextlib
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator

__all__ = ["Handler", "answer", "serving"]

Handler = http.server.BaseHTTPRequestHandler


@contextlib.contextmanager
def serving(behave: Callable[[Handler], None], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on a port of its own, over TLS with a context; yields the base address."""

    class Serving(Handler):
        def do_GET(self) -> None:  # noqa: N802  # http.server's name
            behave(self)

        do_POST = do_GET  # noqa: N815  # the same

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Handler], None]:
    """Return what answers every question alike; ``_`` in a header's name stands for ``-``."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(body)

    return behave
