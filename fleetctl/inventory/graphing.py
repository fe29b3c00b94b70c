"""How a fleet is put together: which file says what, how many sites each group has, and which groups meet."""

from __future__ import annotations

from collections import Counter

import msgspec

from fleetctl.inventory import entries, fleets, layers
from fleetctl.model import problems

__all__ = ["FileLine", "Graph", "GroupLine", "graph"]


class FileLine(msgspec.Struct, frozen=True):
    """One inventory file: how many sites stand in it, and what else it says."""

    path: str
    sites: int
    groups: tuple[str, ...] = ()
    defaults: bool = False
    """Whether it holds the defaults of all sites, or of the sites in it."""


class GroupLine(msgspec.Struct, frozen=True):
    """One group, and the other groups of equal priority that it shares sites with: they must not contradict it."""

    name: str
    priority: int
    match: str
    mark: problems.Mark
    sites: int
    beside: tuple[str, ...]


class Graph(msgspec.Struct, frozen=True):
    """Files by path; groups in the order in which they are laid on."""

    sites: int
    nodes: int
    files: tuple[FileLine, ...]
    groups: tuple[GroupLine, ...]
    ungrouped: int
    """Sites that no group has."""


def graph(loaded: fleets.Loaded) -> Graph:
    """Say how a fleet is put together."""
    files, fleet = loaded.files, loaded.fleet
    ordered = layers.by_priority(files)
    counts: Counter[tuple[str, ...]] = Counter()
    for name in fleet.sites:
        labels = fleet.labels_of(name)
        counts[tuple(group.name for group in ordered if group.match.matches(labels))] += 1
    return Graph(
        sites=len(fleet.sites),
        nodes=sum(len(entry.nodes) for entry in files.sites.values()),
        files=tuple(_lines(loaded)),
        groups=tuple(
            GroupLine(
                name=group.name,
                priority=group.priority,
                match=str(group.match),
                mark=group.layer.mark(("name",)),
                sites=sum(count for names, count in counts.items() if group.name in names),
                beside=_beside(group, ordered, counts),
            )
            for group in ordered
        ),
        ungrouped=counts[()],
    )


def _beside(
    group: entries.GroupEntry, others: list[entries.GroupEntry], counts: Counter[tuple[str, ...]]
) -> tuple[str, ...]:
    equal = [other.name for other in others if other.priority == group.priority and other.name != group.name]
    return tuple(name for name in equal if any(group.name in names and name in names for names in counts))


def _lines(loaded: fleets.Loaded) -> list[FileLine]:
    """Count by file; paths are known without places, which are found by reading a file once more."""
    files = loaded.files
    sites = Counter(entry.layer.path for entry in files.sites.values())
    groups: dict[str, list[str]] = {}
    for group in files.groups.values():
        groups.setdefault(group.layer.path, []).append(group.name)
    said = [files.defaults, *(entry.file_defaults for entry in files.sites.values())]
    defaults = {layer.path for layer in said if layer is not None}
    paths = [loaded.project.shown(file.path) for file in loaded.snapshot.files]
    return [FileLine(path, sites[path], tuple(sorted(groups.get(path, ()))), path in defaults) for path in paths]
