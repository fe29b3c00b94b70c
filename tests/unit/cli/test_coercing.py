"""The short way past pydantic gives what Typer's own way gives."""

import enum
from typing import Annotated, Any

import pytest
import typer
import typer.testing

from fleetctl.cli import coercing, commands


class Colour(enum.StrEnum):
    """Some choices."""

    RED = "red"
    BLUE = "blue"


def _app(seen: list[object], cls: Any) -> typer.Typer:  # noqa: ANN401  # a class of command
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    @app.command(cls=cls)
    def run(  # noqa: PLR0917  # one of each kind
        word: Annotated[str, typer.Argument()] = "none",
        many: Annotated[list[str], typer.Option("--many")] = [],  # noqa: B006  # Typer reads it
        colour: Annotated[Colour, typer.Option("--colour")] = Colour.RED,
        number: Annotated[int, typer.Option("--number")] = 0,
        few: Annotated[int | None, typer.Option("--few", min=1, max=9)] = None,
        perhaps: Annotated[str | None, typer.Option("--perhaps")] = None,
        flag: Annotated[bool, typer.Option("--flag/--no-flag")] = False,  # noqa: FBT002  # as commands have them
    ) -> None:
        seen.append((word, many, colour, number, few, perhaps, flag))

    return app


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["word", "--many", "a", "--many", "", "--colour", "blue", "--flag"],
        ["--number", "-3", "--few", "9", "--perhaps", ""],
        ["--colour", "green"],
        ["--colour", "RED"],
        ["--number", "x"],
        ["--number", "1.0"],
        ["--few", "10"],
        ["", "--perhaps", "\udcff"],
        ["--no-flag"],
        ["a", "b"],
        ["--many"],
    ],
)
def test_values_and_complaints_are_those_of_typer(arguments: list[str]) -> None:
    """The same command line gives the same values, of the same types, or the same complaint."""
    outcomes = []
    for cls in (commands.Command, typer.core.TyperCommand):
        seen: list[object] = []
        result = typer.testing.CliRunner().invoke(_app(seen, cls), arguments)
        said = getattr(result.exception, "message", "") or result.stderr.rpartition("Error: ")[2].strip()
        outcomes.append((bool(result.exit_code), said if result.exit_code else "", seen, [type(x) for x in seen]))
    assert outcomes[0] == outcomes[1]


def test_what_must_be_converted_is_not_taken_over() -> None:
    """Ranges, files and parsers are Typer's business from the start."""
    command = typer.main.get_command(_app([], commands.Command))
    parameters: dict[str | None, Any] = {one.name: one for one in command.params}
    for parameter in parameters.values():
        coercing.prepare(parameter)
    quick = {name for name, one in parameters.items() if isinstance(one._runtime_param, coercing.Quick)}  # noqa: SLF001
    assert quick == {"word", "many", "colour", "number", "perhaps", "flag"}
