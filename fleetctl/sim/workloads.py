"""Controllers and kubelet of a simulated cluster, carried forward only when somebody looks: no timers, however many.

``Controllers.advance`` brings everything to the present: it steps from one moment at which something happens to the
next, so that what is seen does not depend on when it was asked for.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Any, Final

import msgspec

from fleetctl.sim import behaviours, objects, pods

__all__ = ["Controllers"]

_HASH: Final = "pod-template-hash"
_REVISION: Final = "deployment.kubernetes.io/revision"
_POD_REVISION: Final = "controller-revision-hash"
_ROUNDS: Final = 1000


class Controllers:
    """Deployments, StatefulSets and DaemonSets of one cluster, and the pods that they make."""

    def __init__(self, site: str, store: objects.Objects, rules: behaviours.Behaviours) -> None:
        self._store = store
        self._pods = pods.Pods(site, store, rules)
        self._seen = ""

    def advance(self) -> None:
        """Bring the cluster to the present."""
        now = self._store.clock()
        if self._seen == self._store.version and not self._pods.due(now):
            return
        for _ in range(_ROUNDS):
            before = self._store.version
            self._pods.advance(now)
            for one in self._store.of("apps", "Deployment"):
                self._deployment(one)
            for one in self._store.of("apps", "StatefulSet"):
                self._stateful_set(one)
            for one in self._store.of("apps", "DaemonSet"):
                self._daemon_set(one)
            if self._store.version == before:
                break
        self._seen = self._store.version

    # --- Deployments

    def _deployment(self, one: objects.Object) -> None:
        sets = self._replica_sets(one)
        new = sets.get(_hash(one["spec"]["template"])) or self._new_replica_set(one, sets)
        wanted = one["spec"].get("replicas", 1)
        surge, unavailable = _rolling(one, wanted)
        total = sum(len(self._pods.of(item)) for item in sets.values())
        mine = self._pods.of(new)
        for _ in range(max(0, min(wanted - len(mine), wanted + surge - total))):
            self._pods.make(new, f"{new['metadata']['name']}-{self._store.suffix()}", one["spec"]["template"])
        for extra in mine[wanted:]:
            self._pods.delete(extra)
        old = [pod for item in sets.values() if item is not new for pod in self._pods.of(item)]
        available = sum(self._pods.ready(pod) for item in sets.values() for pod in self._pods.of(item))
        # Pods that are not ready go first: they serve nobody.
        for pod in sorted(old, key=self._pods.ready):
            if self._pods.ready(pod):
                if available <= wanted - unavailable:
                    break
                available -= 1
            self._pods.delete(pod)
        self._deployment_status(one, new, wanted)

    def _replica_sets(self, one: objects.Object) -> dict[str, objects.Object]:
        found = {}
        for item in self._store.of("apps", "ReplicaSet"):
            if pods.owned(item, one):
                found[item["metadata"]["labels"][_HASH]] = item
        return found

    def _new_replica_set(self, one: objects.Object, sets: dict[str, objects.Object]) -> objects.Object:
        meta, key = one["metadata"], _hash(one["spec"]["template"])
        template = copy.deepcopy(one["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = key
        made = self._store.make(
            "apps",
            "ReplicaSet",
            {
                "metadata": {
                    "name": f"{meta['name']}-{key}",
                    "namespace": meta["namespace"],
                    "labels": {**template["metadata"]["labels"]},
                    "annotations": {_REVISION: "0"},
                    "ownerReferences": [pods.owner(one)],
                },
                "spec": {
                    "replicas": one["spec"].get("replicas", 1),
                    "selector": one["spec"]["selector"],
                    "template": template,
                },
                "status": {"replicas": 0},
            },
        )
        sets[key] = made
        return made

    def _deployment_status(self, one: objects.Object, new: objects.Object, wanted: int) -> None:
        sets = self._replica_sets(one)
        revisions = {key: int(item["metadata"]["annotations"][_REVISION]) for key, item in sets.items()}
        key = new["metadata"]["labels"][_HASH]
        newest = max(revisions.values())
        if revisions[key] < newest or newest == 0:
            new["metadata"]["annotations"][_REVISION] = str(newest + 1)
            self._store.touch(new)
        for item in sets.values():
            found = self._pods.of(item)
            ready = sum(map(self._pods.ready, found))
            self._set(item, {"replicas": len(found), "readyReplicas": ready, "availableReplicas": ready})
        every = [pod for item in sets.values() for pod in self._pods.of(item)]
        ready, mine = sum(map(self._pods.ready, every)), self._pods.of(new)
        enough = ready >= wanted - _rolling(one, wanted)[1]
        done = len(mine) == len(every) == wanted == ready
        one["metadata"].setdefault("annotations", {})[_REVISION] = new["metadata"]["annotations"][_REVISION]
        conditions = [
            _condition("Available", enough, "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"),
            _condition("Progressing", True, "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"),  # noqa: FBT003
        ]
        self._set(
            one,
            {
                "observedGeneration": one["metadata"]["generation"],
                "replicas": len(every),
                "updatedReplicas": len(mine),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "unavailableReplicas": max(0, wanted - ready),
                "conditions": conditions,
            },
        )

    # --- StatefulSets

    def _stateful_set(self, one: objects.Object) -> None:
        """Roll in order; a pod that is not ready holds everything up, also after a revert (kubernetes#67250)."""
        meta, spec = one["metadata"], one["spec"]
        revision = self._revision(one)
        wanted = spec.get("replicas", 1)
        found = {pod["metadata"]["name"]: pod for pod in self._pods.of(one)}
        names = [f"{meta['name']}-{ordinal}" for ordinal in range(wanted)]
        for name, pod in list(found.items()):
            if name not in names:
                self._pods.delete(pod)
                del found[name]
        for name in names:
            if name not in found:
                template = copy.deepcopy(spec["template"])
                template.setdefault("metadata", {}).setdefault("labels", {})[_POD_REVISION] = revision
                found[name] = self._pods.make(one, name, template)
            if not self._pods.ready(found[name]):
                break
        else:
            stale = [name for name in reversed(names) if _revision_of(found[name]) != revision]
            if stale:
                self._pods.delete(found.pop(stale[0]))
        every = list(found.values())
        updated = [pod for pod in every if _revision_of(pod) == revision]
        ready = sum(map(self._pods.ready, every))
        done = len(updated) == wanted == ready
        current = revision if done else one.get("status", {}).get("currentRevision", revision)
        self._set(
            one,
            {
                "observedGeneration": meta["generation"],
                "replicas": len(every),
                "readyReplicas": ready,
                "availableReplicas": ready,
                "currentReplicas": sum(_revision_of(pod) == current for pod in every),
                "updatedReplicas": len(updated),
                "currentRevision": current,
                "updateRevision": revision,
                "collisionCount": 0,
            },
        )

    def _daemon_set(self, one: objects.Object) -> None:
        meta, revision = one["metadata"], self._revision(one)
        nodes = [node["metadata"]["name"] for node in self._store.of("", "Node")]
        found = {pod["spec"].get("nodeName"): pod for pod in self._pods.of(one)}
        for node in nodes:
            pod = found.get(node)
            if pod is not None and _revision_of(pod) != revision and all(map(self._pods.ready, found.values())):
                self._pods.delete(pod)
                pod = None
                del found[node]
            if pod is None:
                template = copy.deepcopy(one["spec"]["template"])
                template.setdefault("metadata", {}).setdefault("labels", {})[_POD_REVISION] = revision
                found[node] = self._pods.make(one, f"{meta['name']}-{self._store.suffix()}", template, node)
        ready = sum(map(self._pods.ready, found.values()))
        updated = sum(_revision_of(pod) == revision for pod in found.values())
        self._set(
            one,
            {
                "observedGeneration": meta["generation"],
                "desiredNumberScheduled": len(nodes),
                "currentNumberScheduled": len(found),
                "updatedNumberScheduled": updated,
                "numberReady": ready,
                "numberAvailable": ready,
                "numberUnavailable": len(nodes) - ready,
                "numberMisscheduled": 0,
            },
        )

    def _revision(self, one: objects.Object) -> str:
        """Return the name of the revision of an object's template, made if it is new."""
        meta = one["metadata"]
        name = f"{meta['name']}-{_hash(one['spec']['template'])}"
        mine = [item for item in self._store.of("apps", "ControllerRevision") if pods.owned(item, one)]
        newest = max((item["revision"] for item in mine), default=0)
        found = next((item for item in mine if item["metadata"]["name"] == name), None)
        if found is None:
            made = {
                "metadata": {"name": name, "namespace": meta["namespace"], "ownerReferences": [pods.owner(one)]},
                "data": {"spec": {"template": one["spec"]["template"]}},
                "revision": newest + 1,
            }
            self._store.make("apps", "ControllerRevision", made)
        elif found["revision"] < newest:
            found["revision"] = newest + 1
            self._store.touch(found)
        return name

    def _set(self, one: objects.Object, status: dict[str, Any]) -> None:
        if one.get("status") != status:
            one["status"] = status
            self._store.touch(one)


def _hash(template: Any) -> str:  # noqa: ANN401  # JSON
    letters = "bcdfghjklmnpqrstvwxz2456789"
    digest = hashlib.sha256(msgspec.json.encode(template, order="deterministic")).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:10])


def _revision_of(pod: objects.Object) -> str:
    return str(pod["metadata"]["labels"].get(_POD_REVISION, ""))


def _rolling(one: objects.Object, wanted: int) -> tuple[int, int]:
    """Return how many pods too many, and how many too few, a rollout may have."""
    update = one["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge, unavailable = (
        _share(update.get("maxSurge", "25%"), wanted, up=True),
        _share(update.get("maxUnavailable", "25%"), wanted, up=False),
    )
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = wanted * int(value.rstrip("%"))
    return -(-part // 100) if up else part // 100


def _condition(sort: str, true: bool, reason: str) -> dict[str, str]:  # noqa: FBT001  # private
    return {"type": sort, "status": "True" if true else "False", "reason": reason, "message": ""}
