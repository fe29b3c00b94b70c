"""Opening the store, and what a process that dies or a disk that fails leaves behind."""

import asyncio
import contextlib
import functools
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from fleetctl.model import codes, errors
from fleetctl.state import blobs, databases
from tests.unit.state import making


def test_files_are_for_their_owner(tmp_path: pathlib.Path) -> None:
    """The journal is 0600 in a folder that is 0700."""
    path = tmp_path / "new" / "state.db"
    with databases.open_store(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_opening_again_keeps_everything(tmp_path: pathlib.Path) -> None:
    """What was written is there the next time."""
    path = tmp_path / "state.db"
    with databases.open_store(path) as store:
        digest = store.write_now(lambda conn: blobs.put(conn, b"hello"))
    with databases.open_store(path) as store:
        assert store.read(lambda conn: blobs.get(conn, digest)) == b"hello"


def test_a_newer_journal_is_left_alone(tmp_path: pathlib.Path) -> None:
    """A schema that this program does not know is refused, and the file is not touched."""
    path = tmp_path / "state.db"
    with databases.open_store(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(errors.Refused) as refused, databases.open_store(path):
        pass
    assert refused.value.code is codes.Code.STATE_NEWER
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_journal_is_left_alone(tmp_path: pathlib.Path, content: bytes) -> None:
    """Damage is named, never overwritten."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(errors.Refused) as refused, databases.open_store(path):
        pass
    assert refused.value.code is codes.Code.STATE_DAMAGED
    assert path.read_bytes() == content


def test_damaged_content_is_noticed(tmp_path: pathlib.Path) -> None:
    """A blob that is not what its digest says is refused when it is read."""
    with databases.open_store(tmp_path / "state.db") as store:
        digest = store.write_now(lambda conn: blobs.put(conn, b"hello"))
        store.write_now(lambda conn: conn.execute("UPDATE blobs SET data = x'00'"))
        with pytest.raises(errors.Refused) as refused:
            store.read(lambda conn: blobs.get(conn, digest))
        assert refused.value.code is codes.Code.STATE_DAMAGED


def test_changes_that_wait_are_committed_together(tmp_path: pathlib.Path) -> None:
    """A change that fails fails alone; the others of its batch are kept."""

    def broken(_: sqlite3.Connection) -> None:
        raise LookupError("mine")

    async def write(store: databases.Store) -> list[object]:
        changes = [store.write(functools.partial(blobs.put, data=text)) for text in (b"a", b"b")]
        return [*await asyncio.gather(changes[0], store.write(broken), changes[1], return_exceptions=True)]

    with databases.open_store(tmp_path / "state.db") as store:
        first, failed, last = asyncio.run(write(store))
        assert isinstance(failed, LookupError)
        for digest, text in ((first, b"a"), (last, b"b")):
            assert isinstance(digest, str)
            assert store.read(functools.partial(blobs.get, digest=digest)) == text


_FULL = """
import pathlib, resource, sys
from fleetctl.model import errors
from fleetctl.state import blobs, databases
import os
with databases.open_store(pathlib.Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    done = 0
    try:
        while True:
            store.write_now(lambda conn: blobs.put(conn, os.urandom(65536)))
            done += 1
    except errors.NotConfigured as error:
        print(error.code, done)
    try:
        store.write_now(lambda conn: blobs.put(conn, b"small"))
    except errors.NotConfigured as error:
        print(error.code)
"""


def test_a_full_disk_stops_the_writer(tmp_path: pathlib.Path) -> None:
    """What was acknowledged is kept; what cannot be written is an error, and so is everything after it."""
    path = tmp_path / "state.db"
    done = subprocess.run([sys.executable, "-c", _FULL, str(path)], capture_output=True, text=True, check=False)
    first, second = done.stdout.splitlines()
    code, _, count = first.partition(" ")
    assert (code, second) == ("state/unwritable", "state/unwritable"), done.stderr
    with databases.open_store(path) as store:
        assert store.read(lambda conn: conn.execute("SELECT count(*) FROM blobs").fetchone()[0]) == int(count) > 0


_KILLED = """
import pathlib, sys
from fleetctl.state import blobs, databases
with databases.open_store(pathlib.Path(sys.argv[1])) as store:
    for number in range(1_000_000):
        print(store.write_now(lambda conn: blobs.put(conn, str(number).encode())), flush=True)
"""


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: pathlib.Path) -> None:
    """A process that is killed in the middle of writing has lost nothing that it had told of."""
    path = tmp_path / "state.db"
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    told += [line.strip() for line in process.stdout.readlines() if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    with databases.open_store(path) as store:
        for digest in told:
            assert store.read(functools.partial(blobs.get, digest=digest))


_RACER = """
import pathlib, sys
from fleetctl.state import claims, databases
with databases.open_store(pathlib.Path(sys.argv[1]), clock=lambda: 1_000_000.0) as store:
    process = claims.new_process()
    while taken := store.write_now(lambda conn: claims.claim(conn, sys.argv[2], process, 3, 1_000_000.0)).claims:
        print(*(one.site for one in taken), sep="\\n", flush=True)
"""


def test_two_processes_never_claim_one_site(tmp_path: pathlib.Path) -> None:
    """Two real processes share a run's sites without a word to each other."""
    from fleetctl.state import runs  # noqa: PLC0415  # beside its only use

    with making.opened(tmp_path) as journal:
        run = journal.run(*(runs.RowSeed(f"s{number:03}", 1, goal="r1:x") for number in range(200)))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_RACER), str(tmp_path / "state.db"), run.id],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    shares = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(shares[0] + shares[1]) == [f"s{number:03}" for number in range(200)]


def test_a_read_only_journal_is_said_so(tmp_path: pathlib.Path) -> None:
    """A folder where nothing can be made is an error of the operator's configuration."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(errors.NotConfigured) as refused, databases.open_store(blocked / "state.db"):
        pass
    assert refused.value.code is codes.Code.STATE_UNWRITABLE


def test_a_journal_that_is_held_is_said_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that does not let go keeps others waiting for a while, and then out; what they have is not lost."""
    monkeypatch.setattr(databases, "_BUSY", 0.05)
    path = tmp_path / "state.db"
    with databases.open_store(path) as store, contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.Refused) as refused:
            store.write_now(lambda conn: blobs.put(conn, b"hello"))
        assert refused.value.code is codes.Code.STATE_BUSY
        other.rollback()
        assert store.write_now(lambda conn: blobs.put(conn, b"hello"))


def test_network_file_systems_are_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks cannot be trusted no journal is made; the deepest mount decides."""
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(databases, "_MOUNTS", mounts)
    mounts.write_text(f"server:/home {tmp_path} nfs4 rw 0 0\n/dev/vda / ext4 rw 0 0\n", encoding="utf-8")
    with pytest.raises(errors.Refused) as refused, databases.open_store(tmp_path / "state.db"):
        pass
    assert refused.value.code is codes.Code.STATE_NETWORK_FILESYSTEM
    assert not (tmp_path / "state.db").exists()
    mounts.write_text(f"server:/home / nfs4 rw 0 0\n/dev/vda {tmp_path} ext4 rw 0 0\n", encoding="utf-8")
    with databases.open_store(tmp_path / "state.db"):
        pass
