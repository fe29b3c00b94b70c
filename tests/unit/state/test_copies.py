"""Copies of the journal: made while others write, brought back, and never at the price of what is there."""

import contextlib
import functools
import pathlib
import sqlite3
import stat

import pytest

from fleetctl.model import codes, errors
from fleetctl.state import blobs, checking, copies, databases, runs
from tests.unit.state import making


def _ids(path: pathlib.Path) -> list[str]:
    with databases.open_store(path) as store:
        return sorted(run.id for run in store.read(lambda conn: runs.all_of(conn, None)))


def test_a_copy_is_made_while_others_write(tmp_path: pathlib.Path) -> None:
    """What is committed is in it, in one file that only its owner reads; what comes later is not."""
    target = tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        size = copies.back_up(journal.store.path, target)
        later = journal.run(runs.RowSeed("b", 1, goal="r1:new"))
    assert size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy.db", "state.db"]
    assert _ids(target) == [run.id]
    assert _ids(tmp_path / "state.db") == sorted([run.id, later.id])


def test_a_copy_replaces_nothing(tmp_path: pathlib.Path) -> None:
    """Not even a link that leads nowhere."""
    with making.opened(tmp_path):
        pass
    target = tmp_path / "copy.db"
    target.symlink_to("nowhere")
    with pytest.raises(errors.Refused, match="is there already"):
        copies.back_up(tmp_path / "state.db", target)
    assert target.is_symlink()


def test_no_journal_and_no_room(tmp_path: pathlib.Path) -> None:
    """Each is said in words, and leaves nothing behind."""
    with pytest.raises(errors.Refused) as refused:
        copies.back_up(tmp_path / "state.db", tmp_path / "copy.db")
    assert refused.value.code is codes.Code.STATE_MISSING
    with making.opened(tmp_path):
        pass
    with pytest.raises(errors.NotConfigured, match="No such file or directory"):
        copies.back_up(tmp_path / "state.db", tmp_path / "no" / "copy.db")
    assert [one.name for one in tmp_path.iterdir()] == ["state.db"]


def test_a_copy_comes_back(tmp_path: pathlib.Path) -> None:
    """The journal is as it was, another process sees that at once, and the one before is kept whole."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        copies.back_up(path, copy)
        later = journal.run(runs.RowSeed("b", 1, goal="r1:new"))
        kept = copies.restore(path, copy, journal.now)
        assert journal.store.read(lambda conn: runs.find(conn, later.id)) is None
        journal.run(runs.RowSeed("c", 1, goal="r1:new"))  # and it can be written
        assert journal.store.read(checking.check) == []
    assert kept == tmp_path / "state.db.before-19700112T134640Z"
    assert _ids(kept) == sorted([run.id, later.id])
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_comes_back_over_visits(tmp_path: pathlib.Path) -> None:
    """While a lease counts, its visit must find its run; two minutes after the last was renewed none does."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        copies.back_up(path, copy)
        journal.claim(run.id)
        journal.pass_time(99)
        with pytest.raises(errors.Refused, match="1 visit is under way, or may be"):
            copies.restore(path, copy, journal.now)
        assert [one.name for one in tmp_path.iterdir() if "before" in one.name] == []
        journal.pass_time(2)
        copies.restore(path, copy, journal.now)
        assert journal.row(run.id, "a").attempt == 0


def test_two_in_one_second_keep_both(tmp_path: pathlib.Path) -> None:
    """What was put aside is never replaced either."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        copies.back_up(path, copy)
        first, second = (copies.restore(path, copy, journal.now) for _ in range(2))
    assert first
    assert second == first.with_name(f"{first.name}-2")


def test_a_damaged_journal_is_put_aside_as_it_is(tmp_path: pathlib.Path) -> None:
    """Byte for byte: somebody may yet read it."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        copies.back_up(path, copy)
    path.write_bytes(b"no database")
    kept = copies.restore(path, copy, 0.0)
    assert kept
    assert kept.read_bytes() == b"no database"
    assert _ids(path) == [run.id]


def test_a_copy_comes_back_where_there_is_none(tmp_path: pathlib.Path) -> None:
    """On a new laptop, say; the folder is made for its owner alone."""
    copy, path = tmp_path / "copy.db", tmp_path / "new" / ".fleetctl" / "state.db"
    with making.opened(tmp_path) as journal:
        run = journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        copies.back_up(tmp_path / "state.db", copy)
    assert copies.restore(path, copy, 0.0) is None
    assert _ids(path) == [run.id]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _newer(copy: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        conn.execute("PRAGMA user_version = 99")


def _cut(copy: pathlib.Path) -> None:
    copy.write_bytes(copy.read_bytes()[:8192])


def _contradicting(copy: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        conn.execute("UPDATE run_sites SET phase = 'done'")
        conn.commit()


def _foreign(copy: pathlib.Path) -> None:
    copy.unlink()
    with contextlib.closing(sqlite3.connect(copy)) as conn:
        conn.execute("CREATE TABLE songs (name TEXT)")


_BAD = {
    "newer": (_newer, "is of version 99"),
    "cut": (_cut, "malformed|not a database|disk image"),
    "contradicting": (_contradicting, "is done and has no outcome"),
    "foreign": (_foreign, "no journal of fleetctl"),
    "text": (lambda copy: copy.write_text("songs\n" * 100), "not a database"),
    "missing": (pathlib.Path.unlink, "there is no file"),
    "folder": (lambda copy: (copy.unlink(), copy.mkdir()), "there is no file"),
}


@pytest.mark.parametrize(("spoil", "words"), _BAD.values(), ids=_BAD)
def test_a_bad_copy_never_comes_back(tmp_path: pathlib.Path, spoil: object, words: str) -> None:
    """The journal is not touched, and nothing is put aside."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with making.opened(tmp_path) as journal:
        journal.run(runs.RowSeed("a", 1, goal="r1:new"))
        copies.back_up(path, copy)
    before = path.read_bytes()
    assert callable(spoil)
    spoil(copy)
    with pytest.raises(errors.Refused, match=words):
        copies.restore(path, copy, 0.0)
    assert path.read_bytes() == before
    assert not [one for one in tmp_path.iterdir() if "before" in one.name]


def test_a_copy_with_content(tmp_path: pathlib.Path) -> None:
    """Content comes along."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    with databases.open_store(path) as store:
        digest = store.write_now(functools.partial(blobs.put, data=b"text" * 10_000))
        copies.back_up(path, copy)
    with databases.open_store(copy) as store:
        assert store.read(functools.partial(blobs.get, digest=digest)) == b"text" * 10_000
