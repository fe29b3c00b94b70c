"""What of a damaged journal can be derived from the rest of it, and is put right; nothing else is touched.

A file that SQLite finds damaged is never written. Content that is missing cannot be made again here; a new rollout
renders it and finds in the clusters' parents what they run.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from fleetctl.model import codes, errors
from fleetctl.state import checking

__all__ = ["repair"]

# In this order: the later ones rest on the earlier.
_STEPS: Final = (
    "UPDATE run_sites SET phase = 'done' WHERE outcome IS NOT NULL AND phase <> 'done'",
    # Its process never told what it did: it is visited again, in full.
    (
        "UPDATE run_sites SET phase = CASE attempt WHEN 0 THEN 'waiting' ELSE 'applying' END"
        " WHERE outcome IS NULL AND phase = 'done'"
        " AND run IN (SELECT id FROM runs WHERE state IN ('running', 'paused', 'halted'))"
    ),
    # Of a run that is over, nobody will visit it any more.
    (
        "UPDATE run_sites SET phase = 'done', ended = ?1, reason = 'aborted',"
        " outcome = CASE attempt WHEN 0 THEN 'skipped' ELSE 'unreachable' END,"
        " effect = CASE attempt WHEN 0 THEN 'none' ELSE 'unknown' END"
        " WHERE outcome IS NULL AND run IN (SELECT id FROM runs WHERE state = 'finished')"
    ),
    (
        "DELETE FROM leases WHERE NOT EXISTS (SELECT 1 FROM run_sites s"
        " WHERE s.run = leases.run AND s.site = leases.site AND s.attempt >= leases.attempt)"
    ),
    (
        "UPDATE debts SET state = 'cancelled' WHERE state = 'open'"
        " AND run IN (SELECT id FROM runs WHERE state = 'aborted')"
    ),
)


def repair(conn: sqlite3.Connection, now: float) -> list[str]:
    """Put right what can be derived, in one transaction; returns what is wrong after that.

    Raises ``Refused`` where SQLite itself finds the file damaged.
    """
    for row in conn.execute("PRAGMA integrity_check"):
        if row[0] != "ok":
            hint = "It was left as it is. Bring a copy back: fleetctl state restore FILE"
            raise errors.Refused(codes.Code.STATE_DAMAGED, f"the journal is damaged: {row[0]}", hint)
    for step in _STEPS:
        conn.execute(step, (now,) if "?1" in step else ())
    return checking.check(conn)
