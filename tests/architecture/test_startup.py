"""What a quick command costs is what it imports."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.architecture import sources

# Libraries that only some commands need: 60 to 150 ms each on a slow machine.
HEAVY = {"jinja2", "jsonschema_rs", "pydantic", "yaml"}

_SCRIPT = """
import json, sys
from fleetctl.cli import main
sys.argv = ["fleetctl", *sys.argv[1:]]
code = 0
try:
    main.run()
except SystemExit as end:
    code = end.code
print(json.dumps({"code": code, "loaded": sorted({name.partition(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        pytest.param(["--help"], HEAVY | {"rich"}, id="--help"),
        pytest.param(["version"], HEAVY | {"rich"}, id="version"),
    ],
)
def test_quick_commands_stay_light(arguments: list[str], unwanted: set[str]) -> None:
    """`--help` and `version` load no library that they do not use."""
    assert _loaded(arguments) & unwanted == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["inventory", "list"],
        ["inventory", "list", "-o", "wide", "-l", "ring=1"],
        ["inventory", "list", "-o", "json", "-g", "ring-0", "--sample", "1"],
        ["inventory", "validate"],
        ["get", "nodes"],
        ["get", "groups"],
    ],
    ids=" ".join,
)
def test_a_kept_fleet_needs_no_reader(arguments: list[str], tmp_path: pathlib.Path) -> None:
    """When the inventory has not changed, neither the reader of YAML nor the checker of shapes is imported."""
    shutil.copytree(sources.ROOT / "inventories" / "retail", tmp_path / "p", ignore=shutil.ignore_patterns(".fleetctl"))
    settings = tmp_path / "p" / "fleetctl.yaml"
    templates = str(sources.ROOT / "templates")
    settings.write_text(settings.read_text(encoding="utf-8").replace("../../templates", templates), encoding="utf-8")
    arguments = ["-C", str(tmp_path / "p"), *arguments]
    assert "yaml" in _loaded(arguments)
    assert _loaded(arguments) & (HEAVY | {"rich"}) == set()


def _loaded(arguments: list[str]) -> set[str]:
    """Run a command in a process of its own and return what it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], cwd=sources.ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stderr.splitlines()[-1])
    assert seen["code"] in (0, None), done.stderr
    return set(seen["loaded"])
