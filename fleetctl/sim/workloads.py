"""Controllers and kubelet of a simulated cluster, carried forward only when somebody looks: no timers, however many.

``Controllers.advance`` brings everything to the present: it steps from one moment at which something happens to the
next, so that what is seen does not depend on when it was asked for.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from fleetctl.sim import behaviours, objects, pods, templates

__all__ = ["Controllers"]

_HASH: Final = "pod-template-hash"
_REVISION: Final = "deployment.kubernetes.io/revision"
_ROUNDS: Final = 1000
_DEADLINE: Final = 600


class Controllers:
    """Deployments, StatefulSets and DaemonSets of one cluster, and the pods that they make."""

    def __init__(self, site: str, store: objects.Objects, rules: behaviours.Behaviours) -> None:
        self._store = store
        self._pods = pods.Pods(site, store, rules)
        self._seen = ""
        self._progress: dict[str, tuple[tuple[int, ...], float]] = {}

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
            for one in self._store.of("batch", "Job"):
                self._job(one)
            if self._store.version == before:
                break
        self._seen = self._store.version

    # --- Deployments

    def _deployment(self, one: objects.Object) -> None:
        sets = self._replica_sets(one)
        new = sets.get(templates.hash_of(one["spec"]["template"])) or self._new_replica_set(one, sets)
        wanted = one["spec"].get("replicas", 1)
        surge, unavailable = templates.rolling(one, wanted)
        total = sum(len(self._pods.of(item)) for item in sets.values())
        mine = self._pods.of(new)
        for _ in range(max(0, min(wanted - len(mine), wanted + surge - total))):
            self._pods.make(new, f"{new['metadata']['name']}-{self._store.suffix()}", new["spec"]["template"])
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
        meta, key = one["metadata"], templates.hash_of(one["spec"]["template"])
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
            self._scale(item, wanted if item is new else len(found))
            self._set(item, {"replicas": len(found), "readyReplicas": ready, "availableReplicas": ready})
        every = [pod for item in sets.values() for pod in self._pods.of(item)]
        ready, mine = sum(map(self._pods.ready, every)), self._pods.of(new)
        enough = ready >= wanted - templates.rolling(one, wanted)[1]
        done = len(mine) == len(every) == wanted == ready
        missing = max(0, max(wanted, len(every)) - ready)
        late = self._late(one, (len(mine), ready, len(every)), done=done)
        one["metadata"].setdefault("annotations", {})[_REVISION] = new["metadata"]["annotations"][_REVISION]
        conditions = [
            templates.condition(
                "Available", enough, "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
            ),
            templates.condition(
                "Progressing", not late, late or ("NewReplicaSetAvailable" if done else "ReplicaSetUpdated")
            ),
        ]
        self._set(
            one,
            {
                "observedGeneration": one["metadata"]["generation"],
                "replicas": len(every),
                "updatedReplicas": len(mine),
                "readyReplicas": ready,
                "availableReplicas": ready,
                **({"unavailableReplicas": missing} if missing else {}),
                "conditions": conditions,
            },
        )

    def _scale(self, item: objects.Object, replicas: int) -> None:
        if item["spec"]["replicas"] != replicas:
            item["spec"]["replicas"] = replicas
            item["metadata"]["generation"] += 1
            self._store.touch(item)

    def _late(self, one: objects.Object, counts: tuple[int, ...], *, done: bool) -> str:
        """Return ``ProgressDeadlineExceeded`` when nothing has moved for as long as the Deployment grants."""
        uid, now = one["metadata"]["uid"], self._store.clock()
        state = (one["metadata"]["generation"], *counts)
        since = self._progress.get(uid)
        if done or since is None or since[0] != state:
            self._progress[uid] = (state, now)
            since = (state, now)
        until = since[1] + one["spec"].get("progressDeadlineSeconds", _DEADLINE)
        if done:
            return ""
        if now >= until:
            return "ProgressDeadlineExceeded"
        self._pods.wake(until)
        return ""

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
                template.setdefault("metadata", {}).setdefault("labels", {})[templates.POD_REVISION] = revision
                found[name] = self._pods.make(one, name, template)
            if not self._pods.ready(found[name]):
                break
        else:
            stale = [name for name in reversed(names) if templates.revision_of(found[name]) != revision]
            if stale:
                self._pods.delete(found.pop(stale[0]))
        every = list(found.values())
        updated = [pod for pod in every if templates.revision_of(pod) == revision]
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
                "currentReplicas": sum(templates.revision_of(pod) == current for pod in every),
                "updatedReplicas": len(updated),
                "currentRevision": current,
                "updateRevision": revision,
                "collisionCount": 0,
            },
        )

    def _daemon_set(self, one: objects.Object) -> None:
        meta, revision = one["metadata"], templates.hash_of(one["spec"]["template"])
        self._revision(one)
        nodes = [node["metadata"]["name"] for node in self._store.of("", "Node")]
        found = {pod["spec"].get("nodeName"): pod for pod in self._pods.of(one)}
        for node in nodes:
            pod = found.get(node)
            if (
                pod is not None
                and templates.revision_of(pod) != revision
                and all(map(self._pods.ready, found.values()))
            ):
                self._pods.delete(pod)
                pod = None
                del found[node]
            if pod is None:
                template = copy.deepcopy(one["spec"]["template"])
                template.setdefault("metadata", {}).setdefault("labels", {})[templates.POD_REVISION] = revision
                found[node] = self._pods.make(one, f"{meta['name']}-{self._store.suffix()}", template, node)
        ready = sum(map(self._pods.ready, found.values()))
        updated = sum(templates.revision_of(pod) == revision for pod in found.values())
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

    def _job(self, one: objects.Object) -> None:
        """Run a Job's pod once: simulated Jobs do not try again."""
        found = self._pods.of(one)
        if not found:
            name = f"{one['metadata']['name']}-{self._store.suffix()}"
            found = [self._pods.make(one, name, one["spec"]["template"])]
        phase = found[0]["status"]["phase"]
        status: dict[str, Any] = {"active": 1} if phase in {"Pending", "Running"} else {}
        if phase == "Succeeded":
            status = {"succeeded": 1, "conditions": [templates.condition("Complete", True, "CompletionsReached")]}  # noqa: FBT003
        elif phase == "Failed":
            status = {"failed": 1, "conditions": [templates.condition("Failed", True, "BackoffLimitExceeded")]}  # noqa: FBT003
        self._set(one, status)

    def _revision(self, one: objects.Object) -> str:
        """Return the name of the revision of an object's template, made if it is new."""
        meta = one["metadata"]
        name = f"{meta['name']}-{templates.hash_of(one['spec']['template'])}"
        mine = [item for item in self._store.of("apps", "ControllerRevision") if pods.owned(item, one)]
        newest = max((item["revision"] for item in mine), default=0)
        found = next((item for item in mine if item["metadata"]["name"] == name), None)
        if found is None:
            made = {
                "metadata": {
                    "name": name,
                    "namespace": meta["namespace"],
                    "labels": {templates.POD_REVISION: name.rpartition("-")[2]},
                    "ownerReferences": [pods.owner(one)],
                },
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
