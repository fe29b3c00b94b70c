"""Options that many commands share, defined once: the selection flags and the output format."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from fleetctl.inventory import selecting

__all__ = ["Format", "Output", "selection_flags"]

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


Format = Annotated[
    Output,
    typer.Option("-o", metavar="FORMAT", help="What standard output gets: table, wide, name, json, yaml or jsonl."),
]
"""The option ``-o`` of every command with a result."""


def _option(*names: str, metavar: str | None = None, text: str) -> Any:  # noqa: ANN401  # as typer.Option has it
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=_PANEL)


def _flags(
    selector: Annotated[
        list[str], _option("-l", "--selector", metavar="SELECTOR", text="Label selector, as kubectl takes it.")
    ] = [],  # noqa: B006  # Typer reads the default, nobody changes it
    group: Annotated[list[str], _option("-g", "--group", metavar="GROUP", text="Members of this group.")] = [],  # noqa: B006
    site: Annotated[
        list[str],
        _option("--site", metavar="SITES", text="Names, globs, comma lists, @FILE, or - for standard input."),
    ] = [],  # noqa: B006
    exclude: Annotated[
        list[str], _option("--exclude", metavar="SITES", text="Leave these out; same forms as --site.")
    ] = [],  # noqa: B006
    sample: Annotated[
        str | None, _option("--sample", metavar="N|N%", text="Only so many (50) or such a part (5%) of them.")
    ] = None,
    seed: Annotated[int, _option("--seed", metavar="N", text="Draw another sample; equal seeds draw alike.")] = 0,
    everything: Annotated[bool, _option("--all", text="Every site.")] = False,
) -> selecting.Selection:
    return selecting.Selection(
        selectors=tuple(selector),
        groups=tuple(group),
        sites=tuple(site),
        exclude=tuple(exclude),
        sample=sample,
        seed=seed,
        everything=everything,
    )


def selection_flags(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """Give a command with a ``selection`` parameter the selection flags in its place."""
    flags = inspect.signature(_flags, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def with_selection(**arguments: Any) -> _Result:  # noqa: ANN401  # whatever the command takes
        given = {name: arguments.pop(name) for name in flags}
        return command(**arguments, selection=_flags(**given))

    merged = [parameter for name, parameter in own.items() if name != "selection"]
    merged += [flag.replace(kind=inspect.Parameter.KEYWORD_ONLY) for flag in flags.values()]
    with_selection.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]  # read by Typer
    with_selection.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
    return with_selection
