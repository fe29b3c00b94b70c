"""``fleetctl inventory sync``: the only command that asks anybody else for the inventory."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.model import errors, exits

__all__ = ["add_to", "sync"]


def sync(
    ctx: typer.Context,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="Names of sources; all of them unless given.")
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    confirm_removed: Annotated[
        int | None,
        typer.Option("--confirm-removed", min=1, metavar="N", help="Let go of exactly N sites, more than 5 %."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Ask the inventory's sources for their sites, and write them into lock files."""
    from fleetctl.console import sources as screens
    from fleetctl.inventory import loading, snapshots
    from fleetctl.inventory.sources import matching, syncing
    from fleetctl.reports import envelopes
    from fleetctl.reports import sources as reports

    project = opening.of(ctx).project()
    declared = matching.Sources()
    files = loading.load(project, snapshots.take(project), declared)
    chosen = syncing.choose(declared.declared, sources, confirm_removed)
    unsound = {source.shown for source in chosen if not source.sound}
    broken = [problem for problem in files.problems if problem.mark and problem.mark.path in unsound]
    if broken:
        raise errors.InvalidInput(broken, files.count)
    results = [syncing.sync(project, source, confirm_removed, dry_run=dry_run) for source in chosen]
    if output in envelopes.FORMATS:
        envelopes.write(reports.synced(results), output, sys.stdout)
    else:
        screens.synced(results, sys.stdout)
    sys.stdout.flush()  # so that what went wrong comes last on a screen
    screens.complain(results, sys.stderr)
    code = syncing.exit_of(results)
    if code is not exits.Exit.OK:
        raise typer.Exit(int(code))


def add_to(app: typer.Typer) -> None:
    """Hang the command on the inventory's group."""
    app.command(cls=commands.Command)(sync)
