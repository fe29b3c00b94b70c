"""One thread that writes: it takes all changes that wait, commits them together, and only then says so."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fleetctl.model import codes, errors

__all__ = ["Writer", "is_bug"]

_Result = TypeVar("_Result")
_Change = Callable[[sqlite3.Connection], Any]
_Item = tuple[_Change, "concurrent.futures.Future[Any]"]

_MOST = 256
"""Changes in one transaction: a reader in another process sees the last of them no later than that."""

_BUGS = ("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_RANGE", "SQLITE_MISUSE", "SQLITE_TOOBIG")


def is_bug(error: sqlite3.Error) -> bool:
    """Tell a statement that is wrong, which says nothing about the store, from a store that cannot be used."""
    name = getattr(error, "sqlite_errorname", None)  # the module's own complaints have none
    return name is None or name.startswith(_BUGS)


class Writer:
    """Owns the writing connection; after a commit that failed it writes nothing more."""

    def __init__(
        self, connection: sqlite3.Connection, explain: Callable[[sqlite3.Error], errors.FleetctlError]
    ) -> None:
        self._connection = connection
        self._explain = explain
        self._waiting: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._broken: errors.FleetctlError | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="fleetctl-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[sqlite3.Connection], _Result]) -> Awaitable[_Result]:
        """Queue a change; the awaitable is done when the change is on disk, or carries what it raised."""
        return asyncio.wrap_future(self._queue(change))

    def apply(self, change: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Queue a change and wait for it."""
        return self._queue(change).result()

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()

    def _queue(self, change: Callable[[sqlite3.Connection], _Result]) -> concurrent.futures.Future[_Result]:
        if self._closed:
            msg = "the store is closed"
            raise RuntimeError(msg)
        done: concurrent.futures.Future[_Result] = concurrent.futures.Future()
        self._waiting.put((change, done))
        return done

    def _work(self) -> None:
        while True:
            batch, last = self._take()
            if batch:
                self._write(batch)
            if last:
                return

    def _take(self) -> tuple[list[_Item], bool]:
        batch: list[_Item] = []
        item = self._waiting.get()
        while item is not None:
            if item[1].set_running_or_notify_cancel():
                batch.append(item)
            if len(batch) == _MOST:
                return batch, False
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _write(self, batch: list[_Item]) -> None:
        if self._broken is not None:
            for _, done in batch:
                done.set_exception(self._broken)
            return
        results: list[tuple[concurrent.futures.Future[Any], Any, BaseException | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for change, done in batch:
                results.append((done, *self._one(change)))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._break(error, batch)
            return
        for done, result, raised in results:
            if raised is None:
                done.set_result(result)
            else:
                done.set_exception(raised)

    def _one(self, change: _Change) -> tuple[Any, BaseException | None]:
        """Make one change; what it raises undoes it alone, save trouble of the disk, which ends the batch."""
        self._connection.execute("SAVEPOINT change")
        try:
            result = change(self._connection)
        except BaseException as error:
            if isinstance(error, sqlite3.Error) and not is_bug(error):
                raise
            raised = error  # it belongs to whoever asked for the change
        else:
            self._connection.execute("RELEASE change")
            return result, None
        self._connection.execute("ROLLBACK TO change")
        self._connection.execute("RELEASE change")
        return None, raised

    def _break(self, error: sqlite3.Error, batch: list[_Item]) -> None:
        """Take nothing of the batch for done; a store that cannot be trusted to commit is not written again."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")
        reason = self._explain(error)
        if reason.code is not codes.Code.STATE_BUSY:  # a busy store may be free the next time
            self._broken = reason
        for _, done in batch:
            done.set_exception(reason)
