"""Runs in the journal: how one begins, stands still, goes on and ends. Each function is one transaction's work.

A run is ``running`` until it is ``finished``; ``paused`` and ``halted`` runs can be resumed, an ``aborted`` one cannot.
What abort, undo and newer runs do to debts is rule R9, what refuses a run is R10, what resume leaves alone is R11 of
the rollout protocol.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable
from typing import Final

from fleetctl.model import codes, errors, events, outcomes, plans
from fleetctl.state import debts, rows

__all__ = [
    "GRACE",
    "Row",
    "RowSeed",
    "Run",
    "abort",
    "all_of",
    "changed_by",
    "counts",
    "create",
    "find",
    "finish",
    "get",
    "interrupt",
    "latest",
    "latest_row",
    "new_id",
    "open_wave",
    "pause",
    "resume",
    "sites",
]

Run = rows.Run
Row = rows.Row
RowSeed = rows.RowSeed

GRACE: Final = 40.0
"""Seconds after a lease's end in which a request of its holder may still be committed.

An API server may commit a request up to 34 s after it arrived, though the client gave up.
"""
_UNFINISHED: Final = ("running", "paused", "halted")
_OPEN: Final = "state IN ('running', 'paused', 'halted')"


def new_id(now: float, source: random.Random) -> str:
    """Return a name for a run: its day, and four random hex digits."""
    return f"r-{time.strftime('%Y%m%d', time.gmtime(now))}-{source.randrange(16**6):06x}"


def find(conn: sqlite3.Connection, run: str) -> Run | None:
    """Return a run, or None."""
    return rows.run_of(conn, "id = ?", run)


def get(conn: sqlite3.Connection, run: str) -> Run:
    """Return a run that is there."""
    found = find(conn, run)
    if found is None:
        raise LookupError(run)
    return found


def latest(conn: sqlite3.Connection) -> Run | None:
    """Return the latest run that is not finished or aborted, or else the latest of all."""
    return rows.run_of(conn, f"{_OPEN} ORDER BY created DESC, id DESC LIMIT 1") or rows.run_of(
        conn, "1 ORDER BY created DESC, id DESC LIMIT 1"
    )


def all_of(conn: sqlite3.Connection, bundle: str | None) -> list[Run]:
    """Return runs, newest first."""
    return rows.runs_of(conn, "?1 IS NULL OR bundle = ?1 ORDER BY created DESC, id DESC", bundle)


def sites(conn: sqlite3.Connection, run: str) -> list[Row]:
    """Return the members of a run, by wave and name."""
    return rows.rows_of(conn, "run = ? ORDER BY wave, site", run)


def changed_by(conn: sqlite3.Connection, run: str) -> list[Row]:
    """Return the rows of the sites that a run may have changed, by itself or when its debts were paid, by name."""
    both = [*sites(conn, run), *rows.rows_of(conn, "origin = ? ORDER BY started", run)]
    found = {row.site: row for row in both if row.touched}
    return [found[site] for site in sorted(found)]


def counts(conn: sqlite3.Connection, run: str) -> dict[outcomes.Outcome, int]:
    """Return how many members ended how."""
    found = conn.execute(
        "SELECT outcome, count(*) FROM run_sites WHERE run = ? AND outcome IS NOT NULL GROUP BY outcome", (run,)
    )
    return {outcomes.Outcome(outcome): count for outcome, count in found}


def latest_row(conn: sqlite3.Connection, site: str, run: str | None) -> Row | None:
    """Return a site's part in a run, or in the latest run that visited it."""
    if run is not None:
        return rows.row_of(conn, "site = ? AND run = ?", site, run)
    return rows.row_of(conn, "site = ? AND started IS NOT NULL ORDER BY started DESC LIMIT 1", site)


# --- beginning


def create(conn: sqlite3.Connection, run: Run, seeds: Iterable[RowSeed]) -> None:
    """Record a run and its members; raises ``Refused`` when another unfinished run of the bundle shares a site."""
    _settle_lost(conn, run.created)
    if run.supersedes is not None:
        _supersede(conn, run)
    if run.undoes is not None:
        _take_over(conn, run)
    _insert(conn, run, seeds)
    if run.kind != plans.Kind.CATCHUP:
        _refuse_overlap(conn, run)
        debts.cancel(conn, "bundle = ? AND site IN (SELECT site FROM run_sites WHERE run = ?)", run.bundle, run.id)
    owed = rows.rows_of(conn, "run = ? AND owed = 1 AND origin IS NULL", run.id)
    for row in owed:
        debts.incur(conn, run, row, row.base, checked=row.checked, now=run.created)


def _supersede(conn: sqlite3.Connection, run: Run) -> None:
    old = find(conn, run.supersedes or "")
    if old is None or old.bundle != run.bundle:
        message = f"there is no run {run.supersedes} of {run.bundle}"
        raise errors.Refused(codes.Code.RUN_UNKNOWN, message, f"List them: fleetctl rollout history {run.bundle}")
    if old.state in _UNFINISHED:
        abort(conn, old.id, f"superseded by {run.id}", run.created)


def _take_over(conn: sqlite3.Connection, run: Run) -> None:
    """End the run that is taken back, so that nothing of it can land later."""
    undone = get(conn, run.undoes or "")
    if undone.state is events.RunState.RUNNING:
        message = f"{undone.id} is still running"
        raise errors.Refused(codes.Code.RUN_STATE, message, f"Stop it first: fleetctl rollout pause {undone.id}")
    if undone.state in _UNFINISHED:
        abort(conn, undone.id, f"taken back by {run.id}", run.created)
    debts.cancel(conn, "run = ?", undone.id)


def _insert(conn: sqlite3.Connection, run: Run, seeds: Iterable[RowSeed]) -> None:
    conn.execute(
        "INSERT INTO runs (id, kind, plan, plan_blob, who, commit_id, dirty, project, bundle, namespace, version,"
        " state, created, why, wave, supersedes, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id,
            run.kind,
            run.plan,
            run.plan_blob,
            run.who,
            run.commit,
            run.dirty,
            run.project,
            run.bundle,
            run.namespace,
            run.version,
            run.state,
            run.created,
            run.why,
            run.wave,
            run.supersedes,
            run.undoes,
        ),
    )
    conn.executemany(
        "INSERT INTO run_sites (run, site, wave, phase, attempt, outcome, effect, reason, owed, accepted, goal, base,"
        " checked, identity, origin, requests, notes, ended)"
        " VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 0, '[]', ?)",
        [
            (
                run.id,
                seed.site,
                seed.wave,
                events.Phase.DONE if seed.skip else events.Phase.WAITING,
                outcomes.Outcome.SKIPPED if seed.skip else None,
                outcomes.Effect.NONE if seed.skip else None,
                seed.skip,
                seed.skip in outcomes.OWED_SKIPS,
                seed.goal,
                seed.base,
                seed.checked,
                seed.identity,
                seed.origin,
                run.created if seed.skip else None,
            )
            for seed in seeds
        ],
    )


def _refuse_overlap(conn: sqlite3.Connection, run: Run) -> None:
    found = conn.execute(
        "SELECT r.id, r.state, count(*), min(old.site) FROM runs r JOIN run_sites old ON old.run = r.id"
        " JOIN run_sites new ON new.run = ?1 AND new.site = old.site"
        " WHERE r.bundle = ?2 AND r.id <> ?1 AND r.kind <> 'catchup' AND r.state IN ('running', 'paused', 'halted')"
        " GROUP BY r.id ORDER BY r.created",
        (run.id, run.bundle),
    ).fetchone()
    if found is not None:
        other, state, count, example = found
        message = f"{other} of {run.bundle} is {state} and shares {count:,} of these sites, e.g. {example}"
        hint = f"Let it end, go on with it (fleetctl rollout resume {other}), or replace it: --supersede {other}"
        raise errors.Refused(codes.Code.RUN_OVERLAPS, message, hint)


# --- on the way


def open_wave(conn: sqlite3.Connection, run: str, wave: int) -> int:
    """Open a wave while the run is running; returns how many of its members have no outcome yet."""
    conn.execute("UPDATE runs SET wave = max(wave, ?) WHERE id = ? AND state = 'running'", (wave, run))
    found = conn.execute("SELECT count(*) FROM run_sites WHERE run = ? AND wave = ? AND outcome IS NULL", (run, wave))
    return int(found.fetchone()[0])


def pause(conn: sqlite3.Connection, run: str, why: str, now: float) -> None:
    """Let nothing new start; raises ``Refused`` unless the run is running."""
    _require(conn, run, "paused", "running")
    interrupt(conn, run, why, now)


def interrupt(conn: sqlite3.Connection, run: str, why: str, now: float) -> None:
    """Pause a run if it is running; one that stands still already stays as it is."""
    conn.execute(
        "UPDATE runs SET state = 'paused', why = ?, ended = ? WHERE id = ? AND state = 'running'", (why, now, run)
    )


def resume(conn: sqlite3.Connection, run: str, who: str, *, accept_failed: bool, past_halt: bool = False) -> Run:
    """Let a run go on; past a halt only if asked, or when its failures are accepted: budgets count anew from there."""
    found = _require(conn, run, "resumed", *_UNFINISHED)
    if found.state is events.RunState.HALTED and not accept_failed and not past_halt:
        message = f"{run} was halted: {found.why}"
        hint = f"Go on past it: fleetctl rollout resume {run} --accept-failed"
        raise errors.Refused(codes.Code.RUN_STATE, message, hint)
    if accept_failed:
        conn.execute("UPDATE run_sites SET accepted = 1 WHERE run = ? AND outcome IN ('failed', 'unreachable')", (run,))
        conn.execute("UPDATE runs SET accepted_by = ? WHERE id = ?", (who, run))
    conn.execute("UPDATE runs SET state = 'running', why = '', ended = NULL WHERE id = ?", (run,))
    return get(conn, run)


def abort(conn: sqlite3.Connection, run: str, why: str, now: float) -> None:
    """End a run for good: what was not started is skipped, what it left owing is cancelled."""
    _require(conn, run, "aborted", *_UNFINISHED)
    conn.execute("UPDATE runs SET state = 'aborted', why = ?, ended = ? WHERE id = ?", (why, now, run))
    _skip_unstarted(conn, run, now)
    _settle_lost(conn, now)
    debts.cancel(conn, "run = ?", run)


def finish(conn: sqlite3.Connection, run: str, now: float) -> events.RunState:
    """End a run whose members all have an outcome; returns the state in which it is now."""
    conn.execute(
        "UPDATE runs SET state = 'finished', ended = ?1 WHERE id = ?2 AND state = 'running'"
        " AND NOT EXISTS (SELECT 1 FROM run_sites WHERE run = ?2 AND outcome IS NULL)",
        (now, run),
    )
    return get(conn, run).state


def _skip_unstarted(conn: sqlite3.Connection, run: str, now: float) -> None:
    conn.execute(
        "UPDATE run_sites SET outcome = 'skipped', effect = 'none', reason = 'aborted', phase = 'done', ended = ?"
        " WHERE run = ? AND outcome IS NULL AND attempt = 0",
        (now, run),
    )


def _settle_lost(conn: sqlite3.Connection, now: float) -> None:
    """Give an outcome to visits of aborted runs whose process never told: their effect is not known.

    While such a visit's lease still counts, its process may yet tell.
    """
    conn.execute(
        "UPDATE run_sites SET outcome = 'unreachable', effect = 'unknown', phase = 'done', ended = ?1"
        " WHERE outcome IS NULL AND attempt > 0 AND run IN (SELECT id FROM runs WHERE state = 'aborted')"
        " AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.run = run_sites.run AND l.site = run_sites.site"
        " AND l.until + ?2 > ?1)",
        (now, GRACE),
    )


def _require(conn: sqlite3.Connection, run: str, what: str, *states: str) -> Run:
    found = get(conn, run)
    if found.state not in states:
        message = f"{run} is {found.state}, so it cannot be {what}"
        raise errors.Refused(codes.Code.RUN_STATE, message, f"Look at it: fleetctl rollout status {run}")
    return found
