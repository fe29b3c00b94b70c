"""Pods of a simulated cluster: what scheduler and kubelet make of them as time goes on."""

from __future__ import annotations

import copy
from typing import Any, Final

from fleetctl.sim import behaviours, kinds, objects, statuses, volumes

__all__ = ["STATUSES", "Pods", "owned", "owner"]

STATUSES: Final = ("initContainerStatuses", "containerStatuses")
"""Where a pod's status tells of its containers."""

_POD: Final = kinds.BY_KIND["", "Pod"]
_EVENT: Final = kinds.BY_KIND["", "Event"]


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
    uid = one["metadata"]["uid"]
    return any(reference["uid"] == uid for reference in item["metadata"].get("ownerReferences", ()))


class Pods:
    """The pods of one cluster."""

    def __init__(
        self, site: str, store: objects.Objects, rules: behaviours.Behaviours, around: volumes.Volumes
    ) -> None:
        self._site = site
        self._volumes = around
        self._store = store
        self._rules = rules
        self.fate: behaviours.Fate = ""
        """What becomes of pods that are made from now on, whatever their images."""
        self._fates: dict[str, behaviours.Fate] = {}
        self._born: dict[str, float] = {}
        self._ready_since: dict[str, float] = {}
        self._held: dict[str, tuple[str, float]] = {}
        """Why no node takes a pod, and since when it is so."""
        self.due: float | None = None
        """When something happens next, if it does."""

    def of(self, one: objects.Object) -> list[objects.Object]:
        """Return the pods that an object made, by name."""
        return sorted(
            (pod for pod in self._store.of("", "Pod") if owned(pod, one)), key=lambda pod: pod["metadata"]["name"]
        )

    def ready(self, pod: objects.Object) -> bool:
        """Tell whether a pod serves."""
        conditions = pod["status"].get("conditions", ())
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def available(self, pod: objects.Object, one: objects.Object) -> bool:
        """Tell whether a pod has been ready for as long as its workload asks."""
        if not self.ready(pod):
            return False
        until = self._ready_since[pod["metadata"]["uid"]] + one["spec"].get("minReadySeconds", 0)
        if self._store.clock() >= until:
            return True
        self.wake(until)
        return False

    def make(self, one: objects.Object, name: str, template: dict[str, Any], node: str = "") -> objects.Object:
        """Make a pod of a template."""
        spec = copy.deepcopy(template["spec"])
        if node:
            spec["nodeName"] = node
        given = template.get("metadata") or {}
        meta = {
            "name": name,
            "namespace": one["metadata"]["namespace"],
            "labels": dict(given.get("labels") or {}),
            "annotations": dict(given.get("annotations") or {}),
            "ownerReferences": [owner(one)],
        }
        made = self._store.make("", "Pod", {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}})
        self._born[made["metadata"]["uid"]] = self._store.clock()
        if self.fate:
            self._fates[made["metadata"]["uid"]] = self.fate
        return made

    def delete(self, pod: objects.Object) -> None:
        """Take a pod away."""
        self._store.remove(_POD, pod)

    def advance(self) -> None:
        """Bring every pod's status to the store's time, and note when the next one changes."""
        now, nodes = self._store.clock(), [node["metadata"]["name"] for node in self._store.of("", "Node")]
        coming: list[float] = []
        born: dict[str, float] = {}
        ready_since: dict[str, float] = {}
        held: dict[str, tuple[str, float]] = {}
        for pod in self._store.of("", "Pod"):
            uid = pod["metadata"]["uid"]
            hindrance = self._volumes.hindrance(pod) if "nodeName" not in pod["spec"] else None
            containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
            fated = behaviours.FATES.get(self._fates.get(uid, ""))
            rules = [fated or self._rules.of(self._site, one["image"]) for one in containers]
            if hindrance is None:
                born[uid] = self._born.get(uid, now)
                seen = statuses.see(pod, rules, born[uid], now, len(nodes))
            else:  # its life begins when a node takes it
                held[uid] = self._held.get(uid, (hindrance, now))
                if held[uid][0] != hindrance:
                    held[uid] = hindrance, now
                seen = statuses.unplaced(*held[uid], len(nodes))
            if seen.ready_since is not None:
                ready_since[uid] = seen.ready_since
            if seen.changes is not None:
                coming.append(seen.changes)
            if seen.status != pod["status"]:
                pod["status"] = seen.status
                if "startTime" in seen.status and "nodeName" not in pod["spec"]:
                    pod["spec"]["nodeName"] = nodes[0]
                self._store.touch(pod)
                self._note(pod, seen.event)
        self._fates = {uid: fate for uid, fate in self._fates.items() if uid in born or uid in held}
        self._born, self._ready_since, self._held = born, ready_since, held
        self.due = min(coming, default=None)

    def wake(self, when: float) -> None:
        """Have the cluster looked at again at a time, at the latest."""
        self.due = when if self.due is None else min(self.due, when)

    def log(self, pod: objects.Object, query: dict[str, str]) -> str:
        """Return what a container has written: what its behaviour says of its end, if it has ended."""
        containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
        names = [one["name"] for one in containers]
        name = query.get("container") or (names[0] if len(names) == 1 else "")
        if name not in names:
            text = f"container {name} is not valid for pod {pod['metadata']['name']}"
            raise objects.Refusal(400, "BadRequest", text)
        status = pod["status"]
        found = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
        one = next((one for one in found if one["name"] == name), None)
        previous = query.get("previous") in {"true", "1"}
        waits = one["state"].get("waiting") if one else {"reason": "Pending"}
        if one is None or (waits and not one["restartCount"]) or (previous and not one["lastState"]):
            what = f'previous terminated container "{name}"' if previous else f'container "{name}"'
            why = "not found" if previous else f"is waiting to start: {waits['reason'] if waits else ''}"
            raise objects.Refusal(400, "BadRequest", f'{what} in pod "{pod["metadata"]["name"]}" {why}')
        said: str = one["lastState"].get("terminated", {}).get("message", "")
        return f"{said}\n" if said else ""

    def _note(self, pod: objects.Object, said: tuple[str, str, str] | None) -> None:
        """Write the event that the kubelet or scheduler would."""
        if said is None:
            return
        reason, message, path = said
        meta = pod["metadata"]
        name = f"{meta['name']}.{reason.lower()}"
        now = objects.stamp(self._store.clock())
        found = self._store.find(_EVENT, meta["namespace"], name)
        if found is not None and found["involvedObject"]["uid"] == meta["uid"]:
            found["count"] += 1
            found["lastTimestamp"] = now
            self._store.touch(found)
            return
        involved = {key: meta[key] for key in ("namespace", "name", "uid")} | {"kind": "Pod", "apiVersion": "v1"}
        event = {
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": {**involved, "fieldPath": path} if path else involved,
            "reason": reason,
            "message": message,
            "type": "Warning",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "kubelet" if path else "default-scheduler"},
        }
        self._store.make("", "Event", event)
