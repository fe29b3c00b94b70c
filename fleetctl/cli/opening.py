"""What a command opens before it works: the project, its fleet, the store, the clusters. Composes, decides nothing."""

from __future__ import annotations

import contextlib
import pathlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from fleetctl.model import codes, errors

if TYPE_CHECKING:
    from fleetctl.clusters import connecting
    from fleetctl.inventory import fleets
    from fleetctl.model import events, projects
    from fleetctl.state import databases

__all__ = ["Opening", "of", "read_stdin"]


class Opening:
    """Opens things on demand, from the folder that ``-C`` names; hands out no state of its own."""

    def __init__(self, start: pathlib.Path, *, simulated: bool = False, events: pathlib.Path | None = None) -> None:
        self.simulated = simulated
        self._start = start
        self._events = events
        self._begun = False
        """Whether this command has written events before: one catch-up may make several runs."""

    def project(self) -> projects.Project:
        """Find the project; raises ``NotConfigured`` or ``InvalidInput``."""
        from fleetctl.inventory import locating  # --help and version do not need it

        return locating.find(self._start)

    def fleet(self) -> fleets.Loaded:
        """Load the project's inventory; raises ``NotConfigured`` or ``InvalidInput``."""
        from fleetctl.inventory import caching, locating

        return caching.load(locating.file(self._start))

    def directory(self, project: projects.Project) -> connecting.Directory:
        """Return what knows how each site is reached."""
        from fleetctl.clusters import connecting

        simulated = _own(project) / connecting.SIMULATED_KUBECONFIG if self.simulated else None
        return connecting.Directory(project.root, simulated)

    def store(self, project: projects.Project) -> contextlib.AbstractContextManager[databases.Store]:
        """Open the project's journal, made if it is not there; the simulated fleet has one of its own."""
        from fleetctl.state import databases

        folder = _own(project) / "sim" if self.simulated else _own(project)
        return databases.open_store(folder / "state.db")

    @contextlib.contextmanager
    def observer(self) -> Iterator[events.Observe]:
        """Give a watcher of a run: a live view on a terminal, lines elsewhere, and the file of ``--events``."""
        from fleetctl.console import progress
        from fleetctl.reports import eventlines

        with contextlib.ExitStack() as stack:
            watchers = [stack.enter_context(progress.showing(sys.stderr))]
            if self._events is not None:
                watchers.append(stack.enter_context(eventlines.writing(self._events, anew=not self._begun)))
                self._begun = True

            def observe(event: events.Event) -> None:
                for watcher in watchers:
                    watcher(event)

            yield observe


def _own(project: projects.Project) -> pathlib.Path:
    return project.root / ".fleetctl"


def of(ctx: typer.Context) -> Opening:
    """Return the opening that the root command prepared."""
    opening = ctx.find_object(Opening)
    if opening is None:
        msg = "a command ran without the root command"
        raise RuntimeError(msg)
    return opening


def read_stdin() -> str:
    """Return standard input, for ``--site -``; raises ``UsageError`` when it is not text."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        message = "standard input cannot be read: it is not UTF-8 text"
        raise errors.UsageError(codes.Code.SELECTION_UNREADABLE_FILE, message) from None
