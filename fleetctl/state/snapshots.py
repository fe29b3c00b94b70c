"""Objects as they were before a run took them over from somebody else: what an undo of the run brings back."""

from __future__ import annotations

import sqlite3

import msgspec

from fleetctl.model import objects
from fleetctl.state import blobs

__all__ = ["get", "of", "put"]


def put(conn: sqlite3.Connection, run: str, site: str, identity: objects.ObjectId, data: bytes) -> None:
    """Keep what an object was, in place of what was kept of it for the same run before."""
    digest = blobs.put(conn, data)
    conn.execute(
        "INSERT INTO snapshots (run, site, object, blob) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (run, site, object) DO UPDATE SET blob = excluded.blob",
        (run, site, _key(identity), digest),
    )


def get(conn: sqlite3.Connection, run: str, site: str, identity: objects.ObjectId) -> bytes | None:
    """Return what an object was, or None when this store does not know; raises as ``blobs.get``."""
    row = conn.execute(
        "SELECT blob FROM snapshots WHERE run = ? AND site = ? AND object = ?", (run, site, _key(identity))
    ).fetchone()
    return None if row is None else blobs.get(conn, row[0])


def of(conn: sqlite3.Connection, run: str, site: str) -> dict[objects.ObjectId, bytes]:
    """Return all that a run took over at a site, as it was; raises as ``blobs.get``."""
    found = conn.execute("SELECT object, blob FROM snapshots WHERE run = ? AND site = ?", (run, site)).fetchall()
    return {msgspec.json.decode(key, type=objects.ObjectId): blobs.get(conn, blob) for key, blob in found}


def _key(identity: objects.ObjectId) -> str:
    return msgspec.json.encode(identity).decode()
