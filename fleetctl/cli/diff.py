"""``fleetctl diff``: what is rendered now against live clusters, against what sites got last, or a revision."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options, running
from fleetctl.console import checks
from fleetctl.console import differences as screens
from fleetctl.inventory import fleets, selecting
from fleetctl.model import errors, exits, plans, releases, sites
from fleetctl.openapi import learned
from fleetctl.rendering import bundles, rendering
from fleetctl.reports import differences as reports
from fleetctl.reports import envelopes
from fleetctl.rollout import comparing, drifting, preparing
from fleetctl.runs import loops

__all__ = ["app", "diff"]

app = commands.application()


@app.command(cls=commands.Command)
@options.selection_flags
def diff(
    ctx: typer.Context,
    selection: selecting.Selection,
    wanted: options.Bundle,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="live|last|COMMIT",
            help="The clusters, what sites got last, or a commit.",
        ),
    ],
    revision: options.Revision = None,
    override: options.Overrides = [],  # noqa: B006  # Typer reads the default, nobody changes it
    output: options.Format = options.Output.TABLE,
) -> None:
    """Compare what a bundle amounts to now with what it was, or with what clusters have; changes nothing."""
    opened = opening.of(ctx, revision).overriding(override)
    loaded = opened.fleet()
    chosen = selecting.select(loaded.fleet, selection, opening.read_stdin)
    bundle = bundles.load(loaded.project.templates, wanted, loaded.project.shown)
    if against == "live":
        found = _against_live(opened, loaded, chosen, bundle)
    elif against == "last":
        found = _against_last(opened, loaded, chosen, bundle)
    else:
        then = opening.of(ctx, against).fleet()
        found = _against_revision(loaded, then, _chosen_then(loaded, then, chosen, selection), bundle, against)
    if output == options.Output.NAME:
        sys.stdout.writelines(f"{name}\n" for name in reports.names(found))
    elif output in envelopes.FORMATS:
        envelopes.write(reports.comparison(found), output, sys.stdout)
    else:
        screens.show(found, sys.stdout)
    ended = {exits.Exit.OWED if one.unreachable else exits.Exit.FAILED for one in found.silent}
    if found.differs:
        ended.add(exits.Exit.DIFFERENCES)
    raise typer.Exit(int(exits.worst(ended)))


def _against_live(
    opened: opening.Opening, loaded: fleets.Loaded, chosen: list[sites.Site], bundle: bundles.Bundle
) -> comparing.Comparison:
    known = learned.Learned(loaded.project.root)
    prepared = preparing.prepare(loaded, chosen, bundle, opened.secrets(loaded.project), known=known)
    checks.notes(prepared.limits, sys.stderr)
    asked = (*prepared.wanted, *prepared.waiting)
    concurrency = opened.settings().running.concurrency or plans.Strategy().concurrency
    question = drifting.Question(prepared.bundle, prepared.namespace, concurrency)
    with running.open_for(opened, loaded.project, (one.site for one in asked)) as ready:

        async def work() -> drifting.Answers:
            async with ready.engine() as engine:
                return await drifting.ask(engine, asked, question)

        said = loops.run(work())
    return comparing.Comparison(
        bundle=bundle.name,
        version=bundle.version,
        against="live",
        groups=tuple(comparing.alike(said.found)),
        left_out=tuple((one.reason, one.sites) for one in prepared.left_out),
        simulated=opened.simulated,
        silent=said.silent,
    )


def _against_last(
    opened: opening.Opening, loaded: fleets.Loaded, chosen: list[sites.Site], bundle: bundles.Bundle
) -> comparing.Comparison:
    known = learned.Learned(loaded.project.root)
    prepared = preparing.prepare(loaded, chosen, bundle, opened.secrets(loaded.project), known=known)
    checks.notes(prepared.limits, sys.stderr)
    made = {release.site: release for release in prepared.releases}
    with opened.store(loaded.project) as store:
        pairs = comparing.last(store, bundle.name, sorted(made), made)
    return comparing.Comparison(
        bundle=bundle.name,
        version=bundle.version,
        against="last",
        groups=tuple(comparing.compare(pairs)),
        left_out=tuple((one.reason, one.sites) for one in prepared.left_out),
        simulated=opened.simulated,
    )


def _against_revision(
    now: fleets.Loaded, then: fleets.Loaded, names: list[str], bundle: bundles.Bundle, against: str
) -> comparing.Comparison:
    new, limits = _rendered(now, names, bundle)
    checks.notes(limits, sys.stderr)
    had = bundle.name in bundles.catalogue(then.project.templates)
    old: Mapping[str, releases.Release] = {}
    if had:
        old, _ = _rendered(then, names, bundles.load(then.project.templates, bundle.name, then.project.shown))
    members = [name for name in names if name in new or name in old]
    if not members:
        raise errors.EmptySelection(*rendering.unassigned(len(names), bundle.name))
    pairs = [comparing.Pair(name, old.get(name), new.get(name)) for name in members]
    others = tuple(name for name in names if name not in new and name not in old)
    return comparing.Comparison(
        bundle=bundle.name,
        version=bundle.version,
        against=against,
        groups=tuple(comparing.compare(pairs)),
        left_out=((f"not assigned {bundle.name}", others),) if others else (),
    )


def _rendered(
    loaded: fleets.Loaded, names: Iterable[str], bundle: bundles.Bundle
) -> tuple[Mapping[str, releases.Release], releases.Limits]:
    members = [site for name in names if (site := loaded.fleet.sites.get(name)) and bundle.name in site.bundles]
    made = rendering.render(loaded.fleet, [bundle], members, loaded.origin, learned.Learned(loaded.project.root))
    return {release.site: release for release in made.releases}, made.limits


def _chosen_then(
    now: fleets.Loaded, then: fleets.Loaded, chosen: list[sites.Site], selection: selecting.Selection
) -> list[str]:
    """Return the names of selected sites, with those that the same flags selected then and that are gone now."""
    try:
        before = selecting.select(then.fleet, selection, opening.read_stdin)
    except (errors.EmptySelection, errors.UsageError):
        before = []  # names and groups may not have been there
    gone = {site.name for site in before if site.name not in now.fleet.sites}
    return sorted({site.name for site in chosen} | gone)
