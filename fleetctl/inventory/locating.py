"""Finding a project and its settings file."""

from __future__ import annotations

import pathlib
import stat

import msgspec

from fleetctl.inventory import entries
from fleetctl.model import codes, errors, problems, projects, secretrefs, values
from fleetctl.reading import disk

__all__ = ["FILE", "Settings", "file", "find", "missing", "project", "read", "require_folders", "settings"]

FILE = "fleetctl.yaml"


class Settings(msgspec.Struct, frozen=True):
    """What a project's settings file says, checked, with what it leaves out filled in."""

    name: str
    inventory: str
    templates: str
    needs_templates: bool
    """A project without bundles needs no folder for them, unless it says that there is one."""
    key: projects.KeyPlace | None = None


def find(start: pathlib.Path) -> projects.Project:
    """Return the project that ``start`` lies in, looking upwards.

    Raises ``NotConfigured`` when there is none, ``InvalidInput`` when its settings are wrong or cannot be looked for.
    """
    found = file(start)
    text, refused = disk.read(found, FILE)
    if refused:
        raise errors.InvalidInput(refused, files=1)
    return project(found.parent, settings(text, found.parent))


def file(start: pathlib.Path) -> pathlib.Path:
    """Return the settings file of the project that ``start`` lies in; raises as ``find`` does."""
    start = start.absolute()
    if not stat.S_ISDIR(_mode(start, str(start))):
        message = f"{start} is not a folder"
        raise errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, message, "Give -C an existing folder.")
    for folder in (start, *start.parents):
        if stat.S_ISREG(_mode(folder / FILE, str(folder))):
            return folder / FILE
    message = f"no {FILE} in {start} or a folder above it"
    raise errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, message, "Give the project's folder with -C DIR.")


def settings(text: bytes, root: pathlib.Path) -> Settings:
    """Read the text of a settings file; raises ``InvalidInput``, also for a folder that it names and nobody finds."""
    made, places = read(text, FILE)
    require_folders(project(root, made), made, places, "; make it, or say here where it is")
    return made


def read(text: bytes, shown: str) -> tuple[Settings, entries.Places]:
    """Read the text of a settings file, and return where its values stand; raises ``InvalidInput``."""
    from fleetctl.schema import checking, shapes

    document, faults = checking.only(text, shown, "project", "Project")
    if document is None:
        raise errors.InvalidInput(faults, files=1)
    shape = shapes.Project.model_validate(document.data)
    said = "templates" in shape.paths.model_fields_set
    said_key = shape.project_key
    key = _key_place(said_key.id, said_key.kept_in, document) if said_key else None
    return Settings(shape.name, shape.paths.inventory, shape.paths.templates, said, key), document


def require_folders(of_project: projects.Project, said: Settings, places: entries.Places, advice: str) -> None:
    """Raise ``InvalidInput`` for each folder that must be there and is not; ``advice`` ends the sentence."""
    found = [
        problems.Problem(
            codes.Code.PROJECT_MISSING_FOLDER,
            f"there is no folder {of_project.shown(folder)}{advice}",
            places.mark(("paths", name)),
            ("paths", name),
        )
        for name, folder in missing(of_project, said).items()
    ]
    if found:
        raise errors.InvalidInput(found, files=1)


def project(root: pathlib.Path, said: Settings) -> projects.Project:
    """Return the project in a folder, whose settings file says so much."""
    inventory, templates = ((root / folder).resolve() for folder in (said.inventory, said.templates))
    return projects.Project(said.name, root, inventory, templates, said.key)


def missing(of_project: projects.Project, said: Settings) -> dict[str, pathlib.Path]:
    """Return the folders that must be there and are not, by their names under ``paths``."""
    needed = {"inventory": of_project.inventory}
    if said.needs_templates:
        needed["templates"] = of_project.templates
    return {
        name: folder for name, folder in needed.items() if not stat.S_ISDIR(_mode(folder, of_project.shown(folder)))
    }


def _key_place(identity: str, kept_in: values.Vars, document: entries.Places) -> projects.KeyPlace:
    """Return a project's key and where it is kept, as its settings file says; raises ``InvalidInput``."""
    try:
        return projects.KeyPlace(identity, secretrefs.of(kept_in))
    except ValueError as error:
        field = ("projectKey", "keptIn")
        problem = problems.Problem(codes.Code.PROJECT_BAD_VALUE, str(error), document.mark(field), field)
        raise errors.InvalidInput([problem], files=1) from None


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
