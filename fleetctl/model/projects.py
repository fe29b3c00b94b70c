"""A project: where its folders lie and how its paths are shown."""

from __future__ import annotations

import pathlib

import msgspec

from fleetctl.model import secretrefs

__all__ = ["KeyPlace", "Project"]


class KeyPlace(msgspec.Struct, frozen=True):
    """The project's key: its id, and where it is kept unless a variable gives it."""

    id: str
    reference: secretrefs.Reference


class Project(msgspec.Struct, frozen=True):
    """Folders are absolute; ``shown`` makes paths short again."""

    name: str
    root: pathlib.Path
    """Where the project lies, with its state; its files too, unless they are of a commit."""
    inventory: pathlib.Path
    templates: pathlib.Path
    key: KeyPlace | None = None
    commit: str = ""
    """The commit that inventory and templates are of; empty when they are what lies in the project's folder."""
    tree: pathlib.Path | None = None
    """The folder that holds the tree of that commit."""

    def shown(self, path: pathlib.Path) -> str:
        """Return a path as people see it: relative to the project, or to the folder that holds the templates.

        Of a commit, as ``git show`` takes it.
        """
        if self.tree is not None and path.is_relative_to(self.tree):
            return f"{self.commit[:10]}:{path.relative_to(self.tree).as_posix()}"
        for base in (self.root, self.templates.parent):
            if path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return path.as_posix()

    def bundles(self) -> set[str]:
        """Return the names of the bundles that the project has; whether they are sound is another question."""
        return {path.parent.name for path in self.templates.glob("*/bundle.yaml")}
