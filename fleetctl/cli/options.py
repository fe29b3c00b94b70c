"""Options that many commands share, defined once: the selection flags and the output format."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from fleetctl.cli import completing, opening
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors, plans

__all__ = [
    "Bundle",
    "DryRun",
    "Format",
    "Making",
    "Output",
    "Overrides",
    "Rehearse",
    "Revision",
    "making_flags",
    "options_of",
    "selection_flags",
]

_Result = TypeVar("_Result")

_PANEL = "Selection"


class Output(enum.StrEnum):
    """What standard output gets."""

    TABLE = "table"
    WIDE = "wide"
    NAME = "name"
    JSON = "json"
    YAML = "yaml"
    JSONL = "jsonl"


class DryRun(enum.StrEnum):
    """Whom a plan asks that is only looked at: nobody, or every API server."""

    CLIENT = "client"
    SERVER = "server"


Rehearse = Annotated[
    DryRun | None,
    typer.Option("--dry-run", help="Only look: contact nothing (client), or let API servers rehearse it (server)."),
]
"""The option ``--dry-run`` of what makes runs."""

Format = Annotated[
    Output,
    typer.Option("-o", metavar="FORMAT", help="What standard output gets: table, wide, name, json, yaml or jsonl."),
]
"""The option ``-o`` of every command with a result."""

Bundle = Annotated[
    str,
    typer.Argument(
        metavar="BUNDLE[@VERSION]",
        help="The bundle; a version asserts what it is at.",
        autocompletion=completing.bundles,
    ),
]
"""The argument of every command about one bundle."""

Revision = Annotated[
    str | None, typer.Option("--rev", metavar="COMMIT", help="Read inventory and templates from this commit of git.")
]
"""The option ``--rev``."""

Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="PATH=VALUE", help="Set a value of vars over everything that files say."),
]
"""The option ``--set``."""


def _option(*names: str, metavar: str | None = None, text: str, offers: Any = None) -> Any:  # noqa: ANN401  # as Typer
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=_PANEL, autocompletion=offers)


def _flags(
    selector: Annotated[
        list[str], _option("-l", "--selector", metavar="SELECTOR", text="Label selector, as kubectl takes it.")
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    group: Annotated[
        list[str], _option("-g", "--group", metavar="GROUP", text="Members of this group.", offers=completing.groups)
    ] = [],  # noqa: B006
    site: Annotated[
        list[str],
        _option(
            "--site",
            metavar="SITES",
            text="Names, globs, comma lists, @FILE, or - for standard input.",
            offers=completing.sites,
        ),
    ] = [],  # noqa: B006
    exclude: Annotated[
        list[str],
        _option("--exclude", metavar="SITES", text="Leave these out; same forms as --site.", offers=completing.sites),
    ] = [],  # noqa: B006
    sample: Annotated[
        str | None, _option("--sample", metavar="N|N%", text="Only so many (50) or such a part (5%) of them.")
    ] = None,
    seed: Annotated[int, _option("--seed", metavar="N", text="Draw another sample; equal seeds draw alike.")] = 0,
    from_run: Annotated[str | None, _option("--from-run", metavar="RUN", text="Members of this run.")] = None,
    only: Annotated[
        list[str],
        _option("--only", metavar="OUTCOMES", text="Of that run only these: failed,unreachable, not-started, ..."),
    ] = [],  # noqa: B006
    everything: Annotated[bool, _option("--all", text="Every site.")] = False,
) -> selecting.Selection:
    return selecting.Selection(
        selectors=tuple(selector),
        groups=tuple(group),
        sites=tuple(site),
        exclude=tuple(exclude),
        sample=sample,
        seed=seed,
        from_run=from_run,
        only=tuple(only),
        everything=everything,
    )


@dataclasses.dataclass(frozen=True)
class Making:
    """The flags of every command that makes a run."""

    yes: bool = False
    concurrency: int | None = None
    timeout: str | None = None
    strategy: str | None = None


_RUN = "Run"


def _making(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", rich_help_panel=_RUN)] = False,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "-c", "--concurrency", min=1, max=4096, metavar="N", help="So many sites at a time.", rich_help_panel=_RUN
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="TIME", help="So long for one site, such as 10m.", rich_help_panel=_RUN),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy", metavar="FILE", help="Waves, budgets and times (kind: Strategy).", rich_help_panel=_RUN
        ),
    ] = None,
) -> Making:
    return Making(yes=yes, concurrency=concurrency, timeout=timeout, strategy=strategy)


def selection_flags(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """Give a command with a ``selection`` parameter the selection flags in its place."""

    @functools.wraps(command)
    def with_members(selection: selecting.Selection, **arguments: Any) -> _Result:  # noqa: ANN401
        if selection.from_run is not None:
            selection = opening.of(arguments["ctx"]).with_members(selection)
        return command(selection=selection, **arguments)

    return _spread(with_members, "selection", _flags)


def making_flags(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """Give a command with a ``making`` parameter the flags of a run in its place."""
    return _spread(command, "making", _making)


def _spread(command: Callable[..., _Result], name: str, make: Callable[..., object]) -> Callable[..., _Result]:
    """Put the parameters of ``make`` in the place of one that takes what it returns."""
    flags = inspect.signature(make, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def with_flags(**arguments: Any) -> _Result:  # noqa: ANN401  # whatever the command takes
        given = {flag: arguments.pop(flag) for flag in flags}
        return command(**arguments, **{name: make(**given)})

    merged = [parameter for key, parameter in own.items() if key != name]
    merged += [flag.replace(kind=inspect.Parameter.KEYWORD_ONLY) for flag in flags.values()]
    with_flags.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]  # read by Typer
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
    return with_flags


def options_of(given: plans.Options, force: str | None) -> plans.Options:
    """Return the options of a run as plans have them; raises ``UsageError`` for a manager without a name."""
    managers = tuple(part.strip() for part in (force or "").split(",")) if force is not None else ()
    if "" in managers:
        raise errors.UsageError(codes.Code.USAGE, "--force-conflicts names no manager (an empty variable?)")
    everybody = managers == ("all",)
    return msgspec.structs.replace(
        given,
        force=plans.Force(everybody, () if everybody else managers),
        adopt=given.adopt or msgspec.UNSET,
        prune_adopted=given.prune_adopted or msgspec.UNSET,
    )
