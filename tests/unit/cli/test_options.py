"""The selection flags: one definition, the same on every command, without hiding a command's own signature."""

import inspect
import pathlib
from typing import Annotated, Any

import pytest
import typer
import typer.testing

from fleetctl.cli import commands, main, options
from fleetctl.cli import get as get_commands
from fleetctl.cli import render as render_commands
from fleetctl.inventory import selecting
from fleetctl.state import runs
from tests.unit.state import making

FLAGS = ["selector", "group", "site", "exclude", "sample", "seed", "from_run", "only", "everything"]


@options.selection_flags
def _command(
    name: str, selection: selecting.Selection, *, loud: Annotated[bool, typer.Option("--loud")] = False
) -> tuple[str, selecting.Selection, bool]:
    """Do something."""
    return name, selection, loud


def test_the_signature_is_the_commands_own_with_flags_in_place() -> None:
    """What Typer reads: the command's parameters in order, the flags instead of ``selection``, all resolved types."""
    parameters = inspect.signature(_command).parameters
    assert list(parameters) == ["name", "loud", *FLAGS]
    assert parameters["name"].annotation is str
    assert parameters["loud"].default is False
    assert all(parameters[flag].kind is inspect.Parameter.KEYWORD_ONLY for flag in FLAGS)
    assert {key: one.annotation for key, one in parameters.items()} == _command.__annotations__


def test_the_name_and_help_stay() -> None:
    """A decorated command is still called what it was called, and its help is its docstring."""
    assert (_command.__name__, _command.__doc__) == ("_command", "Do something.")


def test_flags_become_a_selection() -> None:
    """The command gets one frozen value instead of nine arguments."""
    given: dict[str, Any] = {flag: ["a", "b"] for flag in FLAGS[:4]}
    name, selection, loud = _command(
        name="x", loud=True, sample="5%", seed=3, from_run=None, only=["d"], everything=True, **given
    )
    assert (name, loud) == ("x", True)
    said = ("a", "b")
    assert selection == selecting.Selection(said, said, said, said, "5%", 3, only=("d",), everything=True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], selecting.Selection()),
        (["-l", "a=b", "--selector", "c"], selecting.Selection(selectors=("a=b", "c"))),
        (["-g", "one", "--group", "two"], selecting.Selection(groups=("one", "two"))),
        (["--site", "a,b", "--exclude", "c"], selecting.Selection(sites=("a,b",), exclude=("c",))),
        (["--sample", "5%", "--seed", "7"], selecting.Selection(sample="5%", seed=7)),
        (["--all"], selecting.Selection(everything=True)),
    ],
    ids=["none", "selectors", "groups", "names", "sample", "all"],
)
def test_the_command_line_reaches_the_command(arguments: list[str], expected: selecting.Selection) -> None:
    """Every flag, long and short, once and repeated."""
    seen: list[selecting.Selection] = []
    app = commands.application()

    @app.command(cls=commands.Command)
    @options.selection_flags
    def take(selection: selecting.Selection) -> None:
        seen.append(selection)

    assert typer.testing.CliRunner().invoke(app, arguments).exit_code == 0
    assert seen == [expected]


def test_the_journal_says_who_was_in_a_run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--from-run`` and ``--only`` reach the journal, and the names come back; real commands, a real journal."""
    (tmp_path / "fleetctl.yaml").write_text(
        "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n", encoding="utf-8"
    )
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "a.yaml").write_text(
        "apiVersion: fleetctl.dev/v1alpha1\nkind: SiteList\nsites: [{name: s1}, {name: s2}, {name: s3}]\n",
        encoding="utf-8",
    )
    (tmp_path / ".fleetctl").mkdir(mode=0o700)
    with making.opened(tmp_path / ".fleetctl") as journal:
        run = journal.run(runs.RowSeed("s1", 1, "r1:1"), runs.RowSeed("s3", 2, "r1:1"), runs.RowSeed("gone", 2, "r1:1"))
        journal.claim(run.id)
    monkeypatch.chdir(tmp_path)
    for more, names in ([], "s1\ns3\n"), (["--only", "not-started"], "s3\n"):
        arguments = ["inventory", "list", "-o", "name", "--from-run", run.id, *more]
        assert typer.testing.CliRunner().invoke(main.app, arguments).stdout == names


@pytest.mark.parametrize("command", [get_commands.sites, render_commands.render], ids=["list", "render"])
def test_every_selecting_command_has_the_same_flags(command: Any) -> None:  # noqa: ANN401  # a decorated function
    """A flag learned on one command works on all."""
    assert list(inspect.signature(command).parameters)[-len(FLAGS) :] == FLAGS
