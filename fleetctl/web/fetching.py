"""Ask a service over HTTP: one question, a bounded answer, a deadline, and errors without secrets.

Headers may carry tokens, so no redirect is followed (a token would travel with it) and no error quotes what was sent.
Proxies and extra authorities come from the usual environment variables (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Self

import httpx
import msgspec

__all__ = ["MOST", "Answer", "Client", "Failure", "FetchError"]

MOST: Final = 64 * 1024 * 1024
"""Bytes of one answer, after decompression."""

_UNSENDABLE: Final = "a header or proxy setting cannot be sent"
_HOST = re.compile(r"[A-Za-z0-9._:-]+")

Failure = Literal["unreachable", "untrusted", "refused", "missing", "broken", "too-large"]
"""No answer in time; TLS not to be trusted; 401, 403; 404; any other answer that is of no use; an endless one."""


class FetchError(Exception):
    """A question without a usable answer; ``status`` and ``body`` are the answer's, 0 and nothing where there was none.

    The body is for the caller to look into, never to be shown: it is a stranger's text. ``retry_after`` is how many
    seconds the service asks to wait before the question is put again, 0 where it does not.
    """

    def __init__(
        self, failure: Failure, message: str, status: int = 0, body: bytes = b"", *, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.status = status
        self.body = body
        self.retry_after = retry_after


class Answer(msgspec.Struct, frozen=True):
    """What came back: a 2xx status, headers in lower case, the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  # whatever the service says; the caller checks it
        """Return the body as JSON; raises ``FetchError``."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise FetchError("broken", "the answer is not JSON", self.status) from None


class Client:
    """One service. ``timeout`` is for a whole answer, in seconds; ``authority`` is its CA, a PEM file or its bytes."""

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str] | None = None,
        *,
        authority: str | bytes | None = None,
        timeout: float = 30.0,
        most: int = MOST,
    ) -> None:
        self._base = base.rstrip("/")
        self._timeout = timeout
        self._most = most
        try:
            if isinstance(authority, bytes):
                context = ssl.create_default_context(cadata=authority.decode("ascii"))
            else:
                context = ssl.create_default_context(cafile=authority)
        except (OSError, ssl.SSLError, UnicodeError) as error:
            named = authority if isinstance(authority, str) else "what is given"
            raise FetchError("untrusted", f"{named} cannot be used as an authority: {error}") from None
        try:
            self._origin = _origin(httpx.URL(self._base))
            self._client = httpx.Client(headers=dict(headers or {}), verify=context, timeout=timeout)
        except httpx.InvalidURL:
            raise FetchError("broken", f'"{base}" is not an address') from None
        except (UnicodeError, ValueError, TypeError):  # a header or a proxy that cannot be; the values are not quoted
            raise FetchError("broken", _UNSENDABLE) from None

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close all connections."""
        self._client.close()

    def ask(self, path: str, method: str = "GET", body: object = None, form: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to one question; ``body`` is sent as JSON, ``form`` as a form. Raises ``FetchError``.

        ``path`` follows the base; a whole URL must lie on the same origin (services send such for the next page).
        """
        url = self._located(path)
        try:
            with self._client.stream(method, url, json=body, data=form) as response:
                content = b"".join(self._bounded(response))
                answer = Answer(response.status_code, dict(response.headers), content)
        except httpx.TimeoutException:
            raise FetchError("unreachable", f"no answer within {self._timeout:g} s") from None
        except httpx.DecodingError:
            raise FetchError("broken", "the answer's compression is broken") from None
        except httpx.LocalProtocolError:  # its words quote the header, which may be a secret
            raise FetchError("broken", _UNSENDABLE) from None
        except httpx.TransportError as error:
            untrusted = isinstance(error.__cause__ or error.__context__, ssl.SSLError) or "CERTIFICATE" in str(error)
            raise FetchError("untrusted" if untrusted else "unreachable", _said(error)) from None
        if not 200 <= answer.status < 300:
            said = f"{answer.status} {response.reason_phrase}".strip()
            wait = _seconds(answer.headers.get("retry-after", ""))
            raise FetchError(_failure(answer.status), said, answer.status, content, retry_after=wait)
        return answer

    def _bounded(self, response: httpx.Response) -> Iterator[bytes]:
        """Pass on a body within its limits of size and time: httpx's own time-out is for each piece."""
        end = time.monotonic() + self._timeout
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > self._most:
                raise FetchError("too-large", f"the answer is larger than {self._most // 1024 // 1024} MiB")
            if time.monotonic() > end:
                raise FetchError("unreachable", f"no whole answer within {self._timeout:g} s")
            yield piece

    def _located(self, path: str) -> str:
        if "://" not in path:
            return f"{self._base}/{path.lstrip('/')}"
        try:
            there = _origin(httpx.URL(path))
        except httpx.InvalidURL:
            raise FetchError("broken", "the service names an address that is none") from None
        if there != self._origin:
            raise FetchError("broken", f"the service sends us on to {there[1]}, which is another one")
        return path


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return what an address belongs to; raises ``httpx.InvalidURL``."""
    if url.scheme not in {"http", "https"} or not _HOST.fullmatch(url.host):
        raise httpx.InvalidURL("not http(s)://HOST")
    return url.scheme, url.host, url.port


def _failure(status: int) -> Failure:
    if status in {401, 403}:
        return "refused"
    if status == 404:
        return "missing"
    return "unreachable" if status in {429, 502, 503, 504} else "broken"


def _seconds(text: str) -> int:
    """Read a Retry-After in seconds (RFC 9110, 10.2.3); its other form, a date, needs two clocks that agree."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _said(error: httpx.TransportError) -> str:
    """Return httpx's words, which name neither headers nor bodies, or at least its kind of error."""
    return str(error) or type(error).__name__
