"""``fleetctl get``: what there is, as tables; from files and the journal, contacting nothing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import listings as tables
from fleetctl.inventory import selecting
from fleetctl.reports import envelopes
from fleetctl.reports import listings as reports

__all__ = ["LabelColumns", "app", "bundles", "debts", "groups", "holds", "nodes", "sites"]

app = commands.application("List sites, nodes, groups, bundles, debts or holds; contacts nothing.")

LabelColumns = Annotated[
    list[str],
    typer.Option("-L", "--label-columns", metavar="KEY,..", help="Show these labels as columns of their own."),
]


@app.command(cls=commands.Command)
@options.selection_flags
def sites(
    ctx: typer.Context,
    selection: selecting.Selection,
    labels: LabelColumns = [],  # noqa: B006  # Typer reads the default, nobody changes it
    output: options.Format = options.Output.TABLE,
) -> None:
    """List sites."""
    fleet = opening.of(ctx).fleet().fleet
    if output == options.Output.NAME:
        envelopes.write_names(selecting.names(fleet, selection, opening.read_stdin), sys.stdout)
        return
    chosen = selecting.select(fleet, selection, opening.read_stdin)
    if output in envelopes.FORMATS:
        envelopes.write(envelopes.site_list(chosen), output, sys.stdout)
    else:
        tables.of_sites(chosen, tables.keys(labels), sys.stdout, wide=output == options.Output.WIDE)


@app.command(cls=commands.Command)
@options.selection_flags
def nodes(
    ctx: typer.Context,
    selection: selecting.Selection,
    labels: LabelColumns = [],  # noqa: B006
    output: options.Format = options.Output.TABLE,
) -> None:
    """List the nodes of sites."""
    chosen = selecting.select(opening.of(ctx).fleet().fleet, selection, opening.read_stdin)
    if output in envelopes.FORMATS:
        envelopes.write(reports.node_list(chosen), output, sys.stdout)
    else:
        tables.of_nodes(chosen, tables.keys(labels), sys.stdout, wide=output == options.Output.WIDE)


@app.command(cls=commands.Command)
@options.selection_flags
def groups(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """List groups, with how many of the sites they match."""
    fleet = opening.of(ctx).fleet().fleet
    # A fleet may have groups before it has sites.
    chosen = selecting.names(fleet, selection, opening.read_stdin) if selection.narrows or fleet.sites else []
    found = selecting.memberships(fleet, chosen)
    if not selection.whole:
        found = {name: members for name, members in found.items() if members}
    listed = [(fleet.groups[name], members) for name, members in found.items()]
    if output in envelopes.FORMATS:
        envelopes.write(reports.group_list(listed), output, sys.stdout)
    else:
        tables.of_groups(listed, sys.stdout)


@app.command(cls=commands.Command)
@options.selection_flags
def bundles(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """List bundles, with how many of the sites are assigned them."""
    from fleetctl.rendering import bundles as catalogues

    loaded = opening.of(ctx).fleet()
    project, fleet = loaded.project, loaded.fleet
    narrowed = selection.narrows or fleet.sites
    chosen = selecting.select(fleet, selection, opening.read_stdin) if narrowed else []
    names = catalogues.catalogue(project.templates)
    counts = {name: sum(name in site.bundles for site in chosen) for name in names}
    wanted = [name for name in names if counts[name] or selection.whole]
    found = [catalogues.load(project.templates, name, project.shown) for name in wanted]
    listed = [(one.name, one.version, one.namespace, counts[one.name]) for one in found]
    if output in envelopes.FORMATS:
        envelopes.write(reports.bundle_list(listed), output, sys.stdout)
    else:
        tables.of_bundles(listed, sys.stdout)


@app.command(cls=commands.Command)
@options.selection_flags
def debts(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """List what sites are owed, and since when."""
    from fleetctl.console import holds as screens
    from fleetctl.reports import holds as owed
    from fleetctl.state import debts as stored

    opened = opening.of(ctx)
    loaded = opened.fleet()
    with opened.store(loaded.project) as store:
        found, now = store.read(stored.open_ones), store.now()
    if not selection.whole:  # a site that left the inventory may be owed something, too
        chosen = set(selecting.names(loaded.fleet, selection, opening.read_stdin))
        found = [one for one in found if one.site in chosen]
    if output in envelopes.FORMATS:
        envelopes.write(owed.debt_list(found, now), output, sys.stdout)
    else:
        screens.of_debts(found, now, sys.stdout)


@app.command(cls=commands.Command)
@options.selection_flags
def holds(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """List sites that are on hold; * is the whole fleet."""
    from fleetctl.console import holds as screens
    from fleetctl.reports import holds as held
    from fleetctl.state import holds as stored

    opened = opening.of(ctx)
    loaded = opened.fleet()
    with opened.store(loaded.project) as store:
        found = list(store.read(lambda conn: stored.current(conn, store.now())).values())
    if not selection.whole:
        chosen = {*selecting.names(loaded.fleet, selection, opening.read_stdin), stored.FLEET}
        found = [one for one in found if one.site in chosen]
    if output in envelopes.FORMATS:
        envelopes.write(held.hold_list(found), output, sys.stdout)
    else:
        screens.of_holds(found, sys.stdout)
