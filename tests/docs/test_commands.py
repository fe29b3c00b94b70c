"""docs/reference/commands.md has every command, and every option of it that ``--help`` shows."""

import re

import typer.testing

from fleetctl.cli import main
from tests.architecture import sources

PAGE = sources.ROOT / "docs" / "reference" / "commands.md"
ON_ALL = {"-h", "--help"}


def _help(path: tuple[str, ...]) -> str:
    return typer.testing.CliRunner().invoke(main.app, [*path, "--help"], prog_name="fleetctl").stdout


def _options(text: str) -> set[str]:
    """Return the option names that the lines of a help text begin with."""
    rows = re.findall(r"^  (-.*?)(?:  .*)?$", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", row)}


def _actual(path: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Return each command that does something with its options; the root stands for the options of all."""
    text = _help(path)
    _, _, listed = text.partition("\nCommands:\n")
    names = re.findall(r"^  ([a-z]\S*)", listed, re.MULTILINE)
    found = {} if names and path else {" ".join(("fleetctl", *path)): _options(text)}
    for name in names:
        found |= _actual((*path, name))
    return found


def _documented() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        if title.startswith("fleetctl"):
            command = re.sub(r" [A-Z\[].*", "", title)
            cells = re.findall(r"^\| (`-.*?) \|", body, re.MULTILINE)
            found[command] = {name for cell in cells for name in re.findall(r"`(--?[A-Za-z][\w-]*)", cell)}
    return found


def test_every_option_is_documented() -> None:
    """The page's sections and their options are those of the commands; what all have stands with the root."""
    actual = _actual()
    root = actual.pop("fleetctl")
    assert root >= ON_ALL
    assert _documented() == {"fleetctl": root, **{name: options - ON_ALL for name, options in actual.items()}}
