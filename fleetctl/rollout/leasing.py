"""Holding the Lease in a cluster for the time of a visit: claimed before the first change, kept, given back.

It is renewed between the visit's own requests, which are never more than half a minute apart, so that a visit has one
connection and one thing to do at a time. A visit that may have lost it asks the server: its writing is bound to the
version that it knows, so it succeeds only if nobody else had it meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from fleetctl.kube import answers, client, leases
from fleetctl.model import outcomes
from fleetctl.rollout import failing, orders
from fleetctl.runs import tickets

__all__ = ["UNGUARDED", "Lease", "Memory"]

UNGUARDED: Final = f"no Lease was held: namespace {leases.NAMESPACE} is not there, or not ours to write Leases in"
"""Note on a visit that nothing but the journal kept others away from."""

Memory = dict[tuple[str, str], leases.Seen]
"""Leases of others that were met, by site and bundle."""

_TRIES: Final = 3
_AGAIN: Final = 5.0
"""Seconds until a renewal that was not answered is tried again."""
_LEAST: Final = 1.0
_LONGEST: Final = 200


class Lease:
    """The Lease of one visit; a ``client.Guard`` while it is held."""

    def __init__(
        self,
        order: orders.Order,
        api: client.Client,
        memory: Memory,
        clock: Callable[[], float] = tickets.uptime,
    ) -> None:
        self._order = order
        self._api = api
        self._memory = memory
        self._clock = clock
        self._us = leases.holder(order.project, order.site, order.run, order.attempt)
        self._path = leases.path(order.bundle)
        self._held: leases.Lease | None = None
        self._expires = self._due = 0.0

    async def claim(self) -> bool:
        """Take it; False where this cluster has no place for it. Raises ``failing.Stopped`` when somebody else has."""
        found: leases.Lease | None = None
        for _ in range(_TRIES):
            try:
                if found is None:
                    await self._write("POST", leases.COLLECTION, None)
                else:
                    await self._write("PUT", self._path, found)
            except answers.Failure as failure:
                if failure.kind in {"missing", "forbidden", "terminating"} and found is None:
                    return False
                if failure.kind not in {"conflict", "missing"}:
                    raise
            else:
                return True
            found = await self._look()
        raise self._locked(found)

    async def _look(self) -> leases.Lease | None:
        """Read it; raises ``failing.Stopped`` unless it is ours to take."""
        there = await answers.optional(self._api.get_raw(self._path))
        if there is None:
            return None
        found = leases.read(there)
        key, now, told = (self._order.site, self._order.bundle), self._clock(), self._api.server_time
        seen = self._memory.get(key)
        if leases.decide(found, self._us, told[0] if told else None, seen, now) == "held":
            if seen is None or not seen.still(found):
                self._memory[key] = leases.Seen(found.uid, found.version, now)
            raise self._locked(found)
        return found

    def _locked(self, found: leases.Lease | None) -> failing.Stopped:
        by = (
            f"held by {found.holder[:_LONGEST]}" if found and found.holder else "taken by somebody else again and again"
        )
        cause = outcomes.Cause("Locked", f"Lease {leases.NAMESPACE}/{leases.name(self._order.bundle)}", by)
        return failing.Stopped(outcomes.Outcome.SKIPPED, cause, outcomes.Reason.LOCKED)

    async def keep(self) -> float:
        """Renew it when it is time, and return for how long it is ours for sure; raises ``client.Fenced``."""
        now = self._clock()
        if now >= self._due:
            try:
                await self._renew()
            except answers.Failure:
                if self._expires - self._clock() < _LEAST:
                    raise
                self._due = now + _AGAIN
        left = self._expires - self._clock()
        if left < _LEAST:
            raise client.Fenced
        return left

    async def _renew(self) -> None:
        began = self._clock()
        try:
            await self._write("PUT", self._path, self._held)
        except answers.Failure as failure:
            if failure.kind not in {"conflict", "missing"}:
                raise
            # Refused as of another version: a first try of this very request, whose answer was lost, or a stranger's.
            there = await answers.optional(self._api.get_raw(self._path, aside=True))
            found = leases.read(there) if there is not None else None
            if found is None or self._held is None or (found.uid, found.holder) != (self._held.uid, self._us):
                self._held = None
                raise client.Fenced from None
            self._hold(found, began)

    async def _write(self, method: client.Writing, path: str, last: leases.Lease | None) -> None:
        told = self._api.server_time
        body = leases.body(self._order.bundle, self._us, told[1] if told else None, last)
        began = self._clock()
        self._hold(leases.read(await self._api.write_aside(method, path, body)), began)

    def _hold(self, found: leases.Lease, began: float) -> None:
        self._held, self._expires, self._due = found, began + leases.TERM, began + leases.RENEW
        self._api.guard = self

    async def release(self) -> None:
        """Give it back, as far as the cluster answers; one under which a request may still land runs out (KEEP)."""
        held, self._held = self._held, None
        self._api.guard = None
        if held is None or self._api.unknown:
            return
        with contextlib.suppress(answers.Failure, client.Fenced, TimeoutError):
            await self._api.delete(self._path, uid=held.uid, resource_version=held.version, aside=True)
