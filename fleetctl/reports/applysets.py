"""A set that changes hands, for machines."""

from __future__ import annotations

from fleetctl.reports import envelopes, runs
from fleetctl.rollout import handing

__all__ = ["applyset"]


def applyset(asked: handing.Handing, seen: handing.Seen) -> dict[str, object]:
    """Return what was asked for, what came of it, and whose the set is."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "ApplySet",
        "name": f"{asked.site}/{asked.bundle}",
        "does": asked.does,
        "site": asked.site,
        "bundle": asked.bundle,
        "namespace": asked.namespace,
        "outcome": seen.outcome.value,
        "cause": runs.cause_of(seen.cause),
        "tooling": seen.parent.tooling or None,
        "objects": [str(one) for one in seen.members],
        "protected": [str(one) for one in seen.protected],
    }
