"""What proves us to an API server, and what it must look like before it is sent anywhere."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

__all__ = [
    "end_of_certificate",
    "end_of_token",
    "fault_of_pair",
    "impersonation",
    "is_certificate",
    "is_key",
    "is_token",
]

_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")

_KEPT: Final = 1024
_LAST: Final = dt.datetime.max.replace(tzinfo=dt.UTC).timestamp() - 1
"""The last second that has a date."""
_IN_NAMES: Final = "!#$&'*+-.^_`|~"


class _Claims(msgspec.Struct):
    exp: float | None = None


def is_token(text: str) -> bool:
    """Tell whether a text can be a token: it ends no header, and has no sign that no token has."""
    return text.isascii() and text.isprintable() and " " not in text


def is_certificate(content: bytes) -> bool:
    """Tell whether there is a certificate in it, as PEM."""
    return _CERTIFICATE.search(content) is not None


def is_key(content: bytes) -> bool:
    """Tell whether there is a private key in it, as PEM."""
    return _KEY.search(content) is not None


def fault_of_pair(certificate: bytes, key: bytes) -> str:
    """Return what is wrong with a client certificate and its key, or an empty text."""
    if bool(certificate) != bool(key):
        return "a client certificate needs its key, and a key its certificate"
    return "its client key is encrypted; give it one that is not" if b"ENCRYPTED" in key else ""


def end_of_token(token: str) -> float | None:
    """Return when a token ends (RFC 7519, ``exp``), by the clock on the wall; None where it does not say.

    Its signature is not looked at: whoever could forge it would gain nothing but that we do not use it.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        end = msgspec.json.decode(claims, type=_Claims).exp
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return None if end is None else min(max(end, 0.0), _LAST)


@functools.lru_cache(_KEPT)
def end_of_certificate(certificate: bytes) -> float | None:
    """Return when the first certificate of a PEM ends, by the clock on the wall; None if it cannot be read."""
    from cryptography import x509  # noqa: PLC0415  # only for those who prove themselves by certificates

    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError:
        return None


def impersonation(
    user: str, uid: str, groups: Iterable[str], extra: Mapping[str, Iterable[str]]
) -> tuple[tuple[str, str], ...]:
    """Return the headers by which one user acts as another, as client-go sends them; raises ``ValueError``.

    Keys of ``extra`` are escaped as client-go does: byte by byte, save those that a header's name may have.
    """
    headers = [("Impersonate-User", user)] if user else []
    headers += [("Impersonate-Uid", uid)] if uid else []
    headers += [("Impersonate-Group", group) for group in groups]
    for key, values in extra.items():
        name = urllib.parse.quote(key, safe=_IN_NAMES)
        headers += [(f"Impersonate-Extra-{name}", value) for value in values]
    if headers and not user:
        raise ValueError("it impersonates a uid, groups or extra, but no user")
    if any(not value.isascii() or not value.isprintable() or value != value.strip() for _, value in headers):
        raise ValueError("whom it impersonates has signs that no header has")
    return tuple(headers)
