"""Help: the same on both flags, readable at any width, without drawing, and true to the modules behind it."""

import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import pytest
import typer.main
import typer.testing

import fleetctl.cli
from fleetctl.cli import main

COMMANDS = [
    [],
    ["init"],
    ["inventory"],
    ["inventory", "validate"],
    ["inventory", "list"],
    ["inventory", "show"],
    ["inventory", "explain"],
    ["inventory", "graph"],
    ["inventory", "diff"],
    ["inventory", "sync"],
    ["inventory", "set"],
    ["doctor"],
    ["get"],
    ["get", "sites"],
    ["get", "nodes"],
    ["get", "groups"],
    ["get", "bundles"],
    ["get", "debts"],
    ["get", "holds"],
    ["rollout"],
    ["rollout", "status"],
    ["rollout", "history"],
    ["rollout", "pause"],
    ["rollout", "resume"],
    ["rollout", "approve"],
    ["rollout", "abort"],
    ["rollout", "plan"],
    ["rollout", "start"],
    ["rollout", "remove"],
    ["rollout", "undo"],
    ["rollout", "catchup"],
    ["applyset"],
    ["applyset", "handover"],
    ["applyset", "adopt"],
    ["why"],
    ["hold"],
    ["unhold"],
    ["demo"],
    ["sim"],
    ["sim", "up"],
    ["sim", "fault"],
    ["sim", "down"],
    ["bundle"],
    ["bundle", "list"],
    ["bundle", "show"],
    ["bundle", "add"],
    ["bundle", "test"],
    ["render"],
    ["diff"],
    ["config"],
    ["config", "show"],
    ["schema"],
    ["explain"],
    ["state"],
    ["state", "check"],
    ["state", "backup"],
    ["state", "restore"],
    ["state", "gc"],
    ["keys"],
    ["keys", "init"],
    ["keys", "show"],
    ["completion"],
    ["version"],
]
_each = pytest.mark.parametrize("path", [pytest.param(path, id=" ".join(path) or "root") for path in COMMANDS])


def _help(path: list[str], flag: str = "--help") -> str:
    result = typer.testing.CliRunner().invoke(main.app, [*path, flag], prog_name="fleetctl")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def _module_app(name: str) -> Any:  # noqa: ANN401  # Typer's own command type is not public
    return typer.main.get_command(importlib.import_module(f"fleetctl.cli.{name}").app)


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_the_line_of_help_is_the_modules_own(name: str) -> None:
    """The tree repeats each command's help, so that it need not import it; the two are equal."""
    assert main.COMMANDS[name] == _module_app(name).help


def test_every_module_with_commands_is_in_the_tree() -> None:
    """No command is forgotten: a module of the room that has an ``app`` is a command of that name."""
    modules = [one.name for one in pkgutil.iter_modules(fleetctl.cli.__path__)]
    found = {name for name in modules if hasattr(importlib.import_module(f"fleetctl.cli.{name}"), "app")}
    assert found - {"main"} == set(main.COMMANDS)


def test_these_tests_know_every_command() -> None:
    """The list above is the whole tree."""
    paths: list[list[str]] = [[]]
    for name in main.COMMANDS:
        paths.append([name])
        paths += [[name, inner] for inner in getattr(_module_app(name), "commands", {})]
    assert paths == sorted(COMMANDS, key=paths.index)


@_each
def test_both_flags_show_the_same(path: list[str]) -> None:
    """``-h`` is ``--help``."""
    assert _help(path, "-h") == _help(path, "--help")


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], str]:
    """Show help as a process does: Typer's own runner for tests knows one width only."""

    def show(path: list[str]) -> str:
        assert (
            typer.main.get_command(main.app).main([*path, "--help"], prog_name="fleetctl", standalone_mode=False) == 0
        )
        return capsys.readouterr().out

    return show


@_each
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_wraps_and_is_never_cut(
    monkeypatch: pytest.MonkeyPatch, shown: Callable[[list[str]], str], path: list[str], columns: int
) -> None:
    """No line is wider than the terminal or than 80 columns, and no sentence ends in dots."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = shown(path)
    assert max(map(len, text.splitlines())) <= min(columns, 80)
    assert not re.search(r"[a-z]\.\.\.$", text, re.MULTILINE)
    assert text.split() == _help(path).split()


@_each
@pytest.mark.parametrize("variable", ["FORCE_COLOR", "GITHUB_ACTIONS", "NO_COLOR"])
def test_help_is_plain_text_everywhere(
    monkeypatch: pytest.MonkeyPatch, shown: Callable[[list[str]], str], path: list[str], variable: str
) -> None:
    """No colour, no boxes: what CI and screen readers get is what everybody gets."""
    monkeypatch.setenv(variable, "1")
    text = shown(path).replace("\n", "")
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_everything_has_a_sentence(name: str) -> None:
    """Every command, option and argument says what it does."""
    command = _module_app(name)
    everything = [command, *getattr(command, "commands", {}).values()]
    everything += [parameter for one in everything for parameter in one.params]
    assert [one.name for one in everything if not re.fullmatch(r"[A-Z].*\.", one.help or "")] == []


@pytest.mark.parametrize("path", [[], ["inventory"]], ids=["root", "inventory"])
def test_a_group_alone_shows_its_help_as_an_error(path: list[str]) -> None:
    """A group without a command is a usage error: the help goes to standard error, a script sees 2."""
    result = typer.testing.CliRunner().invoke(main.app, path, prog_name="fleetctl")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", _help(path))
