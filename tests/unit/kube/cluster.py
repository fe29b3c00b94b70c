"""Objects as a cluster shows them, built small: what the tests of health, causes and evidence look at."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from fleetctl.kube import surroundings, views, workloads
from fleetctl.model import objects, outcomes

__all__ = [
    "IMAGE",
    "LISTS",
    "Case",
    "Json",
    "check",
    "deployment",
    "event",
    "fresh",
    "listed",
    "node",
    "numbered",
    "owned",
    "pod",
    "replica_set",
    "stateful_set",
    "view",
]

Json = dict[str, Any]

Case = tuple[Json, dict[str, list[Json]], outcomes.State, str, str]
"""An object, what stands around it, and the verdict: state, message, and the reason of its cause or ""."""

IMAGE = "reg.eu.example:5000/pos-gateway:1.4.0"

_GROUPS = {"apps": "apps/v1", "batch": "batch/v1"}
LISTS = {
    "pods": surroundings.PODS,
    "replica_sets": surroundings.REPLICA_SETS,
    "revisions": surroundings.REVISIONS,
    "events": surroundings.EVENTS,
    "nodes": surroundings.NODES,
    "storage_classes": surroundings.STORAGE_CLASSES,
}


def owned(name: str, owner: str, **labels: str) -> Json:
    """Metadata of an object that the controller of UID ``owner`` made; its UID is its name."""
    found: Json = {"name": name, "namespace": "pos", "uid": name, "creationTimestamp": "2026-11-27T10:00:00Z"}
    if labels:
        found["labels"] = {key.replace("_", "-"): value for key, value in labels.items()}
    if owner:
        found["ownerReferences"] = [{"apiVersion": "v1", "kind": "X", "name": owner, "uid": owner, "controller": True}]
    return found


def pod(name: str, owner: str = "", revision: str = "", *, ready: bool = False, node: str = "n0", **more: Any) -> Json:  # noqa: ANN401 - JSON
    """A pod with a container ``gateway``.

    ``waiting`` is (reason, message), ``ended`` and ``last`` are how a run ended, ``unscheduled`` the scheduler's words.
    """
    state: Json = {"running": {"startedAt": "2026-11-27T10:00:02Z"}}
    if "waiting" in more:
        reason, message = more["waiting"]
        state = {"waiting": {"reason": reason, "message": message}}
    elif "ended" in more:
        state = {"terminated": more["ended"]}
    container = {
        "name": "gateway",
        "image": "docker.io/library/other-name",
        "ready": ready,
        "restartCount": more.get("restarts", 0),
        "state": state,
        "lastState": {"terminated": more["last"]} if "last" in more else {},
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status: Json = {"phase": more.get("phase", "Running"), "conditions": conditions, "containerStatuses": [container]}
    if "unscheduled" in more:
        words = {"reason": "Unschedulable", "message": more["unscheduled"]}
        conditions.append({"type": "PodScheduled", "status": "False", **words})
        status |= {"phase": "Pending", "containerStatuses": None}
        node = ""
    spec = {"nodeName": node, "containers": [{"name": "gateway", "image": IMAGE}], "volumes": more.get("volumes")}
    labels = {"controller_revision_hash": revision} if revision else {}
    found = {"metadata": owned(name, owner, **labels), "spec": spec, "status": status | more.get("status", {})}
    if more.get("deleted"):
        found["metadata"]["deletionTimestamp"] = "2026-11-27T10:05:00Z"
    return found


def event(about: str, reason: str, message: str, **more: Any) -> Json:  # noqa: ANN401 - JSON
    """A warning about the object of a UID."""
    return {
        "type": more.pop("type", "Warning"),
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": "Pod", "uid": about, "fieldPath": more.pop("path", "")},
        "count": more.pop("count", 1),
        "firstTimestamp": "2026-11-27T10:00:10Z",
        "lastTimestamp": "2026-11-27T10:00:48Z",
        **more,
    }


def node(name: str, *, ready: bool = True) -> Json:
    """A node."""
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]},
    }


def deployment(*, revision: str = "2", generation: int = 4, seen: int = 4, **more: Any) -> Json:  # noqa: ANN401 - JSON
    """Deployment pos/gateway with 2 replicas, its rollout done unless told otherwise."""
    metadata = owned("gateway", "") | {"generation": generation}
    metadata["annotations"] = {"deployment.kubernetes.io/revision": revision}
    spec = {"replicas": 2, "progressDeadlineSeconds": 600} | more.get("spec", {})
    status = {"observedGeneration": seen, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}
    return {"metadata": metadata, "spec": spec, "status": status | more.get("status", {})}


def replica_set(name: str, revision: str, available: int = 0, **status: Any) -> Json:  # noqa: ANN401 - JSON
    """A ReplicaSet of the Deployment."""
    metadata = owned(name, "gateway") | {"annotations": {"deployment.kubernetes.io/revision": revision}}
    return {"metadata": metadata, "status": {"replicas": available, "availableReplicas": available} | status}


def listed(**lists: list[Json]) -> surroundings.Surroundings:
    """What stands around, by the names of the lists."""
    return surroundings.Surroundings(
        {
            LISTS[name]: msgspec.json.decode(json.dumps(items), type=list[LISTS[name].into])  # type: ignore[misc]
            for name, items in lists.items()
        }
    )


def view(
    kind: str,
    body: Json | bytes,
    around: surroundings.Surroundings = surroundings.NOTHING,
    **more: Any,  # noqa: ANN401 - fields of a View
) -> views.View:
    """A look at ``group/Kind`` pos/gateway as it is ``since`` 10 seconds."""
    group, _, name = kind.rpartition("/")
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return views.View(
        objects.ObjectId(group, name, "pos", "gateway"), encoded, around=around, **({"since": 10.0} | more)
    )


def check(kind: str, case: Case, **more: Any) -> None:  # noqa: ANN401 - fields of a View
    """Hold the verdict on an object against the one that is expected."""
    body, lists, state, message, reason = case
    found = workloads.verdict(view(kind, body, listed(**lists), **more))
    assert (found.state, found.message, found.cause.reason if found.cause else "") == (state, message, reason)


def fresh(number: int = 2, **more: Any) -> list[Json]:  # noqa: ANN401 - arguments of pod
    """Pods of the new ReplicaSet."""
    return [pod(f"gateway-new-{at}", "gateway-new", **more) for at in range(number)]


def stateful_set(revision: str = "gateway-b", **more: Any) -> Json:  # noqa: ANN401 - JSON
    """StatefulSet pos/gateway with 3 replicas."""
    status = {"observedGeneration": 2, "replicas": 3, "updateRevision": revision, "currentRevision": "gateway-a"}
    return {
        "metadata": owned("gateway", "") | {"generation": 2},
        "spec": {"replicas": 3} | more.get("spec", {}),
        "status": status | more.get("status", {}),
    }


def numbered(*pods: tuple[int, str, bool], **more: Any) -> list[Json]:  # noqa: ANN401 - arguments of pod
    """Pods of the StatefulSet: number, revision, whether it is ready."""
    return [pod(f"gateway-{at}", "gateway", revision, ready=ready, **more) for at, revision, ready in pods]
