"""Sites that are left alone for a while: runs skip them, and owe them what they would have brought.

On hold by somebody's word, or outside their windows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from fleetctl.model import events
from fleetctl.state import debts, rows, runs

__all__ = ["FLEET", "Closed", "Hold", "current", "lift", "never", "put", "skip", "skip_closed"]

FLEET: Final = "*"
"""Stands for every site, those that come later, too; no site has such a name."""

Closed = Callable[[str, float], bool]
"""Tells whether a site may not be changed at a moment, in seconds since the epoch."""

_HELD: Final = (
    "run = ?1 AND outcome IS NULL AND wave <= ?2"
    " AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.site = run_sites.site AND l.bundle = ?3 AND l.until + ?4 > ?5)"
    " AND EXISTS (SELECT 1 FROM holds h WHERE h.site IN (run_sites.site, '*') AND h.until > ?5)"
)


class Hold(msgspec.Struct, frozen=True, array_like=True):
    """A site, or the fleet, that nobody visits before ``until``; times are seconds since the epoch."""

    site: str
    until: float
    reason: str
    who: str
    since: float


def put(conn: sqlite3.Connection, made: Iterable[Hold]) -> None:
    """Hold sites; what was said of them before gives way."""
    conn.executemany(
        "INSERT OR REPLACE INTO holds (site, until, reason, who, since) VALUES (?, ?, ?, ?, ?)",
        [(one.site, one.until, one.reason, one.who, one.since) for one in made],
    )


def lift(conn: sqlite3.Connection, sites: Iterable[str] | None) -> int:
    """Let sites go; None lets all of them go, and the fleet. Returns how many holds there were."""
    if sites is None:
        return conn.execute("DELETE FROM holds").rowcount
    return max(0, conn.executemany("DELETE FROM holds WHERE site = ?", [(site,) for site in sites]).rowcount)


def current(conn: sqlite3.Connection, now: float) -> dict[str, Hold]:
    """Return the holds that still count, by site."""
    found = conn.execute("SELECT site, until, reason, who, since FROM holds WHERE until > ? ORDER BY site", (now,))
    return {row[0]: Hold(*row) for row in found}


def skip(conn: sqlite3.Connection, run: rows.Run, now: float) -> int:
    """Skip, and owe, the members of open waves that are held and that nobody visits now; returns how many.

    In the transaction that claims, so that no visit begins after a hold was committed. One that is under way ends.
    """
    if not conn.execute("SELECT 1 FROM holds WHERE until > ? LIMIT 1", (now,)).fetchone():
        return 0
    if run.state is not events.RunState.RUNNING:
        return 0
    held = rows.rows_of(conn, _HELD, run.id, run.wave, run.bundle, runs.GRACE, now)
    for row in held:
        debts.skip(conn, run, row, "hold", now)
    return len(held)


def never(_site: str, _now: float) -> bool:
    """Tell that a site may be changed at any time."""
    return False


def skip_closed(conn: sqlite3.Connection, run: rows.Run, sites: Iterable[str], now: float) -> Iterator[rows.Row]:
    """Skip, and owe, members of a run that nobody visits now and that may not be changed at this time; yields them."""
    for site in sites:
        row = rows.row_of(conn, "run = ? AND site = ?", run.id, site)
        if row is not None:
            debts.skip(conn, run, row, "window", now)
            yield from rows.rows_of(conn, "run = ? AND site = ?", run.id, site)
