"""A shipped bundle copied into a project: from then on it is the project's own, to be changed at will."""

from __future__ import annotations

import pathlib
import shutil
import tempfile

from fleetctl.model import codes, errors, problems
from fleetctl.reading import disk, scalars
from fleetctl.rendering import bundles

__all__ = ["add"]


def add(name: str, catalogue: pathlib.Path, templates: pathlib.Path, shown: str) -> None:
    """Copy a bundle of a catalogue to a folder of templates, whole or not at all.

    ``shown`` is the place where it will lie, as people see it. Raises ``InvalidInput`` for a bundle that is not in the
    catalogue, and ``Refused`` where something lies there already, or nothing can be written.
    """
    known = bundles.catalogue(catalogue)
    if name not in known:
        near = scalars.did_you_mean(name, known) or f"; it ships: {', '.join(known)}"
        message = f'fleetctl ships no bundle "{name}"{near}'
        raise errors.InvalidInput([problems.Problem(codes.Code.BUNDLE_NOT_FOUND, message)])
    target = templates / name
    if disk.is_there(target):
        message = f"{shown} is there already, and was not changed"
        hint = "To begin anew, move it away first. Versions: fleetctl bundle list --shipped"
        raise errors.Refused(codes.Code.BUNDLE_EXISTS, message, hint)
    try:
        templates.mkdir(parents=True, exist_ok=True)
        aside = pathlib.Path(tempfile.mkdtemp(prefix=disk.PART, dir=templates))
        try:
            shutil.copytree(catalogue / name, aside / name)
            (aside / name).rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        message = f"{shown}: {error.strerror or error}"
        raise errors.Refused(codes.Code.BUNDLE_UNWRITABLE, message, "Nothing was copied.") from error
