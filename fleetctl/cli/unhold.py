"""``fleetctl unhold``: let sites go that were on hold."""

from __future__ import annotations

import sys

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import holds as screens
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors
from fleetctl.reports import envelopes
from fleetctl.reports import holds as reports
from fleetctl.state import databases, holds

__all__ = ["app", "unhold"]

app = commands.application()


@app.command(cls=commands.Command)
@options.selection_flags
def unhold(ctx: typer.Context, selection: selecting.Selection, output: options.Format = options.Output.TABLE) -> None:
    """Let sites go that were on hold; what they are owed is paid by rollout catchup."""
    opened = opening.of(ctx)
    fleet = opened.fleet()
    selecting.require_narrowing(selection, len(fleet.fleet.sites))
    chosen = None if selection.whole else selecting.names(fleet.fleet, selection, opening.read_stdin)
    with opened.store(fleet.project) as store:
        now = store.now()

        def change(conn: databases.Connection) -> list[holds.Hold]:
            there = holds.current(conn, now)
            if chosen is not None and holds.FLEET in there:
                message = "the whole fleet is on hold, so no site of it can be let go alone"
                hint = "Let all go: fleetctl unhold --all. Then hold those that are to stay."
                raise errors.Refused(codes.Code.HOLD_FLEET, message, hint)
            holds.lift(conn, chosen)
            return [one for site, one in there.items() if chosen is None or site in chosen]

        gone = store.write_now(change)
    if output in envelopes.FORMATS:
        envelopes.write(reports.hold_list(gone), output, sys.stdout)
    else:
        screens.lifted(gone, sys.stdout, simulated=opened.simulated)
