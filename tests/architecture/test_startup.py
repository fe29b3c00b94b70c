"""What a quick command costs is what it imports."""

import json
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
        # Typer 0.29 makes a pydantic adapter for every option of a command that runs, so pydantic is not ours to avoid.
        pytest.param(["version"], HEAVY - {"pydantic"} | {"rich"}, id="version"),
    ],
)
def test_quick_commands_stay_light(arguments: list[str], unwanted: set[str]) -> None:
    """`--help` and `version` load no library that they do not use."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], cwd=sources.ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stderr.splitlines()[-1])
    assert seen["code"] in (0, None)
    assert set(seen["loaded"]) & unwanted == set()
