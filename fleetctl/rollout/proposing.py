"""Runs proposed: read the clusters, make the plan, gather what the store must keep. Nothing is changed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from fleetctl.model import outcomes, plans, releases, sites
from fleetctl.rollout import catchup, engine, planning, preparing, saving, undoing
from fleetctl.state import runs

__all__ = ["Proposal", "catchup_of", "rollout", "saved", "undo"]

_SURVEY = 256


class Proposal(msgspec.Struct, frozen=True):
    """A plan with its preview, and what the store must keep for it."""

    preview: planning.Preview
    goals: tuple[releases.Release, ...] = ()
    readings: Mapping[str, planning.Reading] = {}
    supersedes: str | None = None
    origins: Mapping[str, str] = {}

    @property
    def plan(self) -> plans.Plan:
        """Return the plan."""
        return self.preview.plan


_Told = Callable[[planning.Reading], None]


def _silent(_: planning.Reading) -> None:
    """Tell nobody."""


async def rollout(
    ready: engine.Engine, prepared: preparing.Prepared, described: plans.Plan, told: _Told = _silent
) -> Proposal:
    """Propose to bring a bundle to its members, or to take it off them."""
    found = await ready.survey(
        [one.site for one in prepared.wanted], prepared.bundle, prepared.namespace, _SURVEY, told
    )
    known = _known_with(ready, prepared.releases)
    preview = planning.make(described, prepared.wanted, found, known, prepared.left_out)
    skipped = tuple(_skipped(one) for one in prepared.waiting)
    preview = _with_members(preview, (*preview.plan.members, *skipped), ready.simulated)
    return Proposal(preview, tuple(prepared.releases), found)


def saved(plan: plans.Plan, prepared: preparing.Prepared, *, simulated: bool) -> Proposal:
    """Propose a plan that was saved, if the files still say the same; raises ``Refused`` if not."""
    now = msgspec.structs.replace(
        plan,
        bundle=prepared.bundle,
        version=prepared.version,
        namespace=prepared.namespace,
        templates=prepared.templates,
        members=tuple(planning.member(one, wave=0, reading=None, skip="") for one in prepared.wanted)
        + tuple(_skipped(one) for one in prepared.waiting),
    )
    saving.check_same(plan, now)
    preview = planning.bare(plan, simulated=simulated)
    return Proposal(preview, tuple(prepared.releases))


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
        strategy=strategy,
        options=msgspec.structs.replace(options, reapply=True),
        members=(),
        undoes=run.id,
    )
    readings = {one.site.name: found[one.site.name] for one in chosen.wanted}
    preview = planning.make(described, chosen.wanted, readings, ready.known, chosen.left_out)
    members = tuple(undoing.member(one, chosen.rows[one.site]) for one in preview.plan.members)
    preview = _with_members(preview, members, ready.simulated)
    return Proposal(preview, tuple(one.release for one in chosen.wanted if one.release), readings)


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
        strategy=strategy,
        options=plans.Options(verify=True),
        members=(),
    )
    found = await ready.survey(
        [one.site for one in payable.wanted], payable.bundle, payable.namespace, _SURVEY, _silent
    )
    answering = [one for one in payable.wanted if found[one.site.name].answered]
    dark = tuple(one.site.name for one in payable.wanted if not found[one.site.name].answered)
    left_out = payable.left_out
    if dark:
        left_out = (*left_out, planning.LeftOut("still out of reach", dark, owed=True))
    preview = planning.make(described, answering, found, ready.known, left_out)
    members = tuple(catchup.member(one, payable.debts[one.site]) for one in preview.plan.members)
    preview = _with_members(preview, members, ready.simulated)
    origins = {one.site.name: payable.debts[one.site.name].run for one in answering}
    return Proposal(preview, tuple(one.release for one in answering if one.release), found, origins=origins)


def _known_with(ready: engine.Engine, made: list[releases.Release]) -> Callable[[str], releases.Release | None]:
    """Know the releases just rendered, too."""
    fresh = {release.digest: release for release in made}
    return lambda digest: fresh.get(digest) or ready.known(digest)


def _skipped(one: planning.Wanted) -> plans.Member:
    return planning.member(one, wave=0, reading=None, skip=outcomes.Reason.MAINTENANCE)


def _with_members(
    preview: planning.Preview,
    members: tuple[plans.Member, ...],
    simulated: bool,  # noqa: FBT001  # private
) -> planning.Preview:
    plan = msgspec.structs.replace(preview.plan, members=members)
    return msgspec.structs.replace(preview, plan=plan, digest=plans.digest(plan), simulated=simulated)
