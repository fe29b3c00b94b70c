"""What a pod's status is at a time."""

from typing import Any

import pytest

from fleetctl.sim import behaviours, statuses

BORN = 1_000_000.1


def _pod(*images: str, inits: tuple[str, ...] = (), job: bool = False, **spec: object) -> dict[str, Any]:
    def containers(names: tuple[str, ...], prefix: str) -> list[dict[str, str]]:
        return [{"name": f"{prefix}{at}", "image": image} for at, image in enumerate(names)]

    owners = [{"kind": "Job" if job else "ReplicaSet"}]
    body = {**spec, "containers": containers(images, "c"), "initContainers": containers(inits, "i")}
    return {"metadata": {"name": "web-x", "ownerReferences": owners}, "spec": body}


def _see(pod: dict[str, Any], after: float, *does: str, nodes: int = 1) -> statuses.Seen:
    rules = [behaviours.Behaviour(does=one, message="said") for one in does]  # type: ignore[arg-type]
    return statuses.see(pod, rules, BORN, BORN + after, nodes)


def _conditions(seen: statuses.Seen) -> dict[str, str]:
    return {one["type"]: one["status"] for one in seen.status["conditions"]}


def test_ready_after_a_while() -> None:
    """The slowest container decides; the moment of change is exact, and the times in the status are of the change."""
    pod, rules = _pod("a", "b"), [behaviours.Behaviour(after=0.3), behaviours.Behaviour(after=2.7)]
    early = statuses.see(pod, rules, BORN, BORN, 1)
    assert (early.status["phase"], early.ready_since) == ("Pending", None)
    assert early.changes is not None
    late = statuses.see(pod, rules, BORN, early.changes, 1)
    assert (late.status["phase"], late.changes, late.event) == ("Running", None, None)
    assert _conditions(late)["Ready"] == "True"
    ready = next(one for one in late.status["conditions"] if one["type"] == "Ready")
    assert ready["lastTransitionTime"] == "1970-01-12T13:46:42Z"
    assert late.status["containerStatuses"][0]["state"]["running"]["startedAt"] == ready["lastTransitionTime"]


@pytest.mark.parametrize(
    ("does", "after", "reason", "restarts"),
    [
        ("pull-fails", 0.3, "ErrImagePull", 0),
        ("pull-fails", 2, "ImagePullBackOff", 0),
        ("config-fails", 1, "CreateContainerConfigError", 0),
        ("crashes", 2, "CrashLoopBackOff", 1),
        ("crashes", 4, "CrashLoopBackOff", 3),
        ("oom", 4, "CrashLoopBackOff", 3),
    ],
)
def test_the_container_that_fails_is_named(does: str, after: float, reason: str, restarts: int) -> None:
    """Only the container whose image does so waits; its message and event are of that image, the others run."""
    seen = _see(_pod("good", "bad"), after, "ready", does)
    good, bad = seen.status["containerStatuses"]
    assert good["ready"]
    assert (bad["state"]["waiting"]["reason"], bad["restartCount"], bad["ready"]) == (reason, restarts, False)
    assert seen.status["phase"] == ("Running" if restarts else "Pending")
    assert _conditions(seen)["Ready"] == "False"
    assert seen.event is not None
    assert seen.event[2] == "spec.containers{c1}"
    if does == "pull-fails":
        assert '"bad"' in seen.event[1]
    if restarts:
        ended = bad["lastState"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (
            (137, "OOMKilled", "said") if does == "oom" else (1, "Error", "said")
        )


def test_init_containers_come_first() -> None:
    """One that fails holds the pod up: its containers wait, and the pod is not initialized."""
    seen = _see(_pod("main", inits=("one", "two")), 3, "ready", "pull-fails", "ready")
    one, two = seen.status["initContainerStatuses"]
    assert one["state"]["terminated"]["reason"] == "Completed"
    assert two["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert seen.status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert (seen.status["phase"], _conditions(seen)["Initialized"]) == ("Pending", "False")
    assert seen.event is not None
    assert seen.event[2] == "spec.initContainers{i1}"


def test_never_ready_runs_and_says_why() -> None:
    """A failing readiness probe: the container runs, is not ready, and an event tells of the probe."""
    seen = _see(_pod("a"), 2, "never-ready")
    [container] = seen.status["containerStatuses"]
    assert (container["ready"], container["started"], seen.status["phase"]) == (False, True, "Running")
    assert seen.event is not None
    assert seen.event[0] == "Unhealthy"


def test_a_restart_shows() -> None:
    """A container that was ready and restarts is ready again, with a restart and its last end."""
    seen = _see(_pod("a"), 3, "restarts")
    [container] = seen.status["containerStatuses"]
    assert (container["ready"], container["restartCount"]) == (True, 1)
    assert container["lastState"]["terminated"]["exitCode"] == 1


@pytest.mark.parametrize(
    ("does", "policy", "phase", "code"),
    [
        ("ready", "Never", "Succeeded", 0),
        ("fails", "Never", "Failed", 1),
        ("crashes", "Never", "Failed", 1),
        ("crashes", "OnFailure", "Running", None),
    ],
)
def test_pods_of_jobs_end(does: str, policy: str, phase: str, code: int | None) -> None:
    """They succeed or fail with an exit code; one that may restart goes on trying."""
    seen = _see(_pod("a", job=True, restartPolicy=policy), 2, does)
    [container] = seen.status["containerStatuses"]
    assert seen.status["phase"] == phase
    if code is not None:
        assert container["state"]["terminated"]["exitCode"] == code
        assert seen.ready_since is None


def test_unschedulable_says_what_lacks() -> None:
    """A pod that no node takes, by rule or because there is none, has no containers yet."""
    pod = _pod("a")
    pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "500"}}
    rule = [behaviours.Behaviour(does="unschedulable")]
    seen = statuses.see(pod, rule, BORN, BORN, 3)
    [condition] = seen.status["conditions"]
    assert condition["message"] == "0/3 nodes are available: 3 Insufficient cpu."
    assert (condition["reason"], "containerStatuses" in seen.status) == ("Unschedulable", False)
    assert _see(pod, 0, "ready", nodes=0).event == ("FailedScheduling", "no nodes available to schedule pods", "")


@pytest.mark.parametrize(
    "does", ["ready", "pull-fails", "config-fails", "crashes", "oom", "fails", "restarts", "never-ready"]
)
def test_a_course_comes_to_its_end(does: str) -> None:
    """From change to change the end is reached, each change is later than the one before, and something has changed."""
    pod, now, seen = _pod("a"), BORN, _see(_pod("a"), 0, does)
    for _ in range(10):
        if seen.changes is None:
            break
        assert seen.changes > now
        now = seen.changes
        after = statuses.see(pod, [behaviours.Behaviour(does=does)], BORN, now, 1)  # type: ignore[arg-type]
        assert after.status != seen.status
        seen = after
    assert seen.changes is None
