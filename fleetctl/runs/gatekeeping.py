"""Between two waves: gates are asked in their order, and each must let the run pass before the next wave opens.

What a gate says is of the moment it is asked, so whatever can be asked is asked again when a run goes on; what a person
said stays. A gate that fails halts the run, one that waits for a person pauses it (rule R10 of the rollout protocol).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from fleetctl.model import events, gates, plans
from fleetctl.runs import stopping
from fleetctl.state import databases, gating, runs

__all__ = ["Answer", "Ask", "Facts", "Gatekeeper", "nobody"]

_LONGEST: Final = 300
"""Characters of what a gate said that are kept."""


class Facts(msgspec.Struct, frozen=True):
    """What a gate may know of the run that asks; ``wave`` is the number of the one that has just ended."""

    run: str
    kind: str
    plan: str
    project: str
    bundle: str
    version: str
    wave: int
    wave_name: str
    members: int


class Answer(msgspec.Struct, frozen=True):
    """What a gate said: whether that is good, and the words for it, in which there is no secret."""

    good: bool
    seen: str


Ask = Callable[[gates.Gate, Facts], Awaitable[Answer]]
"""Asks a gate once; whatever goes wrong is a bad answer."""
_Pause = Callable[[float], Awaitable[None]]


async def nobody(gate: gates.Gate, _: Facts) -> Answer:
    """Ask nobody: for runs whose plans have no gate but approvals."""
    return Answer(good=False, seen=f"there is nobody to ask {gate.kind}")


class Gatekeeper:
    """The gates of one run, for one process that works on it. Times in seconds; ``clock`` only ever goes forward."""

    def __init__(
        self,
        store: databases.Store,
        run: runs.Run,
        plan: plans.Plan,
        ask: Ask,
        *,
        observe: events.Observe,
        stop: stopping.Stop,
        waits: bool = False,
        poll: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        pause: _Pause | None = None,
    ) -> None:
        self._store = store
        self._run = run
        self._plan = plan
        self._ask = ask
        self._observe = observe
        self._stop = stop
        self._waits = waits
        self._poll = poll
        self._clock = clock
        self._pause = pause or self._rest

    async def passed(self, wave: int) -> bool:
        """Tell whether the run may go on after a wave; if not, the journal says how it stands, or a stop was asked."""
        if not 0 < wave < len(self._plan.waves) or self._now().wave > wave:
            return True
        name = self._plan.waves[wave - 1].name
        for gate in self._plan.strategy.gates:
            if gate.stands_after(name) and not await self._one(gate, wave):
                return self._now().wave > wave  # another process opened the next one meanwhile
        return True

    async def _one(self, gate: gates.Gate, wave: int) -> bool:
        at, now = gating.Place(self._run.id, wave, gate), self._store.now()
        known = await self._store.write(lambda conn: gating.ask(conn, at, now))
        if known is None or self._stop.soft.is_set():
            return False
        if known.settled:
            self._tell(gate, wave, known.state, known.seen, known.who)
            return True
        if gate.approval:
            return await self._approved(gate, wave)
        self._tell(gate, wave, gates.State.ASKING)
        answer = await self._answered(gate, wave)
        if answer is None:
            return False
        seen, then = _cut(answer.seen), self._store.now()
        if answer.good:
            await self._store.write(lambda conn: gating.pass_(conn, at, seen, then))
            self._tell(gate, wave, gates.State.PASSED, seen)
            return True
        why = f"gate {gate.name} after {plans.place(self._plan, wave)}: {seen}"
        if await self._store.write(lambda conn: gating.fail(conn, at, seen, why, then)):
            self._tell(gate, wave, gates.State.FAILED, seen)
        return False

    async def _answered(self, gate: gates.Gate, wave: int) -> Answer | None:
        """Ask until the answer was good for long enough, or bad too often; None when the run stands still meanwhile."""
        facts = self._facts(wave)
        good_since: float | None = None
        bad = 0
        while True:
            began = self._clock()
            answer = await self._unless_stopped(self._ask(gate, facts))
            if answer is None:
                return None
            left = gate.interval
            if answer.good:
                good_since = began if good_since is None else good_since
                held = began - good_since
                if held >= gate.hold:
                    return answer
                left = min(left, gate.hold - held)
            else:
                good_since = None
                bad += 1
                if bad > gate.failures:
                    times = f" ({bad:,} bad answers)" if bad > 1 else ""
                    return Answer(good=False, seen=f"{_cut(answer.seen)}{times}")
            self._tell(gate, wave, gates.State.ASKING, _cut(answer.seen))
            if not await self._rested(left):
                return None

    async def _approved(self, gate: gates.Gate, wave: int) -> bool:
        """Pause the run until somebody approves; where nobody sits before it, the process does not wait with it."""
        why = f"waits for approval {gate.name} after {plans.place(self._plan, wave)}"
        at, now = gating.Place(self._run.id, wave, gate), self._store.now()
        if not await self._store.write(lambda conn: gating.wait(conn, at, why, now)):
            return False
        self._tell(gate, wave, gates.State.WAITING)
        while self._waits and not self._stop.soft.is_set():
            await self._pause(self._poll)
            if self._now().state in {events.RunState.ABORTED, events.RunState.HALTED}:
                return False
            found = self._store.read(lambda conn: gating.of(conn, self._run.id))
            given = next((one for one in found if (one.wave, one.gate) == (wave, gate.name) and one.settled), None)
            if given is not None:
                state = await self._store.write(lambda conn: gating.go_on(conn, self._run.id, why))
                self._tell(gate, wave, given.state, given.seen, given.who)
                return state is events.RunState.RUNNING
        return False

    async def _rested(self, seconds: float) -> bool:
        """Wait, and tell whether the run still goes on."""
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            if not self._running():
                return False
            await self._pause(min(left, self._poll))
        return self._running()

    async def _unless_stopped(self, asked: Awaitable[Answer]) -> Answer | None:
        """Await an answer; None when the run stands still by then. One that is asked to stop does not wait for it."""
        task, stopped = asyncio.ensure_future(asked), asyncio.ensure_future(self._stop.soft.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() and self._running() else None
        finally:
            for one in (task, stopped):
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.soft.wait(), seconds)

    def _running(self) -> bool:
        return not self._stop.soft.is_set() and self._now().state is events.RunState.RUNNING

    def _now(self) -> runs.Run:
        return self._store.read(lambda conn: runs.get(conn, self._run.id))

    def _facts(self, wave: int) -> Facts:
        run, said = self._run, self._plan.waves[wave - 1]
        return Facts(run.id, run.kind, run.plan, run.project, run.bundle, run.version, wave, said.name, said.members)

    def _tell(self, gate: gates.Gate, wave: int, state: gates.State, seen: str = "", who: str = "") -> None:
        self._observe(events.GateMoved(gate.name, wave, gate.kind, state, seen, who))


def _cut(text: str) -> str:
    """Return what was said on one line, no longer than can be read."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
