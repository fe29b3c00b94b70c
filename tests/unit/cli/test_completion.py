"""Completion by Tab: the protocol that the shells' scripts speak, and that a lazily loaded group answers in it."""

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
                "why",
                "demo",
                "bundle",
                "render",
                "diff",
                "config",
                "schema",
                "explain",
                "keys",
                "version",
            ],
        ),
        ("fleetctl inv", ["inventory"]),
        ("fleetctl inventory ", ["validate", "list", "show", "explain", "graph", "diff", "sync"]),
        ("fleetctl -C somewhere inventory ", ["validate", "list", "show", "explain", "graph", "diff", "sync"]),
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


def test_the_script_is_for_fleetctl_however_it_was_started() -> None:
    """The script names the installed command, also when Python started the module."""
    done = processes.run(env=processes.environment(_FLEETCTL_COMPLETE="source_bash"))
    assert done.returncode == 0
    assert "_FLEETCTL_COMPLETE=complete_bash" in done.stdout
    assert done.stdout.rstrip().endswith("-F _fleetctl_completion fleetctl")
