"""``fleetctl inventory set``: values of sites changed where they are written."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options

__all__ = ["add_to", "set_values"]


def set_values(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SITE... KEY=VALUE...",
            help="Names of sites, and what to set at each: state=retired, pos.terminals=6, 'labels.ring=2'.",
            autocompletion=completing.site,
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Change values of sites in the files that they stand in; comments, order and quotes stay as they are."""
    from fleetctl.console import changes
    from fleetctl.inventory import setting
    from fleetctl.reports import envelopes

    loaded = opening.of(ctx).fleet()
    plan = setting.plan(loaded, words)
    if not dry_run:
        setting.write(loaded, plan)
    if output == options.Output.NAME:
        envelopes.write_names(sorted({one.site for one in plan.settings if one.changes}), sys.stdout)
    elif output in envelopes.FORMATS:
        envelopes.write(envelopes.settings(plan), output, sys.stdout)
    else:
        changes.show_plan(plan, [loaded.project.shown(path) for path in plan.files], sys.stdout, dry_run=dry_run)


def add_to(app: typer.Typer) -> None:
    """Hang the command on the inventory's group."""
    app.command("set", cls=commands.Command)(set_values)
