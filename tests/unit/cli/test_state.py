"""The journal looked after, by the commands that a user gives."""

import json
import pathlib
import sqlite3
from collections.abc import Iterator

import pytest

from tests.unit.cli import simulated


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[simulated.Shop]:
    """A bundle that was rolled out to one site."""
    with simulated.opened(tmp_path, ("s1",)) as opened:
        opened.write("templates/app/a.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
        opened.rollout()
        yield opened


def _journal(shop: simulated.Shop) -> pathlib.Path:
    return shop.root / ".fleetctl" / "sim" / "state.db"


def _damage(shop: simulated.Shop, statement: str) -> None:
    conn = sqlite3.connect(_journal(shop))
    with conn:
        conn.execute(statement)
    conn.close()


def test_a_journal_that_holds_together(shop: simulated.Shop) -> None:
    """One line, and exit 0."""
    said = shop.run("state", "check")
    assert (said.exit_code, said.stdout) == (0, ".fleetctl/sim/state.db holds together\n")
    found = json.loads(shop.run("state", "check", "-o", "json").stdout)
    assert (found["kind"], found["there"], found["problems"]) == ("StateCheck", True, [])


def test_what_is_wrong_and_put_right(shop: simulated.Shop) -> None:
    """Said with exit 1; put right after a copy was made; then it holds together."""
    _damage(shop, "UPDATE run_sites SET phase = 'waiting'")
    said = shop.run("state", "check")
    assert said.exit_code == 1
    assert "has an outcome and is not done" in said.stdout
    assert said.stdout.endswith("can be put right: fleetctl state check --repair\n")
    said = shop.run("state", "check", "--repair")
    assert said.exit_code == 0
    assert "kept a copy: .fleetctl/sim/state.db.before-" in said.stdout
    assert said.stdout.endswith(".fleetctl/sim/state.db holds together again\n")
    assert shop.run("state", "check").exit_code == 0


def test_there_and_back(shop: simulated.Shop) -> None:
    """A copy, another run, the copy brought back: the next rollout is told by the cluster what is there."""
    copy = shop.root / "copy.db"
    said = shop.run("state", "backup", str(copy))
    assert (said.exit_code, said.stdout.startswith(f"wrote {copy} (")) == (0, True)
    shop.bundle("1.1.0")
    shop.write("templates/app/a.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: c}\n")
    shop.rollout()
    refused = shop.run("state", "restore", str(copy))
    assert refused.exit_code == 9
    said = shop.run("state", "restore", str(copy), "--yes")
    assert said.exit_code == 0, said.stderr
    assert "the one before is .fleetctl/sim/state.db.before-" in said.stdout
    runs = json.loads(shop.run("rollout", "history", "-o", "json").stdout)
    assert [run["version"] for run in runs["items"]] == ["1.0.0"]
    assert "1 unchanged" in shop.rollout().stdout


def test_old_runs(shop: simulated.Shop) -> None:
    """Nothing is old enough at first; what would go is what goes; why and undo of the rest still work."""
    for _ in range(7):
        shop.rollout("--reapply")
    assert shop.run("state", "gc").stdout == "nothing to forget\n"
    _damage(shop, "UPDATE runs SET created = created - 1e7, ended = ended - 1e7")
    assert shop.run("state", "gc", "--dry-run").stdout.startswith("would forget 3 runs, 0 releases and ")
    found = json.loads(shop.run("state", "gc", "-o", "json").stdout)
    assert (found["kind"], len(found["runs"]), found["dryRun"]) == ("StateCollection", 3, False)
    assert shop.run("state", "gc").stdout == "nothing to forget\n"
    assert shop.run("state", "check").exit_code == 0
    assert "1 unchanged" in shop.rollout().stdout
