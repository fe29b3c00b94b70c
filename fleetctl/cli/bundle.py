"""``fleetctl bundle``: list, show, add, test."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options
from fleetctl.console import bundles as screens
from fleetctl.inventory import fleets, selecting
from fleetctl.model import codes, errors, exits, layering, releases, sites, values
from fleetctl.reading import shipped
from fleetctl.rendering import adding, bundles, describing, examples, rendering
from fleetctl.reports import bundles as reports
from fleetctl.reports import envelopes

__all__ = ["Name", "add", "app", "list_bundles", "show", "try_examples"]

app = commands.application("Look at bundles and try them: list, show, add, test.")

Name = Annotated[str, typer.Argument(metavar="BUNDLE", help="The name of a bundle.", autocompletion=completing.bundles)]


@app.command("list", cls=commands.Command)
def list_bundles(
    ctx: typer.Context,
    ships: Annotated[
        bool, typer.Option("--shipped", help="Bundles that come with fleetctl, instead of the project's.")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """List the project's bundles, and how many sites each is assigned to."""
    found = _shipped(opening.of(ctx)) if ships else _own(opening.of(ctx).fleet())
    if output in envelopes.FORMATS:
        envelopes.write(reports.bundle_list(found), output, sys.stdout)
    else:
        screens.catalogue(found, sys.stdout, shipped=ships, wide=output == options.Output.WIDE)


def _own(loaded: fleets.Loaded) -> list[describing.Listed]:
    project = loaded.project
    assigned = Counter(name for site in loaded.fleet.sites.values() for name in site.bundles)
    theirs = set(bundles.catalogue(shipped.folder("templates")))
    found = []
    for one in describing.load_all(project.templates, bundles.catalogue(project.templates), project.shown):
        ships = bundles.load(shipped.folder("templates"), one.name, str).version if one.name in theirs else None
        found.append(_listed(one, assigned[one.name], ships, one.version))
    return found


def _shipped(opened: opening.Opening) -> list[describing.Listed]:
    """Return what fleetctl ships; a project is not needed, but when there is one it is said what it has."""
    folder = shipped.folder("templates")
    try:
        project = opened.project()
    except errors.NotConfigured:
        own: dict[str, str] = {}
    else:
        names = set(bundles.catalogue(folder)) & set(bundles.catalogue(project.templates))
        own = {one.name: one.version for one in describing.load_all(project.templates, sorted(names), project.shown)}
    theirs = describing.load_all(folder, bundles.catalogue(folder), str)
    return [_listed(one, None, one.version, own.get(one.name)) for one in theirs]


def _listed(one: bundles.Bundle, count: int | None, ships: str | None, has: str | None) -> describing.Listed:
    return describing.Listed(one.name, one.version, one.namespace, one.description, count, ships, has)


@app.command(cls=commands.Command)
def show(
    ctx: typer.Context,
    name: Name,
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            help="Show its values at this site, and what it makes there.",
            autocompletion=completing.site,
        ),
    ] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show a bundle: what it is, the values it takes, and what it makes for a site."""
    loaded = opening.of(ctx).fleet()
    project = loaded.project
    bundle = bundles.load(project.templates, name, project.shown)
    folder = project.templates / bundle.name
    chosen = selecting.one(loaded.fleet, site) if site else None
    shown = describing.Shown(
        bundle=bundle,
        folder=project.shown(folder),
        sites=sum(bundle.name in one.bundles for one in loaded.fleet.sites.values()),
        examples=examples.names(folder),
        values=describing.describe(bundle),
        release=None if chosen is None else _release(loaded, bundle, chosen),
        merged=None if chosen is None else _merged(bundle, chosen),
    )
    if output in envelopes.FORMATS:
        envelopes.write(reports.one_bundle(shown), output, sys.stdout)
    else:
        screens.show(shown, sys.stdout, wide=output == options.Output.WIDE)


def _release(loaded: fleets.Loaded, bundle: bundles.Bundle, site: sites.Site) -> releases.Release:
    if bundle.name not in site.bundles:
        message = f"{site.name} is not assigned {bundle.name}"
        hint = "Assign it under bundles: in the inventory."
        raise errors.EmptySelection(codes.Code.RENDER_NOT_ASSIGNED, message, hint)
    return rendering.render(loaded.fleet, [bundle], [site], loaded.origin).releases[0]


def _merged(bundle: bundles.Bundle, site: sites.Site) -> values.Vars:
    own = site.vars.get(bundle.values_key)
    return layering.merge(bundle.values, own if isinstance(own, dict) else {}, [])


@app.command(cls=commands.Command)
def add(ctx: typer.Context, name: Name, output: options.Format = options.Output.TABLE) -> None:
    """Copy a bundle that comes with fleetctl into the project, where it can be changed."""
    project = opening.of(ctx).project()
    folder = project.shown(project.templates / name)
    adding.add(name, shipped.folder("templates"), project.templates, folder)
    bundle = bundles.load(project.templates, name, project.shown)
    listed = examples.names(project.templates / name)
    shown = describing.Shown(bundle, folder, 0, listed, describing.describe(bundle))
    if output in envelopes.FORMATS:
        envelopes.write(reports.one_bundle(shown), output, sys.stdout)
    else:
        screens.added(shown, sys.stdout)


@app.command("test", cls=commands.Command)
def try_examples(
    ctx: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="BUNDLE", help="Names of bundles.", autocompletion=completing.bundles)
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Write what is rendered now to expected/, instead of comparing.")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Render the examples of bundles, and compare them with what is expected."""
    project = opening.of(ctx).project()
    found = [
        examples.verify(bundle, case, project.shown, rewrite=update)
        for bundle in describing.load_all(project.templates, names, project.shown)
        for case in examples.cases(bundle, project.templates / bundle.name, project.shown)
    ]
    if output in envelopes.FORMATS:
        envelopes.write(reports.example_list(found), output, sys.stdout)
    else:
        screens.tested(found, sys.stdout)
    if any(one.differences and not one.updated for one in found):
        raise typer.Exit(int(exits.Exit.DIFFERENCES))
