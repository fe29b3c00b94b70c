"""Sources and lock files that an inventory has, each brought to its own."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Mapping

import msgspec

from fleetctl.inventory.sources import locks
from fleetctl.model import codes, problems
from fleetctl.reading import yaml12

__all__ = ["Sources"]


class Sources(msgspec.Struct):
    """Sources by name, and locks by the shown path of their file, as they are found."""

    declared: dict[str, locks.Source] = {}
    held: dict[str, locks.Lock] = {}

    def add(self, file: pathlib.Path, document: yaml12.Document, *, sound: bool) -> list[problems.Problem]:
        """Take a source by its name, also one with mistakes: its lock then has somebody to belong to."""
        data = document.data
        name = data.get("name") if isinstance(data, dict) else None
        if not isinstance(name, str):
            return []
        if name in self.declared:
            message = f"{name} is also defined at {self.declared[name].document.mark(('name',))}"
            mark = document.mark(("name",))
            return [problems.Problem(codes.Code.INVENTORY_DUPLICATE_SOURCE, message, mark, ("name",))]
        self.declared[name] = locks.Source(name, document, file, document.path, sound)
        return []

    def add_lock(self, text: bytes, shown: str) -> list[problems.Problem]:
        """Take a lock file."""
        lock, fault = locks.read(text, shown)
        if lock is not None:
            self.held[shown] = lock
        return [fault] if fault else []

    def matched(
        self,
        known: Iterable[problems.Problem],
        shown: Callable[[pathlib.Path], str],
        texts: Mapping[pathlib.Path, bytes],
    ) -> tuple[list[tuple[locks.Source, locks.Lock]], list[problems.Problem]]:
        """Return each source with its lock, and a problem for all that do not belong together.

        ``known`` are problems found before: about a lock that could not be read nothing more is said. ``texts`` are
        files of the inventory folder, among them the tables in it.
        """
        unread = {problem.mark.path for problem in known if problem.mark}
        owners = {shown(source.lock): source for source in self.declared.values()}
        found = [
            problems.Problem(
                codes.Code.LOCK_ORPHAN,
                f'no source "{lock.source}" stands beside it; delete it, or bring the source back',
                problems.Mark(path),
            )
            for path, lock in self.held.items()
            if path not in owners
        ]
        pairs = []
        for path, source in owners.items():
            lock = self.held.get(path)
            if lock is not None and source.sound:
                found += locks.faults(source, lock, texts)
                pairs.append((source, lock))
            elif lock is None and path not in unread and source.sound:
                message = f"it was never synced: there is no {path}; {source.remedy()}"
                mark = source.document.mark(("name",))
                found.append(problems.Problem(codes.Code.LOCK_MISSING, message, mark, ("name",)))
        return pairs, found
