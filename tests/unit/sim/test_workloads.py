"""Controllers of a simulated cluster, by a clock that the test sets."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.sim import behaviours
from tests.unit.sim import small

BAD = behaviours.Behaviour("*-missing", "pull-fails")


@st.composite
def _story(draw: st.DrawFn) -> list[tuple[str, float]]:
    """Draw what is applied, and how long it is left alone."""
    images = st.sampled_from(["app:1", "app:2", "app:3-missing", "app:4-crash"])
    return draw(st.lists(st.tuples(images, st.floats(0, 9)), min_size=1, max_size=4))


@given(_story(), st.integers(1, 7), st.sampled_from(["Deployment", "StatefulSet", "DaemonSet"]), st.integers(0, 3))
def test_looking_changes_nothing(story: list[tuple[str, float]], looks: int, kind: str, patience: int) -> None:
    """A cluster that is looked at all the time is, in the end, just as one that nobody looked at meanwhile."""
    rules = (BAD, behaviours.Behaviour("*-crash", "crashes"), behaviours.Behaviour(after=0.7))
    left, watched = small.Small(*rules, nodes=("n0", "n1")), small.Small(*rules, nodes=("n0", "n1"))
    size: dict[str, Any] = {"minReadySeconds": patience} | ({} if kind == "DaemonSet" else {"replicas": 3})
    for image, seconds in story:
        for cluster in (left, watched):
            cluster.applied(small.workload(kind, image, **size))
        left.wait(seconds)
        end = watched.now + seconds
        for _ in range(looks - 1):
            watched.wait(seconds / looks)
            watched.listed("Pod")
        watched.now = end
    assert json.loads(left.dump()) == json.loads(watched.dump())


def test_time_passes_while_nobody_looks() -> None:
    """Three pods in order, each ready after ten seconds, take thirty, whenever somebody looks; each at its time."""
    cluster = small.Small(behaviours.Behaviour(after=10))
    cluster.applied(small.workload("StatefulSet", replicas=3))
    cluster.wait(29)
    assert cluster.ready() == 2
    cluster.wait(2)
    assert cluster.ready() == 3
    starts = [pod["status"]["startTime"][-3:-1] for pod in cluster.listed("Pod")]
    assert starts == ["40", "50", "00"]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=4), st.integers(1, 7), st.integers(1, 3))
def test_looking_at_jobs_changes_nothing(pauses: list[float], looks: int, parallelism: int) -> None:
    """The same of Jobs that fail and try again."""
    rules = (behaviours.Behaviour("*-fail", "fails", after=0.7), behaviours.Behaviour(after=2))
    left, watched = small.Small(*rules), small.Small(*rules)
    for number, seconds in enumerate(pauses):
        image = "app:1-fail" if number % 2 else "app:1"
        for cluster in (left, watched):
            spec: dict[str, Any] = {"backoffLimit": 2, "completions": 4, "parallelism": parallelism}
            cluster.applied(small.workload("Job", image, name=f"job-{number}", **spec))
        left.wait(seconds)
        end = watched.now + seconds
        for _ in range(looks - 1):
            watched.wait(seconds / looks)
            watched.listed("Pod")
        watched.now = end
    assert json.loads(left.dump()) == json.loads(watched.dump())


@pytest.mark.parametrize(("kind", "plural"), [("Deployment", "availableReplicas"), ("DaemonSet", "numberAvailable")])
def test_pods_are_available_in_time(kind: str, plural: str) -> None:
    """Ready after one second, available five seconds later, to the second."""
    cluster = small.Small()
    cluster.applied(small.workload(kind, minReadySeconds=5))
    cluster.wait(5.9)
    assert cluster.ready() == 1
    assert cluster.get(kind, "web")["status"].get(plural, 0) == 0
    cluster.wait(0.1)
    assert cluster.get(kind, "web")["status"][plural] == 1


def test_stateful_set_goes_on_when_pods_are_available() -> None:
    """Each pod is made when the one before it has been ready for long enough."""
    cluster = small.Small()
    cluster.applied(small.workload("StatefulSet", replicas=3, minReadySeconds=5))
    cluster.wait(11.9)
    assert len(cluster.images()) == 2
    cluster.wait(0.1)
    assert len(cluster.images()) == 3


def test_daemon_set_replaces_as_many_as_it_says() -> None:
    """``maxUnavailable`` is a number or a share of the nodes, rounded up."""
    for share, gone in ((2, 2), ("40%", 2), ("10%", 1)):
        cluster = small.Small(nodes=("n0", "n1", "n2", "n3"))
        update: dict[str, Any] = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": share}}}
        cluster.applied(small.workload("DaemonSet", **update))
        cluster.wait(5)
        cluster.applied(small.workload("DaemonSet", "app:2", **update))
        assert list(cluster.images().values()).count("app:2") == gone
        cluster.wait(5)
        assert set(cluster.images().values()) == {"app:2"}


def test_stateful_set_stays_stuck_after_a_revert() -> None:
    """A broken pod is not replaced when the template goes back, unless it is deleted: kubernetes#67250."""
    cluster = small.Small(BAD)
    good, bad = small.workload("StatefulSet"), small.workload("StatefulSet", "app:2-missing")
    cluster.applied(good)
    cluster.wait(5)
    first = cluster.get("StatefulSet", "web")["status"]["updateRevision"]
    cluster.applied(bad)
    cluster.wait(60)
    assert cluster.images() == {"web-0": "app:1", "web-1": "app:2-missing"}
    cluster.applied(good)
    cluster.wait(600)
    assert cluster.images() == {"web-0": "app:1", "web-1": "app:2-missing"}
    assert cluster.get("StatefulSet", "web")["status"]["updateRevision"] == first
    cluster.delete("Pod", "web-1")
    cluster.wait(5)
    status = cluster.get("StatefulSet", "web")["status"]
    assert cluster.images() == {"web-0": "app:1", "web-1": "app:1"}
    assert (status["readyReplicas"], status["updatedReplicas"]) == (2, 2)
    assert status["currentRevision"] == status["updateRevision"] == first


def test_parallel_stateful_set_is_not_stuck() -> None:
    """With Parallel all pods are made at once, and a broken one is replaced by a revert."""
    cluster = small.Small(BAD)
    spec: dict[str, Any] = {"podManagementPolicy": "Parallel", "replicas": 3}
    cluster.applied(small.workload("StatefulSet", **spec))
    assert len(cluster.images()) == 3
    cluster.wait(2)
    cluster.applied(small.workload("StatefulSet", "app:2-missing", **spec))
    cluster.wait(60)
    assert sorted(cluster.images().values()) == ["app:1", "app:1", "app:2-missing"]
    cluster.applied(small.workload("StatefulSet", **spec))
    cluster.wait(5)
    assert set(cluster.images().values()) == {"app:1"}


@pytest.mark.parametrize(
    ("strategy", "images"),
    [
        ({"type": "OnDelete"}, ["app:1", "app:1", "app:1"]),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}, ["app:1", "app:2", "app:2"]),
        ({"type": "RollingUpdate"}, ["app:2", "app:2", "app:2"]),
    ],
)
def test_stateful_set_updates_as_it_says(strategy: dict[str, object], images: list[str]) -> None:
    """OnDelete waits for somebody to delete pods, a partition leaves the first ones alone."""
    cluster = small.Small()
    cluster.applied(small.workload("StatefulSet", replicas=3, updateStrategy=strategy))
    cluster.wait(10)
    cluster.applied(small.workload("StatefulSet", "app:2", replicas=3, updateStrategy=strategy))
    cluster.wait(10)
    assert list(cluster.images().values()) == images


def test_stateful_set_scales() -> None:
    """The highest numbers come last and go first."""
    cluster = small.Small()
    cluster.applied(small.workload("StatefulSet", replicas=3))
    cluster.wait(10)
    cluster.applied(small.workload("StatefulSet", replicas=1))
    assert list(cluster.images()) == ["web-0"]


def test_daemon_set_replaces_one_at_a_time() -> None:
    """Only one node is without a ready pod at a time; a broken template stops at the first."""
    cluster = small.Small(BAD, nodes=("n0", "n1", "n2"))
    cluster.applied(small.workload("DaemonSet"))
    cluster.wait(2)
    assert cluster.ready() == 3
    cluster.applied(small.workload("DaemonSet", "app:2"))
    assert cluster.ready() == 2
    cluster.wait(5)
    assert set(cluster.images().values()) == {"app:2"}
    cluster.applied(small.workload("DaemonSet", "app:3-missing"))
    cluster.wait(60)
    assert sorted(cluster.images().values()) == ["app:2", "app:2", "app:3-missing"]
    assert cluster.get("DaemonSet", "web")["status"]["numberUnavailable"] == 1
    cluster.applied(small.workload("DaemonSet", "app:2"))
    cluster.wait(5)
    assert cluster.ready() == 3


def test_daemon_set_may_wait_for_deletes() -> None:
    """OnDelete."""
    cluster = small.Small()
    cluster.applied(small.workload("DaemonSet", updateStrategy={"type": "OnDelete"}))
    cluster.wait(2)
    cluster.applied(small.workload("DaemonSet", "app:2", updateStrategy={"type": "OnDelete"}))
    cluster.wait(5)
    [name] = cluster.images()
    cluster.delete("Pod", name)
    assert list(cluster.images().values()) == ["app:2"]


def test_job_that_has_ended_does_not_run_again() -> None:
    """Not even when its pod is deleted. It tells when it began and ended."""
    cluster = small.Small()
    cluster.applied(small.workload("Job"))
    cluster.wait(5)
    status = cluster.get("Job", "web")["status"]
    assert {one["type"] for one in status["conditions"]} == {"SuccessCriteriaMet", "Complete"}
    assert (status["startTime"][-3:], status["completionTime"][-3:]) == ("40Z", "41Z")
    [name] = cluster.images()
    cluster.delete("Pod", name)
    cluster.wait(60)
    assert cluster.images() == {}
    assert cluster.get("Job", "web")["status"] == status


def test_suspended_job_waits() -> None:
    """No pod is made until it goes on."""
    cluster = small.Small()
    cluster.applied(small.workload("Job", suspend=True))
    cluster.wait(60)
    assert cluster.images() == {}
    cluster.applied(small.workload("Job", suspend=False))
    assert len(cluster.images()) == 1


def test_history_has_a_limit() -> None:
    """Revisions beyond the limit are forgotten, those in use are not."""
    cluster = small.Small()
    for number in range(8):
        cluster.applied(small.workload("StatefulSet", f"app:{number}", revisionHistoryLimit=2))
        cluster.wait(10)
    revisions = sorted(item["revision"] for item in cluster.listed("ControllerRevision"))
    assert revisions == [6, 7, 8]


def test_what_is_being_deleted_is_left_alone() -> None:
    """A workload held by a finalizer makes no new pods, and its namespace can end."""
    cluster = small.Small()
    body = small.workload()
    body["metadata"]["finalizers"] = ["x/a"]
    cluster.applied(body)
    cluster.delete("Deployment", "web")
    [name] = cluster.images()
    cluster.delete("Pod", name)
    assert cluster.images() == {}
    assert cluster.call("DELETE", f"/api/v1/namespaces/{small.NAMESPACE}").json["status"] == {"phase": "Terminating"}
    cluster.applied(small.workload())
    assert cluster.call("GET", f"/api/v1/namespaces/{small.NAMESPACE}").status == 404
