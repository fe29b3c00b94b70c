"""What a soak compares: restarts, pods, readiness."""

from typing import Any

import pytest

from fleetctl.kube import standing, surroundings, views
from fleetctl.model import outcomes
from tests.unit.kube import cluster

NEW = cluster.replica_set("gateway-new", "2", 2)


def _view(*pods: cluster.Json, replicas: int = 2, **lists: Any) -> views.View:  # noqa: ANN401 - lists
    body = cluster.deployment(spec={"replicas": replicas}, status={"replicas": replicas, "updatedReplicas": replicas})
    made = cluster.replica_set("gateway-new", "2", replicas)
    return cluster.view("apps/Deployment", body, cluster.listed(replica_sets=[made], pods=list(pods), **lists))


def test_pods_that_stay_as_they_are() -> None:
    """Restarts from before the soak do not count."""
    pods = cluster.fresh(2, ready=True, restarts=5)
    before = standing.standing(_view(*pods))
    assert before == {"gateway-new-0": 5, "gateway-new-1": 5}
    assert standing.fallen(_view(*pods), before) is None


def test_restart() -> None:
    """A container that restarted is a cause even though it is ready again."""
    before = standing.standing(_view(*cluster.fresh(2, ready=True)))
    now = _view(*cluster.fresh(2, ready=True, restarts=1, last={"exitCode": 137, "reason": "OOMKilled"}))
    cause = outcomes.Cause("ContainerRestarted", "container gateway", "exit code 137 (OOMKilled)")
    assert standing.fallen(now, before) == cause


def test_restart_of_one_container_of_several() -> None:
    """The container that restarted is named."""
    [pod] = cluster.fresh(1, ready=True)
    calm = {"name": "proxy", "ready": True, "restartCount": 0}
    pod["status"]["initContainerStatuses"] = [calm]
    before = standing.standing(_view(pod, replicas=1))
    [now] = cluster.fresh(1, ready=True, restarts=1)
    now["status"]["initContainerStatuses"] = [calm]
    found = standing.fallen(_view(now, replicas=1), before)
    assert found is not None
    assert found.subject == "container gateway"


def test_pod_not_ready_any_more() -> None:
    """The verdict's own cause is told, or what it waits for."""
    before = standing.standing(_view(*cluster.fresh(2, ready=True)))
    waits = standing.fallen(_view(*cluster.fresh(1, ready=True)), before)
    assert waits == outcomes.Cause("NotReady", "Deployment pos/gateway", "1 of 2 pods of the new template ready")
    broken = [
        *cluster.fresh(1, ready=True),
        cluster.pod("x", "gateway-new", waiting=("CrashLoopBackOff", ""), restarts=1),
    ]
    crash = standing.fallen(_view(*broken), before)
    assert crash is not None
    assert crash.reason == "CrashLoopBackOff"


def test_pod_replaced() -> None:
    """A pod that died and came back as another one is not as it was."""
    before = standing.standing(_view(*cluster.fresh(2, ready=True)))
    now = _view(*cluster.fresh(1, ready=True), cluster.pod("gateway-new-9", "gateway-new", ready=True))
    found = standing.fallen(now, before)
    assert found is not None
    assert found.reason == "PodReplaced"


@pytest.mark.parametrize("replicas", [1, 3])
def test_scaling_is_no_fall(replicas: int) -> None:
    """An autoscaler may add pods or take some away."""
    before = standing.standing(_view(*cluster.fresh(2, ready=True)))
    assert standing.fallen(_view(*cluster.fresh(replicas, ready=True), replicas=replicas), before) is None


def test_pods_on_nodes_that_are_not_ready() -> None:
    """What is owed was not well before, and proves nothing now."""
    pods = [*cluster.fresh(1, ready=True), cluster.pod("x", "gateway-new", node="n2", restarts=3)]
    seen = _view(*pods, nodes=[cluster.node("n2", ready=False)])
    assert standing.standing(seen) == {"gateway-new-0": 0}


def test_pod_of_its_own_and_others() -> None:
    """A lone pod stands for itself; what has no pods has nothing to compare, whatever its form."""
    lone = cluster.view("Pod", cluster.pod("gateway", ready=True, restarts=2))
    assert standing.standing(lone) == {"gateway": 2}
    assert standing.fallen(lone, {"gateway": 2}) is None
    assert standing.standing(cluster.view("ConfigMap", {"data": {}}, surroundings.NOTHING)) == {}
    assert standing.standing(cluster.view("apps/Deployment", b"null")) == {}
