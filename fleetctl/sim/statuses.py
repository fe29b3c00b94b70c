"""What a pod's status is at a time: a pure function of the pod, of what its images do, and of when it was made."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fleetctl.sim import behaviours, objects

__all__ = ["Container", "Seen", "see", "unplaced"]

_PULL: Final = 0.2
_BACK_OFF: Final = 1.0
_CRASH: Final = 1.0
_CRASHES: Final = 5

Container = dict[str, Any]


class Seen(NamedTuple):
    """A pod as it is seen at a time."""

    status: dict[str, Any]
    changes: float | None
    """When it changes next, if it does."""
    event: tuple[str, str, str] | None
    """The reason, message and field path of what the kubelet or scheduler says of it."""
    ready_since: float | None


class _Stage(NamedTuple):
    at: float
    name: str
    restarts: int = 0


def see(pod: objects.Object, rules: list[behaviours.Behaviour], born: float, now: float, nodes: int) -> Seen:
    """Return a pod's status; ``rules`` are those of its init containers and containers, in order."""
    spec = pod["spec"]
    names = [*(spec.get("initContainers") or ()), *spec["containers"]]
    lost = next((rule for rule in rules if rule.does == "unschedulable"), None)
    if lost is not None or not nodes:
        return _unschedulable(names, lost.message if lost else "", born, nodes)
    worst = next((index for index, rule in enumerate(rules) if rule.does != "ready"), None)
    slowest = max((rule.after for rule in rules), default=0.0)
    job = any(one["kind"] == "Job" for one in pod["metadata"].get("ownerReferences", ()))
    stages = _stages(rules[worst] if worst is not None else behaviours.Behaviour(after=slowest), pod, born, job=job)
    reached = [stage for stage in stages if stage.at <= now]
    stage = reached[-1]
    changes = stages[len(reached)].at if len(reached) < len(stages) else None
    rule = rules[worst] if worst is not None else behaviours.READY
    return _seen(pod, rule, worst, (stage, changes, born))


def _stages(rule: behaviours.Behaviour, pod: objects.Object, born: float, *, job: bool) -> list[_Stage]:
    """Return the course of a pod; times are absolute, so that a time computed twice is the same."""
    does = rule.does
    if job and does in {"crashes", "oom"} and pod["spec"].get("restartPolicy") == "Never":
        does = "fails"
    after, pulled = born + rule.after, born + _PULL
    course = {
        "ready": [_Stage(after, "succeeded" if job else "running")],
        "fails": [_Stage(after, "failed")],
        "restarts": [_Stage(after, "running"), _Stage(after + _CRASH, "running", 1)],
        "never-ready": [_Stage(after, "unready")],
        "pull-fails": [_Stage(pulled, "ErrImagePull"), _Stage(pulled + _BACK_OFF, "ImagePullBackOff")],
        "config-fails": [_Stage(pulled, "CreateContainerConfigError")],
    }
    crashes = [_Stage(pulled + count * _CRASH, "CrashLoopBackOff", count) for count in range(1, _CRASHES + 1)]
    return [_Stage(born, "ContainerCreating"), *course.get(does, crashes)]


def _seen(
    pod: objects.Object, rule: behaviours.Behaviour, worst: int | None, when: tuple[_Stage, float | None, float]
) -> Seen:
    stage, changes, born = when
    spec = pod["spec"]
    inits, mains = list(spec.get("initContainers") or ()), spec["containers"]
    held = worst is not None and worst < len(inits)
    every = [*inits, *mains]
    states = [
        _container(one, _stage_of(index, worst, len(inits), stage), rule, born, pod["metadata"]["name"])
        for index, one in enumerate(every)
    ]
    first, others = states[: len(inits)], states[len(inits) :]
    ready = all(one["ready"] for one in others)
    waiting = any("waiting" in one["state"] and not one["restartCount"] for one in others)
    phases = {"succeeded": "Succeeded", "failed": "Failed"}
    at, begun = objects.stamp(stage.at), objects.stamp(born)
    word = "True" if ready else "False"
    ended = stage.name == "succeeded"
    lacking = " ".join(one["name"] for one in others if not one["ready"])
    why = {} if ready else {"reason": "PodCompleted" if ended else "ContainersNotReady"}
    if why and not ended:
        why["message"] = f"containers with unready status: [{lacking}]"
    incomplete = {"reason": "ContainersNotInitialized"} if held else {}
    status = {
        "phase": phases.get(stage.name, "Pending" if waiting or held else "Running"),
        "startTime": begun,
        "conditions": [
            _condition("PodScheduled", "True", begun),
            _condition("Initialized", "False" if held else "True", begun, incomplete),
            _condition("Ready", word, at, why),
            _condition("ContainersReady", word, at, why),
        ],
        **({"initContainerStatuses": first} if first else {}),
        "containerStatuses": others,
    }
    culprit = every[worst] if worst is not None else every[-1]
    event = _event(culprit, states[worst or 0], stage, pod["metadata"]["name"], inits=held)
    return Seen(status, changes, event, stage.at if ready else None)


def _stage_of(index: int, worst: int | None, inits: int, stage: _Stage) -> _Stage:
    """Return how far one container is, where ``worst`` is the one that does not do well."""
    if stage.name == "ContainerCreating":
        waits = index >= inits and bool(inits)
        return _Stage(stage.at, "PodInitializing" if waits else "ContainerCreating")
    if index == worst or (worst is None and index >= inits):
        return stage
    if index < inits and (worst is None or index < worst):
        return _Stage(stage.at, "succeeded")
    if worst is not None and worst < inits:
        return _Stage(stage.at, "PodInitializing")
    return _Stage(stage.at, "succeeded" if stage.name in {"succeeded", "failed"} else "running")


def _container(one: Container, stage: _Stage, rule: behaviours.Behaviour, born: float, pod: str) -> Container:
    """Return the status of a container at a stage."""
    image, at = one["image"], objects.stamp(stage.at)
    ends = {"startedAt": objects.stamp(born), "finishedAt": at}
    last: dict[str, Any] = {}
    if stage.restarts:
        last = {"terminated": {**_end(rule), **ends, **({"message": rule.message} if rule.message else {})}}
    if stage.name in {"running", "unready"}:
        state: dict[str, Any] = {"running": {"startedAt": at}}
    elif stage.name == "succeeded":
        state = {"terminated": {"exitCode": 0, "reason": "Completed", **ends}}
    elif stage.name == "failed":
        state = {"terminated": {"exitCode": 1, "reason": "Error", **ends}}
    else:
        words = _words(stage.name, image, rule, f"container={one['name']} pod={pod}")
        state = {"waiting": {"reason": stage.name, **({"message": words} if words else {})}}
    return {
        "name": one["name"],
        "image": image,
        "imageID": f"simulated/{image}" if "waiting" not in state or stage.restarts else "",
        "ready": stage.name == "running",
        "started": stage.name in {"running", "unready"},
        "restartCount": stage.restarts,
        "state": state,
        "lastState": last,
    }


def _end(rule: behaviours.Behaviour) -> dict[str, Any]:
    return {"exitCode": 137, "reason": "OOMKilled"} if rule.does == "oom" else {"exitCode": 1, "reason": "Error"}


def _words(reason: str, image: str, rule: behaviours.Behaviour, where: str) -> str:
    """Return the message of a container that waits."""
    if reason == "CrashLoopBackOff":
        return f"back-off 10s restarting failed {where}"
    if reason == "CreateContainerConfigError":
        return rule.message or 'secret "missing" not found'
    words = rule.message or f'failed to resolve reference "{image}": {image}: not found'
    return {"ErrImagePull": words, "ImagePullBackOff": f'Back-off pulling image "{image}": ErrImagePull: {words}'}.get(
        reason, ""
    )


def _event(one: Container, state: Container, stage: _Stage, pod: str, *, inits: bool) -> tuple[str, str, str] | None:
    """Return what the kubelet says of the container that does not do well."""
    path = f"spec.{'initContainers' if inits else 'containers'}{{{one['name']}}}"
    message = state["state"].get("waiting", {}).get("message", "")
    if stage.name == "ErrImagePull":
        return "Failed", f'Failed to pull image "{one["image"]}": {message}', path
    if stage.name == "CreateContainerConfigError":
        return "Failed", f"Error: {message}", path
    if stage.name == "ImagePullBackOff":
        return "BackOff", message, path
    if stage.name == "CrashLoopBackOff":
        return "BackOff", f"Back-off restarting failed container {one['name']} in pod {pod}", path
    if stage.name == "unready":
        return "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", path
    return None


def unplaced(why: str, now: float, nodes: int) -> Seen:
    """Return the status of a pod that no node takes because of its volumes; without a reason it only waits."""
    if not why:
        return Seen({"phase": "Pending"}, None, None, None)
    return _unplaced(f"0/{nodes} nodes are available: {why}.", now)


def _unschedulable(containers: list[Container], message: str, born: float, nodes: int) -> Seen:
    asked = [key for one in containers for key in ((one.get("resources") or {}).get("requests") or {})]
    lacks = asked[0] if asked else "memory"
    if nodes:
        words = message or f"0/{nodes} nodes are available: {nodes} Insufficient {lacks}."
    else:
        words = "no nodes available to schedule pods"
    return _unplaced(words, born)


def _unplaced(words: str, when: float) -> Seen:
    why = {"reason": "Unschedulable", "message": words}
    conditions = [_condition("PodScheduled", "False", objects.stamp(when), why)]
    return Seen({"phase": "Pending", "conditions": conditions}, None, ("FailedScheduling", words, ""), None)


def _condition(sort: str, status: str, when: str, why: dict[str, str] | None = None) -> dict[str, str]:
    return {"type": sort, "status": status, "lastTransitionTime": when, **(why or {})}
