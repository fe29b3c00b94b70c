"""An issuer of OpenID Connect on this machine: discovery, keys, and tokens for refresh tokens, which it may rotate."""

import base64
import json
import time
import urllib.parse
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.unit.kube import wires

__all__ = ["CLIENT", "FIRST", "Issuer"]

CLIENT = "fleet"
FIRST = "refresh-s3cret-0"
"""The refresh token that is good at first."""


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _number(number: int) -> str:
    return _b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Issuer:
    """Serves until the ``with`` block ends; what is asked for tokens is kept in ``forms`` and ``heads``."""

    def __init__(self, authority: wires.Authority, *, rotating: bool = True) -> None:
        """Take the authority that signs its certificate, and whether a refresh token is good for one use only."""
        self.rotating = rotating
        self.refresh_token = FIRST
        self.lifetime = 3600.0
        self.discovery: dict[str, Any] = {}
        """What its discovery says otherwise."""
        self.said: dict[str, Any] = {}
        """What its answer says otherwise."""
        self.status = 200
        self.forms: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self._key = rsa.generate_private_key(65537, 2048)
        self._server = wires.Server(authority.server(), self._serve)
        self.url = self._server.url

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        """End it."""
        self._server.__exit__(*exception)

    @property
    def asked(self) -> int:
        """How many requests there were, for whatever."""
        return len(self._server.seen)

    def token(self, lifetime: float | None = None, **claims: object) -> str:
        """Return a signed id-token."""
        now = time.time()
        said = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "ops",
            "iat": int(now),
            "exp": int(now + (self.lifetime if lifetime is None else lifetime)),
            "nonce": str(len(self.forms)),
        }
        head = {"alg": "RS256", "kid": "k", "typ": "JWT"}
        text = ".".join(_b64(json.dumps(one).encode()) for one in (head, {**said, **claims}))
        return f"{text}.{_b64(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def config(self, authority: bytes, **more: str) -> dict[str, str]:
        """Return what a kubeconfig says of a user who has logged in."""
        return {
            "idp-issuer-url": self.url,
            "client-id": CLIENT,
            "idp-certificate-authority-data": base64.b64encode(authority).decode(),
            "refresh-token": FIRST,
            **more,
        }

    def _serve(self, connection: wires.Connection) -> None:
        while (seen := connection.request()) is not None:
            status, found = self._answered(seen)
            connection.send(wires.answer(json.dumps(found).encode(), status, "Content-Type: application/json\r\n"))

    def _answered(self, seen: wires.Seen) -> tuple[int, dict[str, Any]]:
        if seen.path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint": f"{self.url}/token",
                "authorization_endpoint": f"{self.url}/login",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                **self.discovery,
            }
        if seen.path == "/keys":
            public = self._key.public_key().public_numbers()
            key = {
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": "k",
                "n": _number(public.n),
                "e": _number(public.e),
            }
            return 200, {"keys": [key]}
        self.forms.append(dict(urllib.parse.parse_qsl(seen.body.decode())))
        self.heads.append(seen.headers)
        if self.status != 200:
            return self.status, self.said
        if self.forms[-1].get("refresh_token") != self.refresh_token:
            return 400, {"error": "invalid_grant", "error_description": f"no {self.refresh_token}"}
        if self.rotating:
            self.refresh_token = f"refresh-s3cret-{len(self.forms)}"
        answer = {
            "token_type": "Bearer",
            "access_token": "a",
            "expires_in": int(self.lifetime),
            "id_token": self.token(),
        }
        return 200, answer | ({"refresh_token": self.refresh_token} if self.rotating else {}) | self.said
