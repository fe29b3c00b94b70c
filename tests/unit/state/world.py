"""Two processes, two sites, a run and the catch-up of its debts, on the real journal: what must never happen.

The same world as the executable model of the rollout protocol, with the journal's own functions in the place of the
model's. Requests are modelled: one that was sent may be committed by an API server until ``COMMIT`` seconds later,
though its client gave up, crashed or lost its lease.
"""

import pathlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fleetctl.model import events, outcomes, plans
from fleetctl.state import checking, claims, debts, holds, runs
from tests.unit.state import making

__all__ = ["DEADLINE", "SITES", "Broken", "World"]

SITES = ("a", "b")
DEADLINE = 30.0
COMMIT = DEADLINE + 34.0
_DONE = (outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED, outcomes.Outcome.FAILED)


class Broken(AssertionError):
    """An invariant does not hold."""


class Request(NamedTuple):
    """A mutating request on its way."""

    site: str
    claim: int
    latest: float


class Visit(NamedTuple):
    """What a process remembers of its visit."""

    run: str
    claim: claims.Claim
    number: int
    sent: bool


def _one_failure_halts(tallies: Sequence[claims.Tally]) -> str:
    return "failed" if any(one.outcome is outcomes.Outcome.FAILED for one in tallies) else ""


class World:
    """What has happened so far; every step checks the invariants and raises ``Broken``."""

    def __init__(self, journal: making.Journal) -> None:
        self.journal = journal
        self.run = journal.run(*(runs.RowSeed(site, 1, goal="r1:new", base=None, checked=True) for site in SITES))
        self.visits: dict[int, Visit] = {}
        self.flying: list[Request] = []
        self.fenced = True
        self._number = 0
        self._taken_back = False
        self._latest: dict[str, int] = {}
        self._ended: dict[str, outcomes.Outcome] = {}
        self._paid: set[str] = set()
        self._held: dict[str, float] = {}

    @classmethod
    def play(cls, folder: pathlib.Path, steps: Callable[["World"], None]) -> None:
        """Let a world take some steps."""
        with making.opened(folder) as journal:
            world = cls(journal)
            steps(world)
            world.check()

    def state(self, run: str) -> events.RunState:
        """Return a run's state."""
        found = self.journal.store.read(lambda conn: runs.find(conn, run))
        assert found is not None
        return found.state

    def check(self) -> None:
        """Hold the journal against its own rules."""
        found = self.journal.store.read(checking.check)
        if found:
            raise Broken(found[0])

    # --- steps

    def tick(self, seconds: float) -> None:
        """Let time pass; requests whose time is over are lost."""
        self.journal.pass_time(seconds)
        self.flying = [one for one in self.flying if one.latest > self.journal.now]

    def claim(self, process: int, run: str | None = None) -> None:
        """Let a process take one site."""
        name = run or self.run.id
        if process in self.visits:
            return
        taken = self.journal.claim(name, f"p{process}", 1).claims
        if not taken:
            return
        claim = taken[0]
        free = all(self._held.get(site, 0.0) <= self.journal.now for site in (claim.site, holds.FLEET))
        self._require(free, "I9 a site on hold was started")
        self._require(self.state(name) is events.RunState.RUNNING, "I4 a site was started after the run had stopped")
        if claim.origin is None:
            self._require(claim.site not in self._ended, "I2 a finished site was started again")
        else:
            origin = self.state(claim.origin)
            payable = origin in {events.RunState.RUNNING, events.RunState.FINISHED} and not self._taken_back
            self._require(payable, "I6 a debt of a stopped run was paid")
        self._number += 1
        self._latest[claim.site] = self._number
        self.visits[process] = Visit(name, claim, self._number, sent=False)

    def hold(self, site: str, seconds: float) -> None:
        """Leave a site, or the fleet, alone for a while; 0 lets it go."""
        self._held[site] = until = self.journal.now + seconds
        made = holds.Hold(site, until, "stocktaking", "tester@here", self.journal.now)
        self.journal.store.write_now(lambda conn: holds.put(conn, [made]) if seconds else holds.lift(conn, [site]))

    def renew(self, process: int) -> None:
        """Let a process prolong its lease, or find that it is lost."""
        visit = self.visits.get(process)
        if visit is None:
            return
        kept = self.journal.store.write_now(
            lambda conn: claims.renew(conn, visit.run, [visit.claim], {}, self.journal.now)
        )
        if visit.claim.site in kept:
            until = kept[visit.claim.site]
            claim = claims.Claim(
                **{**{f: getattr(visit.claim, f) for f in visit.claim.__struct_fields__}, "until": until}
            )
            self.visits[process] = visit._replace(claim=claim)
        else:
            del self.visits[process]

    def send(self, process: int) -> None:
        """Let a process send a mutating request, if its lease outlives it (R1)."""
        visit = self.visits.get(process)
        if visit is None or (self.fenced and self.journal.now + DEADLINE > visit.claim.until):
            return
        self.visits[process] = visit._replace(sent=True)
        self.flying.append(Request(visit.claim.site, visit.number, self.journal.now + COMMIT))

    def land(self, index: int) -> None:
        """Let an API server commit a request."""
        if not self.flying:
            return
        request = self.flying.pop(index % len(self.flying))
        newest = self._latest[request.site] == request.claim
        self._require(newest, "I3 two processes changed one site at once")
        under_way = any(visit.number == request.claim for visit in self.visits.values())
        ended = self._ended.get(request.site)
        self._require(under_way or ended not in _DONE, "I2 a finished site was touched again")

    def finish(self, process: int, outcome: outcomes.Outcome) -> None:
        """Let a visit end; only an answered one knows more than silence."""
        visit = self.visits.pop(process, None)
        if visit is None:
            return
        open_question = any(request.claim == visit.number for request in self.flying)
        if outcome in _DONE and (not visit.sent or open_question):
            outcome = outcomes.Outcome.UNREACHABLE
        unknown = outcome is outcomes.Outcome.UNREACHABLE and visit.sent
        effect = outcomes.Effect.UNKNOWN if unknown else outcomes.Effect.APPLIED if visit.sent else outcomes.Effect.NONE
        before = self.state(visit.run)
        done = self.journal.finish(visit.run, (visit.claim, making.result(outcome, effect)), decide=_one_failure_halts)
        if visit.claim.site not in done.accepted:
            overtaken = self._latest[visit.claim.site] != visit.number
            late = self.journal.now >= visit.claim.until + claims.GRACE
            self._require(overtaken or late, "I8 what a visit did was forgotten")
            return
        if visit.claim.origin is None:
            self._require(visit.claim.site not in self._ended, "I1 a site got two outcomes")
            self._ended[visit.claim.site] = outcome
        elif outcome is outcomes.Outcome.CHANGED:
            self._require(visit.claim.site not in self._paid, "I7 a debt was paid twice")
            self._paid.add(visit.claim.site)
        if outcome is outcomes.Outcome.FAILED and before in {events.RunState.RUNNING, events.RunState.PAUSED}:
            halted = self.state(visit.run) is events.RunState.HALTED
            self._require(halted, "I5 the budget is spent and the run still goes on")

    def crash(self, process: int) -> None:
        """Let a process forget everything."""
        self.visits.pop(process, None)

    def abort(self) -> None:
        """End the run by hand."""
        if self.state(self.run.id) not in {events.RunState.FINISHED, events.RunState.ABORTED}:
            self.journal.store.write_now(lambda conn: runs.abort(conn, self.run.id, "by hand", self.journal.now))

    def pause(self) -> None:
        """Let nothing new of the run start."""
        self.journal.store.write_now(lambda conn: runs.interrupt(conn, self.run.id, "by hand", self.journal.now))

    def resume(self) -> None:
        """Let the run go on, whatever failed."""
        if self.state(self.run.id) in {events.RunState.PAUSED, events.RunState.HALTED}:
            self.journal.store.write_now(lambda conn: runs.resume(conn, self.run.id, "me", accept_failed=True))

    def undo(self) -> None:
        """Begin to take the run back, unless it is at work or that was begun before."""
        if self._taken_back or self.state(self.run.id) in {events.RunState.RUNNING, events.RunState.ABORTED}:
            return
        seeds = [runs.RowSeed(site, 1, goal="r1:old") for site in SITES]
        self.journal.run(*seeds, kind=plans.Kind.UNDO, undoes=self.run.id)
        self._taken_back = True
        owed = self.journal.store.read(lambda conn: debts.count(conn, self.run.id))
        self._require(self.state(self.run.id) is not events.RunState.HALTED, "a run that is taken back stands open")
        self._require(not owed, "I6 a run that is taken back is still owed")

    def end(self) -> None:
        """Let the run finish, if all have their outcome."""
        self.journal.store.write_now(lambda conn: runs.finish(conn, self.run.id, self.journal.now))

    def pay(self, process: int) -> None:
        """Begin a catch-up of what may be paid now, and let a process claim from it."""
        owed = self.journal.store.read(lambda conn: debts.payable(conn, self.journal.now))
        seeds = [runs.RowSeed(debt.site, 1, goal=debt.release, origin=debt.run) for debt in owed]
        if seeds:
            payment = self.journal.run(*seeds, kind=plans.Kind.CATCHUP)
            self.claim(process, payment.id)

    def claim_payment(self, process: int) -> None:
        """Let a process claim from a catch-up that began earlier."""
        found = self.journal.store.read(_payments)
        if found:
            self.claim(process, found[-1])

    def _require(self, true: object, what: str) -> None:
        if not true:
            raise Broken(what)


def _payments(conn: sqlite3.Connection) -> list[str]:
    return [run.id for run in runs.all_of(conn, None) if run.kind == plans.Kind.CATCHUP]
