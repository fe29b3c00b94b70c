"""From selected sites to the members of a run, rendered: files only, nothing is contacted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from fleetctl.inventory import fleets
from fleetctl.model import codes, errors, plans, problems, projects, releases, sites
from fleetctl.openapi import learned
from fleetctl.rendering import bundles, rendering
from fleetctl.rollout import orders, planning, provenance

__all__ = ["Prepared", "described", "prepare"]

_LEFT_OUT = {
    "planned": "planned: not there yet (fleetctl bootstrap)",
    "retired": "retired",
}


class Prepared(msgspec.Struct, frozen=True):
    """Who takes part, with what; sites in maintenance are members that are skipped and owed."""

    bundle: str
    version: str
    namespace: str
    wanted: tuple[planning.Wanted, ...]
    waiting: tuple[planning.Wanted, ...]
    left_out: tuple[planning.LeftOut, ...]
    limits: releases.Limits = releases.Limits()
    prune: plans.Prune = plans.Prune()
    load_balancers: bool = True
    templates: str = ""
    """Digest of the bundle's files; empty when nothing is rendered from them."""
    version_mark: problems.Mark | None = None
    """Where the bundle says its version."""

    @property
    def releases(self) -> list[releases.Release]:
        """Return what the store must keep for the run."""
        return [one.release for one in (*self.wanted, *self.waiting) if one.release is not None]


def prepare(
    loaded: fleets.Loaded,
    chosen: Sequence[sites.Site],
    bundle: bundles.Bundle,
    secrets: orders.Secrets,
    *,
    remove: bool = False,
    known: learned.Learned | None = None,
) -> Prepared:
    """Render a bundle for the selected sites it is assigned to; ``remove`` takes it off selected sites instead.

    ``known`` is what clusters served when they were asked last, for who does not ask them anew (``learning``).
    Raises ``InvalidInput`` with all that is wrong in files, ``EmptySelection`` when no site is left, and what
    ``secrets`` raise for values that cannot be had.
    """
    assigned = [site for site in chosen if bundle.name in site.bundles or remove]
    taking_part = [site for site in assigned if site.state in {"active", "maintenance"}]
    if not taking_part:
        raise errors.EmptySelection(*_nobody(chosen, assigned, bundle.name))
    made: dict[str, releases.Release] = {}
    limits = releases.Limits()
    lacking: tuple[planning.LeftOut, ...] = ()
    if not remove:
        rendered = rendering.render(loaded.fleet, [bundle], taking_part, loaded.origin, known)
        limits = rendered.limits
        made = {release.site: release for release in secrets.keyed(rendered.releases)}
        lacking = tuple(planning.LeftOut(one.why, one.sites) for one in rendered.left_out)
        taking_part = [site for site in taking_part if site.name in made]
        if not taking_part:
            raise errors.EmptySelection(*rendering.nobody(rendered.left_out))
    wanted = [planning.Wanted(site, made.get(site.name)) for site in taking_part]
    return Prepared(
        bundle=bundle.name,
        version=bundle.version,
        namespace=bundle.namespace,
        wanted=tuple(one for one in wanted if one.site.state == "active"),
        waiting=tuple(one for one in wanted if one.site.state != "active"),
        left_out=(*_left_out(chosen, assigned, bundle.name), *lacking),
        limits=limits,
        prune=plans.Prune(bundle.prune.count, bundle.prune.percent),
        load_balancers=bundle.health.load_balancer == "require",
        templates="" if remove else bundle.digest,
        version_mark=bundle.document.mark(("version",)),
    )


def described(
    prepared: Prepared,
    kind: plans.Kind,
    project: projects.Project,
    strategy: plans.Strategy,
    options: plans.Options,
) -> plans.Plan:
    """Return the plan without its waves and members, which come with the clusters' answers."""
    known = provenance.of(project)
    return plans.Plan(
        kind=kind,
        project=project.name,
        bundle=prepared.bundle,
        version=prepared.version,
        namespace=prepared.namespace,
        waves=(),
        strategy=strategy,
        options=msgspec.structs.replace(options, prune=prepared.prune, load_balancers=prepared.load_balancers),
        members=(),
        commit=known.commit,
        dirty=known.dirty,
        who=provenance.author(),
        templates=prepared.templates,
    )


def _left_out(chosen: Sequence[sites.Site], assigned: Sequence[sites.Site], bundle: str) -> Iterable[planning.LeftOut]:
    taken = {site.name for site in assigned}
    strangers = tuple(site.name for site in chosen if site.name not in taken)
    if strangers:
        yield planning.LeftOut(f"not assigned {bundle}", strangers)
    for state, words in _LEFT_OUT.items():
        found = tuple(site.name for site in assigned if site.state == state)
        if found:
            yield planning.LeftOut(words, found)


def _nobody(chosen: Sequence[sites.Site], assigned: Sequence[sites.Site], bundle: str) -> tuple[codes.Code, str, str]:
    if not assigned:
        return rendering.unassigned(len(chosen), bundle)
    none = f"none of the {len(chosen):,} selected sites is" if len(chosen) != 1 else "the selected site is not"
    return codes.Code.SELECTION_EMPTY, f"{none} active", "Rollouts take sites in state active or maintenance."
