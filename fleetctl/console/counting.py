"""A run as it goes on, folded from its events: what a live view draws and a plain one prints."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Final

from fleetctl.model import events, outcomes

__all__ = ["Budget", "Cause", "Progress", "Visit", "WaveCount", "duration", "word"]

_LEAST_FOR_ETA: Final = 5

_WORDS: Final = {
    outcomes.Outcome.CHANGED: "changed",
    outcomes.Outcome.UNCHANGED: "unchanged",
    outcomes.Outcome.FAILED: "failed",
}
_ORDER: Final = (*_WORDS.values(), "unreachable", "owed (unreachable)")


def duration(seconds: float) -> str:
    """Return a time as people write it: ``41s``, ``4m12s``, ``2h05m``, ``3d``."""
    whole = int(max(0, seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d"


def word(outcome: outcomes.Outcome, reason: outcomes.Reason = outcomes.Reason.NONE, *, owed: bool = False) -> str:
    """Return an outcome in words: ``changed``, ``owed (unreachable)``, ``skipped (moved)``."""
    if outcome is outcomes.Outcome.UNREACHABLE:
        return "owed (unreachable)" if owed else "unreachable"
    if outcome is outcomes.Outcome.SKIPPED:
        return f"{'owed' if owed else 'skipped'} ({reason})"
    return _WORDS[outcome]


class WaveCount:
    """One wave in numbers."""

    def __init__(self, name: str, members: int, budget_failed: int, budget_unreachable: int) -> None:
        self.name = name
        self.members = members
        self.budget_failed = budget_failed
        self.budget_unreachable = budget_unreachable
        self.failed = 0
        """Those that count against the budget: sites that refused our credentials have one of their own."""
        self.unreachable = 0
        self.ended: Counter[str] = Counter()
        """Sites by how they ended, in words."""
        self.active: dict[str, events.Phase] = {}

    @property
    def done(self) -> int:
        """Return how many sites have their outcome."""
        return self.ended.total()

    def words(self) -> str:
        """Return how its sites ended."""
        names = sorted(self.ended, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
        return "  ".join(f"{self.ended[name]:,} {name}" for name in names)


class Cause:
    """Sites that share a cause."""

    def __init__(self, cause: outcomes.Cause, outcome: outcomes.Outcome, site: str) -> None:
        self.cause = cause
        self.outcome = outcome
        self.example = site
        self.sites = 0


@dataclasses.dataclass
class Visit:
    """A site that is under way."""

    site: str
    began: float
    phase: events.Phase
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Budget:
    """How many went wrong, how many may, and where that is counted."""

    count: int
    limit: int
    place: str

    def __str__(self) -> str:
        """Return ``2 (budget 6 in wave 3)``."""
        return f"{self.count:,} (budget {self.limit:,} in {self.place})"


class Progress:
    """What is known of a run; fed with its events in order."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.run: events.RunStarted | None = None
        self.began = clock()
        self.waves: list[WaveCount] = []
        self.wave = 0
        """Number of the wave that was opened last."""
        self.gate: events.GateMoved | None = None
        """The gate that stands between two waves, while it does."""
        self.causes: dict[str, Cause] = {}
        self.owed = 0
        self.end: events.RunEnded | None = None
        self._visits: dict[str, Visit] = {}
        self._most = 0
        self._slots = 0
        """How many visits may be under way at once, as soon as that is what sites wait for."""
        self._ended = 0
        self._taken = 0.0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the run began here."""
        return self._clock() - self.began

    @property
    def failed(self) -> Budget:
        """Return how many failed, where the budget is nearest to its end."""
        run = Budget(sum(wave.failed for wave in self.waves), self.run.total_failed if self.run else 0, "the run")
        if not self.wave:
            return run
        wave = self.waves[self.wave - 1]
        return _nearer(Budget(wave.failed, wave.budget_failed, f"wave {self.wave}"), run)

    @property
    def unreachable(self) -> Budget:
        """Return how many did not answer, where the budget is nearest to its end."""
        total = sum(wave.unreachable for wave in self.waves)
        run = Budget(total, self.run.total_unreachable if self.run else 0, "the run")
        if not self.wave:
            return run
        wave = self.waves[self.wave - 1]
        return _nearer(Budget(wave.unreachable, wave.budget_unreachable, f"wave {self.wave}"), run)

    def take(self, event: events.Event) -> None:
        """Take an event into account."""
        match event:
            case events.RunStarted():
                self.run = event
                budgets = event.budgets or ((0, 0),) * len(event.waves)
                self.waves = [
                    WaveCount(name, members, *budget)
                    for (name, members), budget in zip(event.waves, budgets, strict=True)
                ]
            case events.WaveStarted():
                self.wave, self.gate = event.wave, None
            case events.SiteMoved():
                self._moved(event)
            case events.SiteEnded():
                self._finished(event)
            case events.GateMoved():
                self.gate = event
            case events.RunEnded():
                self.end = event

    def _moved(self, event: events.SiteMoved) -> None:
        if event.wave:
            self.waves[event.wave - 1].active[event.site] = event.phase
        visit = self._visits.setdefault(event.site, Visit(event.site, self._clock(), event.phase))
        visit.phase, visit.detail = event.phase, event.detail
        self._most = max(self._most, len(self._visits))

    def _finished(self, event: events.SiteEnded) -> None:
        if event.wave:
            self._count(self.waves[event.wave - 1], event)
        visit = self._visits.pop(event.site, None)
        if visit is not None and not event.earlier:
            self._ended += 1
            self._taken += self._clock() - visit.began
        self.owed += event.owed
        if event.cause is not None and event.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE}:
            key = f"{event.outcome} {event.cause.fingerprint}"
            group = self.causes.setdefault(key, Cause(event.cause, event.outcome, event.site))
            group.sites += 1

    def _count(self, wave: WaveCount, event: events.SiteEnded) -> None:
        wave.active.pop(event.site, None)
        wave.ended[word(event.outcome, event.reason, owed=event.owed)] += 1
        credentials = event.reason is outcomes.Reason.CREDENTIALS
        wave.failed += event.outcome is outcomes.Outcome.FAILED and not credentials
        wave.unreachable += event.outcome is outcomes.Outcome.UNREACHABLE
        if not event.earlier and wave.members > wave.done + len(wave.active):
            self._slots = self._most

    def slowest(self) -> Visit | None:
        """Return the visit that is under way for longest; one that only soaks is where it should be."""
        return min(self._visits.values(), key=lambda one: (one.phase is events.Phase.SOAKING, one.began), default=None)

    def waited(self, visit: Visit) -> float:
        """Return for how many seconds a visit has been under way."""
        return self._clock() - visit.began

    def eta(self) -> float | None:
        """Return the seconds that the rest should take, where that can be told.

        Waves follow each other: each takes a visit's usual time, or as often that as its sites do not fit into the
        slots. How many slots there are shows when sites wait for one; until then there are enough.
        """
        if self._ended < _LEAST_FOR_ETA or not any(wave.members > wave.done for wave in self.waves):
            return None
        usual = self._taken / self._ended
        rounds = (
            max(1.0, left / self._slots if self._slots else 1.0)
            for left in (wave.members - wave.done for wave in self.waves)
            if left
        )
        return usual * sum(rounds)


def _nearer(wave: Budget, run: Budget) -> Budget:
    return run if run.limit - run.count < wave.limit - wave.count else wave
