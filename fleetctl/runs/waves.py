"""Who goes when: members divided into waves, with the budgets of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from fleetctl.model import plans

__all__ = ["Candidate", "Division", "divide"]


class Candidate(msgspec.Struct, frozen=True):
    """A site that may go in any wave; ``kind`` is what makes it unlike others (distribution, version, objects)."""

    site: str
    answered: bool
    kind: tuple[str, ...] = ()
    closed: bool = False
    """Whether it may not be changed at the time of the plan: others make a better canary."""


class Division(msgspec.Struct, frozen=True):
    """Waves in order, the wave of each site (from 1), and how many kinds of sites the canary covers."""

    waves: tuple[plans.Wave, ...]
    wave_of: dict[str, int]
    covered: int
    kinds: int


def divide(candidates: Iterable[Candidate], strategy: plans.Strategy) -> Division:
    """Divide sites into waves.

    A percentage is of all members, rounded down, at least one site. As many members as the first wave or fewer are one
    wave. Within a wave, and between those after the canary, the order follows a hash of the name: stable from run to
    run, and every wave meets every region.
    """
    waiting = sorted(candidates, key=lambda one: hashlib.sha256(one.site.encode()).digest())
    total = len(waiting)
    kinds = {one.kind for one in waiting}
    covered: set[tuple[str, ...]] = set()
    waves: list[plans.Wave] = []
    wave_of: dict[str, int] = {}
    for number, rule in enumerate(strategy.waves, 1):
        if not waiting:
            break
        size = _size(rule, total, len(waiting))
        taken = _cover(waiting, size) if rule.canary else waiting[:size]
        if rule.canary:
            covered |= {one.kind for one in taken}
        names = {one.site for one in taken}
        waiting = [one for one in waiting if one.site not in names]
        wave_of |= dict.fromkeys(sorted(names), number)
        waves.append(_wave(rule, number, len(taken), strategy))
    return Division(tuple(waves), wave_of, len(covered), len(kinds))


def _size(rule: plans.WaveRule, total: int, left: int) -> int:
    if rule.percent is not None:
        return min(left, max(1, int(total * rule.percent / 100 + 1e-9)))
    if rule.count is not None:
        return min(left, rule.count)
    return left


def _cover(waiting: Sequence[Candidate], most: int) -> list[Candidate]:
    """Take one site of each kind, commonest kinds first, sites that answered before others; at least one site.

    Of those that answered, the ones that may be changed now go first.
    """
    by_kind: dict[tuple[str, ...], list[Candidate]] = {}
    for one in waiting:
        by_kind.setdefault(one.kind, []).append(one)
    best = [min(members, key=lambda one: (not one.answered, one.closed)) for members in by_kind.values()]
    best.sort(key=lambda one: (not one.answered, one.closed, -len(by_kind[one.kind]), one.kind))
    taken = [one for one in best[:most] if one.answered]
    return taken or best[:1]


def _wave(rule: plans.WaveRule, number: int, members: int, strategy: plans.Strategy) -> plans.Wave:
    """Return a wave with its budgets: a canary may not fail at all, and one of them at least must answer."""
    return plans.Wave(
        name=rule.name or str(number),
        members=members,
        max_failed=0 if rule.canary else strategy.max_failed.of(members),
        max_unreachable=members - 1 if rule.canary else strategy.max_unreachable.of(members),
        max_unauthorized=0 if rule.canary else strategy.max_unauthorized.of(members),
    )
