"""Old runs are forgotten with what only they refer to; whatever anything still needs stays."""

import contextlib
import functools
import pathlib
import random
import sqlite3
from collections.abc import Sequence

import hypothesis
import hypothesis.strategies as st
import pytest

from fleetctl.model import objects, outcomes, releases
from fleetctl.state import blobs, checking, collecting, databases, runs
from fleetctl.state import releases as stored
from tests.unit.state import making

_DAY = 86400.0


def _release(name: str, *bodies: str) -> releases.Release:
    parts = tuple(
        releases.RenderedObject(objects.ObjectId("", "ConfigMap", "pos", body), body.encode(), "t.yaml")
        for body in bodies
    )
    return releases.Release("a", "pos", "1", f"r1:{name}", parts)


def _over(journal: making.Journal, goal: str, *, sites: Sequence[str] = ("a",), owed: bool = False) -> runs.Run:
    """Make a run that has ended; each of its sites has the release, or is owed it."""
    run = journal.run(*(runs.RowSeed(site, 1, goal=goal) for site in sites))
    fine = making.result(after=goal, evidence=f"seen in {run.id}".encode())
    dark = making.result(outcomes.Outcome.UNREACHABLE, outcomes.Effect.NONE)
    journal.finish(run.id, *((one, dark if owed else fine) for one in journal.claim(run.id).claims))
    journal.store.write_now(lambda conn: runs.finish(conn, run.id, journal.now))
    journal.pass_time(1)
    return run


def _known(store: databases.Store, query: str) -> set[str]:
    return set(store.read(lambda conn: [row[0] for row in conn.execute(query)]))


def _put(journal: making.Journal, *made: releases.Release) -> None:
    for release in made:
        journal.store.write_now(functools.partial(stored.put, release=release))


def test_old_runs_go_with_what_only_they_need(tmp_path: pathlib.Path) -> None:
    """Releases, their objects and evidence of forgotten runs go; an object that a kept release shares stays."""
    with making.opened(tmp_path) as journal:
        _put(
            journal, _release("0", "shared", "only-old"), *(_release(str(n), "shared", f"new-{n}") for n in range(1, 7))
        )
        ended = [_over(journal, f"r1:{number}") for number in range(7)]
        journal.pass_time(10 * _DAY)
        found = collecting.collect(journal.store, journal.now - _DAY)
        assert found.runs == tuple(run.id for run in ended[:2])
        assert _known(journal.store, "SELECT id FROM runs") == {run.id for run in ended[2:]}
        assert _known(journal.store, "SELECT digest FROM releases") == {f"r1:{number}" for number in range(2, 7)}
        contents = {journal.store.read(functools.partial(blobs.get, digest=d)) for d in _digests(journal)}
        assert b"shared" in contents
        assert not contents & {b"only-old", b"new-1", f"seen in {ended[0].id}".encode()}
        assert journal.store.read(checking.check) == []
        assert found.releases == 2
        assert collecting.collect(journal.store, journal.now - _DAY) == collecting.Collected()


def _digests(journal: making.Journal) -> set[str]:
    return _known(journal.store, "SELECT digest FROM blobs")


def test_dry_says_the_same_and_changes_nothing(tmp_path: pathlib.Path) -> None:
    """What it says would go is what goes next."""
    with making.opened(tmp_path) as journal:
        _put(journal, _release("0", "x"))
        for number in range(8):
            _over(journal, "r1:0" if number < 2 else f"r1:{number}")
        journal.pass_time(10 * _DAY)
        before = _digests(journal)
        said = collecting.collect(journal.store, journal.now, dry=True)
        assert said.runs
        assert said.blobs
        assert said.size
        assert _digests(journal) == before
        assert collecting.collect(journal.store, journal.now) == said


def test_what_is_needed_stays(tmp_path: pathlib.Path) -> None:
    """A run that owes, that brought what a site has, that may go on, or that is young, however many came after it."""
    with making.opened(tmp_path) as journal:
        halted = journal.run(runs.RowSeed("h", 1, goal="r1:h"))
        [claim] = journal.claim(halted.id).claims
        journal.finish(halted.id, (claim, making.result(outcomes.Outcome.FAILED)), decide=lambda _: "too many failed")
        owing = _over(journal, "r1:owed", sites=["o"], owed=True)
        brought = _over(journal, "r1:here", sites=["b"])
        filler = [_over(journal, f"r1:{number}") for number in range(7)]
        journal.pass_time(100 * _DAY)
        found = collecting.collect(journal.store, journal.now - _DAY)
        assert not {halted.id, owing.id, brought.id} & set(found.runs)
        assert found.runs == tuple(run.id for run in filler[:2])


def test_each_bundle_keeps_its_last(tmp_path: pathlib.Path) -> None:
    """A bundle that is rolled out every hour does not take the runs away of one that is rolled out twice a year."""
    with making.opened(tmp_path) as journal:
        rare = journal.run(runs.RowSeed("a", 1, goal="r1:rare"), bundle="base")
        journal.finish(rare.id, *((one, making.result()) for one in journal.claim(rare.id).claims))
        journal.store.write_now(lambda conn: runs.finish(conn, rare.id, journal.now))
        for number in range(9):
            _over(journal, f"r1:{number}")
        journal.pass_time(1000 * _DAY)
        assert rare.id not in collecting.collect(journal.store, journal.now).runs


def test_room_goes_back_unless_others_read(tmp_path: pathlib.Path) -> None:
    """The file shrinks; while somebody reads it, it stays as large as it is, and nothing waits for long."""
    path = tmp_path / "state.db"
    with making.opened(tmp_path) as journal:
        noise = random.Random(0).randbytes(3_000_000)  # noqa: S311  # what no compression makes small
        journal.store.write_now(lambda conn: blobs.put(conn, noise))
        collecting.collect(journal.store, journal.now)
    before = path.stat().st_size
    assert before > len(noise)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        conn.execute("SELECT count(*) FROM runs").fetchone()
        conn.execute("UPDATE runs SET why = why").close()
        assert not collecting.give_back(path)
        conn.execute("ROLLBACK")
    assert collecting.give_back(path)
    assert path.stat().st_size < before / 10


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rollout", "owed", "undo", "abort", "collect"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 3),
        st.integers(0, 40),
    ),
    max_size=30,
)


@hypothesis.settings(max_examples=60)
@hypothesis.given(steps=_STEPS)
def test_the_journal_holds_together_whatever_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int, int]]
) -> None:
    """After any history: the check finds nothing, and whatever a site has, or is owed, can still be got."""
    with making.opened(tmp_path_factory.mktemp("gc")) as journal:
        _put(journal, *(_release(str(number), "shared", f"own-{number}") for number in range(4)))
        for what, site, number, days in steps:
            journal.pass_time(days * _DAY)
            goal = f"r1:{number}"
            if what == "collect":
                collecting.collect(journal.store, journal.now - 20 * _DAY)
                _put(journal, *(_release(str(one), "shared", f"own-{one}") for one in range(4)))
            elif what == "abort":
                run = journal.run(runs.RowSeed(site, 1, goal=goal))
                journal.store.write_now(functools.partial(runs.abort, run=run.id, why="", now=journal.now))
            else:
                _over(journal, goal, sites=[site], owed=what == "owed")
        collecting.collect(journal.store, journal.now)
        assert journal.store.read(checking.check) == []
        needed = _known(
            journal.store, "SELECT release FROM installed UNION SELECT release FROM debts WHERE state = 'open'"
        )
        for digest in needed:
            assert journal.store.read(functools.partial(stored.get, digest=digest)) is not None
