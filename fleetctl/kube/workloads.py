"""Health of one object of a release, whatever its kind, bound to what this visit applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fleetctl.kube import causes, conditions, jobs, observed, replicas, surroundings, views
from fleetctl.model import objects, outcomes

__all__ = ["needs", "verdict"]

_RULES: Final[dict[tuple[str, str], Callable[[views.View], outcomes.Verdict]]] = {
    ("", "Pod"): jobs.pod,
    ("", "ReplicationController"): replicas.replica_set,
    ("apps", "DaemonSet"): replicas.daemon_set,
    ("apps", "Deployment"): replicas.deployment,
    ("apps", "ReplicaSet"): replicas.replica_set,
    ("apps", "StatefulSet"): replicas.stateful_set,
    ("batch", "Job"): jobs.job,
}

_NEEDS: Final[dict[tuple[str, str], tuple[surroundings.List, ...]]] = {
    ("", "ReplicationController"): (surroundings.PODS,),
    ("apps", "DaemonSet"): (surroundings.PODS, surroundings.REVISIONS),
    ("apps", "Deployment"): (surroundings.PODS, surroundings.REPLICA_SETS),
    ("apps", "ReplicaSet"): (surroundings.PODS,),
    ("apps", "StatefulSet"): (surroundings.PODS,),
}
_CLAIM: Final = ("", "PersistentVolumeClaim")


class _ClaimSpec(observed.Seen, frozen=True):
    storage_class_name: str | None = None


class _ClaimHead(observed.Seen, frozen=True):
    metadata: observed.Meta = observed.Meta()
    spec: _ClaimSpec = _ClaimSpec()


def needs(identity: objects.ObjectId, *, unwell: bool = False) -> tuple[surroundings.List, ...]:
    """Return what to list in the object's namespace for a verdict on it.

    Args:
        identity: The object.
        unwell: Whether a verdict without these was not ``current``: then what explains it is wanted too, and the
            nodes, because of which a pod may not count.
    """
    key = (identity.group, identity.kind)
    first = _NEEDS.get(key, ())
    if not unwell:
        return first
    if key == _CLAIM:
        return (surroundings.PODS, surroundings.STORAGE_CLASSES, surroundings.EVENTS)
    if key not in _RULES:
        return ()
    also = (surroundings.PODS, surroundings.EVENTS, surroundings.NODES)
    return (*first, *(one for one in also if one not in first))


def verdict(view: views.View) -> outcomes.Verdict:
    """Return the health of an object; nothing that a cluster shows can raise an error.

    What is ``current`` has a message only where there is something to note: owed nodes, a paused rollout, no status.
    What is not has one always, and a cause as soon as one can be seen, failed or not.
    """
    rule = _RULES.get((view.id.group, view.id.kind))
    if rule is None:
        found = conditions.verdict(
            view.id,
            view.body,
            view.generation,
            since=view.since,
            load_balancers=view.load_balancers,
            declares_status=view.declares_status,
        )
        return _claim(view, found)
    try:
        return rule(view)
    except observed.Unreadable as error:
        return view.verdict(outcomes.State.UNKNOWN, f"not of the form of its kind: {error}")


def _claim(view: views.View, found: outcomes.Verdict) -> outcomes.Verdict:
    """Return ``current`` for a claim that waits for its first pod, as those of K3s' local-path do for ever without."""
    unbound = found.state is outcomes.State.PROGRESSING and found.cause is None
    if (view.id.group, view.id.kind) != _CLAIM or not unbound:
        return found
    try:
        claim = observed.decode(view.body, _ClaimHead)
    except observed.Unreadable as error:
        return view.verdict(outcomes.State.UNKNOWN, f"not of the form of its kind: {error}")
    used = view.around.is_claimed(view.id.namespace, view.id.name)
    if not used and view.around.binds_late(claim.spec.storage_class_name):
        return view.verdict(outcomes.State.CURRENT, "not bound yet: its volume is made for the first pod that uses it")
    events = view.around.events_about(claim.metadata.uid)
    return view.verdict(found.state, found.message, causes.not_provided(events, str(view.id)))
