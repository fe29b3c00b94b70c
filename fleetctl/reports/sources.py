"""What a sync of sources came to, for machines."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.inventory.sources import syncing
from fleetctl.model import problems
from fleetctl.reports import envelopes

__all__ = ["synced"]


def synced(results: Iterable[syncing.Result]) -> dict[str, object]:
    """Return one item for each source; ``from`` and ``to`` are left out where there was, or is, no value."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "SourceSyncList",
        "items": [
            {
                "name": result.name,
                "status": result.status,
                "lock": result.lock,
                "sites": result.sites,
                "added": result.added,
                "changed": [
                    {"name": change.site, "fields": [_leaf(*leaf) for leaf in change.leaves]}
                    for change in result.changed
                ],
                "removed": result.removed,
                "notes": result.notes,
                "problems": envelopes.problem_list(result.problems)["items"],
            }
            for result in results
        ],
    }


def _leaf(field: problems.Field, before: object, after: object) -> dict[str, object]:
    sides = {"from": before, "to": after}
    return {
        "field": problems.field_text(field),
        **{key: value for key, value in sides.items() if value is not problems.NOTHING},
    }
