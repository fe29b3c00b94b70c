"""Differences between releases for machines; keys are stable."""

from __future__ import annotations

from typing import Any

from fleetctl.reports import envelopes
from fleetctl.rollout import comparing

__all__ = ["comparison", "names"]


def comparison(found: comparing.Comparison) -> dict[str, Any]:
    """Return every group of sites with all that differs there; an object's states have nothing secret in them."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "DifferenceList",
        "bundle": found.bundle,
        "version": found.version,
        "against": found.against,
        "simulated": found.simulated,
        "leftOut": [{"reason": reason, "sites": list(sites)} for reason, sites in found.left_out],
        "items": [
            {
                "name": group.sites[0],
                "sites": list(group.sites),
                "known": group.known,
                "objects": [
                    {
                        "verb": one.change.verb,
                        "object": str(one.change.id),
                        "details": one.change.details,
                        "template": one.template,
                        "diff": "".join(f"{line}\n" for line in one.lines()),
                    }
                    for one in group.differences
                ],
            }
            for group in found.groups
        ],
    }


def names(found: comparing.Comparison) -> list[str]:
    """Return the sites where something differs, or may."""
    return sorted(site for group in found.groups if group.differences or not group.known for site in group.sites)
