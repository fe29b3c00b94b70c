"""Pods of a simulated cluster: what scheduler and kubelet make of them as time goes on."""

from __future__ import annotations

import copy
from typing import Any, Final

from fleetctl.sim import behaviours, kinds, objects

__all__ = ["Pods", "owned", "owner"]

_POD: Final = kinds.BY_KIND["", "Pod"]
_PULL: Final = 0.2
_BACK_OFF: Final = 1.0
_CRASH: Final = 1.0


def owner(one: objects.Object) -> dict[str, Any]:
    """Return the reference that makes an object another's."""
    return {
        "apiVersion": one["apiVersion"],
        "kind": one["kind"],
        "name": one["metadata"]["name"],
        "uid": one["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(item: objects.Object, one: objects.Object) -> bool:
    """Tell whether an object made another."""
    return any(reference["uid"] == one["metadata"]["uid"] for reference in item["metadata"].get("ownerReferences", ()))


class Pods:
    """The pods of one cluster."""

    def __init__(self, site: str, store: objects.Objects, rules: behaviours.Behaviours) -> None:
        self._site = site
        self._store = store
        self._rules = rules
        self._born: dict[str, float] = {}
        self._due: float | None = None

    def due(self, now: float) -> bool:
        """Tell whether the kubelet has something to do."""
        return self._due is not None and now >= self._due

    def of(self, one: objects.Object) -> list[objects.Object]:
        """Return the pods that an object made, by name."""
        namespace = one["metadata"]["namespace"]
        return [pod for pod in self._store.listed(_POD, namespace) if owned(pod, one)]

    def ready(self, pod: objects.Object) -> bool:
        """Tell whether a pod serves."""
        return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))

    def make(self, one: objects.Object, name: str, template: dict[str, Any], node: str = "") -> objects.Object:
        """Make a pod of a template."""
        spec = copy.deepcopy(template["spec"])
        if node:
            spec["nodeName"] = node
        meta = {
            "name": name,
            "namespace": one["metadata"]["namespace"],
            "labels": dict(template.get("metadata", {}).get("labels", {})),
            "annotations": dict(template.get("metadata", {}).get("annotations", {})),
            "ownerReferences": [owner(one)],
        }
        made = self._store.make("", "Pod", {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}})
        self._born[made["metadata"]["uid"]] = self._store.clock()
        self._due = 0.0
        return made

    def delete(self, pod: objects.Object) -> None:
        """Take a pod away."""
        self._born.pop(pod["metadata"]["uid"], None)
        self._store.remove(_POD, pod)

    def advance(self, now: float) -> None:
        """Bring every pod's status to the present, and note when the next one changes."""
        nodes = [node["metadata"]["name"] for node in self._store.of("", "Node")]
        coming: list[float] = []
        for pod in self._store.of("", "Pod"):
            born = self._born.get(pod["metadata"]["uid"])
            if born is None:
                continue
            images = [one["image"] for one in pod["spec"]["containers"]]
            rule = self._rules.of(self._site, images)
            status, next_change = _status(pod, rule, now - born, objects.stamp(born), nodes)
            if next_change is not None:
                coming.append(born + next_change)
            if status != pod["status"]:
                pod["status"] = status
                if rule.does != "unschedulable" and nodes and "nodeName" not in pod["spec"]:
                    pod["spec"]["nodeName"] = nodes[0]
                self._store.touch(pod)
                self._note(pod, rule, status)
        self._due = min(coming, default=None)

    def wake(self, when: float) -> None:
        """Have the cluster looked at again at a time, at the latest."""
        self._due = when if self._due is None else min(self._due, when)

    def _note(self, pod: objects.Object, rule: behaviours.Behaviour, status: dict[str, Any]) -> None:
        """Write the event that the kubelet or scheduler would."""
        said = _event(pod, rule, status)
        if said is None:
            return
        reason, message, path = said
        meta = pod["metadata"]
        name = f"{meta['name']}.{reason.lower()}"
        resource = kinds.BY_KIND["", "Event"]
        found = self._store.find(resource, meta["namespace"], name)
        now = objects.stamp(self._store.clock())
        if found is not None:
            found["count"] += 1
            found["lastTimestamp"] = now
            self._store.touch(found)
            return
        involved = {
            "kind": "Pod",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": "v1",
        }
        event = {
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": {**involved, "fieldPath": path} if path else involved,
            "reason": reason,
            "message": message,
            "type": "Warning",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
        }
        self._store.make("", "Event", event)


def _status(
    pod: objects.Object, rule: behaviours.Behaviour, age: float, born: str, nodes: list[str]
) -> tuple[dict[str, Any], float | None]:
    """Return a pod's status at an age, and the age at which it changes next."""
    if rule.does == "unschedulable" or not nodes:
        lacks = next((key for one in pod["spec"]["containers"] for key in _requests(one)), "memory")
        message = rule.message or f"0/{len(nodes)} nodes are available: {len(nodes) or 'no'} Insufficient {lacks}."
        return {
            "phase": "Pending",
            "conditions": [_condition("PodScheduled", "False", born, "Unschedulable", message)],
        }, None
    job = any(one["kind"] == "Job" for one in pod["metadata"].get("ownerReferences", ()))
    stages = {
        "ready": [(rule.after, "Succeeded" if job else "running")],
        "fails": [(rule.after, "Failed")],
        "restarts": [(rule.after, "running"), (rule.after + _CRASH, "running-again")],
        "never-ready": [(rule.after, "unready")],
        "pull-fails": [(_PULL, "pull-error"), (_PULL + _BACK_OFF, "back-off")],
        "crashes": [(_PULL + count * _CRASH, f"crash-{count}") for count in range(1, 6)],
    }[rule.does]
    stage = "creating"
    for when, name in stages:
        if age < when:
            return _of_stage(pod, rule, stage, born), when
        stage = name
    return _of_stage(pod, rule, stage, born), None


def _requests(container: dict[str, Any]) -> dict[str, Any]:
    return (container.get("resources") or {}).get("requests") or {}


def _of_stage(pod: objects.Object, rule: behaviours.Behaviour, stage: str, born: str) -> dict[str, Any]:
    if stage in {"Succeeded", "Failed"}:
        return {"phase": stage, "startTime": born}
    ready = stage in {"running", "running-again"}
    running = {"running": {"startedAt": born}}
    restarts = 0
    last: dict[str, Any] = {}
    if stage == "creating":
        state: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
    elif ready or stage == "unready":
        restarts = int(stage == "running-again")
        state = running
    elif stage.startswith("crash-"):
        restarts = int(stage.removeprefix("crash-"))
        last = {"terminated": {"exitCode": 1, "reason": "Error", "message": rule.message, "finishedAt": born}}
        first = pod["spec"]["containers"][0]["name"]
        text = f"back-off 10s restarting failed container={first} pod={pod['metadata']['name']}"
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    else:
        image = pod["spec"]["containers"][0]["image"]
        words = rule.message or f'failed to resolve reference "{image}": {image}: not found'
        back_off = stage == "back-off"
        message = f'Back-off pulling image "{image}": ErrImagePull: {words}' if back_off else words
        state = {"waiting": {"reason": "ImagePullBackOff" if back_off else "ErrImagePull", "message": message}}
    containers = [
        {
            "name": one["name"],
            "image": one["image"],
            "imageID": "",
            "ready": ready,
            "started": ready,
            "restartCount": restarts,
            "state": state,
            "lastState": last,
        }
        for one in pod["spec"]["containers"]
    ]
    word = "True" if ready else "False"
    reason = "" if ready else "ContainersNotReady"
    return {
        "phase": "Running" if "running" in state else "Pending" if not restarts else "Running",
        "startTime": born,
        "conditions": [
            _condition("PodScheduled", "True", born),
            _condition("Initialized", "True", born),
            _condition("ContainersReady", word, born, reason),
            _condition("Ready", word, born, reason),
        ],
        "containerStatuses": containers,
    }


def _condition(sort: str, status: str, when: str, reason: str = "", message: str = "") -> dict[str, str]:
    found = {"type": sort, "status": status, "lastTransitionTime": when}
    if reason:
        found["reason"] = reason
    if message:
        found["message"] = message
    return found


def _event(pod: objects.Object, rule: behaviours.Behaviour, status: dict[str, Any]) -> tuple[str, str, str] | None:
    if rule.does == "unschedulable":
        return "FailedScheduling", status["conditions"][0]["message"], ""
    first = status.get("containerStatuses", [{}])[0]
    waiting = first.get("state", {}).get("waiting", {})
    path = f"spec.containers{{{first.get('name', '')}}}"
    if waiting.get("reason") == "ErrImagePull":
        return "Failed", f'Failed to pull image "{first["image"]}": {waiting["message"]}', path
    if waiting.get("reason") == "ImagePullBackOff":
        return "BackOff", waiting["message"], path
    if waiting.get("reason") == "CrashLoopBackOff":
        return "BackOff", f"Back-off restarting failed container {first['name']} in pod {pod['metadata']['name']}", path
    return None
