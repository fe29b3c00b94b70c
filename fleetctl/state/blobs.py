"""Content by its hash: plans, releases, objects, evidence. Stored once, compressed, checked when read."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from typing import Final

from fleetctl.model import codes, errors

__all__ = ["get", "put"]

_VERSION: Final = "b1"
_LARGEST: Final = 256 * 1024 * 1024


def put(conn: sqlite3.Connection, data: bytes) -> str:
    """Store content and return its digest, ``b1:`` and the SHA-256."""
    digest = f"{_VERSION}:{hashlib.sha256(data).hexdigest()}"
    if conn.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is None:
        conn.execute("INSERT INTO blobs (digest, data) VALUES (?, ?)", (digest, zlib.compress(data, 3)))
    return digest


def get(conn: sqlite3.Connection, digest: str) -> bytes:
    """Return content; raises ``Refused`` when it is missing or is not what was stored."""
    row = conn.execute("SELECT data FROM blobs WHERE digest = ?", (digest,)).fetchone()
    try:
        data = zlib.decompressobj().decompress(row[0], _LARGEST) if row else None
    except zlib.error:
        data = None
    if data is None or f"{_VERSION}:{hashlib.sha256(data).hexdigest()}" != digest:
        message = f"the journal refers to content {digest} that is {'damaged' if row else 'missing'}"
        raise errors.Refused(codes.Code.STATE_DAMAGED, message, "Restore a copy of the journal.")
    return data
