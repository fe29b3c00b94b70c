"""``fleetctl version``: what is running."""

from __future__ import annotations

import json
import platform
import sys
from typing import Annotated

import typer

import fleetctl
from fleetctl.cli import commands

__all__ = ["app", "version"]

app = commands.application()


@app.command(cls=commands.Plain)
def version(
    output: Annotated[
        str, typer.Option("-o", metavar="FORMAT", help="What standard output gets: table or json.")
    ] = "table",
) -> None:
    """Show the version of fleetctl and what it runs on."""
    if output not in ("table", "json"):
        message = f"'{output}' is not one of 'table', 'json'"
        raise typer.BadParameter(message, param_hint="'-o'")
    python = platform.python_version()
    if output == "json":
        said = {
            "apiVersion": "fleetctl.dev/v1alpha1",
            "kind": "Version",
            "version": fleetctl.__version__,
            "python": python,
            "platform": platform.platform(),
        }
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        sys.stdout.write(
            f"fleetctl {fleetctl.__version__} (Python {python}, {platform.system()} {platform.machine()})\n"
        )
