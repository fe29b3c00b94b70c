"""What each site is believed to run: a cache of what the clusters' own parents say."""

from __future__ import annotations

import sqlite3

import msgspec

__all__ = ["Installed", "get", "put", "take_away"]


class Installed(msgspec.Struct, frozen=True):
    """A bundle's release at a site, the run that brought it, and the cluster's identity then."""

    release: str
    run: str
    identity: str | None


def get(conn: sqlite3.Connection, site: str, bundle: str) -> Installed | None:
    """Return what a site had when it was last seen."""
    row = conn.execute(
        "SELECT release, run, identity FROM installed WHERE site = ? AND bundle = ?", (site, bundle)
    ).fetchone()
    return None if row is None else Installed(*row)


def put(conn: sqlite3.Connection, site: str, bundle: str, found: Installed, now: float) -> None:
    """Note what a site has; an identity that was not read this time is kept."""
    conn.execute(
        "INSERT INTO installed (site, bundle, release, run, identity, since) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (site, bundle) DO UPDATE SET release = excluded.release, run = excluded.run,"
        " identity = coalesce(excluded.identity, identity), since = excluded.since",
        (site, bundle, found.release, found.run, found.identity, now),
    )


def take_away(conn: sqlite3.Connection, site: str, bundle: str) -> None:
    """Note that a site has the bundle no longer."""
    conn.execute("DELETE FROM installed WHERE site = ? AND bundle = ?", (site, bundle))
