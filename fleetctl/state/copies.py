"""Copies of the journal: made while others write, kept as one file, and brought back without loss of what is there."""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from fleetctl.model import codes, errors
from fleetctl.reading import disk
from fleetctl.state import checking, claims, databases

__all__ = ["back_up", "put_aside", "restore"]

_HINT: Final = "The journal was left as it is."
_PARTS: Final = ("", "-wal", "-shm")


def back_up(path: pathlib.Path, target: pathlib.Path) -> int:
    """Copy what is committed of a journal into a new file, for its owner alone; returns its size in bytes.

    Others may go on writing meanwhile. The copy is there whole or not at all, and one that is there is never replaced.
    Raises ``Refused`` or ``NotConfigured``.
    """
    if not path.exists():
        message = f"there is no journal {path} yet"
        raise errors.Refused(codes.Code.STATE_MISSING, message, "It is made by the first rollout.")
    if disk.is_there(target):
        raise errors.Refused(codes.Code.STATE_COPY, f"{target} is there already", "Name a new file.")
    with databases.open_store(path):
        pass  # of this version, and no other program's
    try:
        databases.copy(path, target)
        return target.stat().st_size
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}"
        raise errors.NotConfigured(codes.Code.STATE_UNWRITABLE, message, _HINT) from None
    except sqlite3.Error as error:
        raise databases.refusal(error, path) from None


def put_aside(path: pathlib.Path, now: float) -> pathlib.Path:
    """Copy a journal beside itself, before it is changed by hand; returns where. Raises as ``back_up``."""
    kept = _free(path, now)
    back_up(path, kept)
    return kept


def restore(path: pathlib.Path, source: pathlib.Path, now: float) -> pathlib.Path | None:
    """Bring a copy back as the journal; returns where the one before is kept, if there was one.

    The copy is read through first. Raises ``Refused`` when it is not whole, when it is newer than this program, and
    while visits are under way that could not tell what they did any more.
    """
    _examine(source)
    if not path.exists():
        disk.private_folder(path.parent)
        databases.refuse_network(path.parent)
        databases.copy(source, path)
        return None
    if not _sound(path):
        kept = _free(path, now)
        for part in _PARTS:  # what cannot be read may be worth something to somebody who can
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + part).rename(kept.with_name(kept.name + part))
        databases.copy(source, path)
        return kept
    with databases.open_store(path) as store:
        busy = store.read(lambda conn: claims.under_way(conn, now))
    if busy:
        message = f"{busy:,} {'visit is' if busy == 1 else 'visits are'} under way, or may be"
        hint = "End the run: fleetctl rollout pause. Of one that was killed, its leases are over within two minutes."
        raise errors.Refused(codes.Code.STATE_BUSY, message, hint)
    kept = put_aside(path, now)
    with _reading(source) as old, contextlib.closing(sqlite3.connect(path)) as current:
        try:
            old.backup(current)  # in one transaction, which other processes wait for
        except sqlite3.Error as error:
            raise databases.refusal(error, path) from None
    return kept


def _sound(path: pathlib.Path) -> bool:
    """Tell whether a journal can be opened; raises ``Refused`` for one that is newer, or busy."""
    try:
        with databases.open_store(path):
            return True
    except errors.Refused as error:
        if error.code is not codes.Code.STATE_DAMAGED:
            raise
        return False


def _examine(source: pathlib.Path) -> None:
    """Raise ``Refused`` unless a file is a whole journal that this program knows."""
    try:
        with _reading(source) as conn:
            found, newest = databases.version(conn), databases.newest()
            if found > newest:
                message = f"{source} is of version {found}, and this fleetctl knows {newest}"
                raise errors.Refused(codes.Code.STATE_NEWER, message, "Use the newer fleetctl that wrote it.")
            wrong = checking.check(conn) if found else ["it is no journal of fleetctl"]
    except sqlite3.Error as error:
        wrong = [str(error)]
    if wrong:
        more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
        raise errors.Refused(codes.Code.STATE_COPY, f"{source} is no whole copy: {wrong[0]}{more}", _HINT)


@contextlib.contextmanager
def _reading(source: pathlib.Path) -> Iterator[sqlite3.Connection]:
    if not source.is_file():
        raise errors.Refused(codes.Code.STATE_COPY, f"there is no file {source}", _HINT)
    with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        yield conn


def _free(path: pathlib.Path, now: float) -> pathlib.Path:
    """Return a name beside the journal that nothing has yet."""
    stamp = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    name, number = f"{path.name}.before-{stamp}", 1
    while disk.is_there(path.with_name(name)):
        number += 1
        name = f"{path.name}.before-{stamp}-{number}"
    return path.with_name(name)
