"""One request to an API server, with Python's standard library alone: a mistake of our client cannot hide in it."""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["APPLY", "Answer", "Api"]

APPLY = "application/apply-patch+yaml"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The body, decoded."""
        return json.loads(self.text)


class Api:
    """An API server and who speaks to it; each call is a connection of its own."""

    def __init__(self, port: int, authority: bytes, token: str = "") -> None:
        """Speak to 127.0.0.1, trusting only certificates of the given authority (PEM)."""
        self.port = port
        self.authority = authority
        self.token = token
        self._tls = ssl.create_default_context(cadata=authority.decode())

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: str = "application/json",
        accept: str = "application/json",
        if_none_match: str = "",
        timeout: float = 20,
    ) -> Answer:
        """Send one request and return its answer; a body that is no text is sent as JSON."""
        raw = None if body is None else body if isinstance(body, str) else json.dumps(body)
        headers = {"Accept": accept, "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if if_none_match:
            headers["If-None-Match"] = if_none_match
        if raw is not None:
            headers["Content-Type"] = content
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self._tls)
        try:
            connection.request(method, path, raw, headers)
            with connection.getresponse() as response:
                text = response.read().decode()
                return Answer(response.status, dict(response.headers), text)
        finally:
            connection.close()

    @contextlib.contextmanager
    def lines(self, path: str, *, accept: str = "application/json", timeout: float = 20) -> Iterator[Iterator[Any]]:
        """Send a GET, which must be answered by 200, and give the lines of the body, decoded, as they come."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self._tls)
        with contextlib.closing(connection):
            connection.request("GET", path, None, {"Accept": accept, "Authorization": f"Bearer {self.token}"})
            with connection.getresponse() as response:
                assert response.status == http.client.OK, response.read()
                yield map(json.loads, iter(response.readline, b""))

    def answers(self, path: str) -> bool:
        """Tell whether the server says 200 to a GET; a server that is away, or starting, says no."""
        try:
            return self.call("GET", path, timeout=2).status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
