"""What the architecture tests look at: our modules as syntax trees, and the files that git keeps.

Nothing here imports fleetctl. A module that cannot be imported can still be judged, and judging it loads nothing.
"""

import ast
import functools
import pathlib
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["ROOT", "Import", "Module", "fleetctl_modules", "test_modules", "tracked_files"]

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    """One imported name: `import a.b` has module "a.b" and no name, `from a import b` has module "a" and name "b"."""

    module: str
    name: str
    line: int


class Module(NamedTuple):
    """One Python file: its dotted name (`__init__` left out), path from the root, text and syntax tree."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder right below fleetctl, e.g. "inventory"; "" for the package itself and its __main__."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else ""

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return len(self.text.splitlines())

    def imports(self) -> Iterator[Import]:
        """Yield every import: at the top, inside functions and under TYPE_CHECKING alike."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, "", node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (Import(node.module or "", alias.name, node.lineno) for alias in node.names)


def _read(path: pathlib.Path) -> Module:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    text = path.read_text(encoding="utf-8")
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, relative.as_posix(), text, ast.parse(text, relative.as_posix()))


@functools.cache
def fleetctl_modules() -> tuple[Module, ...]:
    """Every module of the package, by path."""
    return tuple(_read(path) for path in sorted((ROOT / "fleetctl").rglob("*.py")))


@functools.cache
def test_modules() -> tuple[Module, ...]:
    """Every module of the test suite, by path."""
    return tuple(_read(path) for path in sorted((ROOT / "tests").rglob("*.py")))


@functools.cache
def tracked_files() -> tuple[str, ...]:
    """Paths from the root of all files that git keeps, or would keep at the next `git add .`."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the user's PATH
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    # A file that was deleted and not yet committed is still listed.
    return tuple(sorted(path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file()))
