"""A run as it goes on, folded from its events: what a live view draws and a plain one prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from fleetctl.model import events, outcomes

__all__ = ["Cause", "Progress", "WaveCount", "duration", "word"]

_LEAST_FOR_ETA: Final = 5

_WORDS: Final = {
    outcomes.Outcome.CHANGED: "changed",
    outcomes.Outcome.UNCHANGED: "unchanged",
    outcomes.Outcome.FAILED: "failed",
    outcomes.Outcome.UNREACHABLE: "owed (unreachable)",
}


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
    """Return an outcome in words: ``changed``, ``owed (maintenance)``, ``skipped (moved)``."""
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
        self.opened = False
        self.ended: Counter[str] = Counter()
        """Sites by how they ended, in words."""
        self.active: dict[str, events.Phase] = {}

    @property
    def done(self) -> int:
        """Return how many sites have their outcome."""
        return sum(self.ended.values())

    def words(self) -> str:
        """Return how its sites ended."""
        order = [*_WORDS.values()]
        names = sorted(self.ended, key=lambda name: (order.index(name) if name in order else len(order), name))
        return "  ".join(f"{self.ended[name]:,} {name}" for name in names)


class Cause:
    """Sites that share a cause."""

    def __init__(self, cause: outcomes.Cause, outcome: outcomes.Outcome, site: str) -> None:
        self.cause = cause
        self.outcome = outcome
        self.example = site
        self.sites = 0


class Progress:
    """What is known of a run; fed with its events in order."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.run: events.RunStarted | None = None
        self.began = clock()
        self.waves: list[WaveCount] = []
        self.causes: dict[str, Cause] = {}
        self.failed = 0
        self.owed = 0
        self.end: events.RunEnded | None = None
        self._since: dict[str, float] = {}
        self._details: dict[str, str] = {}
        self._fresh = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the run began here."""
        return self._clock() - self.began

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
                self.waves[event.wave - 1].opened = True
            case events.SiteMoved():
                self._moved(event)
            case events.SiteEnded():
                self._ended(event)
            case events.RunEnded():
                self.end = event

    def _moved(self, event: events.SiteMoved) -> None:
        if event.wave:
            self.waves[event.wave - 1].active[event.site] = event.phase
        self._since.setdefault(event.site, self._clock())
        self._details[event.site] = event.detail

    def _ended(self, event: events.SiteEnded) -> None:
        if event.wave:
            wave = self.waves[event.wave - 1]
            wave.active.pop(event.site, None)
            wave.ended[word(event.outcome, event.reason, owed=event.owed)] += 1
        self._since.pop(event.site, None)
        self._details.pop(event.site, None)
        self._fresh += not event.earlier
        self.failed += event.outcome is outcomes.Outcome.FAILED
        self.owed += event.owed
        if event.cause is not None and event.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE}:
            group = self.causes.setdefault(event.cause.fingerprint, Cause(event.cause, event.outcome, event.site))
            group.sites += 1

    def slowest(self) -> tuple[str, float, str] | None:
        """Return the site that is under way for longest: its name, for how long, and what it waits for."""
        if not self._since:
            return None
        site = min(self._since, key=self._since.__getitem__)
        return site, self._clock() - self._since[site], self._details.get(site, "")

    def eta(self) -> float | None:
        """Return the seconds that the rest would take at the pace so far, where that can be told."""
        left = sum(wave.members - wave.done for wave in self.waves)
        if self._fresh < _LEAST_FOR_ETA or not left:
            return None
        return self.elapsed / self._fresh * left
