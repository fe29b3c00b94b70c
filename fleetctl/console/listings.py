"""Tables of what there is, the way kubectl writes them: name first, no blanks in cells, nothing is a dash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from fleetctl.console import tables
from fleetctl.model import sites

__all__ = ["keys", "of_bundles", "of_groups", "of_nodes", "of_sites"]


def keys(given: Iterable[str]) -> list[str]:
    """Return the label keys of ``-L a -L b,c``, each once."""
    return list(dict.fromkeys(key.strip() for text in given for key in text.split(",") if key.strip()))


def of_sites(chosen: Iterable[sites.Site], labels: Sequence[str], stream: TextIO, *, wide: bool) -> None:
    """Write sites, one a line."""
    heads = ["NAME", "STATE", "DISTRIBUTION", "VERSION", "NODES", "BUNDLES"]
    rows = (
        [
            site.name,
            site.state,
            site.cluster.distribution,
            site.cluster.version or "-",
            str(len(site.nodes)),
            ",".join(sorted(site.bundles)) or "-",
            *_columns(sites.selectable_labels(site), labels),
            *([_pairs(site.labels)] if wide else []),
        ]
        for site in chosen
    )
    tables.table([*heads, *map(_head, labels), *(["LABELS"] if wide else [])], rows, stream)


def of_nodes(chosen: Iterable[sites.Site], labels: Sequence[str], stream: TextIO, *, wide: bool) -> None:
    """Write the nodes of sites; a label that the node does not have is its site's."""
    heads = ["NAME", "ROLE", "ARCH", "ADDRESS"]
    more = ["DISTRIBUTION", "VERSION", "TAINTS", "LABELS"] if wide else []
    rows = (
        [
            f"{site.name}/{node.name}",
            node.role,
            node.arch,
            node.address,
            *_columns({**sites.selectable_labels(site), **node.labels}, labels),
            *(_wide(site, node) if wide else []),
        ]
        for site in chosen
        for node in site.nodes
    )
    tables.table([*heads, *map(_head, labels), *more], rows, stream)


def of_groups(listed: Iterable[tuple[sites.Group, int]], stream: TextIO) -> None:
    """Write groups and how many sites each matches."""
    rows = ([group.name, str(group.priority), str(members), str(group.match) or "-"] for group, members in listed)
    tables.table(["NAME", "PRIORITY", "SITES", "MATCH"], rows, stream)


def of_bundles(listed: Iterable[tuple[str, str, str, int]], stream: TextIO) -> None:
    """Write bundles: name, version, namespace, and how many sites are assigned each."""
    rows = ([name, version, namespace, str(count)] for name, version, namespace, count in listed)
    tables.table(["NAME", "VERSION", "NAMESPACE", "SITES"], rows, stream)


def _head(key: str) -> str:
    """Return the head of a label's column, as kubectl has it: what follows the prefix, in capitals."""
    return key.rpartition("/")[2].upper()


def _columns(labels: Mapping[str, str], wanted: Iterable[str]) -> Iterator[str]:
    return (labels.get(key) or "-" for key in wanted)


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "-"


def _wide(site: sites.Site, node: sites.Node) -> list[str]:
    taints = ",".join(f"{one.key}{'=' if one.value else ''}{one.value}:{one.effect}" for one in node.taints)
    return [site.cluster.distribution, site.cluster.version or "-", taints or "-", _pairs(node.labels)]
