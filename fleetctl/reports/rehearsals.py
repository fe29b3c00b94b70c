"""What API servers said to a rollout that they rehearsed, for machines; keys are stable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fleetctl.reports import runs
from fleetctl.rollout import rehearsing

__all__ = ["rehearsal"]


def rehearsal(found: rehearsing.Rehearsal) -> dict[str, Any]:
    """Return it as the ``dryRun`` of a plan."""
    return {
        "groups": [
            {
                "sites": list(one.sites),
                "created": one.created,
                "configured": one.configured,
                "unchanged": one.unchanged,
                "deleted": one.deleted,
                "conflicts": _troubles(one.conflicts),
                "refused": _troubles(one.refused),
                "unknown": _troubles(one.unknown),
            }
            for one in found.groups
        ],
        "silent": [
            {"cause": runs.cause_of(one.cause), "sites": list(one.sites), "unreachable": one.unreachable}
            for one in found.silent
        ],
    }


def _troubles(found: Iterable[rehearsing.Trouble]) -> list[dict[str, str]]:
    return [{"object": str(one.id), "details": one.details} for one in found]
