"""What objects were before a run took them over: kept as long as the run."""

import functools
import pathlib

from fleetctl.model import objects
from fleetctl.state import blobs, checking, collecting, runs, snapshots
from tests.unit.state import making

PRICES, SITE = objects.ObjectId("", "ConfigMap", "pos", "prices"), objects.ObjectId("", "ConfigMap", "pos", "site")
_DAY = 86400.0


def test_what_an_object_was_is_found_by_run_and_site(tmp_path: pathlib.Path) -> None:
    """The last word counts; other runs, sites and objects have their own."""
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new")).id
        put = journal.store.write_now
        put(lambda conn: snapshots.put(conn, run, "a", PRICES, b"first"))
        put(lambda conn: snapshots.put(conn, run, "a", PRICES, b"second"))
        put(lambda conn: snapshots.put(conn, run, "b", SITE, b"there"))
        assert journal.store.read(lambda conn: snapshots.get(conn, run, "a", PRICES)) == b"second"
        assert journal.store.read(lambda conn: snapshots.get(conn, run, "a", SITE)) is None
        assert journal.store.read(lambda conn: snapshots.of(conn, run, "b")) == {SITE: b"there"}
        assert journal.store.read(lambda conn: snapshots.of(conn, "r-other", "a")) == {}


def test_it_goes_with_its_run_and_not_before(tmp_path: pathlib.Path) -> None:
    """Its content is no rubbish while the run is known."""
    with making.opened(tmp_path) as journal:
        made, digests = [], []
        for number in range(7):
            run = journal.run(runs.RowSeed("a", 1, goal=f"r1:{number}"))
            data = f"snapshot {number}".encode()
            journal.store.write_now(functools.partial(snapshots.put, run=run.id, site="a", identity=PRICES, data=data))
            journal.finish(run.id, *((one, making.result(after=one.goal)) for one in journal.claim(run.id).claims))
            journal.store.write_now(functools.partial(runs.finish, run=run.id, now=journal.now))
            journal.pass_time(1)
            made.append(run.id)
            digests.append(journal.store.write_now(functools.partial(blobs.put, data=data)))
        journal.pass_time(10 * _DAY)
        found = collecting.collect(journal.store, journal.now - _DAY)
        assert found.runs == tuple(made[:2])
        kept = [
            journal.store.read(functools.partial(snapshots.get, run=run, site="a", identity=PRICES)) for run in made
        ]
        assert kept == [None, None, *(f"snapshot {number}".encode() for number in range(2, 7))]
        held = journal.store.read(lambda conn: {row[0] for row in conn.execute("SELECT digest FROM blobs")})
        assert [digest in held for digest in digests] == [False, False, *[True] * 5]
        assert journal.store.read(checking.check) == []
