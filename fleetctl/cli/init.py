"""``fleetctl init``: a project to begin with."""

from __future__ import annotations

import pathlib
import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, opening
from fleetctl.model import codes, errors

__all__ = ["app", "init"]

app = commands.application()


@app.command(cls=commands.Command)
def init(
    ctx: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    example: Annotated[
        str | None, typer.Option("--example", metavar="NAME", help="Begin with an example fleet, such as retail.")
    ] = None,
    kubeconfig: Annotated[
        str | None, typer.Option("--from-kubeconfig", metavar="FILE", help="Begin with a site for each context.")
    ] = None,
    table: Annotated[
        str | None, typer.Option("--from-csv", metavar="FILE", help="Begin with the sites of a table.")
    ] = None,
) -> None:
    """Make a project that works, in an empty or new folder."""
    from fleetctl.console import projects
    from fleetctl.inventory import founding

    given = {"--example": example, "--from-kubeconfig": kubeconfig, "--from-csv": table}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise errors.UsageError(codes.Code.USAGE, f"a project begins with one thing, not with {' and '.join(chosen)}")
    empty = next((name for name in chosen if not given[name]), "" if folder else "DIR")
    if empty:
        raise errors.UsageError(codes.Code.USAGE, f'{empty} "" names nothing (an empty variable?)')
    if kubeconfig is not None:
        plan = founding.from_kubeconfig(pathlib.Path(kubeconfig).expanduser())
    elif table is not None:
        plan = founding.from_csv(pathlib.Path(table).expanduser())
    else:
        plan = founding.from_example(example or founding.STARTER)
    target = opening.of(ctx).start / folder
    projects.founded(founding.found(target, plan), target, sys.stdout)
