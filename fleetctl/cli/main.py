"""The entry point: the command tree, loaded as it is used, and the one place where errors become exit codes.

``--help`` and shell completion need names and one line each, not the modules behind them, so the tree holds these
lines itself; a test holds them equal to the modules' own. The module of a command is imported when it is called.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import sys
from typing import Annotated, Any

import typer
import typer.core

from fleetctl.cli import opening
from fleetctl.model import errors, exits

__all__ = ["COMMANDS", "LazyGroup", "app", "root", "run"]

COMMANDS: dict[str, str] = {
    "inventory": "Look at the fleet: validate, list, show, explain.",
    "render": "Render bundles for sites into files, without contacting anything.",
    "explain": "Explain an error code, offline.",
    "version": "Show the version of fleetctl and what it runs on.",
}
"""Command name to its line of help; the module of a command is ``fleetctl.cli.<name>``."""


class LazyGroup(typer.core.TyperGroup):
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

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # signature of Typer
        """Run a command; whatever ends it becomes an exit code of ``model.exits``."""
        try:
            return super().invoke(ctx)
        except errors.FleetctlError as error:
            from fleetctl.console import failures  # only a failing command pays for it

            failures.show(error, sys.stderr)
            raise typer.Exit(int(error.exit)) from None
        except KeyboardInterrupt:
            raise typer.Exit(int(exits.Exit.INTERRUPTED)) from None
        except BrokenPipeError:
            _leave_pipe()
            raise typer.Exit(int(exits.Exit.BROKEN_PIPE)) from None
        except Exception as error:
            if isinstance(error, typer.Exit) or _is_usage(error):
                raise
            from fleetctl.console import failures

            failures.show_bug(error, sys.stderr)
            raise typer.Exit(int(exits.Exit.INTERNAL)) from None


app = typer.Typer(
    name="fleetctl",
    cls=LazyGroup,
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    ctx: typer.Context,
    folder: Annotated[
        str, typer.Option("-C", metavar="DIR", help="Work on the project in DIR (or above it) instead of here.")
    ] = ".",
) -> None:
    """Bring up, roll out to and audit fleets of edge Kubernetes clusters, from a laptop or CI, without a hub."""
    ctx.obj = opening.Opening(pathlib.Path(folder))


def run() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        app()
    finally:
        _flush()


def _is_usage(error: Exception) -> bool:
    """Recognise Typer's own usage errors, which have no public root class: they can show themselves."""
    return hasattr(error, "show") and hasattr(error, "exit_code")


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_pipe()
        sys.exit(int(exits.Exit.BROKEN_PIPE))


def _leave_pipe() -> None:
    """Point standard output elsewhere, so that the interpreter's own flush at exit has nothing to complain about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
