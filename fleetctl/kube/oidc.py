"""OpenID Connect: an id-token of the kubeconfig, and the issuer that gives another one for a refresh token.

Source: client-go's ``plugin/pkg/client/auth/oidc``, OpenID Connect Core 1.0 (section 12) and Discovery 1.0 (3, 4), RFC
6749 (2.3.1, 5.2, 6). Unlike client-go, the issuer must be asked over TLS, one refresh serves all users whose settings
are the same, and no refresh token is used up before it is certain that the next one can be saved.
"""

from __future__ import annotations

import base64
import concurrent.futures
import pathlib
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from fleetctl.kube import proofs, renewing, tokensaving, transport

__all__ = ["Issuers", "Settings", "User", "settings"]

_TIMEOUT: Final = 10.0
"""Seconds that an issuer may take for each of two answers."""
_MOST: Final = 1024 * 1024
_AT_ONCE: Final = 4
# Without a name and password, and without what would have no place before a path.
_ISSUER: Final = re.compile(r"https://[A-Za-z0-9._:\[\]-]+(?:/[!-~]*)?")
_ERROR: Final = re.compile(r"[a-z_]{1,40}")
"""An error as RFC 6749 (5.2) names it; what an issuer says besides may be anything."""


class Settings(msgspec.Struct, frozen=True):
    """How a kubeconfig's user is known at an issuer. Users whose settings are equal share their tokens."""

    issuer: str
    client_id: str
    client_secret: str
    authority: bytes
    """PEM; nothing means the authorities of the system."""
    id_token: str
    refresh_token: str

    def __repr__(self) -> str:
        """Show where, not as whom."""
        return f"Settings({self.issuer})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show where, not as whom, to libraries that draw records."""
        return [("issuer", self.issuer)]


def settings(config: Mapping[str, str], authority: bytes) -> Settings:
    """Return what a kubeconfig's auth-provider says; raises ``ValueError``. ``authority`` is what it names as that."""
    issuer, client = config.get("idp-issuer-url", ""), config.get("client-id", "")
    id_token, refresh_token = config.get("id-token", ""), config.get("refresh-token", "")
    if not _ISSUER.fullmatch(issuer):
        raise ValueError("the idp-issuer-url of its auth-provider is no https:// address")
    if not client:
        raise ValueError("its auth-provider has no client-id")
    if not id_token and not refresh_token:
        raise ValueError("its auth-provider has neither an id-token nor a refresh-token: log in first")
    if not proofs.is_token(id_token) or (id_token and proofs.end_of_token(id_token) is None):
        raise ValueError("the id-token of its auth-provider is none")
    return Settings(issuer, client, config.get("client-secret", ""), authority, id_token, refresh_token)


class User(renewing.Renewed):
    """Gives a user's id-token, refreshed before it ends. As for kubectl, a 401 is no reason for that."""

    def __init__(self, known: Settings, pool: concurrent.futures.Executor, clock: Callable[[], float]) -> None:
        super().__init__(known.issuer, pool, clock)
        self._settings = known
        self._places: list[tokensaving.Place] = []
        self._tokens = tokensaving.Tokens(known.id_token, known.refresh_token)
        self._unsaved = False
        end, now = proofs.end_of_token(known.id_token), clock()
        self._standing = transport.Proof(known.id_token)
        self._stands_until = 0.0 if end is None else renewing.until(end, now)

    def stands_in(self, path: pathlib.Path, user: str) -> None:
        """Take note of a kubeconfig, and the user's name in it, where new tokens belong."""
        place = tokensaving.Place(path, user)
        if place not in self._places:
            self._places.append(place)

    def held(self) -> transport.Proof | None:
        """Return the id-token if one is there and holds; at first it is the one that stands in the kubeconfig."""
        return super().held() or (self._standing if self._clock() < self._stands_until else None)

    def refuse(self, proof: transport.Proof) -> bool:
        """Tell whether there is a newer id-token than one that a server refused."""
        return self.held() not in {None, proof}

    def ask(self, unwanted: threading.Event) -> tuple[transport.Proof, float | None]:
        """Refresh the tokens and save them; raises ``Unusable``. Once the issuer was asked it is seen through."""
        with tokensaving.alone(self._places[0].path, unwanted):
            if not self._unsaved:
                found = tokensaving.read(self._places[0])
                if found.id_token != self._tokens.id_token and self._holds(found.id_token):
                    self._tokens = found  # somebody else refreshed them
                else:
                    for place in self._places:
                        tokensaving.require_writable(place)
                    self._tokens = _refreshed(self._settings, found.refresh_token or self._tokens.refresh_token)
            self._unsaved = True
            for place in self._places:
                tokensaving.save(place, self._tokens)
            self._unsaved = False
        return transport.Proof(self._tokens.id_token), proofs.end_of_token(self._tokens.id_token)

    def _holds(self, token: str) -> bool:
        end, now = proofs.end_of_token(token), self._clock()
        return end is not None and now < renewing.until(end, now) and proofs.is_token(token)


class Issuers:
    """The users of one command: one for all that have equal settings."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take the clock that tokens end by."""
        self._clock = clock
        self._users: dict[Settings, User] = {}
        self._pool: concurrent.futures.Executor | None = None

    def user(self, known: Settings) -> User:
        """Return the user of settings; nobody is asked yet."""
        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(_AT_ONCE, "oidc")
        if known not in self._users:
            self._users[known] = User(known, self._pool, self._clock)
        return self._users[known]


class _Discovery(msgspec.Struct):
    token_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] | None = None


class _Answer(msgspec.Struct):
    id_token: str = ""
    refresh_token: str = ""
    error: str = ""


def _refreshed(known: Settings, refresh_token: str) -> tokensaving.Tokens:
    """Ask an issuer for new tokens; raises ``Unusable``."""
    from fleetctl.web import fetching  # noqa: PLC0415  # only where tokens are refreshed

    authority = known.authority or None
    try:
        with fetching.Client(known.issuer, authority=authority, timeout=_TIMEOUT, most=_MOST) as issuer:
            found = _decoded(issuer.ask(".well-known/openid-configuration").body, _Discovery)
        endpoint = found.token_endpoint
        if not endpoint.startswith("https://"):
            raise renewing.Unusable("its issuer names no https:// address for tokens")
        headers, form = _request(known, refresh_token, found.token_endpoint_auth_methods_supported)
        with fetching.Client(endpoint, headers, authority=authority, timeout=_TIMEOUT, most=_MOST) as client:
            answer = _decoded(client.ask(endpoint, "POST", form=form).body, _Answer)
    except fetching.FetchError as error:
        raise renewing.Unusable(_refusal(error.message, error.status, error.body)) from None
    if not answer.id_token:
        raise renewing.Unusable("its issuer gave no id_token for the refresh token: was the scope openid asked for?")
    if not proofs.is_token(answer.id_token) or proofs.end_of_token(answer.id_token) is None:
        raise renewing.Unusable("what its issuer gave for an id_token is none")
    return tokensaving.Tokens(answer.id_token, answer.refresh_token or refresh_token)


def _request(known: Settings, refresh_token: str, methods: list[str] | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return headers and form of a request for tokens; the client proves itself in the way that the issuer takes."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if not known.client_secret:
        return {}, {**form, "client_id": known.client_id}
    if methods and "client_secret_basic" not in methods and "client_secret_post" in methods:
        return {}, {**form, "client_id": known.client_id, "client_secret": known.client_secret}
    pair = ":".join(map(urllib.parse.quote_plus, (known.client_id, known.client_secret)))
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, form


def _refusal(message: str, status: int, body: bytes) -> str:
    """Say what an issuer had against it, without anything that it says in words of its own."""
    try:
        said = msgspec.json.decode(body, type=_Answer).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = ""
    if status in {400, 401} and _ERROR.fullmatch(said):
        return f"its issuer does not refresh the id-token ({said}): log in again"
    return f"its issuer gave no new id-token: {message}"


def _decoded(body: bytes, sort: type[Any]) -> Any:  # noqa: ANN401  # one of that sort
    try:
        return msgspec.json.decode(body, type=sort)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise renewing.Unusable("what its issuer answered is not what OpenID Connect says") from None
