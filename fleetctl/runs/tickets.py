"""A claimed site in the hands of a visit, and the clock that its lease is measured by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from fleetctl.model import events
from fleetctl.state import claims

__all__ = ["Ticket", "uptime"]


class Ticket:
    """A claimed site in the hands of a visit."""

    def __init__(
        self,
        claim: claims.Claim,
        expires: float,
        clock: Callable[[], float],
        told: events.Observe,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.claim = claim
        self.rest = rest
        """Waits for so many seconds without a slot: another site is visited meanwhile, and the lease is kept."""
        self.until = claim.until
        self.expires = expires
        self.phase = events.Phase.APPLYING
        self.lost = False
        self.deferred = False
        """Whether the site was found held by another operator, and is visited for the last time."""
        self._clock = clock
        self._told = told

    def fence(self, seconds: float) -> bool:
        """Tell whether a request that may take so long ends before the lease does, by two clocks.

        One passes while the machine sleeps, the other is the store's own; neither is trusted alone.
        """
        return uptime() + seconds <= self.expires and self._clock() + seconds <= self.until

    def renewed(self, expires: float, until: float) -> None:
        """Take note of a lease that was prolonged."""
        self.expires = expires
        self.until = until

    def tell(self, phase: events.Phase, detail: str = "") -> None:
        """Say what the visit does now."""
        self.phase = phase
        self._told(events.SiteMoved(self.claim.site, self.claim.wave, phase, detail))


def uptime() -> float:
    """Return seconds that also pass while the machine sleeps, so that a lease cannot outlive a closed lid."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
