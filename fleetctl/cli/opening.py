"""What a command opens before it works: the project, its fleet, the store, the clusters. Composes, decides nothing."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import typer

from fleetctl.model import codes, errors
from fleetctl.model import settings as settings_records

if TYPE_CHECKING:
    from fleetctl.cli import valuing
    from fleetctl.clusters import connecting
    from fleetctl.inventory import fleets, selecting
    from fleetctl.model import events, plans, projects
    from fleetctl.secrets import providers
    from fleetctl.state import databases

__all__ = ["Opening", "in_ci", "of", "read_stdin", "require_clean_in_ci"]


class Opening:
    """Opens things on demand, from the folder that ``-C`` or its variable names; hands out no state of its own."""

    def __init__(
        self,
        folder: pathlib.Path | None,
        *,
        simulated: bool = False,
        events: pathlib.Path | None = None,
        found: projects.Project | None = None,
        overrides: Sequence[str] = (),
        resources: contextlib.ExitStack | None = None,
    ) -> None:
        self.simulated = simulated
        self._folder = folder
        self._events = events
        self._settings: settings_records.Settings | None = None
        self._found = found
        """The project, where it is not to be looked for: as a commit has it."""
        self.overrides = tuple(overrides)
        """What the command line sets over the inventory's files."""
        self._resources = resources or contextlib.ExitStack()
        """What is open until the command ends."""
        self._secrets: valuing.Late | None = None
        self._begun = False
        """Whether this command has written events before: one catch-up may make several runs."""

    def project(self) -> projects.Project:
        """Find the project; raises ``NotConfigured`` or ``InvalidInput``."""
        from fleetctl.inventory import locating  # --help and version do not need it

        return self._found or locating.find(self.start)

    def at(self, revision: str, into: pathlib.Path) -> Opening:
        """Return an opening of the project as a commit has it, laid out in an empty folder; raises as finding does."""
        from fleetctl.inventory import revisions

        found = revisions.find(self.start, revision, into)
        return self._but(found=found)

    def overriding(self, words: Sequence[str]) -> Opening:
        """Return an opening of a fleet in which values are set as by ``--set``."""
        return self._but(overrides=words)

    def _but(self, found: projects.Project | None = None, overrides: Sequence[str] = ()) -> Opening:
        return Opening(
            self._folder,
            simulated=self.simulated,
            events=self._events,
            found=found or self._found,
            overrides=overrides or self.overrides,
            resources=self._resources,
        )

    @property
    def start(self) -> pathlib.Path:
        """Return the folder where the project is looked for, and from which a new one is named."""
        return self._folder or pathlib.Path(os.environ.get(settings_records.PROJECT.variable) or ".")

    def found_project(self) -> settings_records.Setting:
        """Return where the project lies and what led there; raises as ``project`` does if something led elsewhere."""
        flag, layers = settings_records.PROJECT, settings_records.Layer
        if self._folder is not None:
            return settings_records.Setting(flag.name, str(self.project().root), layers.COMMAND_LINE, flag.flag)
        if os.environ.get(flag.variable):
            return settings_records.Setting(flag.name, str(self.project().root), layers.ENVIRONMENT, flag.variable)
        try:
            return settings_records.Setting(flag.name, str(self.project().root))
        except errors.NotConfigured:
            return settings_records.Setting(flag.name, None)

    def settings(self) -> settings_records.Settings:
        """Return the defaults of flags; raises ``InvalidInput`` or ``UsageError``. A project need not be there."""
        from fleetctl.inventory import locating, settings

        if self._settings is None:
            try:
                project = locating.file(self.start).parent
            except (errors.InvalidInput, errors.NotConfigured):
                project = None  # whoever needs the project says what is wrong with it
            self._settings = settings.load(os.environ, project)
        return self._settings

    def fleet(self) -> fleets.Loaded:
        """Load the project's inventory; raises ``NotConfigured`` or ``InvalidInput``."""
        from fleetctl.inventory import caching, fleets, locating

        if self.overrides:
            from fleetctl.inventory import overriding

            return fleets.load(self.project(), highest=overriding.layer(self.overrides))
        if self._found is not None:
            return fleets.load(self._found)
        return caching.load(locating.file(self.start))

    def with_members(self, selection: selecting.Selection) -> selecting.Selection:
        """Look up in the journal which sites ``--from-run`` and ``--only`` mean; raises ``UsageError``."""
        from fleetctl.rollout import looking

        with self.store(self.project()) as store:
            members = looking.members(store, selection.from_run or "", selection.outcomes)
        return msgspec.structs.replace(selection, members=members)

    def surroundings(self, project: projects.Project) -> providers.Surroundings:
        """Return what providers of secrets find things by."""
        from fleetctl.secrets import providers

        return providers.Surroundings(project.root, os.environ)

    def secrets(self, project: projects.Project) -> valuing.Late:
        """Return what knows the values that releases need, for the whole command."""
        from fleetctl.cli import valuing

        if self._secrets is None:
            self._secrets = valuing.Late(project, self.surroundings, self._resources)
        return self._secrets

    def directory(self, project: projects.Project) -> connecting.Directory:
        """Return what knows how each site is reached."""
        from fleetctl.clusters import connecting

        simulated = _own(project) / connecting.SIMULATED_KUBECONFIG if self.simulated else None
        return connecting.Directory(project.root, simulated)

    def journal(self, project: projects.Project) -> pathlib.Path:
        """Return where the project's journal is, or will be; the simulated fleet has one of its own."""
        return (_own(project) / "sim" if self.simulated else _own(project)) / "state.db"

    def store(self, project: projects.Project) -> contextlib.AbstractContextManager[databases.Store]:
        """Open the project's journal, made if it is not there."""
        from fleetctl.state import databases

        return databases.open_store(self.journal(project))

    @contextlib.contextmanager
    def observer(self) -> Iterator[events.Observe]:
        """Give a watcher of a run: a live view on a terminal, lines elsewhere, and the file of ``--events``."""
        from fleetctl.console import progress
        from fleetctl.reports import eventlines

        with contextlib.ExitStack() as stack:
            watchers = [stack.enter_context(progress.showing(sys.stderr))]
            named = self._events or self.settings().showing.events
            if named is not None:
                file = pathlib.Path(named)
                watchers.append(stack.enter_context(eventlines.writing(file, anew=not self._begun)))
                self._begun = True

            def observe(event: events.Event) -> None:
                for watcher in watchers:
                    watcher(event)

            yield observe


def _own(project: projects.Project) -> pathlib.Path:
    return project.root / ".fleetctl"


def in_ci() -> bool:
    """Tell whether a CI system runs the command: nobody is asked then, and files must be those of a commit."""
    return os.environ.get("CI") == "true"


def require_clean_in_ci(*made: plans.Plan) -> None:
    """Raise ``Refused`` in CI for plans made of files that are in no commit."""
    from fleetctl.rollout import provenance

    if in_ci():
        provenance.require_clean(*made)


def of(ctx: typer.Context, revision: str | None = None) -> Opening:
    """Return the opening that the root command prepared, of the files as a revision has them if one is given."""
    opening = ctx.find_object(Opening)
    if opening is None:
        msg = "a command ran without the root command"
        raise RuntimeError(msg)
    if revision is None:
        return opening
    from fleetctl.reading import commits

    return opening.at(revision, ctx.with_resource(commits.folder()))


def read_stdin() -> str:
    """Return standard input, for ``--site -``; raises ``UsageError`` when it is not text."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        message = "standard input cannot be read: it is not UTF-8 text"
        raise errors.UsageError(codes.Code.SELECTION_UNREADABLE_FILE, message) from None
