"""What a kustomization refers to, looked at before kustomize runs: it would fetch what it does not find on the disk.

kustomize takes a resource that is no file and no folder for the address of a git repository, and fetches files that are
named by a URL (its documentation: "Remote targets"). A bundle holds all its files, so both are refused here.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator
from typing import Final

from fleetctl.model import codes, problems
from fleetctl.reading import yaml12

__all__ = ["remote"]

_NAMES: Final = {"kustomization.yaml", "kustomization.yml", "Kustomization"}
_PARTS: Final = ("resources", "bases", "components", "generators", "transformers", "validators")
"""Fields whose items are files, folders, addresses, or documents written in place."""
_ADDRESS = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*(://|::)|^git@")
_FREE: Final = {
    "commonAnnotations",
    "commonLabels",
    "labels",
    "literals",
    "patch",
    "options",
    "buildMetadata",
    "images",
}
"""Fields whose text is no reference, so that it may hold any address."""


def remote(folder: pathlib.Path, shown: str) -> list[problems.Problem]:
    """Return a problem for everything below a folder that would be fetched, or that lies outside of it."""
    found: list[problems.Problem] = []
    for path in sorted(folder.rglob("*")):
        if path.name not in _NAMES or not path.is_file():
            continue
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        read, _ = yaml12.read(path.read_bytes(), name)  # faults are kustomize's to tell
        for document in read:
            for field, said in _references(document.data, ()):
                fault = _fault(folder, path.parent, field, said)
                if fault:
                    found.append(problems.Problem(codes.Code.KUSTOMIZE_REMOTE, fault, document.mark(field), field))
    return found


def _references(value: object, field: problems.Field) -> Iterator[tuple[problems.Field, str]]:
    if isinstance(value, str):
        if "\n" not in value:
            yield field, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _FREE:
                yield from _references(inner, (*field, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, (*field, index))


def _fault(folder: pathlib.Path, here: pathlib.Path, field: problems.Field, said: str) -> str:
    if field[0] in ("helmCharts", "helmChartInflationGenerator"):
        return "charts are not rendered by kustomize; give the bundle's chart to helm in bundle.yaml"
    if _ADDRESS.search(said):
        return f'"{said}" would be fetched; a bundle holds all its files'
    if field[0] not in _PARTS or len(field) != 2:
        return ""
    place = pathlib.Path(os.path.realpath(here / said))
    if not place.exists():
        return f'there is no file or folder "{said}", and nothing is fetched; a bundle holds all its files'
    return "" if place.is_relative_to(folder.resolve()) else f'"{said}" is not in the folder that kustomize may read'
