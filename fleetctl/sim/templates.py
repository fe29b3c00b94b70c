"""Small arithmetic of the controllers: hashes of pod templates, the room that a rollout has, and conditions."""

from __future__ import annotations

import copy
import hashlib
from typing import Any, Final

import msgspec

from fleetctl.sim import objects

__all__ = [
    "POD_REVISION",
    "completed",
    "condition",
    "daemons_to_spare",
    "hash_of",
    "labelled",
    "revision_of",
    "rolling",
]

_ROLLING: Final = {"maxUnavailable": "25%", "maxSurge": "25%"}
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "DaemonSet": {"revisionHistoryLimit": 10},
    "Deployment": {"progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10},
    "Job": {"backoffLimit": 6, "parallelism": 1},
    "StatefulSet": {"podManagementPolicy": "OrderedReady", "replicas": 1, "revisionHistoryLimit": 10},
}
POD_REVISION: Final = "controller-revision-hash"


def hash_of(template: Any) -> str:  # noqa: ANN401  # JSON
    """Return the hash of a pod template, in the letters that Kubernetes uses for it."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    digest = hashlib.sha256(msgspec.json.encode(template, order="deterministic")).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:10])


def completed(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a workload's spec with some of what a server adds to it: what managers, conflicts and 422 go by."""
    found = {**_DEFAULTS.get(kind, {}), **spec, "template": _completed(spec["template"])}
    if refused := sorted(_refused(kind, spec)):
        text = f"a simulated cluster does not do {', '.join(refused)} of a {kind}"
        raise objects.Refusal(501, "NotImplemented", text)
    if kind == "Job" and "parallelism" not in spec:
        found.setdefault("completions", 1)
    if kind == "Deployment":
        strategy = {"type": "RollingUpdate", **(found.get("strategy") or {})}
        if strategy["type"] == "RollingUpdate":
            strategy["rollingUpdate"] = {**_ROLLING, **(strategy.get("rollingUpdate") or {})}
        found["strategy"] = strategy
    return found


def _refused(kind: str, spec: dict[str, Any]) -> set[str]:
    """Return the fields that no controller here goes by, so that they cannot be taken."""
    if kind == "Job":
        found = {"backoffLimitPerIndex", "managedBy", "podFailurePolicy", "successPolicy"} & spec.keys()
        return found | ({"completionMode"} if spec.get("completionMode") == "Indexed" else set())
    if kind == "StatefulSet":
        retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        found = {"ordinals"} & spec.keys()
        return found | ({"persistentVolumeClaimRetentionPolicy"} if "Delete" in retention.values() else set())
    update = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return {"maxSurge"} if kind == "DaemonSet" and update.get("maxSurge", 0) not in {0, "0%"} else set()


def _completed(template: dict[str, Any] | None) -> dict[str, Any] | None:
    spec = (template or {}).get("spec")
    if not template or not spec:
        return template
    found = dict(spec)
    for sort in ("containers", "initContainers"):
        if spec.get(sort):
            found[sort] = [{"resources": {}, **one} for one in spec[sort]]
    if spec.get("volumes"):
        found["volumes"] = [one if len(one) > 1 else {**one, "emptyDir": {}} for one in spec["volumes"]]
    return {**template, "spec": found}


def labelled(template: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    """Return a copy of a pod template with one more label."""
    found = copy.deepcopy(template)
    meta = found["metadata"] = found.get("metadata") or {}
    meta["labels"] = {**(meta.get("labels") or {}), key: value}
    return found


def revision_of(pod: objects.Object) -> str:
    """Return the revision that a pod says it is of."""
    return str(pod["metadata"]["labels"].get(POD_REVISION, ""))


def rolling(one: objects.Object, wanted: int) -> tuple[int, int]:
    """Return how many pods too many, and how many too few, a rollout of a Deployment may have."""
    strategy = one["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, 0
    update = strategy.get("rollingUpdate") or {}
    surge = _share(update.get("maxSurge", "25%"), wanted, up=True)
    unavailable = _share(update.get("maxUnavailable", "25%"), wanted, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def daemons_to_spare(one: objects.Object, nodes: int) -> int:
    """Return how many nodes may be without a pod of a DaemonSet while it is rolled out."""
    update = (one["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return max(1, _share(update.get("maxUnavailable", 1), nodes, up=True))


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = wanted * int(value.rstrip("%"))
    return -(-part // 100) if up else part // 100


def condition(sort: str, status: str, reason: str, message: str, now: str) -> dict[str, str]:
    """Return a condition of a workload."""
    times = {"lastUpdateTime": now, "lastTransitionTime": now}
    return {"type": sort, "status": status, "reason": reason, "message": message, **times}
