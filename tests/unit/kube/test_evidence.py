"""The chain from an object down to its containers, and the logs that belong to it."""

import json
from typing import Any

import hypothesis
from hypothesis import strategies as st

from fleetctl.kube import evidence, surroundings, views, workloads
from fleetctl.model import objects, outcomes
from tests.unit.kube import cluster

NO_PLATFORM = "no match for platform in manifest: not found"
PULLING = ("ImagePullBackOff", f'Back-off pulling image "{cluster.IMAGE}": ErrImagePull: {NO_PLATFORM}')
NEW = cluster.replica_set("gateway-7d9c4f", "2")


def _chain(kind: str, body: cluster.Json, around: surroundings.Surroundings, **more: Any) -> Any:  # noqa: ANN401 - JSON
    seen = cluster.view(kind, body, around)
    made = evidence.chain(seen, workloads.verdict(seen), **more)
    # It is stored as JSON, and read back by others.
    return json.loads(objects.canonical(made))  # type: ignore[arg-type]


def _deployment(*pods: cluster.Json, events: tuple[cluster.Json, ...] = ()) -> surroundings.Surroundings:
    return cluster.listed(replica_sets=[NEW], pods=list(pods), events=list(events))


def test_chain_of_a_deployment() -> None:
    """Deployment, ReplicaSet, pod, container: all that the screen of ``why`` shows."""
    stuck = cluster.pod("gateway-7d9c4f-x2x8p", "gateway-7d9c4f", waiting=PULLING, phase="Pending")
    well = cluster.pod("gateway-7d9c4f-aaaaa", "gateway-7d9c4f", ready=True)
    about = stuck["metadata"]["uid"]
    events = (
        cluster.event(about, "Failed", f'Failed to pull image "{cluster.IMAGE}": {NO_PLATFORM}', count=2),
        cluster.event(about, "Failed", "Error: ErrImagePull", count=2, lastTimestamp="2026-11-27T10:00:20Z"),
        cluster.event(about, "BackOff", "Back-off pulling image", type="Normal"),
        cluster.event(about, "Scheduled", "Successfully assigned", type="Normal"),
        cluster.event("somebody-else", "Failed", "other"),
    )
    found = _chain("apps/Deployment", cluster.deployment(), _deployment(stuck, well, events=events))
    assert found == {
        "group": "apps",
        "kind": "Deployment",
        "namespace": "pos",
        "name": "gateway",
        "state": "progressing",
        "message": "1 of 2 pods of the new template ready",
        "children": [
            {
                "kind": "ReplicaSet",
                "name": "gateway-7d9c4f",
                "children": [
                    {
                        "kind": "Pod",
                        "name": "gateway-7d9c4f-x2x8p",
                        "node": "n0",
                        "phase": "Pending",
                        "events": [
                            {
                                "reason": "Failed",
                                "message": f'Failed to pull image "{cluster.IMAGE}": {NO_PLATFORM}',
                                "count": 4,
                                "seconds": 38.0,
                            },
                            {"reason": "BackOff", "message": "Back-off pulling image", "count": 1, "seconds": 38.0},
                        ],
                        "children": [
                            {
                                "kind": "container",
                                "name": "gateway",
                                "image": cluster.IMAGE,
                                "state": "waiting",
                                "reason": "ImagePullBackOff",
                                "message": NO_PLATFORM,
                                "restarts": 0,
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_chain_of_a_crash_with_its_log() -> None:
    """How the container ended, and its last lines without what a terminal would obey."""
    crashed = cluster.pod(
        "gateway-7d9c4f-x2x8p",
        "gateway-7d9c4f",
        waiting=("CrashLoopBackOff", "back-off 40s"),
        restarts=4,
        last={"exitCode": 1, "reason": "Error", "message": "no such file"},
    )
    around = _deployment(crashed)
    seen = cluster.view("apps/Deployment", cluster.deployment(), around)
    [log] = evidence.logs(seen)
    assert log == evidence.Log("pos", "gateway-7d9c4f-x2x8p", "gateway", previous=False)
    text = b"".join(b"line %d\n" % number for number in range(20)) + b"\x1b[31mboom \xff\n"
    found = _chain("apps/Deployment", cluster.deployment(), around, fetched={log: text})
    [container] = found["children"][0]["children"][0]["children"]
    assert container["last"] == "exit code 1 (Error)"
    assert container["message"] == "no such file"
    assert container["restarts"] == 4
    assert len(container["log"]) == 10
    assert container["log"][-2:] == ["line 19", "[31mboom \ufffd"]


def test_log_of_the_run_before() -> None:
    """A container that runs again says nothing of why it crashed; its run before does."""
    again = cluster.pod("p", "gateway-7d9c4f", restarts=1, last={"exitCode": 1})
    first = cluster.pod("q", "gateway-7d9c4f")
    never = cluster.pod("r", "gateway-7d9c4f", waiting=PULLING)
    found = evidence.logs(cluster.view("apps/Deployment", cluster.deployment(), _deployment(again, first, never)))
    assert [(log.pod, log.previous) for log in found] == [("p", True), ("q", False)]


def test_path_of_a_log() -> None:
    """What is asked for is bounded, and names cannot lead elsewhere."""
    log = evidence.Log("pos", "p-1", "gateway", previous=True)
    wanted = "/api/v1/namespaces/pos/pods/p-1/log?container=gateway&tailLines=10&limitBytes=16384&previous=true"
    assert log.path == wanted
    assert evidence.Log("pos", "a b", "x&y", previous=False).path.startswith(
        "/api/v1/namespaces/pos/pods/a%20b/log?container=x%26y&tailLines"
    )


def test_chain_is_short() -> None:
    """Three pods tell what twenty would; the others are counted."""
    pods = [cluster.pod(f"p-{number}", "gateway-7d9c4f", waiting=PULLING) for number in range(20)]
    found = _chain("apps/Deployment", cluster.deployment(), _deployment(*pods))
    assert len(found["children"][0]["children"]) == 3
    assert found["more"] == 17
    assert len(evidence.logs(cluster.view("apps/Deployment", cluster.deployment(), _deployment(*pods)))) == 0


def test_chain_is_bounded() -> None:
    """Whatever a cluster says, and however much of it, the chain stays small; and a verdict's cause does."""
    long = "x" * 100_000
    names = [f"{number}{long}" for number in range(20)]
    waiting = {"state": {"waiting": {"reason": long, "message": long}}, "restartCount": 1}
    last = {"lastState": {"terminated": {"exitCode": 1, "reason": long, "message": long}}}
    pods = []
    for name in names:
        pod = cluster.pod(name, "gateway-7d9c4f", status={"phase": long, "reason": long, "message": long})
        pod["status"]["containerStatuses"] = [{"name": one, "image": long, **waiting, **last} for one in names]
        pods.append(pod)
    events = tuple(cluster.event(pod["metadata"]["uid"], reason, long) for pod in pods for reason in names)
    around = _deployment(*pods, events=events)
    logs = evidence.logs(cluster.view("apps/Deployment", cluster.deployment(), around))
    found = _chain(
        "apps/Deployment", cluster.deployment(), around, fetched=dict.fromkeys(logs, (b"y" * 5_000 + b"\n") * 100)
    )
    assert len(json.dumps(found)) < 500_000
    assert found["children"][0]["children"][0]["children"][0]["log"]
    verdict = workloads.verdict(cluster.view("apps/Deployment", cluster.deployment(), around))
    assert verdict.cause is not None
    assert len(str(verdict.cause)) < 3_100


def test_chain_has_no_values() -> None:
    """Specs with environment variables, and what a Secret holds, are never part of it."""
    pod = cluster.pod("p", "gateway-7d9c4f", waiting=PULLING)
    pod["spec"]["containers"][0]["env"] = [{"name": "TOKEN", "value": "hunter2"}]
    body = cluster.deployment(spec={"template": {"spec": pod["spec"]}})
    assert "hunter2" not in json.dumps(_chain("apps/Deployment", body, _deployment(pod)))
    secret = {"metadata": {"uid": "s"}, "data": {"token": "aHVudGVyMg=="}, "stringData": {"token": "hunter2"}}
    assert "unter" not in json.dumps(_chain("Secret", secret, surroundings.NOTHING))


def test_chain_without_pods() -> None:
    """Where no pod could be made, what the ReplicaSet met is all there is."""
    refused = cluster.event("gateway-7d9c4f", "FailedCreate", "exceeded quota")
    found = _chain("apps/Deployment", cluster.deployment(), _deployment(events=(refused,)))
    [made] = found["children"]
    assert made["kind"] == "ReplicaSet"
    assert "children" not in made
    assert made["events"][0]["reason"] == "FailedCreate"


def test_chain_of_a_stuck_stateful_set() -> None:
    """The pod of the old template that is in the way is part of the story."""
    around = cluster.listed(pods=cluster.numbered((0, "gateway-a", False), (1, "gateway-b", True)))
    found = _chain("apps/StatefulSet", cluster.stateful_set(), around)
    assert [child["name"] for child in found["children"]] == ["gateway-0"]
    [container] = found["children"][0]["children"]
    assert container["state"] == "running, not ready"


def test_chain_of_a_job() -> None:
    """Pods that ended count, those that ended well do not."""
    bad = cluster.pod("p", "gateway", phase="Failed", ended={"exitCode": 2, "reason": "Error", "message": "no\ndisk"})
    good = cluster.pod("q", "gateway", phase="Succeeded", ended={"exitCode": 0})
    found = _chain("batch/Job", {"metadata": cluster.owned("gateway", "")}, cluster.listed(pods=[bad, good]))
    [child] = found["children"]
    [container] = child["children"]
    assert child["name"] == "p"
    assert (container["state"], container["reason"], container["message"]) == ("ended", "Error", "no disk")


def test_chain_of_a_pod_and_of_others() -> None:
    """A pod of its own is its own child; an object without pods has nothing below it."""
    lone = cluster.pod("gateway", unscheduled="0/1 nodes are available: 1 Insufficient cpu.")
    [child] = _chain("Pod", lone, surroundings.NOTHING)["children"]
    assert (child["name"], child["reason"], child["message"]) == ("gateway", "Unschedulable", "insufficient cpu")
    assert "node" not in child
    assert "children" not in _chain("Pod", cluster.pod("gateway", ready=True), surroundings.NOTHING)
    found = _chain("PersistentVolumeClaim", {"status": {"phase": "Pending"}}, surroundings.NOTHING)
    assert found["message"] == "not bound to a volume yet"
    assert "children" not in found


def test_chain_before_a_container_starts() -> None:
    """A container of which nothing is known is told apart from one that runs."""
    bare = {"metadata": {"name": "gateway"}, "status": {"containerStatuses": [{"name": "a"}]}}
    [child] = _chain("Pod", bare, surroundings.NOTHING)["children"]
    assert child["children"][0]["state"] == "not started"


@hypothesis.given(
    st.sampled_from(["apps/Deployment", "apps/StatefulSet", "batch/Job", "Pod", "ConfigMap"]), st.binary()
)
def test_no_object_raises(kind: str, body: bytes) -> None:
    """What cannot be read has a chain of one link."""
    seen: views.View = cluster.view(kind, body)
    verdict = outcomes.Verdict(seen.id, outcomes.State.UNKNOWN, "odd")
    assert evidence.chain(seen, verdict)["message"] == "odd"
    assert evidence.logs(seen) == []
