"""What the journal need not remember any longer: old runs, and the content that nothing refers to."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from typing import Final

import msgspec

from fleetctl.state import claims, databases, releases

__all__ = ["KEPT", "Collected", "collect", "give_back"]

KEPT: Final = 5
"""So many runs of a bundle stay, however old: what its rights and an undo are made from."""

# A run is needed while it may go on, owes something, brought what a site has, or took back one that is needed.
_OLD: Final = (
    "SELECT id FROM (SELECT id, state, created, coalesce(ended, created) AS at,"
    " row_number() OVER (PARTITION BY bundle ORDER BY created DESC, id DESC) AS rank FROM runs) r"
    " WHERE r.state IN ('finished', 'aborted') AND r.at < ? AND r.rank > ?"
    " AND NOT EXISTS (SELECT 1 FROM debts d WHERE d.run = r.id AND d.state = 'open')"
    " AND NOT EXISTS (SELECT 1 FROM installed i WHERE i.run = r.id)"
    " AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.run = r.id AND l.until + ? > ?)"
    " AND NOT EXISTS (SELECT 1 FROM run_sites s WHERE s.run = r.id AND s.outcome IS NULL)"
    " ORDER BY r.created, r.id"
)
_OF_RUNS: Final = (
    ("debts", "run"),
    ("leases", "run"),
    ("run_gates", "run"),
    ("snapshots", "run"),
    ("run_sites", "run"),
    ("runs", "id"),
)
_GOALS: Final = (
    "SELECT goal FROM run_sites UNION SELECT base FROM run_sites UNION SELECT before_visit FROM run_sites"
    " UNION SELECT after_visit FROM run_sites UNION SELECT previous FROM run_sites"
    " UNION SELECT release FROM installed UNION SELECT release FROM debts UNION SELECT base FROM debts"
)


class Collected(msgspec.Struct, frozen=True):
    """What went: runs, releases, pieces of content, and the bytes that these took in the file."""

    runs: tuple[str, ...] = ()
    releases: int = 0
    blobs: int = 0
    size: int = 0


class _Undone(Exception):
    """Takes a transaction back that has told what it would do."""

    def __init__(self, found: Collected) -> None:
        super().__init__()
        self.found = found


def collect(store: databases.Store, before: float, *, dry: bool = False) -> Collected:
    """Forget runs that ended before a time, and whatever nothing refers to then; with ``dry``, only say what.

    One transaction: a run that begins meanwhile stores its releases and itself in one of its own.
    """

    def change(conn: sqlite3.Connection) -> Collected:
        found = _collect(conn, before, store.now())
        if dry:
            raise _Undone(found)
        return found

    try:
        return store.write_now(change)
    except _Undone as undone:
        return undone.found


def _collect(conn: sqlite3.Connection, before: float, now: float) -> Collected:
    old = [row[0] for row in conn.execute(_OLD, (before, KEPT, claims.GRACE, now))]
    for table, column in _OF_RUNS:
        conn.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(run,) for run in old])  # noqa: S608  # ours
    gone = conn.execute(f"DELETE FROM releases WHERE digest NOT IN ({_GOALS} EXCEPT SELECT NULL)").rowcount  # noqa: S608  # ours
    conn.execute("CREATE TEMP TABLE needed (digest TEXT PRIMARY KEY) WITHOUT ROWID")
    try:
        conn.execute("INSERT OR IGNORE INTO needed SELECT blob FROM releases")
        conn.execute("INSERT OR IGNORE INTO needed SELECT plan_blob FROM runs")
        conn.execute("INSERT OR IGNORE INTO needed SELECT evidence FROM run_sites WHERE evidence IS NOT NULL")
        conn.execute("INSERT OR IGNORE INTO needed SELECT blob FROM snapshots")
        for (digest,) in conn.execute("SELECT digest FROM releases").fetchall():
            parts = [(blob,) for blob in releases.parts(conn, digest)]
            conn.executemany("INSERT OR IGNORE INTO needed VALUES (?)", parts)
        unneeded = "FROM blobs WHERE digest NOT IN (SELECT digest FROM needed)"
        size = conn.execute(f"SELECT coalesce(sum(length(data)), 0) {unneeded}").fetchone()[0]
        blobs = conn.execute(f"DELETE {unneeded}").rowcount
    finally:
        conn.execute("DROP TABLE needed")
    return Collected(tuple(old), gone, blobs, size)


def give_back(path: pathlib.Path) -> bool:
    """Give room that is free in the file back to the disk; tells whether that could be done now.

    It needs the journal alone and as much room again. Where others use it, the room stays in the file for later runs.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as conn:
        try:
            conn.execute("VACUUM")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            return False
    return True
