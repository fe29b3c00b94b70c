"""Whether an object's own status says that its controller is through with it: a cheap look, no verdict.

It tells when a verdict is worth its requests. The verdict needs more than the object (``kube.workloads``), and may be
another.
"""

from __future__ import annotations

from typing import Final

from fleetctl.kube import conditions, observed
from fleetctl.model import objects, outcomes

__all__ = ["settled"]


_JOB: Final = ("batch", "Job")
_ENDS: Final = frozenset({"Complete", "Failed", "Suspended"})


class _Spec(observed.Seen, frozen=True):
    replicas: int | None = None


class _Status(observed.Seen, frozen=True):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    conditions: tuple[observed.Condition, ...] | None = None


class _Workload(observed.Seen, frozen=True):
    metadata: observed.Meta = observed.Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


def settled(identity: objects.ObjectId, body: bytes, generation: int = 0) -> bool:
    """Tell whether an object's status says that it is done or will not be; nothing in it can raise an error.

    ``generation`` is what our apply returned; 0 stands for the one that the object has.
    """
    key = (identity.group, identity.kind)
    if identity.group != "apps" and key != _JOB:
        return conditions.verdict(identity, body, generation).state is not outcomes.State.PROGRESSING
    try:
        found = observed.decode(body, _Workload)
    except observed.Unreadable:
        return True
    status = found.status
    if key == _JOB:
        return any(one.type in _ENDS and one.status == "True" for one in status.conditions or ())
    if status.observed_generation < (generation or found.metadata.generation):
        return False
    progressing = observed.condition(status.conditions, "Progressing")
    if progressing is not None and progressing.status == "False":
        return True
    wanted = 1 if found.spec.replicas is None else found.spec.replicas
    if identity.kind == "DaemonSet":
        wanted = status.desired_number_scheduled
        return min(status.updated_number_scheduled, status.number_available) >= wanted
    if identity.kind == "StatefulSet":
        return min(status.updated_replicas, status.ready_replicas) >= wanted
    return (
        status.replicas == status.updated_replicas and min(status.updated_replicas, status.available_replicas) >= wanted
    )
