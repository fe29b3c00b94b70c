"""The inventory folder as it stood at one moment: names and bytes, from which a fleet is made, and their digest.

A fleet is made from these bytes and not from a second look at the disk, so that the digest that a fleet is kept under
is that of the very bytes it was made from, whoever edits files meanwhile.
"""

from __future__ import annotations

import hashlib
import pathlib

import msgspec

from fleetctl.model import problems, projects
from fleetctl.reading import disk

__all__ = ["LOCK", "VARS_SCHEMA", "File", "Snapshot", "take"]

VARS_SCHEMA = "vars.schema.json"
"""The JSON Schema of merged vars, directly in the inventory folder."""

LOCK = ".lock.json"
"""How the names of lock files end, which hold the sites of sources."""

_YAML = (".yaml", ".yml")
_READ = (*_YAML, ".json", ".csv")
"""What a fleet can be made from, tables of sources included; of other files only the names are known."""


class File(msgspec.Struct, frozen=True):
    """One file: its bytes, or the problem that there are none."""

    path: pathlib.Path
    text: bytes
    refused: list[problems.Problem]


class Snapshot(msgspec.Struct, frozen=True):
    """What lay in a project's inventory folder."""

    files: list[File]
    """What may say something about the fleet, by path. Links that lead nowhere are among them, whatever their name."""
    schema: File | None
    """The schema of vars."""
    others: list[File]
    """Files that only a source may read."""
    refused: list[problems.Problem]
    """Folders that cannot be read."""
    names: list[str]
    """Everything in the folder by its path, read or not."""
    bundles: list[str]
    """The bundles that a site may be assigned."""

    @property
    def count(self) -> int:
        """Return how many files (and folders that could not be read) were looked at."""
        locks = sum(file.path.name.endswith(LOCK) for file in self.others)
        return len(self.files) + locks + len(self.refused) + (self.schema is not None)

    def digest(self, folder: pathlib.Path) -> bytes | None:
        """Return what differs after any change that could make another fleet; None when something was not readable."""
        known = [*self.files, *self.others, *([self.schema] if self.schema else [])]
        if self.refused or any(file.refused for file in known):
            return None
        made = hashlib.sha256()
        for name in (*self.names, "", *self.bundles, ""):
            made.update(name.encode("utf-8", "surrogateescape") + b"\0")
        prefix = len(str(folder))
        for file in known:
            made.update(f"{str(file.path)[prefix:]}\0{len(file.text)}\0".encode("utf-8", "surrogateescape"))
            made.update(file.text)
        return made.digest()


def take(project: projects.Project) -> Snapshot:
    """Read a project's inventory folder; what cannot be read is noted, never raised."""
    tree = disk.tree(project.inventory, project.shown)
    schema = project.inventory / VARS_SCHEMA
    read = {path: _read(project, path) for path in tree.files if path.name.endswith(_READ)}
    read |= {path: _read(project, path) for path in tree.lost}
    hidden = any(problem.mark == problems.Mark(project.shown(project.inventory)) for problem in tree.refused)
    if schema not in read and not hidden and disk.is_there(schema):
        read[schema] = _read(project, schema)  # a folder by that name; reading it tells so
    lost = set(tree.lost)
    said = [file for path, file in sorted(read.items()) if path != schema]
    return Snapshot(
        files=[file for file in said if file.path in lost or file.path.name.endswith(_YAML)],
        schema=read.get(schema),
        others=[file for file in said if file.path not in lost and not file.path.name.endswith(_YAML)],
        refused=tree.refused,
        names=[str(path.relative_to(project.inventory)) for path in (*tree.files, *tree.lost)],
        bundles=sorted(project.bundles()),
    )


def _read(project: projects.Project, path: pathlib.Path) -> File:
    return File(path, *disk.read(path, project.shown(path)))
