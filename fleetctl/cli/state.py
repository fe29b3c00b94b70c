"""``fleetctl state``: the journal looked after: checked, copied, brought back, made smaller."""

from __future__ import annotations

import datetime as dt
import pathlib
import sys
import time
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options, running
from fleetctl.console import states as screens
from fleetctl.model import exits
from fleetctl.reports import envelopes
from fleetctl.reports import states as reports
from fleetctl.state import checking, collecting, copies, repairing

__all__ = ["app", "backup", "check", "gc", "restore"]

app = commands.application("Look after the journal: check, backup, restore, gc.")

_DAY = dt.timedelta(days=1).total_seconds()


@app.command(cls=commands.Command)
def check(
    ctx: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what follows from the rest, after a copy was made.")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Say whether the journal holds together."""
    opened = opening.of(ctx)
    project = opened.project()
    path, kept = opened.journal(project), None
    if not path.exists():
        found = None
    else:
        with opened.store(project) as store:
            found = store.read(checking.check)
            if repair and found:
                kept = copies.put_aside(path, store.now())
                found = store.write_now(lambda conn: repairing.repair(conn, store.now()))
    shown = project.shown(path)
    if output in envelopes.FORMATS:
        envelopes.write(reports.check(shown, found), output, sys.stdout)
    else:
        screens.check(shown, found, project.shown(kept) if kept else "", sys.stdout)
    raise typer.Exit(int(exits.Exit.DIFFERENCES if found else exits.Exit.OK))


@app.command(cls=commands.Command)
def backup(
    ctx: typer.Context,
    file: Annotated[pathlib.Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    output: options.Format = options.Output.TABLE,
) -> None:
    """Copy the journal into one file, while others may go on writing."""
    opened = opening.of(ctx)
    path = opened.journal(opened.project())
    size = copies.back_up(path, file)
    if output in envelopes.FORMATS:
        envelopes.write(reports.copy(file, size), output, sys.stdout)
    else:
        screens.backup(file, size, sys.stdout)


@app.command(cls=commands.Command)
def restore(
    ctx: typer.Context,
    file: Annotated[pathlib.Path, typer.Argument(metavar="FILE", help="A copy that state backup made.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Bring a copy of the journal back; the one that is there is kept beside it."""
    opened = opening.of(ctx)
    project = opened.project()
    path = opened.journal(project)
    if path.exists() and not yes:
        running.confirm(f"Replace {project.shown(path)} by {file}? What it has learnt since is put aside with it.")
    kept = copies.restore(path, file, time.time())
    told = project.shown(path), file, project.shown(kept) if kept else ""
    if output in envelopes.FORMATS:
        envelopes.write(reports.restored(*told), output, sys.stdout)
    else:
        screens.restored(*told, sys.stdout)


@app.command(cls=commands.Command)
def gc(
    ctx: typer.Context,
    older_than: Annotated[
        int, typer.Option("--older-than", min=1, metavar="DAYS", help="Runs that ended so many days ago may go.")
    ] = 90,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Forget old runs that nothing needs, and what only they refer to."""
    opened = opening.of(ctx)
    project = opened.project()
    returned = False
    if opened.journal(project).exists():
        with opened.store(project) as store:
            found = collecting.collect(store, store.now() - older_than * _DAY, dry=dry_run)
        if not dry_run and (found.runs or found.blobs):
            returned = collecting.give_back(opened.journal(project))
    else:
        found = collecting.Collected()
    if output in envelopes.FORMATS:
        envelopes.write(reports.collected(found, dry=dry_run), output, sys.stdout)
    else:
        screens.collected(found, sys.stdout, dry=dry_run, returned=returned)
