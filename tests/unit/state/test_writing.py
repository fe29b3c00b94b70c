"""The one thread that writes: whose trouble is whose, and what is never acknowledged."""

import asyncio
import pathlib
import sqlite3
import threading
from collections.abc import Awaitable

import pytest

from fleetctl.model import codes, errors
from fleetctl.state import blobs, databases


class _Gate:
    """A change that keeps the writer busy until it is opened."""

    def __init__(self) -> None:
        self._reached, self.open = threading.Event(), threading.Event()

    def submit(self, store: databases.Store) -> Awaitable[None]:
        """Put the change into the store; what is submitted from here on waits."""
        done = store.write(self._wait)
        assert self._reached.wait(10)
        return done

    def _wait(self, _: sqlite3.Connection) -> None:
        self._reached.set()
        assert self.open.wait(10)


def _count(store: databases.Store) -> int:
    return store.read(lambda conn: int(conn.execute("SELECT count(*) FROM blobs").fetchone()[0]))


def test_a_wrong_statement_is_a_bug_of_its_caller(tmp_path: pathlib.Path) -> None:
    """SQL that is wrong says nothing about the store: it is raised as it is, and others go on."""
    with databases.open_store(tmp_path / "state.db") as store:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            store.write_now(lambda conn: conn.execute("SELECT a FROM absent"))
        with pytest.raises(sqlite3.ProgrammingError):
            store.write_now(lambda conn: conn.execute("SELECT ?", (1, 2)))
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            store.read(lambda conn: conn.execute("SELECT a FROM absent"))
        store.write_now(lambda conn: blobs.put(conn, b"hello"))
        assert _count(store) == 1


def test_a_change_that_breaks_a_rule_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """What a change wrote before it failed is taken back; foreign keys are enforced."""

    def change(conn: sqlite3.Connection) -> None:
        blobs.put(conn, b"first half")
        conn.execute("INSERT INTO releases (digest, blob, bundle, version) VALUES ('d', 'b1:none', 'b', '1')")

    with databases.open_store(tmp_path / "state.db") as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.write_now(change)
        assert _count(store) == 0


def test_whatever_a_change_raises_reaches_its_caller(tmp_path: pathlib.Path) -> None:
    """Even what is no ``Exception`` ends neither the thread nor the wait of others."""

    def leave(_: sqlite3.Connection) -> None:
        raise SystemExit(3)

    with databases.open_store(tmp_path / "state.db") as store:
        with pytest.raises(SystemExit):
            store.write_now(leave)
        store.write_now(lambda conn: blobs.put(conn, b"hello"))
        assert _count(store) == 1


def test_many_changes_are_one_transaction(tmp_path: pathlib.Path) -> None:
    """All that waits while one commit is under way shares the next one."""
    with databases.open_store(tmp_path / "state.db") as store:
        seen: list[int] = []
        gate = _Gate()

        def note(conn: sqlite3.Connection) -> None:
            blobs.put(conn, str(len(seen)).encode())
            seen.append(_count(store))  # what others can see: nothing of this transaction

        async def write() -> None:
            first = gate.submit(store)
            others = [store.write(note) for _ in range(50)]
            gate.open.set()
            await asyncio.gather(first, *others)

        asyncio.run(write())
        assert seen == [0] * 50
        assert _count(store) == 50


def test_a_caller_that_gave_up_is_not_written(tmp_path: pathlib.Path) -> None:
    """A change that was cancelled while it waited is not made; the others are."""
    with databases.open_store(tmp_path / "state.db") as store:
        gate = _Gate()

        async def write() -> None:
            first = gate.submit(store)
            given_up = asyncio.ensure_future(store.write(lambda conn: blobs.put(conn, b"no")))
            last = store.write(lambda conn: blobs.put(conn, b"yes"))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.wait([given_up])
            await asyncio.sleep(0)  # the store hears of it
            gate.open.set()
            await asyncio.gather(first, last)

        asyncio.run(write())
        assert store.read(
            lambda conn: [blobs.get(conn, row[0]) for row in conn.execute("SELECT digest FROM blobs")]
        ) == [b"yes"]


def test_a_disk_that_is_full_fails_the_whole_batch(tmp_path: pathlib.Path) -> None:
    """Nothing of a batch that could not be committed is acknowledged, and the store is not written again."""
    with databases.open_store(tmp_path / "state.db") as store:
        store.write_now(lambda conn: conn.execute("PRAGMA max_page_count = 40"))
        gate = _Gate()
        big = bytes(range(256)) * 4

        async def write() -> list[object]:
            first = gate.submit(store)
            small = store.write(lambda conn: blobs.put(conn, b"small"))
            large = store.write(lambda conn: conn.execute("INSERT INTO blobs VALUES ('x', randomblob(1000000))"))
            after = store.write(lambda conn: blobs.put(conn, big))
            gate.open.set()
            return [*await asyncio.gather(first, small, large, after, return_exceptions=True)]

        first, *rest = asyncio.run(write())
        failed = [one for one in rest if isinstance(one, errors.NotConfigured)]
        assert first is None
        assert [one.code for one in failed] == [codes.Code.STATE_UNWRITABLE] * 3
        with pytest.raises(errors.NotConfigured):
            store.write_now(lambda conn: blobs.put(conn, b"later"))
        assert _count(store) == 0


def test_a_store_found_damaged_is_not_written_again(tmp_path: pathlib.Path) -> None:
    """Damage in the middle of the file: the first change that meets it is the last."""
    path = tmp_path / "state.db"
    with databases.open_store(path) as store:
        for number in range(200):
            store.write_now(lambda conn, n=number: blobs.put(conn, f"{n}".encode() * 50))  # type: ignore[misc]
        pages = store.read(lambda conn: int(conn.execute("PRAGMA page_count").fetchone()[0]))
        root = store.read(
            lambda conn: int(conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'blobs'").fetchone()[0])
        )
    assert pages > root
    with path.open("r+b") as file:
        file.seek(4096 * (root - 1))
        file.write(b"\xff" * 4096)
    with databases.open_store(path) as store:
        with pytest.raises(errors.Refused) as refused:
            store.write_now(lambda conn: blobs.put(conn, b"new"))
        assert refused.value.code is codes.Code.STATE_DAMAGED
        damaged = path.read_bytes()
        with pytest.raises(errors.Refused):
            store.write_now(lambda conn: conn.execute("INSERT INTO installed VALUES ('a', 'b', 'c', 'd', NULL, 0)"))
        with pytest.raises(errors.Refused):
            store.read(lambda conn: blobs.get(conn, "b1:0"))
    assert path.read_bytes() == damaged


def test_a_closed_store_says_so(tmp_path: pathlib.Path) -> None:
    """Nobody waits for a thread that has ended."""
    with databases.open_store(tmp_path / "state.db") as store:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        store.write_now(lambda conn: blobs.put(conn, b"hello"))
