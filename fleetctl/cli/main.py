"""The entry point: the command tree, loaded as it is used.

``--help`` needs names and one line each, not the modules behind them, so the tree holds these lines itself; a test
holds them equal to the modules' own. The module of a command is imported when it is called, or completed.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.core

from fleetctl.cli import commands, endings, opening
from fleetctl.model import codes, errors

__all__ = ["COMMANDS", "LazyGroup", "app", "root", "run"]

COMMANDS: dict[str, str] = {
    "init": "Make a project that works, in an empty or new folder.",
    "inventory": "Look at the fleet: validate, list, show, explain, graph, diff, sync, set.",
    "doctor": "Check the operator's own side; with a selection, also whether those clusters answer.",
    "get": "List sites, nodes, groups, bundles, debts or holds; contacts nothing.",
    "rollout": "Bring a bundle to many clusters in waves; look at runs, stop them, undo them.",
    "applyset": "Hand a bundle's objects at one site over to kubectl, or adopt what kubectl applied.",
    "why": "Say why a site is as it is, from what was seen when it failed; offline.",
    "hold": "Leave sites alone until a time: runs skip them, and owe them what they would have brought.",
    "unhold": "Let sites go that were on hold; what they are owed is paid by rollout catchup.",
    "demo": "Show a rollout, a halt and an undo on a simulated fleet, in under a minute.",
    "sim": "Serve a simulated fleet for --sim: up, fault, down.",
    "bundle": "Look at bundles and try them: list, show, add, test.",
    "render": "Render bundles for sites into files, without contacting anything.",
    "diff": "Compare what a bundle amounts to now with what it was, or with what clusters have; changes nothing.",
    "config": "Look at the settings: defaults of flags.",
    "schema": "Print the JSON Schema of a kind of file, for editors.",
    "explain": "Explain an error code, offline.",
    "state": "Look after the journal: check, backup, restore, gc.",
    "keys": "Make and find the project's key, which tells when a secret was rotated.",
    "completion": "Print the script that lets Tab complete in a shell.",
    "version": "Show the version of fleetctl and what it runs on.",
}
"""Command name to its line of help; the module of a command is ``fleetctl.cli.<name>``."""


class LazyGroup(commands.Group):
    """A command group whose members are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  # vendored type
        """Return the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002  # vendored type
        """Return a stand-in that knows its help only; calling goes through ``resolve_command``."""
        return typer.core.TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # vendored type
        """Find the command that is called, and only now import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = typer.main.get_command(importlib.import_module(f"fleetctl.cli.{name}").app)
            command.name = name
        return name, command, rest

    def main(self, args: Sequence[str] | None = None, *more: Any, standalone_mode: bool = True, **extra: Any) -> Any:  # noqa: ANN401
        """Run a command line; whatever ends it becomes an exit code of ``model.exits``."""
        if "_FLEETCTL_COMPLETE" in os.environ:
            importlib.import_module("fleetctl.cli.completion").prepare()
        extra["standalone_mode"] = False  # or Typer would end the process with codes of its own
        code = endings.code_of(lambda: super(LazyGroup, self).main(args, *more, **extra))
        if standalone_mode:
            sys.exit(code)
        return code


app = typer.Typer(
    name="fleetctl",
    cls=LazyGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    ctx: typer.Context,
    folder: Annotated[
        str | None, typer.Option("-C", metavar="DIR", help="Work on the project in DIR (or above it) instead of here.")
    ] = None,
    sim: Annotated[
        bool, typer.Option("--sim", help="Work on the project's simulated fleet, with a journal of its own.")
    ] = False,
    events: Annotated[
        str | None, typer.Option("--events", metavar="FILE", help="Write what happens in a run as JSON lines.")
    ] = None,
) -> None:
    """Bring up, roll out to and audit fleets of edge Kubernetes clusters, from a laptop or CI, without a hub."""
    if folder == "":
        raise errors.UsageError(codes.Code.USAGE, '-C "" names no folder (an empty variable?)')
    if events == "":
        raise errors.UsageError(codes.Code.USAGE, '--events "" names no file (an empty variable?)')
    start = None if folder is None else pathlib.Path(folder)
    resources = ctx.with_resource(contextlib.ExitStack())
    found = pathlib.Path(events) if events else None
    ctx.obj = opening.Opening(start, simulated=sim, events=found, resources=resources)


def run() -> None:
    """Run the command line of this process and end it with its exit code."""
    endings.prepare()
    # By its name, not by how it was started: usage lines and completion are the same for `python -m fleetctl`.
    endings.leave(typer.main.get_command(app).main(prog_name="fleetctl", standalone_mode=False))
