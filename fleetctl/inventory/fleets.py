"""A project's fleet, with the files it came from; what is heavy to import waits until somebody needs it."""

from __future__ import annotations

import functools

import msgspec

from fleetctl.inventory import entries, layers, snapshots
from fleetctl.model import problems, projects, sites

__all__ = ["Loaded", "load"]


class Loaded(msgspec.Struct, frozen=True, dict=True):
    """A fleet without problems, and what it was made from."""

    project: projects.Project
    snapshot: snapshots.Snapshot
    fleet: sites.Fleet

    @functools.cached_property
    def files(self) -> entries.Files:
        """Return what the files say, as it was before it was merged."""
        from fleetctl.inventory import loading

        with loading.collector_paused():
            return loading.load(self.project, self.snapshot)

    def origin(self, site: str, field: problems.Field) -> problems.Mark | None:
        """Return where a value of a site was written, None when no layer of the inventory says it."""
        return layers.origin(layers.layers_of(self.files, site), field, exact=True)


def load(
    project: projects.Project, snapshot: snapshots.Snapshot | None = None, highest: entries.Layer | None = None
) -> Loaded:
    """Read, check and merge a project's inventory; raises ``InvalidInput`` with everything that is wrong.

    ``highest`` is a layer over all that files say.
    """
    from fleetctl.inventory import assembling, loading

    with loading.collector_paused():
        snapshot = snapshot or snapshots.take(project)
        files = loading.load(project, snapshot)
        if highest is not None:
            files.highest, files.has_references = highest, True  # it may hold some; looking costs little
        loaded = Loaded(project, snapshot, assembling.assemble(project, files))
    loaded.__dict__["files"] = files
    return loaded
