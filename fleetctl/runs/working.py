"""The loop of a run: claim, visit, finish, wave after wave, until nothing is left or something says stop.

Sites are claimed in the journal before they are touched, and their outcomes are committed, many at a time, before
anybody hears of them. What a visit may send is bounded by its lease: ``Ticket.fence`` is asked before every mutating
request. Rules R1 to R12 of the rollout protocol are kept here and in ``state.claims``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from fleetctl.model import errors, events, outcomes, plans
from fleetctl.runs import budgets, gatekeeping, stopping, telling, tickets, windows
from fleetctl.state import claims, databases, runs

__all__ = ["Handler", "Settings", "Work", "work"]

_HELD: Final = "a process that may have died holds it: up to 100s until its lease is over for sure"


class Settings(msgspec.Struct, frozen=True):
    """How the loop works; times in seconds."""

    concurrency: int = 256
    poll: float = 1.0
    """How often to look again for sites that somebody else holds, and whether another terminal stopped the run."""
    simulated: bool = False
    waits: bool = False
    """Whether somebody sits before it, so that it is worth waiting for an approval."""


Handler = Callable[[tickets.Ticket], Awaitable[outcomes.Result | None]]
"""Carries out one visit; None when its lease was lost and nothing may be recorded."""


@dataclasses.dataclass(frozen=True)
class Work:
    """A run and all that is needed to work on it."""

    store: databases.Store
    run: runs.Run
    plan: plans.Plan
    handler: Handler
    observe: events.Observe
    stop: stopping.Stop
    settings: Settings
    ask: gatekeeping.Ask = gatekeeping.nobody
    windows: windows.Windows = windows.NONE


async def work(job: Work) -> events.RunState:
    """Work on a run until it is finished, halted, paused or aborted, and return which; a store that fails raises."""
    worker = _Worker(job)
    rows = job.store.read(lambda conn: runs.sites(conn, job.run.id))
    job.observe(telling.started(job.run, job.plan, rows, simulated=job.settings.simulated))
    state = await worker.work(rows)
    why = job.store.read(lambda conn: runs.get(conn, job.run.id)).why
    job.observe(events.RunEnded(job.run.id, state, why))
    return state


class _Worker:
    """This process's part in a run."""

    def __init__(self, job: Work) -> None:
        self._job = job
        self._store = job.store
        self._name = job.run.id
        self._decide = budgets.decider(job.plan)
        how = job.settings
        self._gates = gatekeeping.Gatekeeper(
            job.store, job.run, job.plan, job.ask, observe=job.observe, stop=job.stop, waits=how.waits, poll=how.poll
        )
        self._process = claims.new_process()
        self._active: dict[str, tuple[tickets.Ticket, asyncio.Task[None]]] = {}
        self._deferred: dict[str, tuple[tickets.Ticket, outcomes.Result]] = {}
        """Sites that another operator holds, in their own cluster: tried once more when nothing else is left."""
        self._resting = 0
        """Visits under way that hold no slot."""
        self._done: list[tuple[tickets.Ticket, outcomes.Result]] = []
        self._ended = asyncio.Event()
        """Some visit has a result that is not committed yet."""
        self._changed = asyncio.Event()
        """A slot is free, or somebody asked to stop."""

    async def work(self, rows: Iterable[runs.Row]) -> events.RunState:
        """Go through the waves."""
        for row in rows:
            if row.outcome is not None:
                self._job.observe(telling.ended(row.site, row.wave, row, earlier=True))
            elif row.in_flight:
                self._job.observe(events.SiteMoved(row.site, row.wave, events.Phase.WAITING, _HELD))
        for number, wave in enumerate(self._job.plan.waves, 1):
            if not await self._gates.passed(number - 1):
                return await self._standing()
            if await self._closed(number):
                return await self._standing()
            left = await self._store.write(functools.partial(runs.open_wave, run=self._name, wave=number))
            if not left:
                continue
            self._job.observe(events.WaveStarted(number, wave.members, wave.max_failed, wave.max_unreachable))
            if not await self._wave():
                return await self._standing()
        return await self._store.write(lambda conn: runs.finish(conn, self._name, self._store.now()))

    async def _closed(self, number: int) -> bool:
        """Tell whether nobody of a wave may be changed now; the run is paused then, as a wave of nobody proves nothing.

        A catch-up takes those that may be changed only.
        """
        if self._job.run.kind == plans.Kind.CATCHUP:
            return False
        now, rows = self._store.now(), self._store.read(lambda conn: runs.sites(conn, self._name))
        left = [row.site for row in rows if row.wave == number and row.outcome is None]
        if not left or not all(self._job.windows.closed(site, now) for site in left):
            return False
        place = plans.place(self._job.plan, number)
        why = f"waits for a window: no site of {place} may be changed now, {self._job.windows.opening(left, now)}"
        await self._store.write(lambda conn: runs.interrupt(conn, self._name, why, now))
        return True

    async def _standing(self) -> events.RunState:
        """Return the state in which the run stands still; one that this process was asked to stop is paused."""
        if self._job.stop.soft.is_set():
            await self._store.write(lambda conn: runs.interrupt(conn, self._name, "interrupted", self._store.now()))
        return self._store.read(lambda conn: runs.get(conn, self._name)).state

    async def _wave(self) -> bool:
        """Bring a wave to its end; False when the run stands still before that."""
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(work()) for work in (self._finishing, self._renewing, self._listening)]
                try:
                    return await self._claiming(group)
                finally:
                    for helper in helpers:
                        helper.cancel()
        except BaseExceptionGroup as failed:
            # One is enough to tell: a store that cannot be written fails every task that wants to.
            raise _worst(failed) from failed

    async def _claiming(self, group: asyncio.TaskGroup) -> bool:
        while True:
            self._changed.clear()
            if self._job.stop.soft.is_set():
                if not self._active and not self._again(group, going_on=False):
                    return False
            elif (free := self._job.settings.concurrency - len(self._active) + self._resting) > 0:
                taken = await self._claim(group, free)
                going_on = taken.state is events.RunState.RUNNING
                if not taken.claims and not self._active and not self._again(group, going_on=going_on):
                    if taken.state is not events.RunState.RUNNING:
                        return False
                    if not taken.left:
                        return True
                    await self._store.write(lambda conn: claims.skip_locked(conn, self._name, self._store.now()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._job.settings.poll)

    async def _claim(self, group: asyncio.TaskGroup, free: int) -> claims.Taken:
        asked, now = tickets.uptime(), self._store.now()
        take = functools.partial(
            claims.claim, run=self._name, process=self._process, most=free, now=now, closed=self._job.windows.closed
        )
        taken = await self._store.write(take)
        for row in taken.skipped:
            self._job.observe(telling.ended(row.site, row.wave, row))
        for claim in taken.claims:
            self._forget(claim.site)
            ticket = tickets.Ticket(claim, asked + claims.LEASE, self._store.now, self._job.observe, self._rest)
            self._job.observe(events.SiteMoved(claim.site, claim.wave, events.Phase.APPLYING))
            self._active[claim.site] = (ticket, group.create_task(self._visit(ticket)))
        return taken

    async def _visit(self, ticket: tickets.Ticket) -> None:
        """Carry out one visit; its result is committed by ``_finishing``, and only then the slot is free."""
        try:
            result = await self._job.handler(ticket)
        except asyncio.CancelledError:
            self._release(ticket)
            if ticket.lost or self._job.stop.hard.is_set():
                return  # the row stays as it is; whoever claims it next visits in full
            raise
        if result is None:
            self._release(ticket)
        elif result.reason is outcomes.Reason.LOCKED and not ticket.deferred:
            ticket.deferred = True
            self._deferred[ticket.claim.site] = ticket, result
            ticket.tell(events.Phase.WAITING, str(result.cause))
            self._release(ticket)
        else:
            self._finish(ticket, result)

    async def _rest(self, seconds: float) -> None:
        """Let a visit wait without its slot. Those that come back get one at once: what is left to do is short."""
        self._resting += 1
        self._changed.set()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._resting -= 1

    def _finish(self, ticket: tickets.Ticket, result: outcomes.Result) -> None:
        self._done.append((ticket, result))
        self._ended.set()

    def _again(self, group: asyncio.TaskGroup, *, going_on: bool) -> bool:
        """Visit deferred sites once more, or end them as they are where the run stands still; False for none."""
        deferred = list(self._deferred)[: self._job.settings.concurrency]
        for site in deferred:
            ticket, result = self._deferred.pop(site)
            work = self._visit(ticket) if going_on else self._end(ticket, result)
            self._active[site] = (ticket, group.create_task(work))
        return bool(deferred)

    async def _end(self, ticket: tickets.Ticket, result: outcomes.Result) -> None:
        self._finish(ticket, result)

    def _forget(self, site: str) -> None:
        """Cancel our own visit of a site that we have just claimed anew: the machine slept beyond its lease."""
        self._deferred.pop(site, None)
        held = self._active.pop(site, None)
        if held is not None:
            ticket, task = held
            ticket.lost = True
            task.cancel()

    def _release(self, ticket: tickets.Ticket) -> None:
        held = self._active.get(ticket.claim.site)
        if held is not None and held[0] is ticket:
            del self._active[ticket.claim.site]
        self._changed.set()

    async def _finishing(self) -> None:
        """Commit results, all that are there in one transaction, and tell of them after that."""
        while True:
            await self._ended.wait()
            self._ended.clear()
            ended, self._done = self._done, []
            batch = [(ticket.claim, result) for ticket, result in ended]
            finish = functools.partial(
                claims.finish, run=self._name, batch=batch, decide=self._decide, now=self._store.now()
            )
            finished = await self._store.write(finish)
            for ticket, result in ended:
                self._release(ticket)
                if ticket.claim.site in finished.accepted:
                    self._job.observe(telling.ended(ticket.claim.site, ticket.claim.wave, result))
            self._changed.set()

    async def _renewing(self) -> None:
        """Keep the leases of running visits; one that was lost ends its visit without a word to the site."""
        while True:
            await asyncio.sleep(claims.RENEW)
            mine = [ticket for ticket, _ in (*self._active.values(), *self._deferred.values())]
            held, phases = [one.claim for one in mine], {one.claim.site: one.phase for one in mine}
            asked = tickets.uptime()
            renew = functools.partial(claims.renew, run=self._name, held=held, phases=phases, now=self._store.now())
            kept = await self._store.write(renew)
            for ticket in mine:
                site = ticket.claim.site
                if site in kept:
                    ticket.renewed(asked + claims.LEASE, kept[site])
                    continue
                ticket.lost = True
                self._deferred.pop(site, None)
                active, task = self._active.get(site, (None, None))
                if task is not None and active is ticket:
                    task.cancel()

    async def _listening(self) -> None:
        """Wake the loop when a stop is asked, and cancel what is under way when it is asked for again."""
        await self._job.stop.soft.wait()
        self._changed.set()
        await self._job.stop.hard.wait()
        for _, task in list(self._active.values()):
            task.cancel()


def _worst(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one exception to tell of: ours before bugs, as bugs may follow from it."""
    flat: list[BaseException] = []
    waiting: list[BaseException] = [failed]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        else:
            flat.append(one)
    return next((one for one in flat if isinstance(one, errors.FleetctlError)), flat[0])
