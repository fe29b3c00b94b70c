"""What every command and group has in common: how it shows its help, and how it takes a name that is not there.

Help is plain text: no boxes that a screen reader has to spell out, nothing that depends on the terminal but its width,
and no drawing library to import before the first line appears.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import typer
import typer.core

from fleetctl.cli import coercing, opening
from fleetctl.model import codes, errors

__all__ = ["Command", "Group", "Plain", "application", "given"]


class Command(typer.core.TyperCommand):
    """A command; its help lists arguments, then options by the panel that they name."""

    settled = True
    """Whether settings stand for flags that were not given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # vendored type
        """Take options and arguments off the command line; a format that is not there is the one of the settings."""
        for parameter in self.get_params(ctx):
            coercing.prepare(parameter)
        with _blamed(ctx):
            rest = super().parse_args(ctx, args)
        opened = ctx.find_object(opening.Opening) if self.settled and not ctx.resilient_parsing else None
        if opened is not None and "output" in ctx.params and not given(ctx, "output"):
            ctx.params["output"] = opened.settings().showing.output or ctx.params["output"]
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401  # vendored type
        """Return what follows the command's name in its usage line."""
        arguments = [one for one in self.get_params(ctx) if one.param_type_name == "argument"]
        return [self.options_metavar or "", *map(_usage, arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # vendored types
        """Write the arguments and options."""
        _write_parameters(self, ctx, formatter)


class Plain(Command):
    """A command that no settings reach: it is about fleetctl itself, so that no project or file can be in its way."""

    settled = False


class Group(typer.core.TyperGroup):
    """A group of commands; called without one it shows its help, as a usage error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # vendored type
        """Take the group's own options off the command line."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            ctx.exit(int(errors.UsageError.exit))
        for parameter in self.get_params(ctx):
            coercing.prepare(parameter)
        with _blamed(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # vendored types
        """Find the command that is called; raises ``UsageError`` with the nearest name when there is none."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            from fleetctl.reading import scalars

            near = scalars.did_you_mean(args[0], known) or f"; there is: {', '.join(known)}"
            message = f'{ctx.command_path} has no command "{args[0]}"{near}'
            raise errors.UsageError(codes.Code.USAGE, message, f"See: {ctx.command_path} --help")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # vendored types
        """Write the options and commands."""
        _write_parameters(self, ctx, formatter)
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in found if command is not None])


def application(summary: str | None = None) -> typer.Typer:
    """Return what a module of commands hangs them on."""
    return typer.Typer(cls=Group, help=summary, add_completion=False, rich_markup_mode=None)


def given(ctx: Any, name: str) -> bool:  # noqa: ANN401  # vendored type
    """Tell whether an option stands on the command line, and is not a default."""
    return str(getattr(ctx.get_parameter_source(name), "name", "")) == "COMMANDLINE"


@contextlib.contextmanager
def _blamed(ctx: Any) -> Iterator[None]:  # noqa: ANN401  # vendored type
    """Let a usage error know its command; Typer's parser of options leaves it out."""
    try:
        yield
    except typer.TyperException as error:
        if getattr(error, "ctx", None) is None:
            error.ctx = ctx  # type: ignore[attr-defined]
        raise


def _write_parameters(command: Command | Group, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # vendored types
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    parameters: list[Any] = command.get_params(ctx)
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is None:
            continue
        if parameter.param_type_name == "argument":
            # Typer's record adds the Python type; a name with a sentence beside it says more.
            sections["Arguments"].append((_name(parameter), parameter.help or ""))
        else:
            panel = parameter.rich_help_panel or "Options"
            sections.setdefault(panel, []).append(record)
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _name(argument: Any) -> str:  # noqa: ANN401  # vendored type
    return str(argument.metavar or argument.name.upper())


def _usage(argument: Any) -> str:  # noqa: ANN401  # vendored type
    text = _name(argument) if argument.required else f"[{_name(argument)}]"
    return text if argument.nargs == 1 else f"{text}..."
