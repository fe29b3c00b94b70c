"""What controllers and nodes make of an applied workload, and how it shows. Held against every target of conftest.py.

An image's tag says how its pods fare: see tests/kubebox/stages/pods.yaml.
"""

from typing import Any

from tests.contract import talking

REVISION = "deployment.kubernetes.io/revision"


def _conditions(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in found.get("status", {}).get("conditions", ())}


def _available(place: talking.Place, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return a Deployment that is available and done, or None."""
    found = place.get("deployments", name)
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return found if seen and counts == [wanted] * 4 else None


def _progressing(place: talking.Place, reason: str) -> Any:  # noqa: ANN401 - JSON
    """Return the condition Progressing of the Deployment ``web`` when it has a reason, or None."""
    found = _conditions(place.get("deployments", "web")).get("Progressing", {})
    return found if found.get("reason") == reason else None


def _pods(place: talking.Place, app: str) -> list[Any]:
    """Return an app's pods that are not being deleted, by name."""
    found = place.listed("pods", labelSelector=f"app={app}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def _waiting(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = pod["status"].get("containerStatuses", [{}])
    waiting: dict[str, Any] = statuses[0].get("state", {}).get("waiting", {})
    return waiting


def _stuck(place: talking.Place, app: str, *reasons: str) -> Any:  # noqa: ANN401 - JSON
    """Return the app's pod whose container waits for one of the reasons, once there is one."""
    return talking.until(
        lambda: next((pod for pod in _pods(place, app) if _waiting(pod).get("reason") in reasons), None),
        f"a pod of {app} is {' or '.join(reasons)}",
    )


def _events(place: talking.Place, pod: dict[str, Any]) -> list[Any]:
    return place.listed("events", fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}")


def _owner(found: dict[str, Any]) -> tuple[str, str]:
    [owner] = found["metadata"]["ownerReferences"]
    assert owner["controller"]
    return owner["kind"], owner["uid"]


def test_deployment_becomes_available(place: talking.Place) -> None:
    """A Deployment ends with all counts equal, and with the conditions and reasons that say so."""
    applied = place.applied(talking.deployment("web", replicas=2))
    found = talking.until(lambda: _available(place, "web"), "it is available")
    assert found["metadata"]["generation"] == applied["metadata"]["generation"]
    conditions = _conditions(found)
    assert (conditions["Available"]["status"], conditions["Available"]["reason"]) == (
        "True",
        "MinimumReplicasAvailable",
    )
    progressing = talking.until(lambda: _progressing(place, "NewReplicaSetAvailable"), "it is done")
    assert progressing["status"] == "True"
    assert "unavailableReplicas" not in place.get("deployments", "web")["status"]


def test_deployment_owns_replica_sets_and_pods(place: talking.Place) -> None:
    """Revision, template hash and owners lead from a Deployment to its current ReplicaSet and on to its pods."""
    place.applied(talking.deployment("web", replicas=2))
    found = talking.until(lambda: _available(place, "web"), "it is available")
    assert found["metadata"]["annotations"][REVISION] == "1"
    [replica_set] = place.listed("replicasets", labelSelector="app=web")
    assert replica_set["metadata"]["annotations"][REVISION] == "1"
    assert _owner(replica_set) == ("Deployment", found["metadata"]["uid"])
    hashed = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{hashed}"
    assert replica_set["status"]["readyReplicas"] == 2
    pods = _pods(place, "web")
    assert len(pods) == 2
    for pod in pods:
        assert pod["metadata"]["labels"]["pod-template-hash"] == hashed
        assert _owner(pod) == ("ReplicaSet", replica_set["metadata"]["uid"])
        assert pod["spec"]["nodeName"]
        assert pod["status"]["phase"] == "Running"
        assert _conditions(pod)["Ready"]["status"] == "True"
        [container] = pod["status"]["containerStatuses"]
        assert (container["name"], container["ready"], container["restartCount"]) == ("app", True, 0)
        assert container["image"] == "app:1.0"
        assert container["state"]["running"]["startedAt"]


def test_new_template_is_a_new_revision(place: talking.Place) -> None:
    """A changed image makes a second ReplicaSet with the next revision, and the first one ends with no pods."""
    place.applied(talking.deployment("web"))
    talking.until(lambda: _available(place, "web"), "the first is available")
    place.applied(talking.deployment("web", "app:2.0"))
    found = talking.until(lambda: _available(place, "web"), "the second is available")
    assert found["metadata"]["annotations"][REVISION] == "2"
    sets = {
        item["metadata"]["annotations"][REVISION]: item for item in place.listed("replicasets", labelSelector="app=web")
    }
    assert [sets["1"]["spec"]["replicas"], sets["2"]["spec"]["replicas"]] == [0, 1]
    images = talking.until(
        lambda: len(pods := _pods(place, "web")) == 1 and [pod["spec"]["containers"][0]["image"] for pod in pods],
        "one pod is left",
    )
    assert images == ["app:2.0"]


def test_missing_image_shows(place: talking.Place) -> None:
    """An image that cannot be pulled shows in the pod's status and events, and the old pods go on."""
    place.applied(talking.deployment("web"))
    talking.until(lambda: _available(place, "web"), "the first is available")
    place.applied(talking.deployment("web", "app:2.0-missing"))
    pod = _stuck(place, "web", "ErrImagePull", "ImagePullBackOff")
    assert pod["status"]["phase"] == "Pending"
    assert _conditions(pod)["Ready"]["status"] == "False"
    assert _conditions(pod)["PodScheduled"]["status"] == "True"
    pod = _stuck(place, "web", "ImagePullBackOff")
    assert 'Back-off pulling image "app:2.0-missing"' in _waiting(pod)["message"]
    event = talking.until(
        lambda: next((event for event in _events(place, pod) if event["reason"] == "Failed"), None), "an event says so"
    )
    assert (event["type"], event["involvedObject"]["kind"]) == ("Warning", "Pod")
    assert event["involvedObject"]["name"] == pod["metadata"]["name"]
    assert "app:2.0-missing" in event["message"]
    status = place.get("deployments", "web")["status"]
    assert (status["availableReplicas"], status["updatedReplicas"], status["unavailableReplicas"]) == (1, 1, 1)


def test_crash_loop_counts_restarts(place: talking.Place) -> None:
    """A container that exits at once waits in CrashLoopBackOff; its last end and its restarts are there."""
    place.applied(talking.deployment("web", "app:1.0-crash"))

    def restarted() -> Any:  # noqa: ANN401 - JSON
        pod = _stuck(place, "web", "CrashLoopBackOff")
        return pod if pod["status"]["containerStatuses"][0]["restartCount"] >= 3 else None

    pod = talking.until(restarted, "three restarts")
    [container] = pod["status"]["containerStatuses"]
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert "restarting failed container=app" in _waiting(pod)["message"]
    assert not container["ready"]
    assert "BackOff" in {event["reason"] for event in _events(place, pod)}
    assert _conditions(place.get("deployments", "web"))["Available"]["status"] == "False"


def test_unschedulable_pod_says_why(place: talking.Place) -> None:
    """A pod that no node can take stays Pending, and its condition PodScheduled has the scheduler's words."""
    body = talking.deployment("web", "app:1.0-huge")  # a real scheduler goes by the requests, a simulation by the tag
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "500"}}
    place.applied(body)
    pod = talking.until(
        lambda: next((p for p in _pods(place, "web") if "PodScheduled" in _conditions(p)), None), "it was looked at"
    )
    scheduled = _conditions(pod)["PodScheduled"]
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert "Insufficient cpu" in scheduled["message"]
    assert pod["status"]["phase"] == "Pending"
    assert "nodeName" not in pod["spec"]


def test_progress_has_a_deadline(place: talking.Place) -> None:
    """A Deployment that makes no progress in time says so in its condition Progressing, and goes on trying."""
    place.applied(talking.deployment("web", "app:1.0-missing", progressDeadlineSeconds=2))
    progressing = talking.until(lambda: _progressing(place, "ProgressDeadlineExceeded"), "its time is over")
    assert progressing["status"] == "False"


def test_stateful_set_updates_in_order(place: talking.Place) -> None:
    """Pods have numbers; updateRevision and each pod's controller-revision-hash say which are of the new template."""
    place.applied(talking.stateful_set("db"))

    def done() -> Any:  # noqa: ANN401 - JSON
        found = place.get("statefulsets", "db")
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = [status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas")]
        return found if seen and counts == [2, 2, 2] else None

    first = talking.until(done, "both are ready")["status"]["updateRevision"]
    assert [pod["metadata"]["name"] for pod in _pods(place, "db")] == ["db-0", "db-1"]
    place.applied(talking.stateful_set("db", "app:2.0"))
    second = talking.until(
        lambda: (found := done()) and found["status"]["updateRevision"] != first and found, "both are new"
    )
    revision = second["status"]["updateRevision"]
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in _pods(place, "db")} == {revision}
    assert {pod["spec"]["containers"][0]["image"] for pod in _pods(place, "db")} == {"app:2.0"}
    revisions = {item["metadata"]["name"]: item["revision"] for item in place.listed("controllerrevisions")}
    assert revisions[revision] > revisions[first]


def test_stateful_set_waits_for_a_broken_pod(place: talking.Place) -> None:
    """An update stops at its first pod that does not become ready: the highest number, and only that."""
    place.applied(talking.stateful_set("db"))
    talking.until(lambda: place.get("statefulsets", "db").get("status", {}).get("readyReplicas") == 2, "both are ready")
    place.applied(talking.stateful_set("db", "app:2.0-missing"))
    pod = _stuck(place, "db", "ImagePullBackOff")
    assert pod["metadata"]["name"] == "db-1"
    images = {p["metadata"]["name"]: p["spec"]["containers"][0]["image"] for p in _pods(place, "db")}
    assert images == {"db-0": "app:1.0", "db-1": "app:2.0-missing"}


def test_daemon_set_runs_on_each_node(place: talking.Place) -> None:
    """A DaemonSet wants one pod on each node, and counts those of the new template."""
    place.applied(talking.daemon_set("agent"))
    nodes = len(place.api.call("GET", "/api/v1/nodes").json["items"])

    def done() -> Any:  # noqa: ANN401 - JSON
        found = place.get("daemonsets", "agent")
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        keys = ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable")
        return found if seen and [status.get(key, 0) for key in keys] == [nodes] * 4 else None

    talking.until(done, "a pod is ready on each node")
    assert len(_pods(place, "agent")) == nodes
    place.applied(talking.daemon_set("agent", "app:2.0"))
    talking.until(done, "the new pods are ready")
    newest = max(place.listed("controllerrevisions"), key=lambda item: item["revision"])
    hashed = newest["metadata"]["labels"]["controller-revision-hash"]
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in _pods(place, "agent")} == {hashed}


def test_job_completes_or_fails(place: talking.Place) -> None:
    """A Job ends with the condition Complete or Failed."""
    place.applied(talking.job("good"))
    place.applied(talking.job("bad", "app:1.0-fail"))

    def ended(name: str, condition: str) -> Any:  # noqa: ANN401 - JSON
        return talking.until(lambda: _conditions(place.get("jobs", name)).get(condition), f"{name} is {condition}")

    assert ended("good", "Complete")["status"] == "True"
    assert ended("bad", "Failed")["reason"] == "BackoffLimitExceeded"
    assert place.get("jobs", "good")["status"]["succeeded"] == 1


def test_delete_in_background_takes_the_dependants(place: talking.Place) -> None:
    """A deleted Deployment is gone at once, and its ReplicaSets and pods follow."""
    place.applied(talking.deployment("web", replicas=2))
    found = talking.until(lambda: _available(place, "web"), "it is available")
    answer = place.delete("deployments", "web", preconditions={"uid": found["metadata"]["uid"]})
    assert answer.status == 200
    assert place.api.call("GET", place.path("deployments", "web")).status == 404
    talking.until(lambda: not place.listed("replicasets"), "its ReplicaSets are gone")
    talking.until(lambda: not place.listed("pods"), "its pods are gone")
