"""``fleetctl hold``: leave sites alone for a while."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import holds as screens
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors, times
from fleetctl.reports import envelopes
from fleetctl.reports import holds as reports
from fleetctl.rollout import provenance
from fleetctl.state import holds

__all__ = ["app", "hold"]

app = commands.application()

_LONGEST = 366 * 86400.0


@app.command(cls=commands.Command)
@options.selection_flags
def hold(
    ctx: typer.Context,
    selection: selecting.Selection,
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="A date, a date and time, or a span such as 36h or 2d.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever wonders.")],
    output: options.Format = options.Output.TABLE,
) -> None:
    """Leave sites alone until a time: runs skip them, and owe them what they would have brought."""
    opened = opening.of(ctx)
    end = _end(until, time.time())
    if not reason.strip():
        raise errors.UsageError(codes.Code.USAGE, "--reason says nothing", "Say why, for whoever wonders.")
    fleet = opened.fleet()
    selecting.require_narrowing(selection, len(fleet.fleet.sites))
    wanted = [holds.FLEET] if selection.whole else selecting.names(fleet.fleet, selection, opening.read_stdin)
    with opened.store(fleet.project) as store:
        made = [holds.Hold(site, end, reason.strip(), provenance.author(), store.now()) for site in wanted]
        store.write_now(lambda conn: holds.put(conn, made))
    if output in envelopes.FORMATS:
        envelopes.write(reports.hold_list(made), output, sys.stdout)
    else:
        screens.held(made, sys.stdout)


def _end(until: str, now: float) -> float:
    """Return when a hold ends; raises ``UsageError``."""
    try:
        end = times.moment_of(until, now)
    except ValueError:
        message = f'--until "{until}" is no time'
        hint = "Give a date, a date and time (2026-12-24T18:00), or a span (90m, 36h, 2d)."
        raise errors.UsageError(codes.Code.USAGE, message, hint) from None
    if not 0 < end - now <= _LONGEST:
        message = f'--until "{until}" is {"over already" if end <= now else "more than a year away"}'
        raise errors.UsageError(codes.Code.USAGE, message, "A site that is gone for good is state: retired.")
    return end
