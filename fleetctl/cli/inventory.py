"""``fleetctl inventory``: validate, list, show, explain, graph, diff; ``sync`` and ``set`` come from next door."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, get, opening, options, setting, syncing
from fleetctl.console import tables
from fleetctl.inventory import entries, explaining, selecting
from fleetctl.model import errors, exits
from fleetctl.reports import envelopes

__all__ = ["SiteName", "app", "diff", "explain", "graph", "show", "validate"]

app = commands.application("Look at the fleet: validate, list, show, explain, graph, diff, sync, set.")

SiteName = Annotated[str, typer.Argument(metavar="SITE", help="The name of a site.", autocompletion=completing.site)]


@app.command(cls=commands.Command)
def validate(ctx: typer.Context, output: options.Format = options.Output.TABLE) -> None:
    """Check every inventory file and report all that is wrong in one pass."""
    try:
        loaded = opening.of(ctx).fleet()
    except errors.InvalidInput as error:
        if output in envelopes.FORMATS:
            envelopes.write(envelopes.problem_list(error.problems), output, sys.stdout)
            raise typer.Exit(int(error.exit)) from None
        raise
    if output in envelopes.FORMATS:
        envelopes.write(envelopes.problem_list([]), output, sys.stdout)
    else:
        tables.validated(loaded.fleet, loaded.snapshot.count, sys.stdout)


# The table of sites has one maker, under the two names that people look for it by.
app.command("list", cls=commands.Command)(get.sites)


@app.command(cls=commands.Command)
def show(ctx: typer.Context, site: SiteName, output: options.Format = options.Output.YAML) -> None:
    """Show one site as all layers together make it."""
    fleet = opening.of(ctx).fleet().fleet
    chosen = selecting.one(fleet, site)
    envelopes.write(envelopes.one_site(chosen), output if output in envelopes.FORMATS else "yaml", sys.stdout)


@app.command(cls=commands.Command)
def explain(
    ctx: typer.Context,
    site: SiteName,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A value, such as pos.tls.minVersion or cluster.version.")
    ] = "",
    output: options.Format = options.Output.TABLE,
) -> None:
    """Explain where a site's values come from, what they shadow, and which templates use them."""
    from fleetctl.console import explanations
    from fleetctl.rendering import bundles, usages

    loaded = opening.of(ctx).fleet()
    chosen = selecting.one(loaded.fleet, site)
    project = loaded.project
    assigned = [bundles.load(project.templates, name, project.shown) for name in chosen.bundles]
    defaults = [
        entries.Layer(f"bundle {one.name}", {"vars": {one.values_key: one.values}}, one.document, ("values",), lifted=2)
        for one in assigned
    ]
    found = explaining.explain(loaded, chosen.name, explaining.field_of(path) if path else (), defaults)
    known = [usage for one in assigned for usage in usages.usages(one)]
    used = {explanation.field: usages.touching(known, explanation.field) for explanation in found}
    if output in envelopes.FORMATS:
        envelopes.write(envelopes.explanation_list(chosen.name, found, used), output, sys.stdout)
    else:
        explanations.show(found, used, sys.stdout)


@app.command(cls=commands.Command)
def graph(ctx: typer.Context, output: options.Format = options.Output.TABLE) -> None:
    """Show how the fleet is put together: files, groups in the order of their layers, and how many sites each has."""
    from fleetctl.console import graphs
    from fleetctl.inventory import graphing

    found = graphing.graph(opening.of(ctx).fleet())
    if output == options.Output.NAME:
        envelopes.write_names([file.path for file in found.files], sys.stdout)
    elif output in envelopes.FORMATS:
        envelopes.write(envelopes.graph(found), output, sys.stdout)
    else:
        graphs.show(found, sys.stdout, wide=output == options.Output.WIDE)


@app.command(cls=commands.Command)
def diff(
    ctx: typer.Context,
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="A commit, branch or tag of the project's repository.")
    ],
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show what changed in the fleet since a commit, as sites are merged; ends with 1 when anything did."""
    from fleetctl.console import changes
    from fleetctl.inventory import comparing

    before = opening.of(ctx, revision).fleet().fleet
    found = comparing.compare(before, opening.of(ctx).fleet().fleet)
    if output == options.Output.NAME:
        changed = [name for fold in found.folds for name in fold.sites]
        envelopes.write_names(sorted([*found.added, *found.removed, *changed]), sys.stdout)
    elif output in envelopes.FORMATS:
        envelopes.write(envelopes.changes(found), output, sys.stdout)
    else:
        changes.show(found, sys.stdout)
    if found.differs:
        raise typer.Exit(int(exits.Exit.DIFFERENCES))


syncing.add_to(app)
setting.add_to(app)
