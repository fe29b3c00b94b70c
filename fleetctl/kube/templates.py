"""Workloads and their templates: which pods, of all that a workload has, are those of the template applied last."""

from __future__ import annotations

from typing import Final

from fleetctl.kube import observed, pods, views

__all__ = [
    "POD_REVISION",
    "Workload",
    "ended_pods",
    "fresh_pods",
    "newest_replica_set",
    "ordinal",
    "read",
    "stuck_pods",
]

POD_REVISION: Final = "controller-revision-hash"
"""Label of pods and ControllerRevisions: a StatefulSet's update revision, the hash of a DaemonSet's template."""
_REVISION: Final = "deployment.kubernetes.io/revision"


class _RollingUpdate(observed.Seen, frozen=True):
    partition: int | None = None


class _Strategy(observed.Seen, frozen=True):
    type: str = ""
    rolling_update: _RollingUpdate | None = None


class _Ordinals(observed.Seen, frozen=True):
    start: int = 0


class _Spec(observed.Seen, frozen=True):
    replicas: int | None = None
    paused: bool = False
    min_ready_seconds: int = 0
    progress_deadline_seconds: int | None = None
    pod_management_policy: str = ""
    update_strategy: _Strategy = _Strategy()
    ordinals: _Ordinals = _Ordinals()

    @property
    def partition(self) -> int:
        """Return how many pods with the lowest ordinals keep their template."""
        rolling = self.update_strategy.rolling_update
        return max(0, rolling.partition or 0) if rolling else 0


class _Status(observed.Seen, frozen=True):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_misscheduled: int = 0
    conditions: tuple[observed.Condition, ...] | None = None


class Workload(observed.Seen, frozen=True):
    """A workload, whichever of the kinds it is."""

    metadata: observed.Meta = observed.Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def replicas(self) -> int:
        """Return how many pods it is to have; the API server says 1 where nothing is said."""
        return 1 if self.spec.replicas is None else max(0, self.spec.replicas)

    @property
    def on_delete(self) -> bool:
        """Tell whether pods keep their template until somebody deletes them."""
        return self.spec.update_strategy.type == "OnDelete"

    def saw(self, generation: int) -> bool:
        """Tell whether the controller has looked at what was applied; 0 stands for the generation it has now."""
        return self.status.observed_generation >= max(1, generation or self.metadata.generation)


def read(view: views.View) -> Workload:
    """Return the workload that a view shows; raises ``observed.Unreadable``."""
    return observed.decode(view.body, Workload)


def newest_replica_set(view: views.View, found: Workload) -> observed.ReplicaSet | None:
    """Return the ReplicaSet of a Deployment's present template; None while it is not there or not listed yet.

    The controller writes its revision to the Deployment, so that a list older than the Deployment shows.
    """
    newest = max(view.around.replica_sets_of(found.metadata.uid), key=_revision, default=None)
    if newest is None or _revision(newest) < _number(found.metadata.annotation(_REVISION)):
        return None
    return newest


def fresh_pods(view: views.View, found: Workload) -> list[pods.Pod] | None:
    """Return the pods of the new template, by name; None while nobody can tell which they are."""
    made = _of_template(view, found)
    return None if made is None else [pod for pod in made if pod.active]


def ended_pods(view: views.View, found: Workload) -> list[pods.Pod]:
    """Return the pods of the new template that ended and are still to be seen: evicted, or turned away by a kubelet."""
    return [pod for pod in _of_template(view, found) or () if pod.status.phase == "Failed"]


def _of_template(view: views.View, found: Workload) -> list[pods.Pod] | None:
    uid = found.metadata.uid
    if view.id.kind == "Deployment":
        newest = newest_replica_set(view, found)
        return None if newest is None else view.around.pods_of(newest.metadata.uid)
    made = view.around.pods_of(uid)
    if view.id.kind == "StatefulSet":
        revision = found.status.update_revision
    elif view.id.kind == "DaemonSet":
        latest = max(view.around.revisions_of(uid), key=lambda one: one.revision, default=None)
        revision = latest.metadata.label(POD_REVISION) if latest else ""
    else:
        return made
    return [pod for pod in made if pod.metadata.label(POD_REVISION) == revision] if revision else None


def ordinal(pod: pods.Pod, found: Workload) -> int:
    """Return the place of a pod in its StatefulSet, counted from 0; -1 where its name has none."""
    number = _number(pod.metadata.name.rpartition("-")[2], missing=-1)
    return number - found.spec.ordinals.start if number >= 0 else -1


def stuck_pods(view: views.View) -> list[pods.Pod]:
    """Return the pods of a StatefulSet that keep it from its new template for ever, the highest ordinal first.

    In order, the controller waits for every pod to be ready before it replaces any, so that a pod of an old template
    that never gets ready has to be deleted by somebody else (kubernetes#67250; ``updateStatefulSet`` in
    pkg/controller/statefulset/stateful_set_control.go). On a node that is not ready deleting it is of no use.
    """
    if view.id.kind != "StatefulSet":
        return []
    found = read(view)
    revision = found.status.update_revision
    in_order = found.spec.pod_management_policy != "Parallel" and not found.on_delete
    if not (revision and in_order and found.saw(view.generation)):
        return []
    stuck = [
        pod
        for pod in view.around.pods_of(found.metadata.uid)
        if pod.active
        and not pod.ready
        and pod.metadata.label(POD_REVISION) != revision
        and ordinal(pod, found) >= found.spec.partition
        and pod.spec.node_name not in view.around.down
    ]
    return sorted(stuck, key=lambda pod: ordinal(pod, found), reverse=True)


def _revision(one: observed.ReplicaSet) -> int:
    return _number(one.metadata.annotation(_REVISION))


def _number(text: str, missing: int = 0) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else missing
