"""What a wire to an API server promises: one request, one answer, within a deadline and a size, or a reason why not."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

__all__ = ["Answer", "Broken", "Endpoint", "Kind", "Limits", "Request", "Session", "Transport"]

Kind = Literal[
    "refused",
    "no-route",
    "unresolved",
    "proxy",
    "connect-timeout",
    "timeout",
    "stalled",
    "closed",
    "handshake",
    "untrusted",
    "wrong-name",
    "expired",
    "not-yet-valid",
    "client-certificate",
    "too-large",
    "protocol",
]
"""No connection; then silence or an end; then what TLS found; then an answer that cannot be taken."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where an API server is, how it proves itself, and as whom we come. Held in memory; never shown."""

    server: str
    """``https://host:port``, with a path where one stands before the API."""
    ca: bytes | None = None
    """PEM of the authorities that may have signed its certificate; None means those of the system."""
    token: str = ""
    client_cert: bytes = b""
    client_key: bytes = b""
    server_name: str = ""
    """The name to check in its certificate, where it is not the host's."""
    proxy: str = ""

    def __repr__(self) -> str:
        """Show where, not as whom."""
        return f"Endpoint({self.server})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show where, not as whom, to libraries that draw records."""
        return [("server", self.server)]

    def through(self, proxy: str) -> Endpoint:
        """Return the same endpoint behind a proxy."""
        return msgspec.structs.replace(self, proxy=proxy)


class Limits(msgspec.Struct, frozen=True):
    """What a server may cost: seconds and bytes."""

    connect: float = 10.0
    """For name, connection and TLS together."""
    stall: int = 20
    """With no byte moving."""
    size: int = 16 * 1024 * 1024
    headers: int = 64 * 1024


class Request(msgspec.Struct, frozen=True):
    """One request; ``timeout`` is for all of it, in seconds."""

    method: Literal["GET", "PATCH", "DELETE", "POST", "PUT"]
    path: str
    """Below the server, with its query."""
    timeout: float
    body: bytes | None = None
    content_type: str = ""
    accept: str = "application/json"


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    retry_after: float | None = None
    date: bytes = b""
    """The server's own time, as its header has it."""


class Broken(Exception):
    """No answer came, or none that can be used."""

    def __init__(self, kind: Kind, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sent = sent
        """Whether the server may have seen the request."""


class Session(Protocol):
    """One connection to one cluster, made at the first request and kept for the visit."""

    async def send(self, request: Request) -> Answer:
        """Return the answer; raises ``Broken``."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class Transport(Protocol):
    """Makes sessions."""

    def session(self, endpoint: Endpoint) -> Session:
        """Return a session; nothing is sent yet."""
        ...
