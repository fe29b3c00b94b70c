"""Runs proposed: read the clusters, make the plan, gather what the store must keep. Nothing is changed yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from fleetctl.model import outcomes, plans, releases, sites
from fleetctl.rollout import catchup, engine, planning, preparing, saving, surveying, undoing
from fleetctl.state import holds, runs

__all__ = ["Proposal", "catchup_of", "rollout", "saved", "undo"]

_SURVEY = 256
_HOLD = outcomes.Reason.HOLD
_MAINTENANCE = outcomes.Reason.MAINTENANCE
_SOON = 7 * 24 * 3600.0
"""Seconds within which the end of credentials is worth a word."""


class Proposal(msgspec.Struct, frozen=True):
    """A plan with its preview, and what the store must keep for it."""

    preview: planning.Preview
    goals: tuple[releases.Release, ...] = ()
    readings: Mapping[str, planning.Reading] = {}
    supersedes: str | None = None
    origins: Mapping[str, str] = {}
    limits: releases.Limits = releases.Limits()
    """How far objects could be checked, by files and by what the members' clusters serve."""

    @property
    def plan(self) -> plans.Plan:
        """Return the plan."""
        return self.preview.plan


_Told = Callable[[planning.Reading], None]


def _silent(_: planning.Reading) -> None:
    """Tell nobody."""


async def rollout(
    ready: engine.Engine,
    prepared: preparing.Prepared,
    described: plans.Plan,
    told: _Told = _silent,
    *,
    contact: bool = True,
) -> Proposal:
    """Propose to bring a bundle to its members, or to take it off them; without ``contact`` the journal speaks."""
    free, held = _part(prepared.wanted, _held(ready))
    known = _known_with(ready, prepared.releases)
    asking = surveying.asking(
        {one.site.name: one.release for one in free},
        known,
        prepared.bundle,
        prepared.namespace,
        thorough=described.options.verify or described.options.reapply,
    )
    members = [one.site for one in free]
    limits = prepared.limits
    if contact:
        found = await ready.survey(members, prepared.bundle, prepared.namespace, _SURVEY, told, also=asking)
        limits = await ready.check(free, limits, found, _SURVEY)
    else:
        found = surveying.remembered(ready.store, members, prepared.bundle)
    outside = _outside(ready, described.strategy, free)
    preview = planning.make(described, free, found, known, prepared.left_out, outside=outside)
    skipped = (*_skipped(prepared.waiting, _MAINTENANCE), *_skipped(held, _HOLD))
    preview = _with_members(preview, (*preview.plan.members, *skipped), ready)
    return Proposal(preview, tuple(prepared.releases), found, limits=limits)


def saved(plan: plans.Plan, prepared: preparing.Prepared, *, simulated: bool) -> Proposal:
    """Propose a plan that was saved, if the files still say the same; raises ``Refused`` if not."""
    # Who is on hold is no matter of files: whoever is now, is skipped when the run comes to it.
    free, held = _part(prepared.wanted, {one.site for one in plan.members if one.skip == _HOLD}.__contains__)
    planned = {one.site: one.release for one in plan.members}
    now = msgspec.structs.replace(
        plan,
        bundle=prepared.bundle,
        version=prepared.version,
        namespace=prepared.namespace,
        templates=prepared.templates,
        members=(*_skipped(free, ""), *_skipped(prepared.waiting, _MAINTENANCE), *_skipped(held, _HOLD)),
    )
    saving.check_same(plan, now)
    preview = planning.bare(plan, simulated=simulated)
    goals = tuple(_as_planned(one, planned.get(one.site)) for one in prepared.releases)
    return Proposal(preview, goals, limits=prepared.limits)


def _as_planned(release: releases.Release, digest: str | None) -> releases.Release:
    """Return a release under the digest that its site was promised: where a secret moved since, the visit says so."""
    if digest in {None, release.digest}:
        return release
    return msgspec.structs.replace(release, digest=digest, fingerprints=())


async def undo(
    ready: engine.Engine,
    run: runs.Run,
    strategy: plans.Strategy,
    options: plans.Options,
    fleet: Mapping[str, sites.Site],
    *,
    remove_new: bool,
) -> Proposal:
    """Propose to take a run back; raises ``Refused`` while it is running."""
    undoing.refuse_running(run)
    undone = ready.plan_of(run)
    rows = ready.store.read(lambda conn: runs.changed_by(conn, run.id))
    touched = [fleet[row.site] for row in rows if row.site in fleet]
    found = await ready.survey(touched, undone.bundle, undone.namespace, _SURVEY, _silent)
    chosen = undoing.choose(rows, found, fleet, ready.known, remove_new=remove_new)
    described = plans.Plan(
        kind=plans.Kind.UNDO,
        project=undone.project,
        bundle=undone.bundle,
        version=undoing.version_of(chosen),
        namespace=undone.namespace,
        waves=(),
        strategy=msgspec.structs.replace(strategy, gates=()),
        options=msgspec.structs.replace(options, reapply=True, load_balancers=undone.options.load_balancers),
        members=(),
        undoes=run.id,
    )
    free, held = _part(_today(ready, chosen.wanted), _held(ready))
    readings = {one.site.name: found[one.site.name] for one in free}
    outside = _outside(ready, strategy, free)
    preview = planning.make(described, free, readings, ready.known, chosen.left_out, outside=outside)
    planned = (*preview.plan.members, *_skipped(held, _HOLD))
    members = tuple(undoing.member(one, chosen.rows[one.site]) for one in planned)
    preview = _with_members(preview, members, ready)
    return Proposal(preview, tuple(one.release for one in (*free, *held) if one.release), readings)


async def catchup_of(
    ready: engine.Engine, payable: catchup.Payable, strategy: plans.Strategy, project: str
) -> Proposal:
    """Propose to pay what sites are owed of one bundle."""
    described = plans.Plan(
        kind=plans.Kind.CATCHUP,
        project=project,
        bundle=payable.bundle,
        version=payable.version,
        namespace=payable.namespace,
        waves=(),
        strategy=msgspec.structs.replace(strategy, gates=()),
        options=plans.Options(verify=True, load_balancers=_load_balancers(ready, payable)),
        members=(),
    )
    outside = _outside(ready, strategy, payable.wanted)
    open_ones, closed = _part(payable.wanted, outside.__contains__)
    free, held = _part(_today(ready, open_ones), _held(ready))
    found = await ready.survey([one.site for one in free], payable.bundle, payable.namespace, _SURVEY, _silent)
    answering = [one for one in free if found[one.site.name].answered]
    dark = tuple(one.site.name for one in free if not found[one.site.name].answered)
    left_out = payable.left_out
    if held:
        left_out = (*left_out, planning.LeftOut("on hold", _names(held), owed=True))
    if closed:
        left_out = (*left_out, planning.LeftOut("outside their window", _names(closed), owed=True))
    if dark:
        left_out = (*left_out, planning.LeftOut("still out of reach", dark, owed=True))
    preview = planning.make(described, answering, found, ready.known, left_out)
    members = tuple(catchup.member(one, payable.debts[one.site]) for one in preview.plan.members)
    preview = _with_members(preview, members, ready)
    origins = {one.site.name: payable.debts[one.site.name].run for one in answering}
    return Proposal(preview, tuple(one.release for one in answering if one.release), found, origins=origins)


def _load_balancers(ready: engine.Engine, payable: catchup.Payable) -> bool:
    """Return what the runs that owe said of load balancers; the strictest of them counts."""
    owing = {debt.run for debt in payable.debts.values()}
    found = [ready.store.read(lambda conn, name=name: runs.get(conn, name)) for name in sorted(owing)]  # type: ignore[misc]
    return any(ready.plan_of(run).options.load_balancers for run in found)


def _known_with(ready: engine.Engine, made: list[releases.Release]) -> Callable[[str], releases.Release | None]:
    """Know the releases just rendered, too."""
    fresh = {release.digest: release for release in made}
    return lambda digest: fresh.get(digest) or ready.known(digest)


def _today(ready: engine.Engine, wanted: Iterable[planning.Wanted]) -> list[planning.Wanted]:
    """Return members whose releases are from the journal with the values that their secrets have today."""
    given = list(wanted)
    had = {one.release.digest: one.release for one in given if one.release}
    now = dict(zip(had, ready.secrets.keyed(list(had.values())), strict=True))
    return [msgspec.structs.replace(one, release=now[one.release.digest]) if one.release else one for one in given]


def _outside(ready: engine.Engine, strategy: plans.Strategy, wanted: Iterable[planning.Wanted]) -> frozenset[str]:
    """Return which sites may not be changed now."""
    return ready.windows(strategy).outside((one.site.name for one in wanted), ready.store.now())


def _names(wanted: Iterable[planning.Wanted]) -> tuple[str, ...]:
    return tuple(one.site.name for one in wanted)


def _held(ready: engine.Engine) -> Callable[[str], bool]:
    """Return what tells whether a site is on hold now."""
    found = ready.store.read(lambda conn: holds.current(conn, ready.store.now()))
    return lambda site: holds.FLEET in found or site in found


def _part(
    wanted: Iterable[planning.Wanted], held: Callable[[str], bool]
) -> tuple[tuple[planning.Wanted, ...], tuple[planning.Wanted, ...]]:
    """Part members into those that are visited and those on hold, which must not make up a canary."""
    both: tuple[list[planning.Wanted], list[planning.Wanted]] = ([], [])
    for one in wanted:
        both[held(one.site.name)].append(one)
    return tuple(both[0]), tuple(both[1])


def _skipped(wanted: Iterable[planning.Wanted], reason: str) -> tuple[plans.Member, ...]:
    return tuple(planning.member(one, wave=0, reading=None, skip=reason) for one in wanted)


def _with_members(
    preview: planning.Preview, members: tuple[plans.Member, ...], ready: engine.Engine
) -> planning.Preview:
    plan = msgspec.structs.replace(preview.plan, members=members)
    soon = time.time() + _SOON
    ends = ((one.site, end) for one in members if not one.skip and (end := ready.ends(one.site)) is not None)
    expiring = tuple(sorted((one for one in ends if one[1] < soon), key=lambda one: one[::-1]))
    now, windows = ready.store.now(), ready.windows(plan.strategy)
    outside = tuple(sorted(windows.outside((one.site for one in members if not one.skip), now)))
    return msgspec.structs.replace(
        preview,
        plan=plan,
        digest=plans.digest(plan),
        simulated=ready.simulated,
        expiring=expiring,
        outside=outside,
        opens=windows.opening(outside, now) if outside else "",
    )
