"""Finding a project and its settings file."""

from __future__ import annotations

import pathlib
import stat

from fleetctl.model import codes, errors, problems, projects
from fleetctl.reading import disk
from fleetctl.schema import checking, shapes

__all__ = ["FILE", "find"]

FILE = "fleetctl.yaml"


def find(start: pathlib.Path) -> projects.Project:
    """Return the project that ``start`` lies in, looking upwards.

    Raises ``NotConfigured`` when there is none, ``InvalidInput`` when its settings are wrong or cannot be looked for.
    """
    start = start.absolute()
    if not stat.S_ISDIR(_mode(start, str(start))):
        message = f"{start} is not a folder"
        raise errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, message, "Give -C an existing folder.")
    for folder in (start, *start.parents):
        if stat.S_ISREG(_mode(folder / FILE, str(folder))):
            return _load(folder / FILE)
    message = f"no {FILE} in {start} or a folder above it"
    raise errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, message, "Give the project's folder with -C DIR.")


def _load(file: pathlib.Path) -> projects.Project:
    text, found = disk.read(file, FILE)
    document, faults = (None, []) if found else checking.only(text, FILE, "project", "Project")
    if document is None:
        raise errors.InvalidInput(found + faults, files=1)
    settings = shapes.Project.model_validate(document.data)
    project = projects.Project(
        name=settings.name,
        root=file.parent,
        inventory=_folder(file.parent, settings.paths.inventory),
        templates=_folder(file.parent, settings.paths.templates),
    )
    # A project without bundles needs no folder for them, unless it says that there is one.
    needed = {"inventory": project.inventory}
    if "templates" in settings.paths.model_fields_set:
        needed["templates"] = project.templates
    missing = [
        problems.Problem(
            codes.Code.PROJECT_MISSING_FOLDER,
            f"there is no folder {project.shown(folder)}; make it, or say here where it is",
            document.mark(("paths", name)),
            ("paths", name),
        )
        for name, folder in needed.items()
        if not stat.S_ISDIR(_mode(folder, project.shown(folder)))
    ]
    if missing:
        raise errors.InvalidInput(missing, files=1)
    return project


def _mode(path: pathlib.Path, shown: str) -> int:
    """Return what stands at a path, 0 for nothing; raises ``InvalidInput`` where nobody may look.

    ``Path.is_dir`` and its like raise there or say no, depending on the release of Python.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return 0
    except OSError as error:
        raise errors.InvalidInput([disk.refusal(error, shown)], files=1) from None


def _folder(root: pathlib.Path, path: str) -> pathlib.Path:
    return (root / path).resolve()
