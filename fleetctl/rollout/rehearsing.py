"""A rollout rehearsed by API servers (``dryRun=All``): what each would say to it, gathered over sites."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from fleetctl.model import exits, objects, outcomes, plans
from fleetctl.rollout import comparing, drifting, engine, folding, planning, proposing

__all__ = ["Group", "Rehearsal", "Trouble", "rehearse"]


class Trouble(msgspec.Struct, frozen=True):
    """An object that a visit would fail for, or of which nobody knows; and why."""

    id: objects.ObjectId
    details: str


class Group(msgspec.Struct, frozen=True):
    """Sites whose servers said the same, with numbers of objects; words are those of the first site."""

    sites: tuple[str, ...]
    created: int
    configured: int
    unchanged: int
    deleted: int
    conflicts: tuple[Trouble, ...] = ()
    """Whose fields would have to be taken, where that was not asked for."""
    refused: tuple[Trouble, ...] = ()
    """By admission, a quota, validation, or because they belong to somebody else."""
    unknown: tuple[Trouble, ...] = ()
    """What no server can judge yet: the namespace or the kind comes with the release."""

    @property
    def fails(self) -> bool:
        """Tell whether a visit would fail."""
        return bool(self.conflicts or self.refused)


class Rehearsal(msgspec.Struct, frozen=True):
    """What the servers said, most sites first; and those that said nothing."""

    groups: tuple[Group, ...]
    silent: tuple[comparing.Silence, ...]

    @property
    def changes(self) -> bool:
        """Tell whether anything would change, or may."""
        return any(
            one.created or one.configured or one.deleted or one.conflicts or one.refused or one.unknown
            for one in self.groups
        )

    @property
    def exit(self) -> exits.Exit:
        """Return how it stands: 6 where visits would fail, 4 where servers do not answer."""
        found = {exits.Exit.OK}
        if any(one.fails for one in self.groups) or any(not one.unreachable for one in self.silent):
            found.add(exits.Exit.FAILED)
        if any(one.unreachable for one in self.silent):
            found.add(exits.Exit.OWED)
        return exits.worst(found)


async def rehearse(
    ready: engine.Engine, proposal: proposing.Proposal, wanted: Iterable[planning.Wanted], concurrency: int
) -> Rehearsal:
    """Ask each site of a proposed rollout where a visit would do something; those that were silent are not asked again.

    Costs what ``drifting.ask`` does: the parent, the set's lists, and two requests for each object that may change.
    """
    plan = proposal.plan
    thorough = plan.options.verify or plan.options.reapply
    visited = {one.site for one in plan.members if not one.skip}
    asked = [
        one
        for one in wanted
        if one.site.name in visited and _moves(one, proposal.readings.get(one.site.name), thorough=thorough)
    ]
    question = drifting.Question(plan.bundle, plan.namespace, concurrency, adopt=bool(plan.options.adopt))
    said = await drifting.ask(ready, asked, question)
    totals = {one.site.name: len(one.release.objects) for one in asked if one.release is not None}
    groups = _gathered(said.found, totals, plan.options.force)
    return Rehearsal(tuple(groups), (*_silent(proposal.readings, visited), *said.silent))


def _silent(readings: Mapping[str, planning.Reading], visited: Collection[str]) -> Iterator[comparing.Silence]:
    """Return the sites that did not answer the plan's own read."""
    found: dict[tuple[str, bool], list[tuple[outcomes.Cause, str]]] = {}
    for site, reading in readings.items():
        if reading.cause is not None and site in visited:
            key = (reading.cause.fingerprint, reading.unreachable)
            found.setdefault(key, []).append((reading.cause, site))
    for (_, unreachable), told in found.items():
        yield comparing.Silence(told[0][0], tuple(sorted(site for _, site in told)), unreachable)


def _moves(one: planning.Wanted, reading: planning.Reading | None, *, thorough: bool) -> bool:
    """Tell whether a visit would do something at a site that has answered."""
    if reading is None or not reading.answered or one.release is None:
        return False
    return thorough or reading.applying or reading.release != one.release.digest


def _gathered(
    found: Mapping[str, tuple[comparing.Difference, ...]], totals: Mapping[str, int], force: plans.Force
) -> Sequence[Group]:
    groups = []
    for total in sorted(set(totals.values())):
        alike = {site: differences for site, differences in found.items() if totals[site] == total}
        groups += [_group(one, total, force) for one in comparing.alike(alike)]
    return sorted(groups, key=lambda one: (-len(one.sites), one.sites))


def _group(found: comparing.Group, total: int, force: plans.Force) -> Group:
    counts = dict.fromkeys((folding.CREATED, folding.CONFIGURED, folding.PRUNED), 0)
    conflicts, refused, unknown = list[Trouble](), list[Trouble](), list[Trouble]()
    for one in found.differences:
        trouble = Trouble(one.change.id, one.change.details)
        if one.change.verb == folding.REFUSED:
            refused.append(trouble)
        elif not one.judged:
            unknown.append(trouble)
        elif _conflicts(one, force):
            conflicts.append(trouble)
        elif one.change.details != comparing.STAYS:
            counts[one.change.verb] += 1
    told = counts[folding.CREATED] + counts[folding.CONFIGURED] + len(conflicts) + len(refused) + len(unknown)
    return Group(
        sites=found.sites,
        created=counts[folding.CREATED],
        configured=counts[folding.CONFIGURED],
        unchanged=total - told,
        deleted=counts[folding.PRUNED],
        conflicts=tuple(conflicts),
        refused=tuple(refused),
        unknown=tuple(unknown),
    )


def _conflicts(one: comparing.Difference, force: plans.Force) -> bool:
    """Tell whether fields would have to be taken from managers that may not be forced."""
    owners = {name for field in one.fields for name in field.managers}
    return bool(owners) and not force.everybody and not owners <= set(force.managers)
