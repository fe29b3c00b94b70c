"""``fleetctl completion``: the script by which a shell asks fleetctl what Tab offers."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import typer

from fleetctl.cli import commands

__all__ = ["VARIABLE", "app", "completion", "prepare"]

VARIABLE: Final = "_FLEETCTL_COMPLETE"
"""What the scripts set when they ask."""

app = commands.application()


@app.command(cls=commands.Command)
def completion(
    ctx: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="One of bash, zsh and fish.")
    ],
) -> None:
    """Print the script that lets Tab complete in a shell."""
    from typer import completion as typers

    prepare()
    typers.shell_complete(ctx.find_root().command, {}, "fleetctl", VARIABLE, f"source_{shell}")


def prepare() -> None:
    """Make Typer's shells known to it, which it does by itself only for applications with options to install them."""
    from typer import completion as typers

    typers.get_completion_inspect_parameters()
