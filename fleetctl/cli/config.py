"""``fleetctl config``: the settings that count, and where they come from."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import settings as settings_screens
from fleetctl.reports import envelopes
from fleetctl.reports import settings as settings_reports

__all__ = ["app", "config", "show"]

app = commands.application("Look at the settings: defaults of flags.")


@app.callback()
def config() -> None:
    """Look at the settings: defaults of flags."""


@app.command(cls=commands.Command)
def show(
    ctx: typer.Context,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each comes from: a variable, a place in a file, or built in.")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show the settings that count."""
    opened = opening.of(ctx)
    found = [opened.found_project(), *opened.settings().found]
    if output in envelopes.FORMATS:
        envelopes.write(settings_reports.setting_list(found), output, sys.stdout)
    else:
        settings_screens.show(found, sys.stdout, origin=origin or output == options.Output.WIDE)
