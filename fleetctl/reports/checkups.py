"""A doctor's findings for machines."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fleetctl.model import checkups
from fleetctl.reports import envelopes

__all__ = ["checkup_list"]


def checkup_list(found: Iterable[checkups.Checkup]) -> dict[str, object]:
    """Return findings: name, verdict, what was found, remedy."""
    items = [msgspec.to_builtins(one) for one in found]
    return {"apiVersion": envelopes.API_VERSION, "kind": "CheckupList", "items": items}
