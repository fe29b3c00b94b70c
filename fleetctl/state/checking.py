"""Whether the journal holds together: every row against the blobs, leases and debts that it implies."""

from __future__ import annotations

import sqlite3

from fleetctl.model import errors
from fleetctl.state import blobs, releases

__all__ = ["check"]

_RULES = (
    (
        "{0} of {1} is done and has no outcome",
        "SELECT site, run FROM run_sites WHERE phase = 'done' AND outcome IS NULL",
    ),
    (
        "{0} of {1} has an outcome and is not done",
        "SELECT site, run FROM run_sites WHERE outcome IS NOT NULL AND phase <> 'done'",
    ),
    (
        "{1} is finished and {0} has no outcome",
        (
            "SELECT s.site, s.run FROM run_sites s JOIN runs r ON r.id = s.run"
            " WHERE r.state = 'finished' AND s.outcome IS NULL"
        ),
    ),
    (
        "{0} of {1} was changed and never claimed",
        "SELECT site, run FROM run_sites WHERE attempt = 0 AND effect IS NOT NULL AND effect <> 'none'",
    ),
    (
        "{0} has a lease of {1}, which does not know it",
        (
            "SELECT l.site, l.run FROM leases l LEFT JOIN run_sites s ON s.run = l.run AND s.site = l.site"
            " WHERE s.site IS NULL OR s.attempt < l.attempt"
        ),
    ),
    (
        "{0} is owed something by {1}, which was aborted",
        "SELECT d.site, d.run FROM debts d JOIN runs r ON r.id = d.run WHERE d.state = 'open' AND r.state = 'aborted'",
    ),
)


def check(conn: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the journal, in words; nothing is repaired."""
    found = [f"SQLite: {row[0]}" for row in conn.execute("PRAGMA integrity_check") if row[0] != "ok"]
    found += [
        f"row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in conn.execute("PRAGMA foreign_key_check")
    ]
    for words, query in _RULES:
        found += [words.format(*row) for row in conn.execute(query)]
    for get, query in ((blobs.get, "SELECT digest FROM blobs"), (releases.get, "SELECT digest FROM releases")):
        for (digest,) in conn.execute(query).fetchall():
            try:
                get(conn, digest)
            except errors.Refused as error:
                found.append(error.message)
    return list(dict.fromkeys(found))
