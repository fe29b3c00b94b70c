"""Completion by Tab: the protocol that the shells' scripts speak, and that a lazily loaded group answers in it."""

import os
import pathlib
import shlex
import subprocess

import pytest

from tests.architecture import sources
from tests.unit.cli import processes

RETAIL = sources.ROOT / "inventories" / "retail"


def _bash(line: str) -> list[str]:
    """Ask as the bash script does: the words, and which of them the cursor is at."""
    words = line.split(" ")
    done = processes.run(
        env=processes.environment(
            _FLEETCTL_COMPLETE="complete_bash", COMP_WORDS="\n".join(words), COMP_CWORD=str(len(words) - 1)
        )
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "fleetctl ",
            [
                "init",
                "inventory",
                "doctor",
                "get",
                "rollout",
                "applyset",
                "why",
                "hold",
                "unhold",
                "demo",
                "sim",
                "bundle",
                "render",
                "diff",
                "config",
                "schema",
                "explain",
                "state",
                "keys",
                "completion",
                "version",
            ],
        ),
        ("fleetctl inv", ["inventory"]),
        ("fleetctl inventory ", ["validate", "list", "show", "explain", "graph", "diff", "sync", "set"]),
        ("fleetctl -C somewhere inventory ", ["validate", "list", "show", "explain", "graph", "diff", "sync", "set"]),
        ("fleetctl inventory l", ["list"]),
        ("fleetctl inventory list --s", ["--selector", "--site", "--sample", "--seed"]),
        ("fleetctl inventory list -o ", ["table", "wide", "name", "json", "yaml", "jsonl"]),
        ("fleetctl render --format k", ["kyaml"]),
        ("fleetctl explain inventory/duplicate-si", ["inventory/duplicate-site"]),
        (f"fleetctl -C {RETAIL} why store-0010", [f"store-0010{n}" for n in range(1, 10)]),
        (f"fleetctl -C {RETAIL} get sites -g north", [""]),
        (f"fleetctl -C {RETAIL} get sites -g eu-n", ["eu-north"]),
        (f"fleetctl -C {RETAIL} render --site store-00101,hub-", ["store-00101,hub-00390"]),
        (f"fleetctl -C {RETAIL} render retail", ["retail-pos"]),
        ("fleetctl -C / why s", [""]),
        ("fleetctl -C /nowhere render r", [""]),
    ],
)
def test_bash(line: str, expected: list[str]) -> None:
    """What Tab offers in bash."""
    assert _bash(line) == expected


def test_zsh_and_fish() -> None:
    """The other shells get the names with their help."""
    asked = {"_TYPER_COMPLETE_ARGS": "fleetctl inventory ", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    zsh = processes.run(env=processes.environment(_FLEETCTL_COMPLETE="complete_zsh", **asked))
    fish = processes.run(env=processes.environment(_FLEETCTL_COMPLETE="complete_fish", **asked))
    assert '"list":"List sites."' in zsh.stdout
    assert "list\tList sites." in fish.stdout


@pytest.mark.parametrize(
    ("shell", "asks", "registers"),
    [
        ("bash", "_FLEETCTL_COMPLETE=complete_bash $1", "complete -o default -F _fleetctl_completion fleetctl"),
        ("zsh", "_FLEETCTL_COMPLETE=complete_zsh fleetctl", "compdef _fleetctl_completion fleetctl"),
        ("fish", "_FLEETCTL_COMPLETE=complete_fish ", "complete --command fleetctl "),
    ],
)
def test_the_script_is_for_fleetctl_however_it_was_started(shell: str, asks: str, registers: str) -> None:
    """The script asks and registers the installed command, also when Python started the module."""
    done = processes.run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert asks in done.stdout
    assert registers in done.stdout


def test_bash_completes_by_the_script(tmp_path: pathlib.Path) -> None:
    """Bash itself takes the script, asks by it, and gets names."""
    command = tmp_path / "fleetctl"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(processes.command())} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    asked = "COMP_WORDS=(fleetctl inv); COMP_CWORD=1; _fleetctl_completion fleetctl; echo ${COMPREPLY[@]}"
    script = f'eval "$(fleetctl completion bash)"; {asked}'
    env = processes.environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "--norc", "-c", script],  # noqa: S607  # the bash of whoever tests
        env=env,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == "inventory\n"
