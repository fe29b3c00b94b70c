"""Templates of pods: their hashes, revisions, and how many pods a rollout may have too many or too few."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from fleetctl.sim import objects

__all__ = ["POD_REVISION", "condition", "hash_of", "revision_of", "rolling"]

POD_REVISION: Final = "controller-revision-hash"


def hash_of(template: Any) -> str:  # noqa: ANN401  # JSON
    """Return the hash of a pod template, in the letters that Kubernetes uses for it."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    digest = hashlib.sha256(msgspec.json.encode(template, order="deterministic")).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:10])


def revision_of(pod: objects.Object) -> str:
    """Return the revision that a pod says it is of."""
    return str(pod["metadata"]["labels"].get(POD_REVISION, ""))


def rolling(one: objects.Object, wanted: int) -> tuple[int, int]:
    """Return how many pods too many, and how many too few, a rollout may have."""
    update = one["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge, unavailable = (
        _share(update.get("maxSurge", "25%"), wanted, up=True),
        _share(update.get("maxUnavailable", "25%"), wanted, up=False),
    )
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = wanted * int(value.rstrip("%"))
    return -(-part // 100) if up else part // 100


def condition(sort: str, true: bool, reason: str) -> dict[str, str]:  # noqa: FBT001  # private
    """Return a condition of a workload."""
    return {"type": sort, "status": "True" if true else "False", "reason": reason, "message": ""}
