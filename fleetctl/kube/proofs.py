"""What proves us to an API server, and what it must look like before it is sent anywhere."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["fault_of_pair", "is_certificate", "is_key", "is_token"]

_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")


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
