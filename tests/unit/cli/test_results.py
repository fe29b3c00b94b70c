"""Every command with a result gives it in the same formats, to pipes and terminals alike."""

import importlib
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
import typer.testing
import yaml

from fleetctl.cli import main, options
from tests.architecture import sources
from tests.unit.cli import processes

RETAIL = sources.ROOT / "inventories" / "retail"
RESULTS = {
    "doctor": [],
    "get sites": ["-g", "eu-north"],
    "get nodes": ["-g", "eu-north"],
    "get groups": [],
    "get bundles": [],
    "inventory list": ["-g", "eu-north"],
    "inventory show": ["store-00101"],
    "inventory explain": ["store-00101", "cluster"],
    "inventory validate": [],
    "inventory graph": [],
    "inventory set": ["store-00101", "state=planned", "--dry-run"],
    "bundle list": [],
    "bundle show": ["base"],
    "bundle test": ["base"],
    "render": ["base", "--site", "store-00101"],
    "config show": [],
    "explain": ["lock/missing"],
    "version": [],
}
"""Commands whose result a project alone can give, and what they are asked."""
ELSEWHERE = {
    "why": "a failed run",
    **{f"sim {name}": "a process that stays" for name in ("up", "fault", "down")},
    "applyset handover": "a cluster",
    "applyset adopt": "a cluster",
    "diff": "a run, or a commit",
    "inventory diff": "a commit",
    "inventory sync": "a source",
    "bundle add": "an empty project",
    **{f"state {name}": "a journal" for name in ("check", "backup", "restore", "gc")},
    **dict.fromkeys(("hold", "unhold", "get holds", "get debts"), "a journal"),
    "keys init": "a project without a key",
    "keys show": "a project with a key",
    **{
        f"rollout {name}": "a run"
        for name in ("plan", "start", "remove", "undo", "catchup", "resume", "status", "history")
    },
}
"""Commands that need more than that: their own tests show their results."""
OTHERWISE = {
    "init": "says what it made",
    "demo": "shows screens",
    "rollout pause": "asks the process of the run",
    "rollout approve": "notes what somebody said",
    "rollout abort": "asks the process of the run",
    "schema": "is JSON, and nothing else",
    "completion": "is a script",
}
"""Commands without formats, and why."""

_each = pytest.mark.parametrize("name", list(RESULTS))


def _leaves() -> Iterator[tuple[str, Any]]:
    for name in main.COMMANDS:
        command = typer.main.get_command(importlib.import_module(f"fleetctl.cli.{name}").app)
        inner = getattr(command, "commands", None)
        yield from [(name, command)] if inner is None else [(f"{name} {one}", inner[one]) for one in inner]


def _arguments(name: str) -> list[str]:
    return ["-C", str(RETAIL), *name.split(), *RESULTS[name]]


def test_every_command_has_all_formats_or_a_reason() -> None:
    """``-o`` is one option, with the same words everywhere."""
    formats = {name: [one for one in leaf.params if "-o" in one.opts] for name, leaf in _leaves()}
    assert {name for name, found in formats.items() if not found} == set(OTHERWISE)
    assert {name for name, found in formats.items() if found} == RESULTS.keys() | ELSEWHERE.keys()
    assert len({option.help for found in formats.values() for option in found}) == 1


@_each
def test_formats_are_one_result(name: str) -> None:
    """JSON, YAML and JSON lines say the same, and JSON says what it is; the other formats say something."""
    said = {}
    for style in options.Output:
        result = typer.testing.CliRunner().invoke(main.app, [*_arguments(name), "-o", style], prog_name="fleetctl")
        assert result.exit_code == 0 or name == "doctor", result.stderr
        said[style.value] = result.stdout
    read = json.loads(said["json"])
    assert read["apiVersion"] == "fleetctl.dev/v1alpha1"
    assert read["kind"]
    lines = [json.loads(line) for line in said["jsonl"].splitlines()]
    if name == "doctor":  # looks at the clock and the machine anew each time
        assert len(lines) == len(read["items"])
    else:
        assert yaml.safe_load(said["yaml"]) == read
        assert lines == read.get("items", [read])
    assert said["table"]
    assert said["wide"]
    assert bool(said["name"]) == bool(read.get("items", [read]))


@_each
def test_a_reader_that_is_gone_ends_it_with_141(name: str) -> None:
    """``fleetctl ... | true``: silence, and the code that shells know."""
    reader, writer = os.pipe()
    os.close(reader)
    done = processes.run(*_arguments(name), stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@_each
def test_a_terminal_gets_no_colour(name: str) -> None:
    """With NO_COLOR, a terminal gets text without a single escape."""
    seen = processes.on_terminal(*_arguments(name), columns=80, NO_COLOR="1")
    assert "\x1b" not in seen.text
