"""Who may import what: the order of the rooms, one home for each library, no cycles, modules and not names."""

import ast
import configparser
import graphlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib

import pytest

from tests.architecture import sources

# Library -> the only rooms that import it, so that it can be replaced, and its exceptions translated, in one place.
# A new dependency needs a line here; a line may stand here before its room is built.
HOMES = {
    "cronsim": {"runs"},
    "cryptography": {"kube", "sim"},
    "httpx": {"web"},
    "jinja2": {"rendering", "reports"},
    "jsonschema_rs": {"openapi", "rendering", "schema"},
    "keyring": {"secrets"},
    # Records are its structs, so every room that has records has it.
    "msgspec": {
        "cli",
        "clusters",
        "inventory",
        "kube",
        "model",
        "openapi",
        "reading",
        "rendering",
        "reports",
        "rollout",
        "runs",
        "secrets",
        "sim",
        "state",
        "web",
    },
    "paramiko": {"ssh"},
    "procrastinate": {"runs"},
    "psycopg": {"state"},
    "pycurl": {"kube"},
    "pydantic": {"schema"},
    "pydantic_core": {"schema"},
    "pyrage": {"secrets"},
    "rich": {"console"},
    "sqlite3": {"state"},
    "typer": {"cli"},
    "uvloop": {"runs", "sim"},
    "yaml": {"reading"},
}


def _contract() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(sources.ROOT / ".importlinter", encoding="utf-8")
    return parser


def test_rooms_keep_their_order() -> None:
    """Each room imports only rooms below it (import-linter, with the contract in .importlinter)."""
    # In a process of its own: import-linter configures logging and prints.
    script = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=sources.ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_built_rooms_are_required() -> None:
    """In the contract a room is optional, in parentheses, exactly while it is not built."""
    layers = re.findall(r"\(?\w+\)?", _contract()["importlinter:contract:rooms"]["layers"])
    built = {module.room for module in sources.fleetctl_modules()} - {""}
    assert {room for room in layers if not room.startswith("(")} == built


def test_every_library_has_one_home() -> None:
    """A third-party library is imported only by the rooms that are its home."""
    strangers = [
        f"{module.path}:{found.line} imports {root}"
        for module in sources.fleetctl_modules()
        for found in module.imports()
        if (root := found.module.partition(".")[0]) in HOMES or root not in {*sys.stdlib_module_names, "fleetctl"}
        if module.room not in HOMES.get(root, ())
    ]
    assert strangers == []


def test_dependencies_are_those_we_import() -> None:
    """pyproject.toml asks for every library that the package imports, and for no other."""
    project = tomllib.loads((sources.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # An extra of ours is for those who use the product; test and dev are for those who make it.
    extras = {name: asked for name, asked in project["optional-dependencies"].items() if name not in {"test", "dev"}}
    asked = {
        _distribution(one) for one in (*project["dependencies"], *(one for each in extras.values() for one in each))
    }
    roots = {found.module.partition(".")[0] for module in sources.fleetctl_modules() for found in module.imports()}
    owners = importlib.metadata.packages_distributions()
    imported = {_normal(owners[root][0]) for root in roots - {*sys.stdlib_module_names, "fleetctl"}}
    # zoneinfo imports tzdata by itself where the system has no time zones.
    asked -= {"tzdata"}
    # pydantic names the one version of its core that it works with; a second floor could only contradict it.
    assert asked == imported - {"pydantic-core"}


def test_extras_are_imported_late() -> None:
    """A library of an extra is imported in functions only: the package works without it."""
    project = tomllib.loads((sources.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        _distribution(one)
        for name, each in project["optional-dependencies"].items()
        if name not in {"test", "dev"}
        for one in each
    }
    early = [
        f"{module.path} imports {name} when it is loaded"
        for module in sources.fleetctl_modules()
        for name in _loaded_at_once(module)
        if _normal(name) in extras
    ]
    assert extras == {"keyring"}
    assert early == []


def _loaded_at_once(module: sources.Module) -> list[str]:
    """Return the roots of what a module imports outside of functions."""
    at_top = [node for node in module.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [alias.name for node in at_top if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in at_top if isinstance(node, ast.ImportFrom)]
    return [name.partition(".")[0] for name in names]


def _distribution(requirement: str) -> str:
    return _normal(re.split(r"[<>=~!; \[]", requirement)[0])


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _targets(found: sources.Import, names: set[str]) -> str:
    """The module of ours that an import reaches, or ""."""
    whole = f"{found.module}.{found.name}" if found.name else found.module
    return next((name for name in (whole, found.module) if name in names), "")


def test_no_import_goes_in_circles() -> None:
    """No module reaches itself through imports, those in functions and under TYPE_CHECKING included.

    The cure is to move the shared type down a room, not the import into a function.
    """
    modules = sources.fleetctl_modules()
    names = {module.name for module in modules}
    graph = {module.name: {_targets(found, names) for found in module.imports()} - {""} for module in modules}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]), pytrace=False)


def test_our_own_imports_are_modules() -> None:
    """We import our modules, not names out of them, so that a call site says where a thing lives."""
    modules = (*sources.fleetctl_modules(), *sources.test_modules())
    known = {module.name for module in modules}
    folders = {name.rpartition(".")[0] for name in known}
    names_taken = [
        f"{module.path}:{found.line} takes {found.name} out of {found.module}"
        for module in modules
        for found in module.imports()
        if found.name and found.module.partition(".")[0] in {"fleetctl", "tests"}
        if f"{found.module}.{found.name}" not in known | folders
    ]
    assert names_taken == []
