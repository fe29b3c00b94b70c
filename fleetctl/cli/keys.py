"""``fleetctl keys``: make the project's key, and say where it is; never the key itself."""

from __future__ import annotations

import enum
import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, opening, options
from fleetctl.console import keys as key_screens
from fleetctl.inventory import locating
from fleetctl.reports import envelopes
from fleetctl.secrets import keeping, projectkeys, resolving

__all__ = ["Keeper", "app", "init", "show"]

app = commands.application("Make and find the project's key, which tells when a secret was rotated.")


class Keeper(enum.StrEnum):
    """Where a new key can be put."""

    FILE = "file"
    ENV = "env"
    AGE = "age"
    KEYRING = "keyring"


@app.command(cls=commands.Command)
def init(
    ctx: typer.Context,
    provider: Annotated[
        Keeper, typer.Option("--provider", metavar="NAME", help="Where it is kept: file, env, age or keyring.")
    ] = Keeper.FILE,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="KEY", help="The file, variable or SERVICE/USER; by default named by the project."
        ),
    ] = None,
    recipient: Annotated[
        list[str], typer.Option("--recipient", metavar="AGE", help="Who may open it, for --provider age; repeatable.")
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    output: options.Format = options.Output.TABLE,
) -> None:
    """Make the project's key, and write its id into fleetctl.yaml."""
    opened = opening.of(ctx)
    project = opened.project()
    reference = keeping.place_of(provider, key, project)
    made = keeping.init(project, project.root / locating.FILE, reference, opened.surroundings(project), recipient)
    _tell(made.id, reference, output, new=True)


@app.command(cls=commands.Command)
def show(ctx: typer.Context, output: options.Format = options.Output.TABLE) -> None:
    """Say which key the project has, where it is, and that it is the right one."""
    opened = opening.of(ctx)
    project = opened.project()
    around = opened.surroundings(project)
    with resolving.Resolver(resolving.shipped(around)) as resolver:
        found = projectkeys.load(project, around, resolver)
    _tell(found.id, projectkeys.place_of(project, around), output, new=False)


def _tell(identity: str, place: object, output: options.Output, *, new: bool) -> None:
    if output in envelopes.FORMATS:
        envelopes.write(envelopes.project_key(identity, str(place)), output, sys.stdout)
    else:
        key_screens.show(identity, str(place), sys.stdout, new=new)
