"""``fleetctl version``: what is running."""

from __future__ import annotations

import platform
import sys

import fleetctl
from fleetctl.cli import commands, options

__all__ = ["app", "version"]

app = commands.application()


@app.command(cls=commands.Plain)
def version(output: options.Format = options.Output.TABLE) -> None:
    """Show the version of fleetctl and what it runs on."""
    python = platform.python_version()
    if output in (options.Output.TABLE, options.Output.WIDE):
        sys.stdout.write(
            f"fleetctl {fleetctl.__version__} (Python {python}, {platform.system()} {platform.machine()})\n"
        )
    elif output == options.Output.NAME:
        sys.stdout.write(f"{fleetctl.__version__}\n")
    else:
        from fleetctl.reports import envelopes

        said: dict[str, object] = {
            "apiVersion": envelopes.API_VERSION,
            "kind": "Version",
            "version": fleetctl.__version__,
            "python": python,
            "platform": platform.platform(),
        }
        envelopes.write(said, output, sys.stdout)
