"""What changes are asked with: the query of an apply or a patch, and the body of a deletion."""

from __future__ import annotations

import functools
import urllib.parse
from typing import Final

import msgspec

__all__ = ["APPLY", "PATCH", "applying", "deletion", "patching"]

APPLY: Final = "application/apply-patch+yaml"
"""Content type of a server-side apply."""
PATCH: Final = "application/json-patch+json"
"""Content type of a JSON patch (RFC 6902)."""


@functools.lru_cache(maxsize=64)
def applying(manager: str, *, force: bool) -> str:
    """Return how the query of an apply begins: the same for each object of a release, at each site."""
    fields = {"fieldManager": manager, "fieldValidation": "Strict", **({"force": "true"} if force else {})}
    return f"{urllib.parse.urlencode(fields)}&"


def patching(manager: str) -> str:
    """Return how the query of a patch begins."""
    return f"{urllib.parse.urlencode({'fieldManager': manager})}&"


def deletion(uid: str, resource_version: str = "") -> bytes:
    """Return the options that delete exactly the object of a UID (and version), and what it owns after it."""
    preconditions = {"uid": uid, **({"resourceVersion": resource_version} if resource_version else {})}
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": preconditions,
        "propagationPolicy": "Background",
    }
    return msgspec.json.encode(options)
