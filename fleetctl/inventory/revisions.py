"""A project as a commit of git has it."""

from __future__ import annotations

import os
import pathlib

from fleetctl.inventory import entries, locating
from fleetctl.model import codes, errors, problems, projects
from fleetctl.reading import commits, disk

__all__ = ["find"]


def find(start: pathlib.Path, revision: str, into: pathlib.Path) -> projects.Project:
    """Return the project that ``start`` lies in with the files of a commit, which are laid out below ``into``.

    Raises what ``locating.find`` raises, and what ``commits.resolve`` and ``commits.lay_out`` do.
    """
    root = locating.file(start).parent
    commit = commits.resolve(root, revision)
    commits.lay_out(commit, [f"{commit.prefix}{locating.FILE}"], into)
    file, shown = into / commit.prefix / locating.FILE, f"{commit.label}{commit.prefix}{locating.FILE}"
    if not file.exists():
        message = f'{locating.FILE} is not in commit "{revision}"'
        raise errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, message, "Commit it, or name a later commit.")
    text, refused = disk.read(file, shown)
    if refused:
        raise errors.InvalidInput(refused, files=1)
    settings, marks = locating.read(text, shown)
    places = _places(marks, settings, into / commit.prefix, into)
    commits.lay_out(commit, [os.path.relpath(place, into) for place in places.values()], into)
    project = projects.Project(
        name=settings.name,
        root=root,
        inventory=pathlib.Path(places["inventory"]).resolve(),
        templates=pathlib.Path(places["templates"]).resolve(),
        key=settings.key,
        commit=commit.id,
        tree=into,
    )
    locating.require_folders(project, settings, marks, " in this commit")
    return project


def _places(
    marks: entries.Places, settings: locating.Settings, root: pathlib.Path, top: pathlib.Path
) -> dict[str, str]:
    """Return where the project's folders lie in the tree; raises ``InvalidInput`` for those outside of it."""
    places = {
        name: os.path.normpath(root / path)
        for name, path in (("inventory", settings.inventory), ("templates", settings.templates))
    }
    outside = [
        problems.Problem(
            codes.Code.GIT_LEAVES_TREE,
            "this folder is not in the repository, so no commit holds it",
            marks.mark(("paths", name)),
            ("paths", name),
        )
        for name, place in places.items()
        if not pathlib.Path(place).is_relative_to(top)
    ]
    if outside:
        raise errors.InvalidInput(outside, files=1)
    return places
