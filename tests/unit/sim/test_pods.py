"""Pods of a simulated cluster: their events, logs and nodes."""

import pytest

from fleetctl.sim import behaviours
from tests.unit.sim import small

RULES = (
    behaviours.Behaviour("*-missing", "pull-fails"),
    behaviours.Behaviour("*-crash", "crashes", message="panic: no till"),
    behaviours.Behaviour("*-huge", "unschedulable"),
)


def _log(cluster: small.Small, **query: object) -> small.Answer:
    [name] = cluster.images()
    return cluster.call("GET", cluster.path("Pod", name) + "/log?" + "&".join(f"{k}={v}" for k, v in query.items()))


def test_a_crashed_container_has_left_its_words() -> None:
    """Of its last end, now and as the one before."""
    cluster = small.Small(*RULES)
    cluster.applied(small.workload(image="app:1-crash"))
    cluster.wait(3)
    assert _log(cluster, container="app", previous="true", tailLines=5) == (200, b"panic: no till\n")


@pytest.mark.parametrize(
    ("image", "query", "said"),
    [
        ("app:1-missing", {}, b"is waiting to start"),
        ("app:1", {"previous": "true"}, b"not found"),
        ("app:1", {"container": "other"}, b"container other is not valid for pod"),
    ],
)
def test_what_was_not_written_is_a_bad_request(image: str, query: dict[str, str], said: bytes) -> None:
    """Containers that never ran have no log, and a container must be one of the pod's."""
    cluster = small.Small(*RULES)
    cluster.applied(small.workload(image=image))
    cluster.wait(5)
    answer = _log(cluster, **query)
    assert answer.status == 400
    assert said in answer.body


def test_healthy_containers_write_nothing() -> None:
    """Their log is empty; that of a pod that is not there is a 404."""
    cluster = small.Small()
    cluster.applied(small.workload())
    cluster.wait(5)
    assert _log(cluster) == (200, b"")
    assert cluster.call("GET", cluster.path("Pod", "none") + "/log").status == 404


def test_events_are_of_the_pod() -> None:
    """They name it by UID, count, and have the time of what they tell."""
    cluster = small.Small(*RULES)
    cluster.applied(small.workload(image="app:1-crash"))
    cluster.wait(100)
    [pod] = cluster.listed("Pod")
    uid = pod["metadata"]["uid"]
    [event] = cluster.listed("Event", fieldSelector=f"involvedObject.uid={uid}")
    assert (event["reason"], event["count"], event["involvedObject"]["uid"]) == ("BackOff", 5, uid)
    assert (event["firstTimestamp"][-3:-1], event["lastTimestamp"][-3:-1]) == ("41", "45")


def test_a_new_pod_of_an_old_name_has_its_own_events() -> None:
    """A StatefulSet's pods have the same names again, and other UIDs."""
    cluster = small.Small(*RULES)
    cluster.applied(small.workload("StatefulSet", "app:1-missing"))
    cluster.wait(10)
    old = cluster.listed("Pod")[0]["metadata"]["uid"]
    cluster.delete("Pod", "web-0")
    cluster.wait(10)
    new = cluster.listed("Pod")[0]["metadata"]["uid"]
    assert old != new
    assert {event["involvedObject"]["uid"] for event in cluster.listed("Event")} == {new}


def test_only_pods_with_a_place_have_a_node() -> None:
    """A pod is on a node from its start, and one that no node takes is on none."""
    cluster = small.Small(*RULES)
    cluster.applied(small.workload())
    cluster.applied(small.workload(image="app:1-huge", name="huge"))
    nodes = {pod["metadata"]["labels"]["app"]: pod["spec"].get("nodeName") for pod in cluster.listed("Pod")}
    assert nodes == {"web": "n0", "huge": None}


def test_without_nodes_nothing_runs() -> None:
    """Pods wait for a node to come."""
    cluster = small.Small(nodes=())
    cluster.applied(small.workload())
    cluster.wait(60)
    [pod] = cluster.listed("Pod")
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"


@pytest.mark.parametrize(("fate", "shows"), [("stuck", "running"), ("crashing", "waiting")])
def test_a_site_may_make_all_pods_fare_alike(fate: behaviours.Fate, shows: str) -> None:
    """Those that are made from now on, whatever their images; those that run go on, and later ones are well again."""
    cluster = small.Small(behaviours.Behaviour("app:1", "ready"))
    cluster.applied(small.workload(name="old"))
    cluster.wait(5)
    cluster.cluster.controllers.fare(fate)
    cluster.applied(small.workload(name="new"))
    cluster.wait(5)
    pods = {pod["metadata"]["labels"]["app"]: pod["status"]["containerStatuses"][0] for pod in cluster.listed("Pod")}
    assert pods["old"]["ready"]
    assert not pods["new"]["ready"]
    assert shows in pods["new"]["state"]
    cluster.cluster.controllers.fare("")
    cluster.delete(
        "Pod", next(p["metadata"]["name"] for p in cluster.listed("Pod") if p["metadata"]["name"][:3] == "new")
    )
    cluster.wait(5)
    assert cluster.ready() == 2
