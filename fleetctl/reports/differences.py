"""Differences between releases for machines; keys are stable."""

from __future__ import annotations

from typing import Any

from fleetctl.kube import drift
from fleetctl.model import problems
from fleetctl.reports import envelopes, runs
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
        "silent": [
            {"cause": runs.cause_of(one.cause), "sites": list(one.sites), "unreachable": one.unreachable}
            for one in found.silent
        ],
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
                        **({"fields": [_field(field) for field in one.fields]} if one.fields else {}),
                    }
                    for one in group.differences
                ],
            }
            for group in found.groups
        ],
    }


def _field(found: drift.Field) -> dict[str, Any]:
    """Return a field with the values that there are."""
    both = {"live": found.live, "wanted": found.wanted}
    there = {key: value for key, value in both.items() if value is not problems.NOTHING}
    return {"path": found.path, **there, "managers": list(found.managers)}


def names(found: comparing.Comparison) -> list[str]:
    """Return the sites where something differs, or may."""
    differing = [site for group in found.groups if group.differences or not group.known for site in group.sites]
    return sorted([*differing, *(site for one in found.silent for site in one.sites)])
