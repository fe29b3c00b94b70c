"""When an object's own status says that its controller is through with it."""

import json
from typing import Any

import pytest

from fleetctl.kube import settling
from fleetctl.model import objects

WELL = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
EVERYWHERE = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
}


def _settled(kind: str, status: dict[str, Any], generation: int = 0, group: str = "apps") -> bool:
    body = {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}
    return settling.settled(objects.ObjectId(group, kind, "s", "a"), json.dumps(body).encode(), generation)


@pytest.mark.parametrize(
    ("kind", "status", "settled"),
    [
        ("Deployment", WELL, True),
        ("Deployment", {}, False),
        ("Deployment", {**WELL, "observedGeneration": 1}, False),
        ("Deployment", {**WELL, "updatedReplicas": 1}, False),
        ("Deployment", {**WELL, "availableReplicas": 1}, False),
        ("Deployment", {**WELL, "replicas": 3}, False),
        ("Deployment", {"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False"}]}, True),
        ("Deployment", {"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "True"}]}, False),
        ("StatefulSet", WELL, True),
        ("StatefulSet", {**WELL, "readyReplicas": 1}, False),
        ("StatefulSet", {**WELL, "updatedReplicas": 0}, False),
        ("DaemonSet", EVERYWHERE, True),
        ("DaemonSet", {**EVERYWHERE, "numberAvailable": 2}, False),
        ("DaemonSet", {**EVERYWHERE, "updatedNumberScheduled": 1}, False),
    ],
)
def test_workloads(kind: str, status: dict[str, Any], *, settled: bool) -> None:
    """All that is wanted is there and new, or the controller has given up."""
    assert _settled(kind, status) is settled


def test_what_was_applied_counts() -> None:
    """A status of an earlier generation says nothing."""
    assert not _settled("Deployment", WELL, generation=3)


def test_other_kinds_are_judged_by_their_conditions() -> None:
    """Jobs, claims and custom resources: whatever is not under way."""
    done = [{"type": "Complete", "status": "True"}]
    assert _settled("Job", {"conditions": done}, group="batch")
    assert not _settled("Job", {"active": 1}, group="batch")
    assert not _settled("PersistentVolumeClaim", {"phase": "Pending"}, group="")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"status": {"replicas": "x"}}', b"\xff"])
def test_what_cannot_be_read_is_looked_at(body: bytes) -> None:
    """Nothing raises; a look will say what is wrong."""
    assert settling.settled(objects.ObjectId("apps", "Deployment", "s", "a"), body)
