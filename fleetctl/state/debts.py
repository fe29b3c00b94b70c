"""What sites are owed: a release that a run could not bring to them. At most one open debt per site and bundle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from fleetctl.state import rows

__all__ = [
    "EXPIRY",
    "Debt",
    "cancel",
    "count",
    "drop_unpayable",
    "incur",
    "of",
    "open_ones",
    "payable",
    "settle",
    "skip",
]

EXPIRY: Final = 14 * 86400.0
"""Seconds after which a debt is no longer paid; it stays visible."""

_COLUMNS: Final = "d.site, d.bundle, d.run, d.release, d.base, d.checked, d.created, d.expires, r.namespace, r.version"
# A halt or pause freezes debts; a running run's are payable once their wave is open. Rule R9.
# Wave 0 is of members that are in no wave (maintenance): theirs are payable once the run is finished.
_PAYABLE: Final = "(r.state = 'finished' OR (r.state = 'running' AND d.wave > 0 AND r.wave >= d.wave))"


class Debt(msgspec.Struct, frozen=True, array_like=True):
    """An open debt; ``release`` None means that the bundle is to be taken off."""

    site: str
    bundle: str
    run: str
    release: str | None
    base: str | None
    """Digest that the cluster named when the debt was made, if ``checked``."""
    checked: bool
    created: float
    expires: float
    namespace: str
    version: str


def incur(
    conn: sqlite3.Connection, run: rows.Run, row: rows.Row, base: str | None, *, checked: bool, now: float
) -> None:
    """Open a debt for a site of a run; an older one of the same bundle there gives way."""
    cancel(conn, "site = ? AND bundle = ?", row.site, run.bundle)
    conn.execute(
        "INSERT INTO debts (site, bundle, run, wave, release, base, checked, state, created, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)"
        " ON CONFLICT (run, site) DO UPDATE SET state = 'open', base = excluded.base, checked = excluded.checked",
        (row.site, run.bundle, run.id, row.wave, row.goal, base, checked, now, now + EXPIRY),
    )


def skip(conn: sqlite3.Connection, run: rows.Run, row: rows.Row, reason: str, now: float) -> None:
    """Skip a member of a run for a reason that leaves a debt; one that was to pay a debt leaves it as it was."""
    conn.execute(
        "UPDATE run_sites SET outcome = 'skipped', effect = CASE attempt WHEN 0 THEN 'none' ELSE 'unknown' END,"
        " reason = ?, owed = 1, phase = 'done', ended = ? WHERE run = ? AND site = ?",
        (reason, now, run.id, row.site),
    )
    if row.origin is None:
        incur(conn, run, row, row.base, checked=row.checked, now=now)


def cancel(conn: sqlite3.Connection, where: str, *values: Any) -> None:  # noqa: ANN401  # what SQLite takes
    """Cancel the open debts that a condition of ours finds."""
    conn.execute(f"UPDATE debts SET state = 'cancelled' WHERE state = 'open' AND {where}", values)  # noqa: S608  # ours


def settle(conn: sqlite3.Connection, run: str, site: str, state: str, by: str) -> None:
    """Close an open debt as ``paid`` or ``cancelled``."""
    conn.execute(
        "UPDATE debts SET state = ?, settled_by = ? WHERE state = 'open' AND run = ? AND site = ?",
        (state, by, run, site),
    )


def open_ones(conn: sqlite3.Connection) -> list[Debt]:
    """Return all open debts, those that are frozen or have expired, too."""
    return _found(conn, "1")


def payable(conn: sqlite3.Connection, now: float) -> list[Debt]:
    """Return the debts that a catch-up may pay now."""
    return _found(conn, f"{_PAYABLE} AND d.expires > ?", now)


def of(conn: sqlite3.Connection, site: str, bundle: str) -> Debt | None:
    """Return what a site is owed of a bundle."""
    return next(iter(_found(conn, "d.site = ? AND d.bundle = ?", site, bundle)), None)


def count(conn: sqlite3.Connection, run: str) -> int:
    """Return how many sites are still owed something by a run."""
    return int(conn.execute("SELECT count(*) FROM debts WHERE run = ? AND state = 'open'", (run,)).fetchone()[0])


def drop_unpayable(conn: sqlite3.Connection, run: str, sites: Iterable[str], now: float) -> int:
    """Take members of a catch-up off it whose debt was cancelled, frozen or has expired since; returns how many.

    ``sites`` are members that nobody visits now. One that was visited by a process that never told was perhaps changed.
    """
    dropped = conn.executemany(
        "UPDATE run_sites SET phase = 'done', ended = ?1, outcome = CASE attempt WHEN 0 THEN 'skipped' ELSE"  # noqa: S608
        " 'unreachable' END, effect = CASE attempt WHEN 0 THEN 'none' ELSE 'unknown' END, reason = 'aborted'"
        " WHERE run = ?2 AND site = ?3 AND outcome IS NULL AND origin IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM debts d JOIN runs r ON r.id = d.run WHERE d.run = run_sites.origin AND d.site = run_sites.site"
        f" AND d.state = 'open' AND d.expires > ?1 AND {_PAYABLE})",  # ours
        [(now, run, site) for site in sites],
    )
    return max(0, dropped.rowcount)


def _found(conn: sqlite3.Connection, where: str, *values: Any) -> list[Debt]:  # noqa: ANN401
    query = (
        f"SELECT {_COLUMNS} FROM debts d JOIN runs r ON r.id = d.run WHERE d.state = 'open' AND {where} ORDER BY d.site"  # noqa: S608
    )
    return [msgspec.convert(row, type=Debt, strict=False) for row in conn.execute(query, values)]
