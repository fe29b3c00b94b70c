"""Deployments of a simulated cluster, by a clock that the test sets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.sim import behaviours
from tests.unit.sim import small

BAD = behaviours.Behaviour("*-missing", "pull-fails")
REVISION = "deployment.kubernetes.io/revision"


def _conditions(cluster: small.Small) -> dict[str, dict[str, str]]:
    return {one["type"]: one for one in cluster.get("Deployment", "web")["status"]["conditions"]}


def _numbers(cluster: small.Small) -> dict[str, Any]:
    status = cluster.get("Deployment", "web")["status"]
    return {key: value for key, value in status.items() if key.endswith("eplicas")}


@given(
    st.integers(1, 6),
    st.one_of(st.integers(0, 3), st.sampled_from(["0%", "25%", "50%", "100%"])),
    st.one_of(st.integers(0, 3), st.sampled_from(["0%", "25%", "50%", "100%"])),
)
def test_a_rollout_keeps_within_its_strategy(replicas: int, surge: int | str, unavailable: int | str) -> None:
    """Never more pods than replicas and surge, never fewer ready than may lack, and in the end all are new."""
    if {str(surge).rstrip("%"), str(unavailable).rstrip("%")} == {"0"}:
        return
    rolling = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    cluster = small.Small()
    cluster.applied(small.workload(replicas=replicas, strategy=rolling))
    cluster.wait(5)
    assert cluster.ready() == replicas

    def part(value: int | str, *, up: bool) -> int:
        share = replicas * int(value.rstrip("%")) if isinstance(value, str) else value * 100
        return -(-share // 100) if up else share // 100

    most, lacking = replicas + part(surge, up=True), part(unavailable, up=False)
    if most == replicas and not lacking:
        lacking = 1
    cluster.applied(small.workload(image="app:2", replicas=replicas, strategy=rolling))
    for _ in range(40):
        assert len(cluster.images()) <= most
        assert cluster.ready() >= replicas - lacking
        cluster.wait(0.5)
    assert list(cluster.images().values()) == ["app:2"] * replicas
    assert _conditions(cluster)["Progressing"]["reason"] == "NewReplicaSetAvailable"


def test_old_pods_stay_until_new_ones_are_ready() -> None:
    """A broken release leaves the old pod serving, and says so; the revert brings it back at once."""
    cluster = small.Small(BAD)
    cluster.applied(small.workload())
    cluster.wait(2)
    cluster.applied(small.workload(image="app:2-missing"))
    cluster.wait(60)
    assert sorted(cluster.images().values()) == ["app:1", "app:2-missing"]
    numbers = _numbers(cluster)
    assert (numbers["updatedReplicas"], numbers["availableReplicas"], numbers["unavailableReplicas"]) == (1, 1, 1)
    assert _conditions(cluster)["Available"]["status"] == "True"
    cluster.applied(small.workload())
    assert list(cluster.images().values()) == ["app:1"]
    found = cluster.get("Deployment", "web")
    assert found["metadata"]["annotations"][REVISION] == "3"


def test_broken_pods_go_only_when_the_new_one_serves() -> None:
    """Where nothing ever served, the old broken pod stays until the new one is ready."""
    cluster = small.Small(BAD)
    cluster.applied(small.workload(image="app:1-missing"))
    cluster.wait(5)
    cluster.applied(small.workload(image="app:2"))
    assert sorted(cluster.images().values()) == ["app:1-missing", "app:2"]
    cluster.wait(2)
    assert list(cluster.images().values()) == ["app:2"]


def test_recreate_ends_the_old_first() -> None:
    """No old pod is left when the new ones begin."""
    cluster = small.Small()
    cluster.applied(small.workload(replicas=2, strategy={"type": "Recreate"}))
    cluster.wait(2)
    cluster.applied(small.workload(image="app:2", replicas=2, strategy={"type": "Recreate"}))
    assert (set(cluster.images().values()), cluster.ready()) == ({"app:2"}, 0)
    assert _conditions(cluster)["Available"]["status"] == "False"


def test_paused_does_not_roll() -> None:
    """A new template waits, scaling does not; what is paused is never late."""
    cluster = small.Small()
    cluster.applied(small.workload())
    cluster.wait(2)
    cluster.applied(small.workload(image="app:2", paused=True, replicas=2))
    cluster.wait(1000)
    assert list(cluster.images().values()) == ["app:1", "app:1"]
    progressing = _conditions(cluster)["Progressing"]
    assert (progressing["status"], progressing["reason"]) == ("Unknown", "DeploymentPaused")
    cluster.applied(small.workload(image="app:2", replicas=2))
    cluster.wait(5)
    assert list(cluster.images().values()) == ["app:2", "app:2"]


def test_no_progress_has_a_deadline() -> None:
    """It is told at its time, to the second, though nobody looked; and taken back when it goes on."""
    cluster = small.Small(BAD)
    cluster.applied(small.workload(image="app:1-missing", progressDeadlineSeconds=100))
    cluster.wait(99)
    assert _conditions(cluster)["Progressing"]["status"] == "True"
    cluster.wait(500)
    late = _conditions(cluster)["Progressing"]
    assert (late["status"], late["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert late["lastTransitionTime"] == "1970-01-12T13:48:20Z"
    cluster.applied(small.workload(image="app:2", progressDeadlineSeconds=100))
    cluster.wait(5)
    assert _conditions(cluster)["Progressing"]["reason"] == "NewReplicaSetAvailable"


def test_conditions_keep_their_times() -> None:
    """A condition that says what it said has the times that it had."""
    cluster = small.Small()
    cluster.applied(small.workload(replicas=4))
    cluster.wait(2)
    before = _conditions(cluster)
    cluster.wait(50)
    cluster.applied(small.workload(replicas=5))
    cluster.wait(50)
    after = _conditions(cluster)
    assert after["Available"]["lastTransitionTime"] == before["Available"]["lastTransitionTime"]


@pytest.mark.parametrize("replicas", [0, 1, 4])
def test_scaling(replicas: int) -> None:
    """Pods are made and taken away; no new ReplicaSet is needed, and the selector finds its pods."""
    cluster = small.Small()
    cluster.applied(small.workload(replicas=2))
    cluster.wait(2)
    cluster.applied(small.workload(replicas=replicas))
    cluster.wait(2)
    assert len(cluster.images()) == cluster.ready() == replicas
    [found] = cluster.listed("ReplicaSet")
    assert found["status"]["replicas"] == found["spec"]["replicas"] == replicas
    labels = found["spec"]["selector"]["matchLabels"]
    assert all(labels.items() <= pod["metadata"]["labels"].items() for pod in cluster.listed("Pod"))


def test_deleted_pods_come_again() -> None:
    """A pod that somebody deletes is replaced by another."""
    cluster = small.Small()
    cluster.applied(small.workload())
    [before] = cluster.images()
    cluster.delete("Pod", before)
    [after] = cluster.images()
    assert after != before


def test_history_has_a_limit() -> None:
    """ReplicaSets without pods are kept up to the limit; the newest stay."""
    cluster = small.Small()
    for number in range(6):
        cluster.applied(small.workload(image=f"app:{number}", revisionHistoryLimit=2))
        cluster.wait(5)
    numbers = sorted(item["metadata"]["annotations"][REVISION] for item in cluster.listed("ReplicaSet"))
    assert numbers == ["4", "5", "6"]
