"""Deployments of a simulated cluster: ReplicaSets that replace each other, within what the strategy allows."""

from __future__ import annotations

from typing import Final

from fleetctl.sim import kinds, objects, pods, templates

__all__ = ["Deployments", "Sets"]

_HASH: Final = "pod-template-hash"
_REVISION: Final = "deployment.kubernetes.io/revision"
_DEADLINE: Final = 600
_HISTORY: Final = 10
_REPLICA_SET: Final = kinds.BY_KIND["apps", "ReplicaSet"]

Sets = dict[str, objects.Object]


class Deployments:
    """The controller of Deployments, and that of ReplicaSets with it."""

    def __init__(self, store: objects.Objects, made: pods.Pods) -> None:
        self._store = store
        self._pods = made
        self._progress: dict[str, tuple[tuple[int, ...], float]] = {}

    def advance(self, one: objects.Object) -> None:
        """Do what is to be done for a Deployment now."""
        sets = self._sets(one)
        key = templates.hash_of(one["spec"]["template"])
        wanted = one["spec"].get("replicas", 1)
        paused = bool(one["spec"].get("paused"))
        if key not in sets and not paused:
            sets[key] = self._new_set(one, key)
        if key in sets and not paused:
            self._keep_time(sets[key], one["spec"].get("minReadySeconds", 0))
        new = sets.get(key)
        if new is not None and not paused:
            self._number(new, sets)
            self._roll(one, new, sets)
        elif sets:
            self._scale(max(sets.values(), key=_revision), wanted)
        for item in sets.values():
            self._count(item)
        self._status(one, new, sets)
        self._forget(one, new, sets)

    def _sets(self, one: objects.Object) -> Sets:
        found = [item for item in self._store.of("apps", "ReplicaSet") if pods.owned(item, one)]
        return {item["metadata"]["labels"][_HASH]: item for item in found}

    def _new_set(self, one: objects.Object, key: str) -> objects.Object:
        meta = one["metadata"]
        template = templates.labelled(one["spec"]["template"], _HASH, key)
        selector = one["spec"]["selector"]
        labels = {**(selector.get("matchLabels") or {}), _HASH: key}
        made = {
            "metadata": {
                "name": f"{meta['name']}-{key}",
                "namespace": meta["namespace"],
                "labels": dict(template["metadata"]["labels"]),
                "annotations": {_REVISION: "0"},
                "ownerReferences": [pods.owner(one)],
            },
            "spec": {"replicas": 0, "selector": {**selector, "matchLabels": labels}, "template": template},
            "status": {"replicas": 0},
        }
        return self._store.make("apps", "ReplicaSet", made)

    def _keep_time(self, new: objects.Object, seconds: int) -> None:
        """Have the newest set ask as long a time of its pods as the Deployment does."""
        if new["spec"].get("minReadySeconds", 0) != seconds:
            new["spec"]["minReadySeconds"] = seconds
            new["metadata"]["generation"] += 1
            self._store.touch(new)

    def _number(self, new: objects.Object, sets: Sets) -> None:
        """Make the revision of the newest set the highest."""
        newest = max(map(_revision, sets.values()))
        if newest == 0 or _revision(new) < newest:
            new["metadata"]["annotations"][_REVISION] = str(newest + 1)
            self._store.touch(new)

    def _serving(self, item: objects.Object) -> list[objects.Object]:
        """Return the pods of a set that are available; an old set goes by the ``minReadySeconds`` of its own time."""
        return [pod for pod in self._pods.of(item) if self._pods.available(pod, item)]

    def _roll(self, one: objects.Object, new: objects.Object, sets: Sets) -> None:
        wanted = one["spec"].get("replicas", 1)
        surge, unavailable = templates.rolling(one, wanted)
        old = [pod for item in sets.values() if item is not new for pod in self._pods.of(item)]
        mine = self._pods.of(new)
        recreate = (one["spec"].get("strategy") or {}).get("type") == "Recreate"
        if recreate and old:
            for pod in old:
                self._pods.delete(pod)
            old = []
        self._scale(new, min(wanted, len(mine) + max(0, wanted + surge - len(mine) - len(old))))
        mine = self._pods.of(new)
        # What serves nobody goes first, yet no more of all than is to spare, and nothing for pods that are not up yet.
        mine_serving = len(self._serving(new))
        lacking = new["spec"]["replicas"] - mine_serving
        spare = len(old) + len(mine) - (wanted - unavailable) - lacking
        serving = [pod for item in sets.values() if item is not new for pod in self._serving(item) if pod in old]
        gone = [pod for pod in old if pod not in serving][: max(0, spare)]
        spare = min(len(serving) + mine_serving - (wanted - unavailable), spare - len(gone))
        gone += serving[: max(0, spare)]
        for pod in gone:
            self._pods.delete(pod)

    def _scale(self, item: objects.Object, replicas: int) -> None:
        """Have a set make pods, or take some away: those that are not ready first."""
        if item["spec"]["replicas"] != replicas:
            item["spec"]["replicas"] = replicas
            item["metadata"]["generation"] += 1
            self._store.touch(item)
        found = sorted(self._pods.of(item), key=self._pods.ready)
        for pod in found[: max(0, len(found) - replicas)]:
            self._pods.delete(pod)
        for _ in range(replicas - len(found)):
            name = f"{item['metadata']['name']}-{self._store.suffix()}"
            self._pods.make(item, name, item["spec"]["template"])

    def _count(self, item: objects.Object) -> None:
        found = self._pods.of(item)
        ready = sum(map(self._pods.ready, found))
        self._scale(item, len(found))
        status = {
            "replicas": len(found),
            "fullyLabeledReplicas": len(found),
            "readyReplicas": ready,
            "availableReplicas": len(self._serving(item)),
            "observedGeneration": item["metadata"]["generation"],
        }
        self._store.tell(item, status)

    def _status(self, one: objects.Object, new: objects.Object | None, sets: Sets) -> None:
        wanted = one["spec"].get("replicas", 1)
        every = [pod for item in sets.values() for pod in self._pods.of(item)]
        mine = self._pods.of(new) if new is not None else []
        ready = sum(map(self._pods.ready, every))
        serving = sum(len(self._serving(item)) for item in sets.values())
        done = new is not None and len(mine) == len(every) == wanted == serving
        missing = max(0, max(wanted, len(every)) - serving)
        if new is not None:
            annotations = one["metadata"].get("annotations") or {}
            one["metadata"]["annotations"] = {**annotations, _REVISION: new["metadata"]["annotations"][_REVISION]}
        late = self._late(one, (len(mine), ready, serving, len(every)), done=done)
        status = {
            "observedGeneration": one["metadata"]["generation"],
            "replicas": len(every),
            "updatedReplicas": len(mine),
            "readyReplicas": ready,
            "availableReplicas": serving,
            **({"unavailableReplicas": missing} if missing else {}),
            "conditions": [
                self._available(serving >= wanted - templates.rolling(one, wanted)[1]),
                self._progressing(one, new, late=late, done=done),
            ],
        }
        self._store.tell(one, {key: value for key, value in status.items() if value != 0})

    def _available(self, enough: bool) -> dict[str, str]:  # noqa: FBT001  # private
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        message = f"Deployment {'has' if enough else 'does not have'} minimum availability."
        return templates.condition("Available", "True" if enough else "False", reason, message, self._now())

    def _progressing(
        self, one: objects.Object, new: objects.Object | None, *, late: bool, done: bool
    ) -> dict[str, str]:
        if one["spec"].get("paused") or new is None:
            return templates.condition(
                "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", self._now()
            )
        name = f'ReplicaSet "{new["metadata"]["name"]}"'
        if late:
            said = "ProgressDeadlineExceeded", f"{name} has timed out progressing."
        elif done:
            said = "NewReplicaSetAvailable", f"{name} has successfully progressed."
        else:
            said = "ReplicaSetUpdated", f"{name} is progressing."
        return templates.condition("Progressing", "False" if late else "True", *said, self._now())

    def _now(self) -> str:
        return objects.stamp(self._store.clock())

    def _late(self, one: objects.Object, counts: tuple[int, ...], *, done: bool) -> bool:
        """Tell whether nothing has moved for as long as the Deployment grants."""
        uid, now = one["metadata"]["uid"], self._store.clock()
        state = (one["metadata"]["generation"], *counts)
        since = self._progress.get(uid)
        if done or since is None or since[0] != state:
            self._progress[uid] = since = (state, now)
        if done or one["spec"].get("paused"):
            return False
        until = since[1] + one["spec"].get("progressDeadlineSeconds", _DEADLINE)
        if now < until:
            self._pods.wake(until)
        return bool(now >= until)

    def _forget(self, one: objects.Object, new: objects.Object | None, sets: Sets) -> None:
        """Take away the oldest sets without pods, beyond the history that the Deployment keeps."""
        empty = [item for item in sets.values() if item is not new and not self._pods.of(item)]
        keep = one["spec"].get("revisionHistoryLimit", _HISTORY)
        for item in sorted(empty, key=_revision)[: max(0, len(empty) - keep)]:
            self._store.remove(_REPLICA_SET, item)


def _revision(item: objects.Object) -> int:
    return int(item["metadata"]["annotations"][_REVISION])
