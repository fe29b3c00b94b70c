"""A project as a commit of git has it."""

from __future__ import annotations

import os
import pathlib

from fleetctl.inventory import locating
from fleetctl.model import codes, errors, problems, projects
from fleetctl.reading import commits, disk, yaml12
from fleetctl.schema import checking, shapes

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
    document, faults = (None, []) if refused else checking.only(text, shown, "project", "Project")
    if document is None:
        raise errors.InvalidInput(refused + faults, files=1)
    settings = shapes.Project.model_validate(document.data)
    places = _places(document, settings, into / commit.prefix, into)
    commits.lay_out(commit, [os.path.relpath(place, into) for place in places.values()], into)
    said_key = settings.project_key
    project = projects.Project(
        name=settings.name,
        root=root,
        inventory=pathlib.Path(places["inventory"]).resolve(),
        templates=pathlib.Path(places["templates"]).resolve(),
        key=locating.key_place(said_key.id, said_key.kept_in, document) if said_key else None,
        commit=commit.id,
        tree=into,
    )
    _require_folders(project, document, settings)
    return project


def _require_folders(project: projects.Project, document: yaml12.Document, shape: shapes.Project) -> None:
    said = "templates" in shape.paths.model_fields_set
    settings = locating.Settings(shape.name, shape.paths.inventory, shape.paths.templates, said)
    found = [
        problems.Problem(
            codes.Code.PROJECT_MISSING_FOLDER,
            f"there is no folder {project.shown(folder)} in this commit",
            document.mark(("paths", name)),
            ("paths", name),
        )
        for name, folder in locating.missing(project, settings).items()
    ]
    if found:
        raise errors.InvalidInput(found, files=1)


def _places(
    document: yaml12.Document, settings: shapes.Project, root: pathlib.Path, top: pathlib.Path
) -> dict[str, str]:
    """Return where the project's folders lie in the tree; raises ``InvalidInput`` for those outside of it."""
    places = {
        name: os.path.normpath(root / path)
        for name, path in (("inventory", settings.paths.inventory), ("templates", settings.paths.templates))
    }
    outside = [
        problems.Problem(
            codes.Code.GIT_LEAVES_TREE,
            "this folder is not in the repository, so no commit holds it",
            document.mark(("paths", name)),
            ("paths", name),
        )
        for name, place in places.items()
        if not pathlib.Path(place).is_relative_to(top)
    ]
    if outside:
        raise errors.InvalidInput(outside, files=1)
    return places
