"""``fleetctl why``: the cause of a site's state, offline."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options
from fleetctl.console import why as why_screens
from fleetctl.inventory import selecting
from fleetctl.reports import envelopes
from fleetctl.reports import runs as run_reports
from fleetctl.rollout import looking

__all__ = ["app", "why"]

app = commands.application()


@app.command(cls=commands.Command)
def why(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="The name of a site.", autocompletion=completing.site)],
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="In this run; by default its latest.")] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Say why a site is as it is, from what was seen when it failed; offline."""
    opened = opening.of(ctx)
    loaded = opened.fleet()
    with opened.store(loaded.project) as store:
        found = looking.explain(store, selecting.one(loaded.fleet, site), run, simulated=opened.simulated)
    if output in envelopes.FORMATS:
        envelopes.write(run_reports.explanation(found), output, sys.stdout)
    else:
        why_screens.show(found, sys.stdout)
