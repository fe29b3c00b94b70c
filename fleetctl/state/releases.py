"""Releases by their digest; objects that several releases share are stored once."""

from __future__ import annotations

import sqlite3

import msgspec

from fleetctl.model import objects, releases
from fleetctl.state import blobs

__all__ = ["get", "parts", "put"]


class _Part(msgspec.Struct, array_like=True):
    id: objects.ObjectId
    body: str
    template: str


class _Listing(msgspec.Struct):
    site: str
    bundle: str
    version: str
    parts: list[_Part]
    fingerprints: tuple[tuple[str, str], ...] = ()


def put(conn: sqlite3.Connection, release: releases.Release) -> None:
    """Store a release, unless its digest is known: equal digests are equal objects."""
    if conn.execute("SELECT 1 FROM releases WHERE digest = ?", (release.digest,)).fetchone() is not None:
        return
    parts = [_Part(one.id, blobs.put(conn, one.body), one.template) for one in release.objects]
    listing = _Listing(release.site, release.bundle, release.version, parts, release.fingerprints)
    blob = blobs.put(conn, msgspec.json.encode(listing))
    conn.execute(
        "INSERT INTO releases (digest, blob, bundle, version) VALUES (?, ?, ?, ?)",
        (release.digest, blob, release.bundle, release.version),
    )


def get(conn: sqlite3.Connection, digest: str) -> releases.Release | None:
    """Return a release, or None when this store never had it; ``site`` is the one it was stored for first."""
    listing = _listing(conn, digest)
    if listing is None:
        return None
    made = tuple(releases.RenderedObject(part.id, blobs.get(conn, part.body), part.template) for part in listing.parts)
    return releases.Release(listing.site, listing.bundle, listing.version, digest, made, listing.fingerprints)


def parts(conn: sqlite3.Connection, digest: str) -> list[str]:
    """Return the digests of what a release's objects are kept in."""
    listing = _listing(conn, digest)
    return [part.body for part in listing.parts] if listing else []


def _listing(conn: sqlite3.Connection, digest: str) -> _Listing | None:
    row = conn.execute("SELECT blob FROM releases WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else msgspec.json.decode(blobs.get(conn, row[0]), type=_Listing)
