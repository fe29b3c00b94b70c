"""The plan of a rollout: pure. What is read from clusters and rendered from files comes in as data."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from fleetctl.kube import rights
from fleetctl.model import codes, errors, objects, outcomes, plans, releases, sites
from fleetctl.rollout import folding, orders, permits
from fleetctl.runs import waves

__all__ = ["LeftOut", "Preview", "Prune", "Reading", "Wanted", "bare", "make", "member"]


class Reading(msgspec.Struct, frozen=True):
    """What a site's parent said when it was read for the plan; ``cause`` tells why it could not be read."""

    site: str
    answered: bool
    release: str | None = None
    previous: str | None = None
    applying: bool = False
    run: str = ""
    """The run that wrote the parent last."""
    cause: outcomes.Cause | None = None
    unreachable: bool = False
    """Whether it did not answer at all, rather than something that is no use."""
    there: bool = False
    """Whether there is a parent at all."""
    asked: bool = True
    """False where the site was not asked, and the journal speaks for it."""
    rights: rights.Answer = rights.Answer()
    """What of a visit would be refused, where that was asked."""


class Wanted(msgspec.Struct, frozen=True):
    """A member of the run: its site, and the release it shall have (None takes the bundle off)."""

    site: sites.Site
    release: releases.Release | None


class LeftOut(msgspec.Struct, frozen=True):
    """Sites that were selected and are no members, with the reason in words."""

    reason: str
    sites: tuple[str, ...]
    owed: bool = False


class Prune(msgspec.Struct, frozen=True):
    """One object that the plan would delete, and where."""

    id: objects.ObjectId
    sites: tuple[str, ...]


class Preview(msgspec.Struct, frozen=True):
    """A plan and what it amounts to, for people."""

    plan: plans.Plan
    digest: str
    before: tuple[tuple[str, int], ...]
    """Versions (or "unknown", "nothing") that sites have now, with counts, most first."""
    folds: tuple[folding.Fold, ...]
    prunes: tuple[Prune, ...]
    left_out: tuple[LeftOut, ...]
    silent: tuple[tuple[outcomes.Cause, tuple[str, ...]], ...]
    """Why sites did not answer the plan's read, grouped by fingerprint."""
    covered: int
    kinds: int
    """How many kinds of sites (distribution, version, architectures, objects) the canary covers, of how many."""
    simulated: bool = False
    expiring: tuple[tuple[str, float], ...] = ()
    """Sites whose credentials end soon, and when, the first to end first."""
    outside: tuple[str, ...] = ()
    """Sites that may not be changed at the time of the plan."""
    opens: str = ""
    """When the first of them may be, in words."""
    lacks: tuple[permits.Lack, ...] = ()
    doubts: tuple[permits.Doubt, ...] = ()
    """Where it is not known whether rights are missing."""


def make(
    described: plans.Plan,
    wanted: Sequence[Wanted],
    readings: Mapping[str, Reading],
    known: orders.Known,
    left_out: Sequence[LeftOut] = (),
    *,
    outside: Container[str] = frozenset(),
) -> Preview:
    """Complete a plan with its waves and members, and say what it would change.

    ``described`` is the plan without waves and members, ``outside`` are sites outside their windows now. Raises
    ``Refused`` when a site would lose more objects than the limit allows.
    """
    candidates = [_candidate(one, readings.get(one.site.name), outside) for one in wanted]
    division = waves.divide(candidates, described.strategy)
    members = sorted(
        (
            member(one, wave=division.wave_of[one.site.name], reading=readings.get(one.site.name), skip="")
            for one in wanted
        ),
        key=lambda one: (one.wave, one.site),
    )
    plan = msgspec.structs.replace(described, waves=division.waves, members=tuple(members))
    by_site: dict[str, tuple[tuple[folding.Change, ...], bool]] = {}
    memo: dict[tuple[str | None, str | None, bool], tuple[tuple[folding.Change, ...], bool]] = {}
    losses: dict[objects.ObjectId, list[str]] = {}
    for one in wanted:
        reading = readings.get(one.site.name)
        base = reading.release if reading else None
        goal = one.release.digest if one.release else None
        unknown = reading is None or not reading.answered or reading.applying
        key = (base, goal, unknown)
        if key not in memo:
            memo[key] = _compare(known, base, one.release, unknown=unknown)
        by_site[one.site.name] = memo[key]
        for change in memo[key][0]:
            if change.verb == folding.PRUNED:
                losses.setdefault(change.id, []).append(one.site.name)
    prunes = tuple(Prune(identity, tuple(sorted(names))) for identity, names in sorted(losses.items()))
    if described.kind is plans.Kind.ROLLOUT:
        _refuse_large_prunes(by_site, wanted, described.options.prune)
    return Preview(
        plan=plan,
        digest=plans.digest(plan),
        before=_before(wanted, readings, known),
        folds=tuple(folding.fold(by_site)),
        prunes=prunes,
        left_out=tuple(left_out),
        silent=_silent(readings.values()),
        covered=division.covered,
        kinds=division.kinds,
        lacks=permits.lacks({name: one.rights for name, one in readings.items()}),
        doubts=permits.doubts({name: one.rights for name, one in readings.items()}),
    )


def _candidate(one: Wanted, reading: Reading | None, outside: Container[str]) -> waves.Candidate:
    name = one.site.name
    return waves.Candidate(name, reading.answered if reading else True, _kind(one), closed=name in outside)


def _kind(one: Wanted) -> tuple[str, ...]:
    """Return what makes a site unlike others: what runs there, on what, and which objects it gets."""
    shape = "\n".join(str(part.id) for part in one.release.objects) if one.release else ""
    version = one.site.cluster.version or ""
    architectures = "+".join(sorted({node.arch for node in one.site.nodes}))
    return (one.site.cluster.distribution, ".".join(version.split(".")[:2]), architectures, shape)


def member(one: Wanted, *, wave: int, reading: Reading | None, skip: str) -> plans.Member:
    """Return a site as a member of the plan; ``skip`` tells why it is not visited."""
    access = one.site.access.kube
    return plans.Member(
        site=one.site.name,
        wave=wave,
        release=one.release.digest if one.release else None,
        base=reading.release if reading and reading.asked else None,
        # A parent that somebody left half done names nothing that the visit could hold against what it finds.
        read=reading is not None and reading.asked and reading.answered and not reading.applying,
        endpoint=access.kubeconfig or one.site.cluster.endpoint or "",
        skip=skip,
        rendered=one.release.rendered if one.release and one.release.fingerprints else "",
    )


def bare(plan: plans.Plan, *, simulated: bool) -> Preview:
    """Return the preview of a plan that was looked at before: nothing is told again."""
    return Preview(
        plan=plan,
        digest=plans.digest(plan),
        before=(),
        folds=(),
        prunes=(),
        left_out=(),
        silent=(),
        covered=0,
        kinds=0,
        simulated=simulated,
    )


def _compare(
    known: orders.Known, base: str | None, goal: releases.Release | None, *, unknown: bool
) -> tuple[tuple[folding.Change, ...], bool]:
    if not unknown and goal is not None and base == goal.digest:
        return (), True
    old = known(base) if base else None
    if unknown or (base and old is None):
        return (), False
    return folding.changes(old, goal), True


def _refuse_large_prunes(
    by_site: Mapping[str, tuple[tuple[folding.Change, ...], bool]], wanted: Sequence[Wanted], limit: plans.Prune
) -> None:
    sizes = {one.site.name: len(one.release.objects) if one.release else 0 for one in wanted}
    over: dict[int, list[str]] = {}
    for site, (found, _) in by_site.items():
        losses = sum(change.verb == folding.PRUNED for change in found)
        if losses > limit.of(sizes[site] + losses):
            over.setdefault(losses, []).append(site)
    if over:
        most = max(over)
        names = [name for found in over.values() for name in found]
        message = (
            f"the plan would delete up to {most:,} objects at each of {len(names):,} sites, e.g. {over[most][0]}: "
            f"more than {limit} of the bundle's objects there"
        )
        raise errors.Refused(
            codes.Code.PLAN_PRUNES_TOO_MUCH,
            message,
            "Take them off in smaller steps, or check the bundle's conditions.",
        )


def _before(
    wanted: Sequence[Wanted], readings: Mapping[str, Reading], known: orders.Known
) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    names: dict[str | None, str] = {None: "nothing"}
    for one in wanted:
        reading = readings.get(one.site.name)
        if reading is None or not reading.answered:
            version = "unknown"
        elif reading.applying:
            version = "a half-applied release"
        else:
            if reading.release not in names:
                release = known(reading.release or "")
                names[reading.release] = release.version if release else "unknown"
            version = names[reading.release]
        counts[version] = counts.get(version, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _silent(readings: Iterable[Reading]) -> tuple[tuple[outcomes.Cause, tuple[str, ...]], ...]:
    groups: dict[str, tuple[outcomes.Cause, list[str]]] = {}
    for reading in readings:
        if reading.cause is not None:
            groups.setdefault(reading.cause.fingerprint, (reading.cause, []))[1].append(reading.site)
    ordered = sorted(groups.values(), key=lambda group: (-len(group[1]), group[1]))
    return tuple((cause, tuple(sorted(names))) for cause, names in ordered)
