"""What follows from the rest of a journal is put right, and the check says what is left."""

import functools
import pathlib
import sqlite3

import pytest

from fleetctl.model import codes, errors, outcomes
from fleetctl.state import checking, repairing, runs
from tests.unit.state import making

_DERIVED = {
    "an outcome that is not done": "UPDATE run_sites SET outcome = 'changed', effect = 'applied' WHERE attempt > 0",
    "done without an outcome": "UPDATE run_sites SET phase = 'done'",
    "a finished run's member": "UPDATE runs SET state = 'finished'",
    "a lease nobody knows": "UPDATE leases SET attempt = 7",
    "a lease of no run": "UPDATE leases SET run = 'gone'",
    "all of it": (
        "UPDATE run_sites SET phase = 'done'; UPDATE leases SET attempt = 7; UPDATE runs SET state = 'finished'"
    ),
}


def _execute(conn: sqlite3.Connection, statement: str) -> int:
    return conn.execute(statement).rowcount


@pytest.mark.parametrize("damage", _DERIVED.values(), ids=_DERIVED)
def test_what_can_be_derived(tmp_path: pathlib.Path, damage: str) -> None:
    """After it the check finds nothing, and a second repair changes nothing."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*(runs.RowSeed(site, 1, goal="r1:new") for site in "ab"))
        journal.claim(run.id, most=1)
        for statement in damage.split(";"):
            journal.store.write_now(functools.partial(_execute, statement=statement))
        assert journal.store.read(checking.check)
        assert journal.store.write_now(lambda conn: repairing.repair(conn, journal.now)) == []
        rows = journal.store.read(lambda conn: runs.sites(conn, run.id))
        assert journal.store.write_now(lambda conn: repairing.repair(conn, journal.now)) == []
        assert journal.store.read(lambda conn: runs.sites(conn, run.id)) == rows


def test_who_is_visited_again_and_who_is_given_up(tmp_path: pathlib.Path) -> None:
    """A site of a run that goes on is visited again; of one that is over it has the outcome of a lost visit."""
    with making.opened(tmp_path) as journal:
        run = journal.run(*(runs.RowSeed(site, 1, goal="r1:new") for site in "ab"))
        journal.claim(run.id, most=1)
        journal.store.write_now(lambda conn: conn.execute("UPDATE run_sites SET phase = 'done'").rowcount)
        journal.store.write_now(lambda conn: repairing.repair(conn, journal.now))
        assert [journal.row(run.id, site).phase.value for site in "ab"] == ["applying", "waiting"]
        journal.store.write_now(lambda conn: conn.execute("UPDATE runs SET state = 'finished'").rowcount)
        journal.store.write_now(lambda conn: repairing.repair(conn, journal.now))
        found = [(row.outcome, row.effect) for row in (journal.row(run.id, site) for site in "ab")]
        assert found == [
            (outcomes.Outcome.UNREACHABLE, outcomes.Effect.UNKNOWN),
            (outcomes.Outcome.SKIPPED, outcomes.Effect.NONE),
        ]


def test_what_cannot_be_derived_is_left(tmp_path: pathlib.Path) -> None:
    """Nobody knows what a site that was never claimed was changed by; the check goes on saying so."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        damage = "UPDATE run_sites SET effect = 'applied', outcome = 'changed'"
        journal.store.write_now(lambda conn: conn.execute(damage).rowcount)
        left = journal.store.write_now(lambda conn: repairing.repair(conn, journal.now))
        assert left == [f"a of {run.id} was changed and never claimed"]


def test_a_damaged_file_is_never_written(tmp_path: pathlib.Path) -> None:
    """What SQLite itself finds damaged is refused, byte for byte as it is."""
    with making.opened(tmp_path) as journal:
        journal.run(*(runs.RowSeed(f"s{number:04}", 1, goal="r1:new") for number in range(500)))
    path = tmp_path / "state.db"
    conn = sqlite3.connect(path)
    [root] = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'run_sites_open'").fetchone()
    size = conn.execute("PRAGMA page_size").fetchone()[0]
    conn.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = bytes(size)
    path.write_bytes(data)
    with making.opened(tmp_path) as journal, pytest.raises(errors.FleetctlError) as refused:
        journal.store.write_now(lambda conn: repairing.repair(conn, journal.now))
    assert refused.value.code is codes.Code.STATE_DAMAGED
    assert path.read_bytes() == bytes(data)
