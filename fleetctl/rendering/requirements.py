"""What a bundle requires: of the sites it is assigned to, and of the other bundles of the project."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator

import msgspec

from fleetctl.model import codes, problems, sites, versions
from fleetctl.reading import disk, scalars, yaml12

__all__ = ["Requires", "faults", "unmet"]


class Requires(msgspec.Struct, frozen=True):
    """Conditions that a site must meet, or it is left out; an empty one is met by all."""

    kubernetes: versions.Range | None = None
    arches: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()


def unmet(requires: Requires, site: sites.Site) -> str:
    """Return what a site lacks, in words that follow a number of sites, or "" when it lacks nothing.

    A version that the inventory does not give, and nodes that it does not list, are not held against a site.
    """
    version = site.cluster.version
    if requires.kubernetes and version and not requires.kubernetes.takes(version):
        return f"lacking Kubernetes {requires.kubernetes.text}"
    if requires.arches and (strange := {node.arch for node in site.nodes}.difference(requires.arches)):
        return f"with nodes that are {_or(sorted(strange))}, not {_or(requires.arches)}"
    missing = [name for name in requires.bundles if name not in site.bundles]
    return f"not assigned {_or(missing)}, which it requires" if missing else ""


def faults(
    folder: pathlib.Path, document: yaml12.Document, name: str, shown: Callable[[pathlib.Path], str]
) -> Iterator[problems.Problem]:
    """Return what is wrong with the bundles that a bundle requires: unknown ones, and going in circles."""
    known = [path.parent.name for path in folder.glob("*/bundle.yaml")]
    for index, wanted in enumerate(_required(document.data)):
        field = ("requires", "bundles", index)
        mark = document.mark(field)
        if wanted not in known:
            others = sorted({*known} - {name})
            there = f"; there is: {', '.join(others)}" if others else "; the project has no other"
            near = scalars.did_you_mean(wanted, others) or there
            yield problems.Problem(codes.Code.BUNDLE_REQUIRES, f'there is no bundle "{wanted}"{near}', mark, field)
        elif circle := _circle(folder, name, wanted, shown):
            message = f"bundles require each other in a circle: {' -> '.join(circle)}; one must come first"
            yield problems.Problem(codes.Code.BUNDLE_REQUIRES, message, mark, field)


def _circle(
    folder: pathlib.Path, name: str, wanted: str, shown: Callable[[pathlib.Path], str]
) -> tuple[str, ...] | None:
    """Return the way from a bundle through one that it requires back to itself, the shortest there is."""
    ways: list[tuple[str, ...]] = [(name, wanted)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == name:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [(*way, further) for further in _required(_read(folder / way[-1] / "bundle.yaml", shown))]
    return None


def _read(path: pathlib.Path, shown: Callable[[pathlib.Path], str]) -> object:
    """Return what another bundle says; what is wrong with it is told when that one is loaded."""
    text, found = disk.read(path, shown(path))
    documents, _ = ([], []) if found else yaml12.read(text, shown(path))
    return documents[0].data if documents else None


def _required(data: object) -> list[str]:
    listed = problems.value_at(data, ("requires", "bundles"))
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
