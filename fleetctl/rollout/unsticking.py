"""Pods that would hold up a StatefulSet for ever after its template was taken back (kubernetes#67250)."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.kube import answers, client, observed, pods, templates, views

__all__ = ["unstick"]


async def unstick(api: client.Client, seen: Iterable[views.View]) -> list[str]:
    """Delete such pods, one of each StatefulSet at a time; returns what was done, in words."""
    done = []
    for view in seen:
        for pod in _stuck(view)[:1]:
            meta = pod.metadata
            try:
                gone = await api.delete(f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}", uid=meta.uid)
            except answers.Failure as failure:
                if failure.kind != "conflict":  # another pod of that name by now: it is free
                    raise
            else:
                if gone:
                    done.append(f"Pod {meta.namespace}/{meta.name} was deleted: it was not ready and held up {view.id}")
    return done


def _stuck(view: views.View) -> list[pods.Pod]:
    try:
        return templates.stuck_pods(view)
    except observed.Unreadable:
        return []
