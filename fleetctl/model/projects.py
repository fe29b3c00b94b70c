"""A project: where its folders lie and how its paths are shown."""

from __future__ import annotations

import pathlib

import msgspec

__all__ = ["Project"]


class Project(msgspec.Struct, frozen=True):
    """Folders are absolute; ``shown`` makes paths short again."""

    name: str
    root: pathlib.Path
    inventory: pathlib.Path
    templates: pathlib.Path

    def shown(self, path: pathlib.Path) -> str:
        """Return a path as people see it: relative to the project, or to the folder that holds the templates."""
        for base in (self.root, self.templates.parent):
            if path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return path.as_posix()

    def bundles(self) -> set[str]:
        """Return the names of the bundles that the project has; whether they are sound is another question."""
        return {path.parent.name for path in self.templates.glob("*/bundle.yaml")}
