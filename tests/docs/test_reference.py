"""The reference says what the code does: pages that repeat a table of ours are held equal to it."""

import ast
import itertools
import re

import pytest

from fleetctl.model import codes, exits
from tests.architecture import sources

REFERENCE = sources.ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def exit_page() -> str:
    """The page about exit codes."""
    return (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")


def _documented_exits() -> dict[int, str]:
    """Each exit code with the docstring below it, which only the source has."""
    source = next(module for module in sources.fleetctl_modules() if module.name == exits.__name__)
    table = next(
        node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.name == exits.Exit.__name__
    )
    return {
        ast.literal_eval(member.value): ast.literal_eval(text.value)
        for member, text in itertools.pairwise(table.body)
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr)
    }


def test_exit_codes_are_documented(exit_page: str) -> None:
    """The page's table has every exit code with its meaning in the words of the code."""
    rows = {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.+) \|$", exit_page, re.MULTILINE)}
    assert rows == _documented_exits()
    assert set(rows) == {int(code) for code in exits.Exit}


def test_order_of_exit_codes_is_documented(exit_page: str) -> None:
    """Where several exit codes apply, the page's order is the one that the code goes by."""
    chain = re.search(r"\d+(?: > \d+)+", exit_page)
    assert chain, "the page has no line like 70 > 143 > 130"
    order = [exits.Exit(int(code)) for code in chain.group().split(" > ")]
    assert all(exits.worst([later, earlier]) is earlier for earlier, later in itertools.combinations(order, 2))
    assert set(exits.Exit) - set(order) == {2, 3, 5, 141}


def test_every_error_code_has_a_page() -> None:
    """docs/reference/errors has one page per code, AREA/WHAT.md, and no page for a code that is gone."""
    errors = REFERENCE / "errors"
    pages = {page.relative_to(errors).with_suffix("").as_posix() for page in errors.glob("*/*.md")}
    assert pages == {code.value for code in codes.Code}
