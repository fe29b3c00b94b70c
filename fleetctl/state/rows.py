"""Rows of the journal as records: runs, their sites, leases' claims and debts."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import msgspec

from fleetctl.model import events, outcomes

__all__ = ["Row", "RowSeed", "Run", "row_of", "rows_of", "run_of", "runs_of"]


class Run(msgspec.Struct, frozen=True):
    """One execution of a plan; times are seconds since the epoch."""

    id: str
    kind: str
    plan: str
    plan_blob: str
    who: str
    commit: str
    dirty: bool
    project: str
    bundle: str
    namespace: str
    version: str
    state: events.RunState
    created: float
    why: str = ""
    wave: int = 0
    """The wave that is open; 0 before the first."""
    ended: float | None = None
    supersedes: str | None = None
    undoes: str | None = None
    accepted_by: str | None = None


class RowSeed(msgspec.Struct, frozen=True):
    """A member as a run begins; ``skip`` says why it will not be visited."""

    site: str
    wave: int
    goal: str | None
    base: str | None = None
    checked: bool = False
    identity: str | None = None
    skip: outcomes.Reason = outcomes.Reason.NONE
    origin: str | None = None
    """The run whose debt is paid here."""


class Row(msgspec.Struct, frozen=True):
    """One site of a run as it stands."""

    run: str
    site: str
    wave: int
    phase: events.Phase
    attempt: int
    outcome: outcomes.Outcome | None
    effect: outcomes.Effect | None
    reason: outcomes.Reason
    cause: outcomes.Cause | None
    owed: bool
    accepted: bool
    goal: str | None
    base: str | None
    checked: bool
    identity: str | None
    origin: str | None
    before: str | None
    after: str | None
    previous: str | None
    evidence: str | None
    requests: int
    notes: tuple[str, ...]
    started: float | None
    ended: float | None

    @property
    def in_flight(self) -> bool:
        """Tell whether a visit began and has no outcome: it may have changed the cluster."""
        return self.outcome is None and self.attempt > 0

    @property
    def touched(self) -> bool:
        """Tell whether the cluster may have been changed."""
        return self.in_flight or self.effect not in {None, outcomes.Effect.NONE}


_RUN_COLUMNS: Final = (
    "id, kind, plan, plan_blob, who, commit_id, dirty, project, bundle, namespace, version, state, created, why, wave,"
    " ended, supersedes, undoes, accepted_by"
)
_ROW_COLUMNS: Final = (
    "run, site, wave, phase, attempt, outcome, effect, reason, cause, owed, accepted, goal, base, checked, identity,"
    " origin, before_visit, after_visit, previous, evidence, requests, notes, started, ended"
)

_CAUSE: Final = msgspec.json.Decoder(outcomes.Cause)
_NOTES: Final = msgspec.json.Decoder(tuple[str, ...])


def run_of(conn: sqlite3.Connection, where: str, *values: Any) -> Run | None:  # noqa: ANN401  # what SQLite takes
    """Return the first run that a condition finds."""
    found = conn.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE {where}", values).fetchone()  # noqa: S608  # ours
    return None if found is None else _run(found)


def runs_of(conn: sqlite3.Connection, where: str, *values: Any) -> list[Run]:  # noqa: ANN401
    """Return all runs that a condition finds."""
    return [_run(found) for found in conn.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE {where}", values)]  # noqa: S608


def row_of(conn: sqlite3.Connection, where: str, *values: Any) -> Row | None:  # noqa: ANN401
    """Return the first site of a run that a condition finds."""
    found = conn.execute(f"SELECT {_ROW_COLUMNS} FROM run_sites WHERE {where}", values).fetchone()  # noqa: S608
    return None if found is None else _row(found)


def rows_of(conn: sqlite3.Connection, where: str, *values: Any) -> list[Row]:  # noqa: ANN401
    """Return all sites of runs that a condition finds."""
    return [_row(found) for found in conn.execute(f"SELECT {_ROW_COLUMNS} FROM run_sites WHERE {where}", values)]  # noqa: S608


def _run(found: tuple[Any, ...]) -> Run:
    values = list(found)
    values[6] = bool(values[6])
    values[11] = events.RunState(values[11])
    return Run(*values)


def _row(found: tuple[Any, ...]) -> Row:
    values = list(found)
    values[3] = events.Phase(values[3])
    values[5] = None if values[5] is None else outcomes.Outcome(values[5])
    values[6] = None if values[6] is None else outcomes.Effect(values[6])
    values[7] = outcomes.Reason(values[7])
    values[8] = None if values[8] is None else _CAUSE.decode(values[8])
    values[9], values[10], values[13] = bool(values[9]), bool(values[10]), bool(values[13])
    values[21] = () if values[21] == "[]" else _NOTES.decode(values[21])
    return Row(*values)
