"""What was seen of an object that is not well, from the object down to its containers: the stuff of ``why``.

A chain is plain data, so that it can be stored with the outcome and read back years later:

- the object: ``group kind namespace name state message``, and ``children``;
- its ReplicaSet, where it has one: ``kind name children``;
- pods that are not well, three at most (``more`` says how many are left out): ``kind name node phase children``;
- their containers that are not well: ``kind name image state reason message restarts last log``.

Each but a container may have ``events``: ``reason message count seconds``, those of one reason together.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fleetctl.kube import causes, observed, pods, templates, views
from fleetctl.model import outcomes

__all__ = ["Log", "chain", "logs"]

_PODS: Final = 3
_CONTAINERS: Final = 8
_EVENTS: Final = 5
_LINES: Final = 10
_LOG_BYTES: Final = 16_384


class Log(msgspec.Struct, frozen=True):
    """The log of a container that says more than its status; ``previous`` is that of the run before this one."""

    namespace: str
    pod: str
    container: str
    previous: bool

    @property
    def path(self) -> str:
        """Return what to ask the API server for: the last lines, and not too much of them."""
        query = {"container": self.container, "tailLines": _LINES, "limitBytes": _LOG_BYTES}
        if self.previous:
            query["previous"] = "true"
        place = f"namespaces/{urllib.parse.quote(self.namespace)}/pods/{urllib.parse.quote(self.pod)}"
        return f"/api/v1/{place}/log?{urllib.parse.urlencode(query)}"


def logs(view: views.View) -> list[Log]:
    """Return the logs worth fetching for the object's chain: of containers that ran and are not well."""
    return [
        Log(pod.metadata.namespace, pod.metadata.name, one.name, previous=one.running and one.restart_count > 0)
        for pod in _unwell(view)[:_PODS]
        for one in _unwell_containers(pod)
        if one.running or one.last_end is not None
    ]


def chain(view: views.View, verdict: outcomes.Verdict, fetched: Mapping[Log, bytes] | None = None) -> dict[str, object]:
    """Return what was seen of an object, with the logs that were fetched for it."""
    uid = _uid(view)
    top: dict[str, object] = {
        "group": view.id.group,
        "kind": view.id.kind,
        "namespace": view.id.namespace,
        "name": view.id.name,
        "state": str(verdict.state),
        "message": verdict.message,
    }
    _add_events(top, view.around.events_about(uid))
    unwell = _unwell(view)
    below: list[dict[str, object]] = [_pod(view, pod, fetched or {}) for pod in unwell[:_PODS]]
    made = _replica_set(view)
    if made is not None:
        between: dict[str, object] = {"kind": "ReplicaSet", "name": made.metadata.name}
        _add_events(between, view.around.events_about(made.metadata.uid))
        if below:
            between["children"] = below
        below = [between]
    if below:
        top["children"] = below
    if len(unwell) > _PODS:
        top["more"] = len(unwell) - _PODS
    return _bounded(top)


def _bounded(made: dict[str, object]) -> dict[str, object]:
    """Return a part of the chain with no text longer than a message may be: names and reasons are a cluster's, too."""
    return {key: _bounded_value(value) for key, value in made.items()}


def _bounded_value(value: object) -> object:
    if isinstance(value, str):
        return observed.words(value)
    if isinstance(value, list):
        return [_bounded_value(one) for one in value]
    return _bounded(value) if isinstance(value, dict) else value


class _Head(observed.Seen, frozen=True):
    metadata: observed.Meta = observed.Meta()


def _uid(view: views.View) -> str:
    try:
        return observed.decode(view.body, _Head).metadata.uid
    except observed.Unreadable:
        return ""


def _replica_set(view: views.View) -> observed.ReplicaSet | None:
    if (view.id.group, view.id.kind) != ("apps", "Deployment"):
        return None
    try:
        return templates.newest_replica_set(view, templates.read(view))
    except observed.Unreadable:
        return None


def _unwell(view: views.View) -> list[pods.Pod]:
    """Return the pods that keep an object from being well: those of its new template, or in the way of them."""
    try:
        if (view.id.group, view.id.kind) == ("", "Pod"):
            found = [observed.decode(view.body, pods.Pod)]
        elif (view.id.group, view.id.kind) == ("batch", "Job"):
            found = view.around.pods_of(_uid(view))
        else:
            found = [*(templates.fresh_pods(view, templates.read(view)) or ()), *templates.stuck_pods(view)]
    except observed.Unreadable:
        return []
    return [pod for pod in found if not pod.ready and pod.status.phase != "Succeeded"]


def _unwell_containers(pod: pods.Pod) -> list[pods.Container]:
    found = [
        one
        for one in pod.containers
        if not one.ready and (one.ended is None or one.ended.exit_code or one.ended.signal)
    ]
    return found[:_CONTAINERS]


def _pod(view: views.View, pod: pods.Pod, fetched: Mapping[Log, bytes]) -> dict[str, object]:
    made: dict[str, object] = {"kind": "Pod", "name": pod.metadata.name, "phase": pod.status.phase}
    if pod.spec.node_name:
        made["node"] = pod.spec.node_name
    events = view.around.events_about(pod.metadata.uid)
    found = {one.key: one.cause for one in causes.troubles(pod, events, str(view.id))}
    logs_of = {log.container: text for log, text in fetched.items() if log.pod == pod.metadata.name}
    children: list[dict[str, object]] = []
    for one in _unwell_containers(pod):
        # What a container suffers from stands with it; the rest stands with the pod.
        pulled = found.pop(f"{pod.metadata.uid}:{one.name}:image", None)
        for trouble in ("config", "crash", "exit"):
            found.pop(f"{pod.metadata.uid}:{one.name}:{trouble}", None)
        children.append(_container(pod, one, pulled.message if pulled else "", logs_of.get(one.name)))
    for cause in found.values():
        made["reason"], made["message"] = cause.reason, cause.message
    _add_events(made, events)
    if children:
        made["children"] = children
    return made


def _container(pod: pods.Pod, one: pods.Container, pulling: str, log: bytes | None) -> dict[str, object]:
    made: dict[str, object] = {
        "kind": "container",
        "name": one.name,
        "image": pod.image_of(one.name) or one.image,
        "restarts": one.restart_count,
    }
    end = one.last_end
    said = ""
    if one.waiting:
        # That a container is backed off after a crash is known; its own last words are not.
        said = pulling or (one.waiting_message if end is None else end.message)
        made |= {"state": "waiting", "reason": one.waiting}
    elif one.ended is not None:
        said = one.ended.message
        made |= {"state": "ended", "reason": one.ended.reason}
    else:
        made["state"] = "running, not ready" if one.running else "not started"
    if said:
        made["message"] = observed.words(said)
    if end is not None:
        made["last"] = causes.ending(one)
    if log:
        made["log"] = [observed.words(line) for line in log.decode(errors="replace").splitlines()[-_LINES:]]
    return made


def _add_events(made: dict[str, object], events: Iterable[observed.Event]) -> None:
    """Add the events that tell of trouble, the latest first, those of one reason as one."""
    by_reason: dict[str, list[observed.Event]] = {}
    for event in events:
        if event.type != "Normal" or event.reason == "BackOff":
            by_reason.setdefault(event.reason, []).append(event)
    latest = sorted(by_reason.values(), key=lambda found: max(event.last for event in found), reverse=True)
    shown: list[dict[str, Any]] = [
        {
            "reason": found[0].reason,
            "message": observed.words(max(found, key=lambda event: event.last).message),
            "count": sum(event.times for event in found),
            "seconds": observed.seconds_between(min(one.first for one in found), max(one.last for one in found)),
        }
        for found in latest[:_EVENTS]
    ]
    if shown:
        made["events"] = shown
