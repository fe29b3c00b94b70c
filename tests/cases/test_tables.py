"""The tables of rules, traps and what API servers answer name cases and tests that there are."""

import fnmatch
import pathlib
import re

import pytest
import yaml

FOLDER = pathlib.Path(__file__).parent
TABLES = [*sorted(FOLDER.rglob("README.md")), FOLDER.parent / "contract" / "README.md"]


def _named(table: pathlib.Path) -> list[tuple[str, str]]:
    """Return the file and the name of each entry; one without a file stands in the file named last in its row."""
    found = []
    for row in re.findall(r"^\|.*\|([^|]*)\|$", table.read_text(encoding="utf-8"), re.MULTILINE)[2:]:
        file = ""
        for entry in re.findall(r"`([^`]*)`", row):
            at, colon, name = entry.partition(": ")
            if not file or (colon and _file(table, at).exists()):
                file = at
            else:
                name = entry
            found.append((file, name))
    return found


def _file(table: pathlib.Path, file: str) -> pathlib.Path:
    """Return where a file is: a test from the top, a case file beside the table or below all cases."""
    if file.endswith(".py"):
        return FOLDER.parents[1] / file
    beside = table.parent / f"{file}.yaml"
    return beside if beside.exists() else FOLDER / f"{file}.yaml"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.parent.name)
def test_every_case_a_table_names_is_there(table: pathlib.Path) -> None:
    """``FILE: NAME`` is a case of FILE; dots stand for any text, and a file alone for all of it."""
    entries = _named(table)
    assert entries
    missing = []
    for file, name in entries:
        path = _file(table, file)
        if not path.exists():
            missing.append((file, name))
        elif name:
            text = path.read_text(encoding="utf-8")
            names = (
                re.findall(r"^def (test_\w+)", text, re.MULTILINE)
                if path.suffix == ".py"
                else [case["name"] for case in yaml.load(text, Loader=yaml.CSafeLoader)]
            )
            if not fnmatch.filter(names, name.replace("[", "[[]").replace("...", "*")):
                missing.append((file, name))
    assert missing == []
