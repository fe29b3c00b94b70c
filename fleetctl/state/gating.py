"""Gates of runs in the journal: what each said last, and who let it pass. Each function is one transaction's work.

The row is of the gate's latest asking. A gate counts only while the wave after it is not open: whoever asks it beside
the process that opened that wave changes nothing.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from fleetctl.model import codes, errors, events, gates
from fleetctl.state import runs

__all__ = ["Passage", "Place", "approve", "ask", "fail", "go_on", "halting", "of", "pass_", "resume", "wait"]

_LEAST_OF_DIGEST = 8


class Place(msgspec.Struct, frozen=True):
    """A gate after a wave of a run."""

    run: str
    wave: int
    gate: gates.Gate


class Passage(msgspec.Struct, frozen=True):
    """Where the gate after a wave of a run stands; times are seconds since the epoch."""

    run: str
    wave: int
    gate: str
    kind: str
    state: gates.State
    seen: str
    who: str
    began: float
    """When it was asked, for the latest time."""
    since: float
    """When it came to stand as it does."""

    @property
    def settled(self) -> bool:
        """Tell whether a person's word lets it pass, which need not be asked for again."""
        return self.state in {gates.State.APPROVED, gates.State.ACCEPTED}


def of(conn: sqlite3.Connection, run: str) -> list[Passage]:
    """Return the gates of a run that were come to, in their order."""
    found = conn.execute(
        "SELECT run, wave, gate, kind, state, seen, who, began, since FROM run_gates WHERE run = ?"
        " ORDER BY wave, began, gate",
        (run,),
    )
    return [_passage(row) for row in found]


def halting(conn: sqlite3.Connection, run: str) -> Passage | None:
    """Return the gate that halted a run, if one did."""
    if runs.get(conn, run).state is not events.RunState.HALTED:
        return None
    return next((one for one in of(conn, run) if one.state is gates.State.FAILED), None)


def ask(conn: sqlite3.Connection, at: Place, now: float) -> Passage | None:
    """Begin to ask a gate; returns it as it stands, None when the run goes no further (or went further) meanwhile.

    What a person let pass stays so; an answer of an earlier asking is of an earlier moment, and gives way.
    """
    if not _stands(conn, at):
        return None
    known = _one(conn, at)
    if known is not None and known.settled:
        return known
    conn.execute(
        "INSERT OR REPLACE INTO run_gates (run, wave, gate, kind, state, seen, who, began, since)"
        " VALUES (?, ?, ?, ?, ?, '', '', ?, ?)",
        (at.run, at.wave, at.gate.name, at.gate.kind, gates.State.ASKING, now, now),
    )
    return _one(conn, at)


def pass_(conn: sqlite3.Connection, at: Place, seen: str, now: float) -> None:
    """Record that a gate let the run pass, and what was seen."""
    _put(conn, at, gates.State.PASSED, seen, now)


def fail(conn: sqlite3.Connection, at: Place, seen: str, why: str, now: float) -> bool:
    """Record that a gate did not let the run pass, and halt it; False when it was no longer running, or went on."""
    if not _stands(conn, at):
        return False
    _put(conn, at, gates.State.FAILED, seen, now)
    conn.execute("UPDATE runs SET state = 'halted', why = ?, ended = ? WHERE id = ?", (why, now, at.run))
    return True


def wait(conn: sqlite3.Connection, at: Place, why: str, now: float) -> bool:
    """Pause a run for a person's approval: rule R10 of the rollout protocol. False when it was not running."""
    if not _stands(conn, at):
        return False
    _put(conn, at, gates.State.WAITING, "", now)
    runs.interrupt(conn, at.run, why, now)
    return True


def approve(conn: sqlite3.Connection, run: str, digest: str, who: str, now: float) -> Passage:
    """Let the run pass the approval that it waits for, if the digest is that of its plan; raises ``Refused``.

    The digest may be cut short, as screens show it.
    """
    found = runs.get(conn, run)
    if not _is_digest(digest, found.plan):
        message = f"{run} carries out the plan {found.plan}, not {digest}"
        raise errors.Refused(codes.Code.RUN_OTHER_PLAN, message, f"Look at it: fleetctl rollout status {run}")
    waiting = next((one for one in of(conn, run) if one.state is gates.State.WAITING), None)
    if waiting is None or found.state not in {events.RunState.PAUSED, events.RunState.RUNNING}:
        message = f"{run} is {found.state} and waits for no approval"
        raise errors.Refused(codes.Code.RUN_STATE, message, f"Look at it: fleetctl rollout status {run}")
    conn.execute(
        "UPDATE run_gates SET state = ?, who = ?, since = ? WHERE run = ? AND wave = ? AND gate = ?",
        (gates.State.APPROVED, who, now, run, waiting.wave, waiting.gate),
    )
    return msgspec.structs.replace(waiting, state=gates.State.APPROVED, who=who, since=now)


def go_on(conn: sqlite3.Connection, run: str, why: str) -> events.RunState:
    """Let a run go on that was paused for a reason, and for no other; returns the state in which it is now."""
    conn.execute(
        "UPDATE runs SET state = 'running', why = '', ended = NULL WHERE id = ? AND state = 'paused' AND why = ?",
        (run, why),
    )
    return runs.get(conn, run).state


def resume(conn: sqlite3.Connection, run: str, who: str, now: float, *, accept_failed: bool) -> runs.Run:
    """Let a run go on; a gate that halted it is asked again, or passed by if failures are accepted.

    What the gate said stays in the journal beside who passed it by.
    """
    found = runs.resume(conn, run, who, accept_failed=accept_failed, past_halt=halting(conn, run) is not None)
    state, by = (gates.State.ACCEPTED, who) if accept_failed else (gates.State.ASKING, "")
    conn.execute(
        "UPDATE run_gates SET state = ?, who = ?, since = ? WHERE run = ? AND state = ?",
        (state, by, now, run, gates.State.FAILED),
    )
    return found


def _stands(conn: sqlite3.Connection, at: Place) -> bool:
    """Tell whether the run goes on, and has not gone past the gate."""
    found = runs.get(conn, at.run)
    return found.state is events.RunState.RUNNING and found.wave <= at.wave


def _put(conn: sqlite3.Connection, at: Place, state: gates.State, seen: str, now: float) -> None:
    conn.execute(
        "UPDATE run_gates SET state = ?, seen = ?, since = ? WHERE run = ? AND wave = ? AND gate = ?",
        (state, seen, now, at.run, at.wave, at.gate.name),
    )


def _one(conn: sqlite3.Connection, at: Place) -> Passage | None:
    return next((one for one in of(conn, at.run) if (one.wave, one.gate) == (at.wave, at.gate.name)), None)


def _is_digest(given: str, plan: str) -> bool:
    bare = given.rpartition(":")[2]
    return given == plan or (len(bare) >= _LEAST_OF_DIGEST and plan.rpartition(":")[2].startswith(bare))


def _passage(row: tuple[Any, ...]) -> Passage:
    return msgspec.convert(dict(zip(Passage.__struct_fields__, row, strict=True)), type=Passage, strict=False)
