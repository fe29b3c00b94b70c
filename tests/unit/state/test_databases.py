"""Opening the store, and what a process that dies or a disk that fails leaves behind."""

import asyncio
import contextlib
import functools
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time

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


def _migrations(folder: pathlib.Path, *more: str) -> pathlib.Path:
    """Return a folder with the shipped migrations and some more."""
    folder.mkdir()
    shipped = sorted(databases._MIGRATIONS.glob("*.sql"))  # noqa: SLF001
    for number, script in enumerate([*(one.read_text(encoding="utf-8") for one in shipped), *more], 1):
        (folder / f"{number:04}.sql").write_text(script, encoding="utf-8")
    return folder


def test_an_older_journal_is_copied_and_migrated(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy has all that was in it, for its owner only, and opens with the program that wrote it."""
    path = tmp_path / "home" / "state.db"
    with databases.open_store(path) as store:
        old = store.read(databases.version)
        digest = store.write_now(lambda conn: blobs.put(conn, b"hello"))
    shipped = databases._MIGRATIONS  # noqa: SLF001
    newer = _migrations(tmp_path / "newer", "CREATE TABLE more (a TEXT);\n-- and\nINSERT INTO more VALUES ('x;y');\n")
    monkeypatch.setattr(databases, "_MIGRATIONS", newer)
    with databases.open_store(path) as store:
        assert store.read(databases.version) == old + 1
        assert store.read(lambda conn: conn.execute("SELECT a FROM more").fetchall()) == [("x;y",)]
        assert store.read(lambda conn: blobs.get(conn, digest)) == b"hello"
    copy = path.with_name(f"state.db.v{old}")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(one.name for one in path.parent.iterdir()) == ["state.db", copy.name]
    monkeypatch.setattr(databases, "_MIGRATIONS", shipped)
    with databases.open_store(copy) as store:
        assert store.read(lambda conn: blobs.get(conn, digest)) == b"hello"


def test_a_migration_that_fails_changes_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its statements or none: the journal still is of the version that it was."""
    path = tmp_path / "state.db"
    with databases.open_store(path) as store:
        old = store.read(databases.version)
    shipped = databases._MIGRATIONS  # noqa: SLF001
    monkeypatch.setattr(
        databases, "_MIGRATIONS", _migrations(tmp_path / "newer", "CREATE TABLE more (a TEXT);\nDROP TABLE nothing;\n")
    )
    with pytest.raises(errors.FleetctlError), databases.open_store(path):
        pass
    monkeypatch.setattr(databases, "_MIGRATIONS", shipped)
    with databases.open_store(path) as store:
        assert store.read(databases.version) == old
        assert (
            store.read(lambda conn: conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchone()) is None
        )


def test_somebody_elses_database_is_left_alone(tmp_path: pathlib.Path) -> None:
    """A database that fleetctl did not make gets none of its tables."""
    path = tmp_path / "state.db"
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(errors.Refused, match="not a journal") as refused, databases.open_store(path):
        pass
    assert refused.value.code is codes.Code.STATE_DAMAGED
    with contextlib.closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


_FIRST = """
import pathlib, sys
from fleetctl.state import blobs, databases
sys.stdin.readline()
with databases.open_store(pathlib.Path(sys.argv[1])) as store:
    print(store.write_now(lambda conn: blobs.put(conn, sys.argv[2].encode())))
"""


def test_many_processes_make_the_journal_at_once(tmp_path: pathlib.Path) -> None:
    """Whoever comes first makes it; none waits for ever, none fails."""
    path = tmp_path / "new" / "state.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _FIRST, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60) for process in processes]
    assert [(process.returncode, text[1]) for process, text in zip(processes, said, strict=True)] == [(0, "")] * 6
    with databases.open_store(path) as store:
        for out, _ in said:
            assert store.read(functools.partial(blobs.get, digest=out.strip()))


_READ_ONLY = """
import pathlib, sys
from fleetctl.model import errors
from fleetctl.state import blobs, databases
try:
    with databases.open_store(pathlib.Path(sys.argv[1])) as store:
        print(store.read(databases.version))
        store.write_now(lambda conn: blobs.put(conn, b"hello"))
except errors.NotConfigured as error:
    print(error.code)
"""


@pytest.mark.parametrize(
    ("file", "folder", "said"), [(0o400, 0o700, [str(databases.newest())]), (0o400, 0o500, []), (0o600, 0o500, [])]
)
def test_a_journal_that_may_not_be_written(tmp_path: pathlib.Path, file: int, folder: int, said: list[str]) -> None:
    """Rights that are missing are said with the first change at the latest; looking needs fewer of them."""
    path = tmp_path / "home" / "state.db"
    with databases.open_store(path):
        pass
    path.chmod(file)
    path.parent.chmod(folder)
    command = [sys.executable, "-c", _READ_ONLY, str(path)]
    if os.geteuid() == 0:  # root writes where it may not, unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("no setpriv (Debian package util-linux)")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.parent.chmod(0o700)
    assert done.stdout.split() == [*said, "state/unwritable"], done.stderr


def test_a_question_sees_one_moment(tmp_path: pathlib.Path) -> None:
    """What is committed between two statements of one question is not seen by the second."""
    with databases.open_store(tmp_path / "state.db") as store:

        def count(conn: sqlite3.Connection) -> int:
            return int(conn.execute("SELECT count(*) FROM blobs").fetchone()[0])

        def ask(conn: sqlite3.Connection) -> tuple[int, int, int]:
            before = count(conn)
            store.write_now(lambda writer: blobs.put(writer, b"hello"))
            return before, count(conn), store.read(count)

        assert store.read(ask) == (0, 0, 0)
        assert store.read(count) == 1


def test_a_reader_cannot_write(tmp_path: pathlib.Path) -> None:
    """Every change goes through the one writer."""
    with (
        databases.open_store(tmp_path / "state.db") as store,
        pytest.raises(errors.FleetctlError, match="readonly"),
    ):
        store.read(lambda conn: blobs.put(conn, b"hello"))


def test_a_clock_that_is_set_ends_no_lease(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R12: set forward, the store's clock goes on as time passes; set back, leases last longer."""
    wall = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: wall[0])
    with databases.open_store(tmp_path / "state.db") as store:
        assert store.now() == pytest.approx(1_000_000.0, abs=5)
        wall[0] += 3600
        assert store.now() < 1_000_000.0 + 600
        wall[0] -= 7200
        assert store.now() == wall[0]


def test_mounts_may_have_any_name(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with blanks and tabs are understood; lines that are not are passed over."""
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(databases, "_MOUNTS", mounts)
    folder = tmp_path / "my \tshare"
    shown = str(folder).replace(" ", "\\040").replace("\t", "\\011")
    mounts.write_text(f"\nodd\n/dev/vda / ext4 rw 0 0\nhost:/x {shown} fuse.sshfs rw 0 0\n", encoding="utf-8")
    with pytest.raises(errors.Refused, match=r"fuse\.sshfs"), databases.open_store(folder / "state.db"):
        pass
