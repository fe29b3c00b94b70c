"""Nodes, groups and bundles for machines."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fleetctl.model import sites
from fleetctl.reports import envelopes

__all__ = ["bundle_list", "group_list", "node_list"]


def node_list(chosen: Iterable[sites.Site]) -> dict[str, object]:
    """Return the nodes of sites with the keys that they have in files; ``vars`` are those of site and node together."""
    return _list(
        "NodeList",
        [
            {**msgspec.json.decode(msgspec.json.encode(node)), "name": f"{site.name}/{node.name}", "site": site.name}
            for site in chosen
            for node in site.nodes
        ],
    )


def group_list(listed: Iterable[tuple[sites.Group, int]]) -> dict[str, object]:
    """Return groups, and how many sites each matches."""
    return _list(
        "GroupList",
        [
            {
                "name": group.name,
                "priority": group.priority,
                "match": str(group.match),
                "sites": members,
                "place": str(group.mark),
            }
            for group, members in listed
        ],
    )


def bundle_list(listed: Iterable[tuple[str, str, str, int]]) -> dict[str, object]:
    """Return bundles: name, version, namespace, and how many sites are assigned each."""
    keys = ("name", "version", "namespace", "sites")
    return _list("BundleList", [dict(zip(keys, one, strict=True)) for one in listed])


def _list(kind: str, items: list[dict[str, object]]) -> dict[str, object]:
    return {"apiVersion": envelopes.API_VERSION, "kind": kind, "items": items}
