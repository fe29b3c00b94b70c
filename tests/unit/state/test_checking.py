"""The journal's check finds what does not fit together, and says it in words."""

import pathlib

import pytest

from fleetctl.model import objects, outcomes, releases
from fleetctl.state import blobs, checking, databases, runs
from fleetctl.state import releases as stored
from tests.unit.state import making

_DAMAGE = [
    ("UPDATE run_sites SET phase = 'done'", "a of {run} is done and has no outcome"),
    ("UPDATE run_sites SET outcome = 'changed'", "a of {run} has an outcome and is not done"),
    ("UPDATE runs SET state = 'finished'", "{run} is finished and a has no outcome"),
    ("UPDATE run_sites SET attempt = 0, effect = 'applied'", "a of {run} was changed and never claimed"),
    ("UPDATE leases SET attempt = 7", "a has a lease of {run}, which does not know it"),
]


@pytest.mark.parametrize(("damage", "words"), _DAMAGE, ids=[words[:20] for _, words in _DAMAGE])
def test_rows_that_contradict_each_other(tmp_path: pathlib.Path, damage: str, words: str) -> None:
    """Each rule of the journal is looked at."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        journal.claim(run.id)
        assert journal.store.read(checking.check) == []
        journal.store.write_now(lambda conn: conn.execute(damage).rowcount)
        assert words.format(run=run.id) in journal.store.read(checking.check)


def test_a_debt_of_an_aborted_run(tmp_path: pathlib.Path) -> None:
    """Such a debt would be paid with what somebody took back."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        [claim] = journal.claim(run.id).claims
        journal.finish(run.id, (claim, making.result(outcomes.Outcome.UNREACHABLE, outcomes.Effect.NONE)))
        journal.store.write_now(lambda conn: conn.execute("UPDATE runs SET state = 'aborted'").rowcount)
        assert journal.store.read(checking.check) == [f"a is owed something by {run.id}, which was aborted"]


def test_content_that_is_missing_or_damaged(tmp_path: pathlib.Path) -> None:
    """Releases need all their objects: each missing one is named, once."""
    id_ = objects.ObjectId("", "ConfigMap", "pos", "settings")
    release = releases.Release("a", "pos", "1", "r1:x", (releases.RenderedObject(id_, b'{"a":1}', "t.yaml"),))
    with databases.open_store(tmp_path / "state.db") as store:
        store.write_now(lambda conn: stored.put(conn, release))
        digest = store.write_now(lambda conn: blobs.put(conn, b'{"a":1}'))
        assert store.read(checking.check) == []
        store.write_now(lambda conn: conn.execute("UPDATE blobs SET data = x'00' WHERE digest = ?", (digest,)).rowcount)
        assert store.read(checking.check) == [f"the journal refers to content {digest} that is damaged"]
        store.write_now(lambda conn: conn.execute("DELETE FROM blobs WHERE digest = ?", (digest,)).rowcount)
        assert store.read(checking.check) == [f"the journal refers to content {digest} that is missing"]
