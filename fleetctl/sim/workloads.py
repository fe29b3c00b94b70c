"""Controllers and kubelet of a simulated cluster, carried forward only when somebody looks: no timers, however many.

``Controllers.advance`` brings everything to the present: it steps from one moment at which something happens to the
next, so that what is seen does not depend on when it was asked for. Not simulated: autoscaling, evictions, nodes that
go away.
"""

from __future__ import annotations

import copy
from typing import Final

from fleetctl.sim import behaviours, deployments, jobs, kinds, objects, pods, templates, volumes

__all__ = ["Controllers"]

_ROUNDS: Final = 1000
_HISTORY: Final = 10
_CLAIM: Final = kinds.BY_KIND["", "PersistentVolumeClaim"]
_REVISION: Final = kinds.BY_KIND["apps", "ControllerRevision"]


class Controllers:
    """The controllers of one cluster, and the pods that they make."""

    def __init__(self, site: str, store: objects.Objects, rules: behaviours.Behaviours) -> None:
        self._store = store
        self._volumes = volumes.Volumes(store)
        self._pods = pods.Pods(site, store, rules, self._volumes)
        self._deployments = deployments.Deployments(store, self._pods)
        self._jobs = jobs.Jobs(store, self._pods)
        self._seen = ""
        self._reached = store.clock()

    def advance(self) -> None:
        """Bring the cluster to the present."""
        now = self._store.clock()
        due = self._pods.due
        moment = self._store.changed if self._seen != self._store.version else due
        try:
            while moment is not None and moment <= now:
                self._reached = self._store.moment = max(moment, self._reached)
                self._settle()
                moment = self._pods.due
        finally:
            self._store.moment = None

    @property
    def due(self) -> float | None:
        """Return when something changes next by itself, if it does."""
        return self._pods.due

    def fare(self, fate: behaviours.Fate) -> None:
        """Decide what becomes of pods that are made from now on."""
        self.advance()
        self._pods.fate = fate

    def log(self, pod: objects.Object, query: dict[str, str]) -> str:
        """Return what a pod's container has written."""
        return self._pods.log(pod, query)

    def _settle(self) -> None:
        """Let everybody do what is to be done at one moment, until nobody has anything to do."""
        for _ in range(_ROUNDS):
            before = self._store.version
            self._volumes.advance()
            self._pods.advance()
            for kind, work in (
                ("Deployment", self._deployments.advance),
                ("StatefulSet", self._stateful_set),
                ("DaemonSet", self._daemon_set),
            ):
                for one in self._store.of("apps", kind):
                    if "deletionTimestamp" not in one["metadata"]:
                        work(one)
            for one in self._store.of("batch", "Job"):
                self._jobs.advance(one)
            if self._store.version == before:
                break
        self._seen = self._store.version

    # --- StatefulSets

    def _stateful_set(self, one: objects.Object) -> None:
        meta, spec = one["metadata"], one["spec"]
        revision = self._revision(one)
        wanted = spec.get("replicas", 1)
        found = {pod["metadata"]["name"]: pod for pod in self._pods.of(one)}
        names = [f"{meta['name']}-{ordinal}" for ordinal in range(wanted)]
        for name in [name for name in found if name not in names]:
            self._pods.delete(found.pop(name))
        self._replace_pods(one, names, found, revision)
        every = list(found.values())
        updated = [pod for pod in every if templates.revision_of(pod) == revision]
        ready = sum(map(self._pods.ready, every))
        done = len(updated) == wanted == ready
        current = revision if done else one.get("status", {}).get("currentRevision", revision)
        status = {
            "observedGeneration": meta["generation"],
            "replicas": len(every),
            "readyReplicas": ready,
            "availableReplicas": sum(self._pods.available(pod, one) for pod in every),
            "currentReplicas": sum(templates.revision_of(pod) == current for pod in every),
            "updatedReplicas": len(updated),
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        self._store.tell(one, status)

    def _replace_pods(
        self, one: objects.Object, names: list[str], found: dict[str, objects.Object], revision: str
    ) -> None:
        """Make what is missing, in order, then replace what is old, from the end.

        Without ``Parallel`` a pod that is not available holds everything up, also after a revert (kubernetes#67250).
        """
        ordered = one["spec"].get("podManagementPolicy") != "Parallel"
        for name in names:
            if name not in found:
                template = templates.labelled(one["spec"]["template"], templates.POD_REVISION, revision)
                found[name] = self._pods.make(one, name, self._with_claims(one, name, template))
            if ordered and not self._pods.available(found[name], one):
                return
        update = one["spec"].get("updateStrategy") or {}
        if update.get("type") == "OnDelete":
            return
        partition = (update.get("rollingUpdate") or {}).get("partition") or 0
        for name in reversed(names[partition:]):
            if templates.revision_of(found[name]) != revision:
                self._pods.delete(found.pop(name))
                return
            if not self._pods.available(found[name], one):
                return

    def _with_claims(self, one: objects.Object, name: str, template: objects.Object) -> objects.Object:
        """Make the claims of a pod that are not there yet, and return the template with the volumes for them."""
        made: list[objects.Object] = []
        for given in one["spec"].get("volumeClaimTemplates") or ():
            claim = f"{given['metadata']['name']}-{name}"
            made.append({"name": given["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}})
            if self._store.find(_CLAIM, one["metadata"]["namespace"], claim) is None:
                labels = {**(given["metadata"].get("labels") or {}), **one["spec"]["selector"].get("matchLabels", {})}
                meta = {"name": claim, "namespace": one["metadata"]["namespace"], "labels": labels}
                body = {"metadata": meta, "spec": copy.deepcopy(given["spec"]), "status": {"phase": "Pending"}}
                self._store.make("", "PersistentVolumeClaim", body)
        names = {volume["name"] for volume in made}
        others = [volume for volume in template["spec"].get("volumes") or () if volume["name"] not in names]
        return {**template, "spec": {**template["spec"], "volumes": others + made}} if made else template

    # --- DaemonSets

    def _daemon_set(self, one: objects.Object) -> None:
        meta, revision = one["metadata"], self._revision(one).removeprefix(f"{one['metadata']['name']}-")
        nodes = [node["metadata"]["name"] for node in self._store.of("", "Node")]
        found = {pod["spec"].get("nodeName"): pod for pod in self._pods.of(one)}
        update = one["spec"].get("updateStrategy") or {}
        if update.get("type") != "OnDelete":
            self._make_way(one, nodes, found, revision)
        for node in nodes:
            if node not in found:
                template = templates.labelled(one["spec"]["template"], templates.POD_REVISION, revision)
                found[node] = self._pods.make(one, f"{meta['name']}-{self._store.suffix()}", template, node)
        ready = sum(map(self._pods.ready, found.values()))
        serving = sum(self._pods.available(pod, one) for pod in found.values())
        missing = len(nodes) - serving
        status = {
            "observedGeneration": meta["generation"],
            "desiredNumberScheduled": len(nodes),
            "currentNumberScheduled": len(found),
            "updatedNumberScheduled": sum(templates.revision_of(pod) == revision for pod in found.values()),
            "numberReady": ready,
            "numberAvailable": serving,
            **({"numberUnavailable": missing} if missing else {}),
            "numberMisscheduled": 0,
        }
        self._store.tell(one, status)

    def _make_way(self, one: objects.Object, nodes: list[str], found: dict[str, objects.Object], revision: str) -> None:
        """Delete old pods: those that serve nobody, and as many others as may be missing at a time."""
        old = [node for node, pod in found.items() if templates.revision_of(pod) != revision]
        serving = {node for node, pod in found.items() if self._pods.available(pod, one)}
        spare = templates.daemons_to_spare(one, len(nodes)) - sum(node not in serving for node in nodes)
        useless = [node for node in old if node not in serving]
        others = [node for node in old if node in serving]
        for node in (*useless, *others[: max(0, spare)]):
            self._pods.delete(found.pop(node))

    # --- revisions

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
        keep = one["spec"].get("revisionHistoryLimit", _HISTORY)
        used = {templates.revision_of(pod) for pod in self._pods.of(one)} | {name}
        old = [
            item
            for item in mine
            if used.isdisjoint({item["metadata"]["name"], item["metadata"]["labels"][templates.POD_REVISION]})
        ]
        for item in sorted(old, key=lambda item: int(item["revision"]))[: max(0, len(old) - keep)]:
            self._store.remove(_REVISION, item)
        return name
