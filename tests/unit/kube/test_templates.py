"""Which pods are of the template applied last, and which of an older one are in its way."""

import pytest

from fleetctl.kube import templates
from tests.unit.kube import cluster

A, B = "gateway-a", "gateway-b"

STUCK: dict[str, tuple[cluster.Json, list[cluster.Json], list[str]]] = {
    "highest ordinal first, as numbers": (
        cluster.stateful_set(spec={"replicas": 11}),
        cluster.numbered((2, A, False), (10, A, False), (9, A, True), (8, B, False)),
        ["gateway-10", "gateway-2"],
    ),
    "pods that are going go by themselves": (cluster.stateful_set(), cluster.numbered((2, A, False), deleted=True), []),
    "pods that ended are made anew": (cluster.stateful_set(), cluster.numbered((2, A, False), phase="Failed"), []),
    "below the partition they would come back as they are": (
        cluster.stateful_set(spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}}),
        cluster.numbered((0, A, False), (1, A, False)),
        ["gateway-1"],
    ),
    "in parallel nothing gets stuck": (
        cluster.stateful_set(spec={"podManagementPolicy": "Parallel"}),
        cluster.numbered((0, A, False)),
        [],
    ),
    "on delete it is somebody else's business": (
        cluster.stateful_set(spec={"updateStrategy": {"type": "OnDelete"}}),
        cluster.numbered((0, A, False)),
        [],
    ),
    "nobody knows the new revision yet": (
        cluster.stateful_set(status={"observedGeneration": 1}),
        cluster.numbered((0, A, False)),
        [],
    ),
    "on a node that is not ready it is of no use": (
        cluster.stateful_set(),
        cluster.numbered((0, A, False), node="n2"),
        [],
    ),
    "names without an ordinal": (
        cluster.stateful_set(),
        [cluster.pod("odd", "gateway", A), cluster.pod("odd-²", "gateway", A)],
        [],
    ),
}


@pytest.mark.parametrize(("body", "pods", "names"), STUCK.values(), ids=STUCK)
def test_stuck_pods(body: cluster.Json, pods: list[cluster.Json], names: list[str]) -> None:
    """Pods neither ready nor of the update revision block a StatefulSet for ever (kubernetes#67250)."""
    around = cluster.listed(pods=pods, nodes=[cluster.node("n2", ready=False)])
    found = templates.stuck_pods(cluster.view("apps/StatefulSet", body, around))
    assert [pod.metadata.name for pod in found] == names


def test_only_stateful_sets_get_stuck() -> None:
    """Other workloads replace pods that are not ready by themselves."""
    around = cluster.listed(pods=cluster.numbered((0, A, False)))
    assert templates.stuck_pods(cluster.view("apps/Deployment", cluster.stateful_set(), around)) == []
