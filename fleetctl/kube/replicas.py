"""Health of Deployments, StatefulSets, DaemonSets and ReplicaSets, bound to what was applied just now.

Counts in a status mix old pods with new ones, so pods are counted here: those of the template that the controller took
from our apply, on nodes that are ready. Pods on nodes that are not ready cannot be waited for: they leave the count
and are named as owed, but a workload of which nothing else is left does not count as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from fleetctl.kube import causes, conditions, observed, pods, templates, views
from fleetctl.model import outcomes

__all__ = ["daemon_set", "deployment", "replica_set", "stateful_set"]

_OF_TEMPLATE: Final = "of the new template "


class _Count(msgspec.Struct, frozen=True):
    """Pods of the new template on nodes that are ready, and what is wrong with the others of them."""

    ready: int
    needed: int
    wanted: int
    owed: tuple[str, ...]
    """Nodes that are not ready."""
    absent: int
    """Pods that leave the count because of them."""
    troubles: list[causes.Trouble]
    template: str = _OF_TEMPLATE

    @property
    def words(self) -> str:
        """Return ``1 of 2 pods of the new template ready``."""
        if self.deserted:
            return f"all pods {self.template}are on nodes that are not ready: {', '.join(self.owed)}"
        head = f"{self.ready:,} of {_pods(self.needed)} {self.template}ready"
        return f"{head}; {self.note}" if self.owed else head

    @property
    def note(self) -> str:
        """Return the owed nodes in words, or ""."""
        return f"owed nodes, not ready: {', '.join(self.owed)}" if self.owed else ""

    @property
    def deserted(self) -> bool:
        """Tell whether no pod is left that could prove anything."""
        return self.needed == 0 and self.wanted > 0

    @property
    def enough(self) -> bool:
        """Tell whether all that can be ready is."""
        return self.ready >= self.needed and not self.deserted


def deployment(view: views.View) -> outcomes.Verdict:
    """Judge a Deployment by the pods of its newest ReplicaSet."""
    found = templates.read(view)
    early = _early(view, found)
    if early:
        return early
    if found.spec.paused:
        return view.verdict(outcomes.State.CURRENT, "paused: its pods keep the old template")
    newest, fresh = templates.newest_replica_set(view, found), templates.fresh_pods(view, found)
    if newest is None or fresh is None:
        return views.waiting(view, "no ReplicaSet of the new template yet", _no_replica_set(view, found))
    count = _count(view, fresh, found.replicas)
    stuck: list[causes.Trouble] = []
    old = found.status.replicas - found.status.updated_replicas
    if not count.enough:
        stuck = _stuck(view, found, count, views.not_created(view, newest.metadata.uid, newest.status.conditions))
        message = count.words
    elif newest.status.available_replicas < count.needed:
        message = _not_yet(count, found)
    elif old > count.absent:
        message = f"{_pods(old)} of the old template not gone yet"
    else:
        return view.verdict(outcomes.State.CURRENT, count.note)
    return _past_deadline(view, found, message, stuck) or views.waiting(view, message, stuck)


def stateful_set(view: views.View) -> outcomes.Verdict:
    """Judge a StatefulSet by the pods of its update revision: its current revision is often late or wrong."""
    found = templates.read(view)
    early = _early(view, found) or _on_delete(view, found)
    if early:
        return early
    fresh = templates.fresh_pods(view, found)
    if fresh is None:
        return views.waiting(view, "no revision of the new template yet", [])
    partition = found.spec.partition
    due = [pod for pod in fresh if templates.ordinal(pod, found) >= partition]
    count = _count(view, due, max(0, found.replicas - partition))
    if not count.enough:
        stuck = _stuck(view, found, count, _blocked(view) or views.not_created(view, found.metadata.uid))
        return views.waiting(view, count.words, stuck)
    if found.spec.min_ready_seconds and found.status.available_replicas < count.needed:
        return views.waiting(view, _not_yet(count, found), [])
    extra = found.status.replicas - found.replicas
    if extra > 0:
        return views.waiting(view, f"{_pods(extra)} too many not gone yet", [])
    kept = f"partition {partition:,}: pods below it keep the old template" if partition else ""
    return view.verdict(outcomes.State.CURRENT, "; ".join(part for part in (kept, count.note) if part))


def daemon_set(view: views.View) -> outcomes.Verdict:
    """Judge a DaemonSet by the pods of its newest ControllerRevision, one for each node that is ready."""
    found = templates.read(view)
    early = _early(view, found) or _on_delete(view, found)
    if early:
        return early
    fresh = templates.fresh_pods(view, found)
    if fresh is None:
        return views.waiting(view, "no revision of the new template yet", [])
    status = found.status
    made = view.around.pods_of(found.metadata.uid)
    down = sorted(view.around.down & {pod.spec.node_name for pod in made})
    # A pod that is where none should be any more, as on a node of another label now, owes nothing.
    count = _count(view, fresh, status.desired_number_scheduled, down[max(0, status.number_misscheduled) :])
    if not count.enough:
        stuck = _stuck(view, found, count, views.not_created(view, found.metadata.uid))
        return views.waiting(view, count.words, stuck)
    if min(status.updated_number_scheduled, status.number_available) < count.needed:
        return views.waiting(view, _not_yet(count, found), [])
    nowhere = "" if status.desired_number_scheduled else "no node is to run it"
    return view.verdict(outcomes.State.CURRENT, nowhere or count.note)


def replica_set(view: views.View) -> outcomes.Verdict:
    """Judge a ReplicaSet or ReplicationController of its own, whose pods stay when its template changes."""
    found = templates.read(view)
    early = _early(view, found)
    if early:
        return early
    count = _count(view, templates.fresh_pods(view, found) or [], found.replicas, template="")
    if not count.enough:
        stuck = _stuck(view, found, count, views.not_created(view, found.metadata.uid, found.status.conditions))
        return views.waiting(view, count.words, stuck)
    if found.status.available_replicas < count.needed:
        return views.waiting(view, _not_yet(count, found), [])
    extra = found.status.replicas - found.replicas
    if extra > 0:
        return views.waiting(view, f"{_pods(extra)} too many not gone yet", [])
    return view.verdict(outcomes.State.CURRENT, count.note)


def _early(view: views.View, found: templates.Workload) -> outcomes.Verdict | None:
    """Return the verdict on a workload whose status does not speak of our apply yet."""
    if found.metadata.terminating:
        return view.verdict(outcomes.State.TERMINATING, "being deleted")
    if not found.saw(view.generation):
        wanted = view.generation or found.metadata.generation
        return views.waiting(view, conditions.seen(found.status.observed_generation, wanted), [])
    return None


def _on_delete(view: views.View, found: templates.Workload) -> outcomes.Verdict | None:
    if not found.on_delete:
        return None
    return view.verdict(outcomes.State.CURRENT, "OnDelete: its pods keep the old template until somebody deletes them")


def _count(
    view: views.View,
    fresh: Sequence[pods.Pod],
    wanted: int,
    down: Collection[str] = (),
    *,
    template: str = _OF_TEMPLATE,
) -> _Count:
    """Count pods; ``down`` are nodes that owe a pod even though it may be an old one."""
    there = [pod for pod in fresh if pod.spec.node_name not in view.around.down]
    owed = tuple(sorted({*down, *(pod.spec.node_name for pod in fresh if pod.spec.node_name in view.around.down)}))
    absent = max(len(down), len(fresh) - len(there))
    count = _Count(
        ready=sum(pod.ready for pod in there),
        needed=max(0, wanted - absent),
        wanted=wanted,
        owed=owed,
        absent=absent,
        troubles=views.troubles(view, there),
        template=template,
    )
    if count.deserted:
        cause = outcomes.Cause("NodeNotReady", str(view.id), count.words)
        count.troubles.append(causes.Trouble(cause, "deserted"))
    return count


def _stuck(
    view: views.View, found: templates.Workload, count: _Count, missing: list[causes.Trouble]
) -> list[causes.Trouble]:
    """Return why pods are not ready, or are not there: those that a kubelet turned away or put out say it, too."""
    return count.troubles or missing or views.troubles(view, templates.ended_pods(view, found))


def _no_replica_set(view: views.View, found: templates.Workload) -> list[causes.Trouble]:
    told = observed.condition(found.status.conditions, "Progressing")
    if told is None or told.status != "False" or told.reason != "ReplicaSetCreateError":
        return []
    cause = outcomes.Cause(told.reason, str(view.id), observed.words(told.message))
    return [causes.Trouble(cause, "template")]


def _blocked(view: views.View) -> list[causes.Trouble]:
    names = ", ".join(pod.metadata.name for pod in templates.stuck_pods(view))
    if not names:
        return []
    message = f"pods of an old template that are not ready hold it up until they are deleted: {names}"
    return [causes.Trouble(outcomes.Cause("StatefulSetStuck", str(view.id), message), "stuck")]


def _past_deadline(
    view: views.View, found: templates.Workload, waits: str, stuck: list[causes.Trouble]
) -> outcomes.Verdict | None:
    """Return the verdict on a Deployment that made no progress in its time, counted from our apply.

    The controller leaves the condition of an earlier release standing until pods make progress
    (``syncRolloutStatus`` in pkg/controller/deployment/progress.go), so that the condition alone proves nothing.
    """
    told = observed.condition(found.status.conditions, "Progressing")
    deadline = found.spec.progress_deadline_seconds
    if told is None or told.reason != "ProgressDeadlineExceeded" or deadline is None or view.since < deadline:
        return None
    worst = causes.worst(stuck)
    message = f"no progress within {deadline:,} s"
    cause = worst.cause if worst else outcomes.Cause("ProgressDeadlineExceeded", str(view.id), message)
    return view.verdict(outcomes.State.FAILED, f"{waits}, {message}", cause)


def _not_yet(count: _Count, found: templates.Workload) -> str:
    seconds = found.spec.min_ready_seconds
    return f"{count.words}, not yet for {seconds:,} s" if seconds else f"{count.words}, not yet counted as available"


def _pods(number: int) -> str:
    return f"{number:,} pod" if number == 1 else f"{number:,} pods"
