"""What a wire to an API server promises: one request, one answer, within a deadline and a size, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

__all__ = ["Answer", "Broken", "Endpoint", "Kind", "Limits", "Proof", "Prover", "Request", "Session", "Transport"]

Kind = Literal[
    "refused",
    "no-route",
    "unresolved",
    "proxy",
    "connect-timeout",
    "handshake-timeout",
    "timeout",
    "stalled",
    "slow",
    "closed",
    "handshake",
    "untrusted",
    "wrong-name",
    "expired",
    "not-yet-valid",
    "client-certificate",
    "no-credential",
    "too-large",
    "protocol",
]
"""No connection; then silence or an end; then what TLS found; no credential; an answer that cannot be taken."""


class Proof(msgspec.Struct, frozen=True):
    """What proves us for a while. Held in memory; never shown."""

    token: str = ""
    client_cert: bytes = b""
    client_key: bytes = b""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Proof()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show nothing of it to libraries that draw records."""
        return []


class Prover(Protocol):
    """Gives the credential of the moment."""

    def held(self) -> Proof | None:
        """Return the credential if it is there and holds."""
        ...

    async def current(self) -> Proof:
        """Return the credential, however long that takes; raises ``Broken``."""
        ...

    def refuse(self, proof: Proof) -> bool:
        """Take note that a server refused a credential; tells whether there is, or may be, a better one."""
        ...


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
    prover: Prover | None = None
    """What gives token or client certificate, where they are not for good."""
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers that say as whom requests are to be judged; they may repeat."""
    ends: float | None = None
    """When token and client certificate end, by the wall clock; None if they do not say, or somebody renews them."""

    def __repr__(self) -> str:
        """Show where, not as whom."""
        return f"Endpoint({self.server})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show where, not as whom, to libraries that draw records."""
        return [("server", self.server)]

    def proven(self, proof: Proof) -> Endpoint:
        """Return the same endpoint with the credential of the moment; a certificate that stands here is kept."""
        cert, key = (proof.client_cert, proof.client_key) if proof.client_cert else (self.client_cert, self.client_key)
        return msgspec.structs.replace(self, token=proof.token, client_cert=cert, client_key=key)


class Limits(msgspec.Struct, frozen=True):
    """What a server may cost: seconds and bytes."""

    connect: float = 10.0
    """For name, proxy and connection; behind a SOCKS proxy for TLS, too."""
    handshake: float = 10.0
    """For TLS."""
    first_byte: float = 30.0
    """Until anything of the answer comes: admission and storage may be slow where the link is not."""
    stall: float = 20.0
    """With no byte moving in the middle of an answer."""
    size: int = 16 * 1024 * 1024
    """For the body of an answer."""
    headers: int = 64 * 1024
    """For all header lines of an answer, interim ones and trailers included."""


class Request(msgspec.Struct, frozen=True):
    """One request; ``timeout`` is for all of it, in seconds."""

    method: Literal["GET", "PATCH", "DELETE", "POST", "PUT"]
    path: str
    """Below the server, with its query."""
    timeout: float
    body: bytes | None = None
    content_type: str = ""
    accept: str = "application/json"
    if_none_match: str = ""
    """The mark of what is known already: a server that has nothing else says 304."""
    take: Callable[[bytes], bool] | None = None
    """Is given the body of a 200 as it comes, and says no when it takes no more; silence in between is no fault."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    retry_after: float | None = None
    date: bytes = b""
    """The server's own time, as its header has it."""
    classified: bool = False
    """Whether the server's API Priority and Fairness had the request before it."""
    etag: bytes = b""
    """The mark of what came, as its header has it."""


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
