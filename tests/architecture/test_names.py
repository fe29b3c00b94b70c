"""A newcomer finds any behaviour in one guess, so names must say something, and say what is public."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture import sources

# Rooms that swallow whatever has no home yet. A helper lives beside its only user, or it is a concept with a name.
SAYS_NOTHING = {"base", "common", "helper", "helpers", "misc", "util", "utilities", "utils"}

# A folder that exists on one machine only.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm)/")

# Each word ends in a character class, so that this file does not hold the words it forbids.
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b")

# Written by tools, not by us.
GENERATED = {"uv.lock"}


def test_no_module_is_called_nothing() -> None:
    """No module or folder of the package has a name that says nothing about what is in it."""
    parts = {module.path: set(module.path.removesuffix(".py").split("/")) for module in sources.fleetctl_modules()}
    assert [path for path, names in parts.items() if names & SAYS_NOTHING] == []


def _public(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        elif isinstance(node, ast.If):
            yield from _public([*node.body, *node.orelse])
        yield from (name for name in names if not name.startswith("_"))


def _declared(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


@pytest.mark.parametrize(
    "module",
    [pytest.param(m, id=m.path) for m in sources.fleetctl_modules() if not m.path.endswith("/__main__.py")],
)
def test_all_is_complete(module: sources.Module) -> None:
    """`__all__` of each module names its public functions, classes and constants, all of them and once each.

    Their order is ruff's business (RUF022).
    """
    dunders = {"__version__"}
    assert sorted(set(_declared(module.tree)) - dunders) == sorted(set(_public(module.tree.body)))
    assert len(_declared(module.tree)) == len(set(_declared(module.tree)))


def _lines() -> Iterator[tuple[str, str]]:
    for path in sources.tracked_files():
        raw = (sources.ROOT / path).read_bytes()
        if path in GENERATED or b"\0" in raw:
            continue
        for number, line in enumerate(raw.decode("utf-8").splitlines(), 1):
            yield f"{path}:{number}", line


def test_nothing_is_left_for_later() -> None:
    """No file says that it is unfinished: what is missing stands in an issue, where somebody looks."""
    assert [place for place, line in _lines() if UNFINISHED.search(line)] == []


def test_no_file_names_one_machine() -> None:
    """No file names a path that exists on one machine only."""
    assert [place for place, line in _lines() if MACHINE_PATH.search(line)] == []
