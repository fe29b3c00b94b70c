"""Opening the store: where it may lie, who may read it, which version it has.

The version is SQLite's ``user_version``; migrations are numbered SQL files beside this module. A file that is damaged,
or newer than this program, is left exactly as it is.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import re
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

from fleetctl.model import codes, errors
from fleetctl.reading import disk
from fleetctl.state import writing

__all__ = ["Connection", "Store", "copy", "newest", "open_store", "refusal", "refuse_network", "version"]

Connection = sqlite3.Connection
_Result = TypeVar("_Result")

_MIGRATIONS: Final = pathlib.Path(__file__).parent / "migrations"
_MOUNTS: Final = pathlib.Path("/proc/self/mounts")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_BUSY: Final = 10.0
_NETWORK: Final = re.compile(
    r"nfs4?|cifs|smb3|smbfs|9p|afs|ceph|glusterfs|lustre|beegfs|gpfs|ocfs2|gfs2|davfs|vboxsf"
    r"|fuse\.(sshfs|glusterfs|rclone|s3fs|vmhgfs-fuse)"
)


class Store:
    """An open journal: reads on the caller's thread, writes on one thread of their own."""

    def __init__(
        self, path: pathlib.Path, reader: Connection, writer: writing.Writer, clock: Callable[[], float]
    ) -> None:
        self.path = path
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def now(self) -> float:
        """Return the time by the store's clock, in seconds since the epoch."""
        return self._clock()

    def read(self, ask: Callable[[Connection], _Result]) -> _Result:
        """Ask what is committed; all that ``ask`` reads is of one moment."""
        if self._reader.in_transaction:  # a question within a question
            return ask(self._reader)
        try:
            self._reader.execute("BEGIN")
            try:
                return ask(self._reader)
            finally:
                with contextlib.suppress(sqlite3.Error):
                    self._reader.execute("ROLLBACK")
        except sqlite3.Error as error:
            if writing.is_bug(error):
                raise
            raise refusal(error, self.path) from None

    def write(self, change: Callable[[Connection], _Result]) -> Awaitable[_Result]:
        """Change the store, together with whatever else waits; done when it is on disk. ``change`` runs elsewhere."""
        return self._writer.submit(change)

    def write_now(self, change: Callable[[Connection], _Result]) -> _Result:
        """Change the store and wait for the disk; for commands that have no event loop."""
        return self._writer.apply(change)


@contextlib.contextmanager
def open_store(path: pathlib.Path, clock: Callable[[], float] | None = None) -> Iterator[Store]:
    """Open the store, made where there is none; raises ``Refused`` or ``NotConfigured``, touching nothing."""
    try:
        disk.private_folder(path.parent)
        refuse_network(path.parent)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        message = f"the journal {path} cannot be made: {error.strerror}"
        raise errors.NotConfigured(codes.Code.STATE_UNWRITABLE, message) from None
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError as error:
        raise refusal(error, path) from None
    with contextlib.closing(connection):
        try:
            _migrate(connection, path)
            reader = _connect(path)
        except sqlite3.DatabaseError as error:
            raise refusal(error, path) from None
        with contextlib.closing(reader):
            reader.execute("PRAGMA query_only = ON")
            writer = writing.Writer(connection, lambda error: refusal(error, path))
            try:
                yield Store(path, reader, writer, clock or _steady())
            finally:
                writer.close()


def refusal(error: sqlite3.Error, path: pathlib.Path) -> errors.FleetctlError:
    """Say what SQLite's complaint means for the operator."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        message = f"another process holds the journal {path} for more than {_BUSY:g} s"
        return errors.Refused(codes.Code.STATE_BUSY, message, "Let it go on, or end it.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        message = f"the journal {path} is damaged: {error}"
        hint = "It was left as it is. Put it aside, or bring a copy back: fleetctl state restore FILE"
        return errors.Refused(codes.Code.STATE_DAMAGED, message, hint)
    message = f"the journal {path} cannot be written: {error}"
    hint = "What was recorded is safe. Make room, then: fleetctl rollout resume"
    return errors.NotConfigured(codes.Code.STATE_UNWRITABLE, message, hint)


def copy(path: pathlib.Path, target: pathlib.Path) -> None:
    """Copy what is committed of a journal, whole or not at all, into one file for its owner alone.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    try:
        source = f"{path.resolve().as_uri()}?mode=ro"
        with (
            contextlib.closing(sqlite3.connect(source, uri=True, timeout=_BUSY)) as old,
            contextlib.closing(sqlite3.connect(part)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # a copy of two files would lose one of them some day
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def newest() -> int:
    """Return the version of the schema that this program knows."""
    return len(_steps())


def version(connection: Connection) -> int:
    """Return the version of a store's schema."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _connect(path: pathlib.Path) -> Connection:
    # Statements name their transactions themselves, and the writer's thread is not the one that opened it.
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _steps() -> list[pathlib.Path]:
    return sorted(_MIGRATIONS.glob("*.sql"))


def _migrate(connection: Connection, path: pathlib.Path) -> None:
    steps = _steps()
    found = version(connection)
    if found > len(steps):
        message = f"the journal {path} is of version {found}, and this fleetctl knows {len(steps)}"
        raise errors.Refused(codes.Code.STATE_NEWER, message, "Use the newer fleetctl that wrote it.")
    if found == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = version(connection)  # another process may have been quicker
        if not found:
            _refuse_foreign(connection, path)
        elif found < len(steps):
            # By a connection of its own: the one that writes could not.
            copy(path, path.with_name(f"{path.name}.v{found}"))
        for number, step in enumerate(steps[found:], found + 1):
            for statement in _statements(step.read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def _refuse_foreign(connection: Connection, path: pathlib.Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        message = f"{path} is a database, but not a journal of fleetctl"
        raise errors.Refused(codes.Code.STATE_DAMAGED, message, "It was left as it is. Put it aside.")


def _steady() -> Callable[[], float]:
    """Return the wall clock, save that it never runs faster than time passes: rule R12 of the rollout protocol.

    A clock that is set forward would end leases whose requests are still under way; set back, it only stretches them.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # also passes while the machine sleeps
    passed = time.monotonic if boot is None else functools.partial(time.clock_gettime, boot)
    ahead = time.time() - passed()
    return lambda: min(time.time(), passed() + ahead)


def refuse_network(folder: pathlib.Path) -> None:
    """Refuse file systems on which locks cannot be trusted; where the system does not tell, nothing is refused."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    real = folder.resolve()
    best, sort = "", ""
    for line in lines:
        _, point, kind, *_ = [*line.split(" "), "", ""]
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), point)
        if real.is_relative_to(point) and len(point) >= len(best):
            best, sort = point, kind
    if _NETWORK.fullmatch(sort):
        message = f"{folder} lies on a network file system ({sort}), where the journal's locks cannot be trusted"
        raise errors.Refused(codes.Code.STATE_NETWORK_FILESYSTEM, message, "Keep .fleetctl on a local disk.")
