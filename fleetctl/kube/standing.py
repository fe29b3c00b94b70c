"""Whether pods that were well stay so: what a soak compares."""

from __future__ import annotations

from collections.abc import Mapping

from fleetctl.kube import causes, observed, pods, templates, views, workloads
from fleetctl.model import outcomes

__all__ = ["fallen", "standing"]


def standing(view: views.View) -> dict[str, int]:
    """Return how often the containers of each pod that an object stands on were restarted, by the pod's UID."""
    return {pod.metadata.uid: _restarts(pod) for pod in _pods(view)}


def fallen(view: views.View, before: Mapping[str, int]) -> outcomes.Cause | None:
    """Return what went wrong since ``before`` was taken: restarts, replaced pods, pods that are not ready any more.

    Pods that are merely fewer or more than before are a matter of scale, as long as the object is well.
    """
    found = workloads.verdict(view)
    if found.state is not outcomes.State.CURRENT:
        return found.cause or outcomes.Cause("NotReady", str(view.id), found.message)
    now = {pod.metadata.uid: pod for pod in _pods(view)}
    for uid, pod in now.items():
        if uid in before and _restarts(pod) > before[uid]:
            return _restarted(pod)
    if before.keys() - now.keys() and now.keys() - before.keys():
        return outcomes.Cause("PodReplaced", str(view.id), "a pod of the new template was replaced by another")
    return None


def _pods(view: views.View) -> list[pods.Pod]:
    """Return an object's pods of the new template that are on nodes that are ready."""
    try:
        if (view.id.group, view.id.kind) == ("", "Pod"):
            return [observed.decode(view.body, pods.Pod)]
        found = templates.fresh_pods(view, templates.read(view)) or []
    except observed.Unreadable:
        return []
    return [pod for pod in found if pod.spec.node_name not in view.around.down]


def _restarts(pod: pods.Pod) -> int:
    return sum(container.restart_count for container in pod.containers)


def _restarted(pod: pods.Pod) -> outcomes.Cause:
    worst = max(pod.containers, key=lambda container: container.restart_count)
    return outcomes.Cause("ContainerRestarted", f"container {worst.name}", causes.ending(worst))
