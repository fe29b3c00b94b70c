"""Who may visit a site, and how a visit ends: rules R1 to R5, GRACE and KEEP of the rollout protocol.

A claim is a row in ``leases`` and the row's attempt number. The lease bounds what its holder may send (R1); the attempt
decides whose outcome counts (R4). Nobody needs to unlock by hand: a lease that is over may be taken by the next process
once no request sent under it can be committed any more (GRACE).
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from fleetctl.model import events, outcomes, plans
from fleetctl.state import blobs, debts, holds, installed, rows, runs

__all__ = [
    "GRACE",
    "LEASE",
    "RENEW",
    "Claim",
    "Decide",
    "Finished",
    "Taken",
    "Tally",
    "claim",
    "finish",
    "new_process",
    "renew",
    "skip_locked",
    "tallies",
    "under_way",
]

LEASE: Final = 60.0
"""Seconds a lease lasts unless it is renewed."""
RENEW: Final = 20.0
"""Seconds between renewals."""
GRACE: Final = runs.GRACE
"""Seconds after a lease's end before another process may take the site."""

_FREE: Final = (
    "SELECT s.site, s.attempt + 1, s.wave, s.goal, s.base, s.checked, coalesce(s.identity, i.identity), s.origin"
    " FROM run_sites s LEFT JOIN leases l ON l.site = s.site AND l.bundle = ?1"
    " LEFT JOIN installed i ON i.site = s.site AND i.bundle = ?1"
    " WHERE s.run = ?2 AND s.outcome IS NULL AND s.wave <= ?3 AND (l.site IS NULL OR l.until + ?4 <= ?5)"
    " ORDER BY s.wave, s.site LIMIT ?6"
)


class Claim(msgspec.Struct, frozen=True):
    """A site in the hands of a process until ``until``, by the store's clock."""

    site: str
    bundle: str
    attempt: int
    until: float
    wave: int
    goal: str | None
    base: str | None
    checked: bool
    identity: str | None
    origin: str | None


class Taken(msgspec.Struct, frozen=True):
    """What claiming came to: the run's state, the claims, and how many members of open waves have no outcome yet.

    Where as many sites were free as were asked for, ``left`` counts these alone. ``skipped`` may not be changed at this
    time of day: they have their outcome.
    """

    state: events.RunState
    claims: tuple[Claim, ...]
    left: int
    skipped: tuple[rows.Row, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """How many sites of one wave failed or were out of reach alike; those that were accepted are not counted."""

    wave: int
    outcome: outcomes.Outcome
    reason: outcomes.Reason
    sites: int


class Finished(msgspec.Struct, frozen=True):
    """Which outcomes were recorded, the others came too late; ``halted`` says why they stopped the run, or ""."""

    accepted: frozenset[str]
    halted: str


Decide = Callable[[Sequence[Tally]], str]
"""Returns why the run must halt, or "": a pure function, so that a resumed run decides alike."""


def new_process() -> str:
    """Return a name for this process that no other had or will have."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(
    conn: sqlite3.Connection, run: str, process: str, most: int, now: float, *, closed: holds.Closed = holds.never
) -> Taken:
    """Take up to ``most`` sites of open waves that have no outcome and no lease that still counts.

    The run's state is read in the same transaction, so that nothing starts after a halt, pause or abort was committed.
    A site that is ``closed`` is skipped, and owed.
    """
    found = runs.get(conn, run)
    if found.state is not events.RunState.RUNNING:
        return Taken(found.state, (), 0)
    holds.skip(conn, found, now)
    wanted = (found.bundle, run, found.wave, GRACE, now, max(0, most))
    free = conn.execute(_FREE, wanted).fetchall()
    skipped: list[rows.Row] = []
    while True:
        names = [row[0] for row in free]
        out = [name for name in names if closed(name, now)]
        skipped += holds.skip_closed(conn, found, out, now)
        dropped = found.kind == plans.Kind.CATCHUP and debts.drop_unpayable(conn, run, names, now)
        if not out and not dropped:
            break
        free = conn.execute(_FREE, wanted).fetchall()
    claims = tuple(
        Claim(site, found.bundle, attempt, now + LEASE, wave, goal, base, bool(checked), identity, origin)
        for site, attempt, wave, goal, base, checked, identity, origin in free
    )
    conn.executemany(
        "INSERT INTO leases (site, bundle, run, attempt, process, until) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (site, bundle) DO UPDATE SET run = excluded.run, attempt = excluded.attempt,"
        " process = excluded.process, until = excluded.until",
        [(one.site, one.bundle, run, one.attempt, process, one.until) for one in claims],
    )
    conn.executemany(
        "UPDATE run_sites SET phase = 'applying', attempt = ?, started = coalesce(started, ?)"
        " WHERE run = ? AND site = ?",
        [(one.attempt, now, run, one.site) for one in claims],
    )
    left = len(claims)
    if left < max(1, most):
        left = conn.execute(
            "SELECT count(*) FROM run_sites WHERE run = ? AND outcome IS NULL AND wave <= ?", (run, found.wave)
        ).fetchone()[0]
    return Taken(found.state, claims, left, tuple(skipped))


def renew(
    conn: sqlite3.Connection, run: str, held: Iterable[Claim], phases: Mapping[str, events.Phase], now: float
) -> dict[str, float]:
    """Prolong leases and note phases; returns the new end of each that is still ours."""
    kept: dict[str, float] = {}
    for one in held:
        changed = conn.execute(
            "UPDATE leases SET until = ? WHERE site = ? AND bundle = ? AND run = ? AND attempt = ?",
            (now + LEASE, one.site, one.bundle, run, one.attempt),
        )
        if changed.rowcount:
            kept[one.site] = now + LEASE
            conn.execute(
                "UPDATE run_sites SET phase = ? WHERE run = ? AND site = ? AND attempt = ? AND outcome IS NULL",
                (phases.get(one.site, events.Phase.APPLYING), run, one.site, one.attempt),
            )
    return kept


def finish(
    conn: sqlite3.Connection,
    run: str,
    batch: Sequence[tuple[Claim, outcomes.Result]],
    decide: Decide,
    now: float,
) -> Finished:
    """Record outcomes, and with them, in the same transaction, debts, what is installed, and whether the run halts.

    An outcome counts only if the site has none and the attempt is the latest; a late process changes nothing.
    Visits that end while the run is paused count like others, or resume would go on past a budget that is spent.
    """
    found = runs.get(conn, run)
    accepted: set[str] = set()
    for one, result in batch:
        if _record(conn, found, one, result, now):
            accepted.add(one.site)
            _release(conn, run, one, result)
            _owe(conn, found, one, result, now)
            _note_installed(conn, found, one, result, now)
    halted = ""
    if found.state in {events.RunState.RUNNING, events.RunState.PAUSED} and accepted:
        halted = decide(tallies(conn, run))
        if halted:
            conn.execute("UPDATE runs SET state = 'halted', why = ?, ended = ? WHERE id = ?", (halted, now, run))
    return Finished(frozenset(accepted), halted)


def under_way(conn: sqlite3.Connection, now: float) -> int:
    """Return how many visits of any run hold a lease that another process could not take yet."""
    return int(conn.execute("SELECT count(*) FROM leases WHERE until + ? > ?", (GRACE, now)).fetchone()[0])


def skip_locked(conn: sqlite3.Connection, run: str, now: float) -> int:
    """Skip, and owe, the members of open waves that another run holds; returns how many. For the end of a wave."""
    found = runs.get(conn, run)
    held = rows.rows_of(
        conn,
        "run = ?1 AND outcome IS NULL AND wave <= ?2 AND EXISTS (SELECT 1 FROM leases l WHERE l.site = run_sites.site"
        " AND l.bundle = ?3 AND l.run <> ?1 AND l.until + ?4 > ?5)",
        run,
        found.wave,
        found.bundle,
        GRACE,
        now,
    )
    if found.state is not events.RunState.RUNNING:
        return 0
    for row in held:
        debts.skip(conn, found, row, "locked", now)
    return len(held)


def _record(conn: sqlite3.Connection, run: rows.Run, one: Claim, result: outcomes.Result, now: float) -> bool:
    changed = conn.execute(
        "UPDATE run_sites SET phase = 'done', outcome = ?, effect = ?, reason = ?, cause = ?, owed = ?,"
        " before_visit = ?, after_visit = ?, previous = ?, identity = coalesce(?, identity), evidence = ?,"
        " requests = ?, notes = ?, ended = ?"
        " WHERE run = ? AND site = ? AND outcome IS NULL AND attempt = ?",
        (
            result.outcome,
            result.effect,
            result.reason,
            msgspec.json.encode(result.cause).decode() if result.cause else None,
            result.owed and run.state is not events.RunState.ABORTED,
            result.before,
            result.after,
            result.previous,
            result.identity,
            blobs.put(conn, result.evidence) if result.evidence else None,
            result.requests,
            msgspec.json.encode(result.notes).decode(),
            now,
            run.id,
            one.site,
            one.attempt,
        ),
    )
    return changed.rowcount == 1


def _release(conn: sqlite3.Connection, run: str, one: Claim, result: outcomes.Result) -> None:
    """Give the lease back, save where a request may still land: that one runs out by itself (KEEP)."""
    if result.effect is not outcomes.Effect.UNKNOWN:
        conn.execute(
            "DELETE FROM leases WHERE site = ? AND bundle = ? AND run = ? AND attempt = ?",
            (one.site, one.bundle, run, one.attempt),
        )


def _owe(conn: sqlite3.Connection, run: rows.Run, one: Claim, result: outcomes.Result, now: float) -> None:
    if one.origin is not None:
        if result.outcome in {outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED}:
            debts.settle(conn, one.origin, one.site, "paid", run.id)
        elif result.reason is outcomes.Reason.MOVED:
            debts.settle(conn, one.origin, one.site, "cancelled", run.id)
        return
    if result.owed and run.state is not events.RunState.ABORTED:
        row = rows.row_of(conn, "run = ? AND site = ?", run.id, one.site)
        if row is not None:
            debts.incur(conn, run, row, one.base, checked=one.checked, now=now)


def _note_installed(conn: sqlite3.Connection, run: rows.Run, one: Claim, result: outcomes.Result, now: float) -> None:
    """Note what is there; a half-done visit leaves the last note, whose kinds the parent may have forgotten."""
    if result.after is not None:
        installed.put(conn, one.site, one.bundle, installed.Installed(result.after, run.id, result.identity), now)
    elif one.goal is None and result.outcome in {outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED}:
        installed.take_away(conn, one.site, one.bundle)


def tallies(conn: sqlite3.Connection, run: str) -> list[Tally]:
    """Return how many sites of a run failed or were out of reach, as far as budgets count them."""
    found = conn.execute(
        "SELECT wave, outcome, reason, count(*) FROM run_sites WHERE run = ? AND outcome IN ('failed', 'unreachable')"
        " AND accepted = 0 GROUP BY wave, outcome, reason",
        (run,),
    )
    return [
        Tally(wave, outcomes.Outcome(outcome), outcomes.Reason(reason), sites) for wave, outcome, reason, sites in found
    ]
