"""Health of what makes no pods, from the object alone, as kstatus reads it save where the bundle's owner knows better.

Source of the rules: pkg/kstatus/status in sigs.k8s.io/cli-utils (``core.go``, ``generic.go``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from fleetctl.kube import observed
from fleetctl.model import objects, outcomes

__all__ = ["APPLIED_IS_ENOUGH", "NO_STATUS_GRACE", "seen", "verdict"]

NO_STATUS_GRACE: Final = 15.0
"""Seconds that a custom resource's controller has to write any status, before its object counts as having none."""

_CURRENT: Final = outcomes.State.CURRENT
_PROGRESSING: Final = outcomes.State.PROGRESSING
_FAILED: Final = outcomes.State.FAILED

APPLIED_IS_ENOUGH: Final = frozenset(
    {
        ("", "ConfigMap"),
        ("", "LimitRange"),
        ("", "ResourceQuota"),
        ("", "Secret"),
        ("", "ServiceAccount"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("batch", "CronJob"),
        ("networking.k8s.io", "Ingress"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("node.k8s.io", "RuntimeClass"),
        ("policy", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "StorageClass"),
    }
)
"""Kinds of which an answered apply says all, as (group, kind): there is no need to look at them again."""


_GENERAL: Final = {"Reconciling": _PROGRESSING, "Stalled": _FAILED}


class _Head(observed.Seen, frozen=True):
    metadata: observed.Meta = observed.Meta()


class _Status(observed.Seen, frozen=True):
    observed_generation: int | None = None
    phase: str = ""
    conditions: tuple[observed.Condition, ...] | None = None


class _Plain(observed.Seen, frozen=True):
    status: _Status | None = None


class _Custom(observed.Seen, frozen=True):
    status: dict[str, msgspec.Raw] | None = None


class _CustomStatus(observed.Seen, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[observed.Condition, ...] | None = None


class _CustomStatusOnly(observed.Seen, frozen=True):
    status: _CustomStatus | None = None


class _ServiceSpec(observed.Seen, frozen=True):
    type: str = ""


class _Address(observed.Seen, frozen=True):
    ip: str = ""
    hostname: str = ""


class _Balancer(observed.Seen, frozen=True):
    ingress: tuple[_Address, ...] | None = None


class _ServiceStatus(observed.Seen, frozen=True):
    load_balancer: _Balancer = _Balancer()


class _Service(observed.Seen, frozen=True):
    spec: _ServiceSpec = _ServiceSpec()
    status: _ServiceStatus = _ServiceStatus()


def verdict(
    identity: objects.ObjectId,
    body: bytes,
    generation: int = 0,
    *,
    since: float = 0.0,
    load_balancers: bool = True,
    declares_status: bool = True,
) -> outcomes.Verdict:
    """Return the health of an object as the API server returned it; nothing in it can raise an error.

    Args:
        identity: Which object it is.
        body: The object, whole.
        generation: What our apply returned; 0 stands for the one that the object has.
        since: Seconds since it was applied.
        load_balancers: Whether a Service of type LoadBalancer needs an address.
        declares_status: Whether a custom resource has a status at all.
    """

    def told(state: outcomes.State, message: str = "", cause: outcomes.Cause | None = None) -> outcomes.Verdict:
        return outcomes.Verdict(identity, state, observed.words(message), cause)

    key = (identity.group, identity.kind)
    try:
        meta = observed.decode(body, _Head).metadata
        if meta.terminating:
            return told(outcomes.State.TERMINATING, "being deleted")
        if key in APPLIED_IS_ENOUGH:
            return told(_CURRENT)
        if key == ("", "Service"):
            return told(*_service(observed.decode(body, _Service), needed=load_balancers))
        wanted = generation or meta.generation
        if not identity.built_in:
            return told(*_custom(identity, body, wanted, since if declares_status else NO_STATUS_GRACE))
        status = observed.decode(body, _Plain).status or _Status()
        if status.observed_generation is not None and status.observed_generation < wanted:
            return told(_PROGRESSING, seen(status.observed_generation, wanted))
        if (general := _general(identity, status.conditions)) is not None:
            return told(*general)
        return told(*_BUILT_IN.get(key, _applied)(identity, status))
    except observed.Unreadable as error:
        return told(outcomes.State.UNKNOWN, f"not of the form of its kind: {error}")


def seen(observed_generation: int, wanted: int) -> str:
    """Return in words that an object's controller has not looked at what was applied."""
    return f"not yet seen by its controller (generation {wanted:,}, observed {observed_generation:,})"


_Told = tuple[outcomes.State, str, outcomes.Cause | None]


def _applied(identity: objects.ObjectId, status: _Status) -> _Told:
    """Return what kstatus says of kinds that it has no rule for: a condition Ready counts, if there is one."""
    found = observed.condition(status.conditions, "Ready")
    return (_CURRENT, "", None) if found is None else _of_condition(identity, found)


def _service(found: _Service, *, needed: bool) -> _Told:
    if found.spec.type != "LoadBalancer" or not needed:
        return _CURRENT, "", None
    if any(address.ip or address.hostname for address in found.status.load_balancer.ingress or ()):
        return _CURRENT, "", None
    return _PROGRESSING, "no address from a load balancer yet", None


def _definition(identity: objects.ObjectId, status: _Status) -> _Told:
    accepted = observed.condition(status.conditions, "NamesAccepted")
    established = observed.condition(status.conditions, "Established")
    if accepted is not None and accepted.status == "False":
        return _FAILED, "its names are taken", _cause(identity, accepted)
    if established is None or (established.status != "True" and established.reason == "Installing"):
        return _PROGRESSING, "not established yet", None
    if established.status == "True":
        return _CURRENT, "", None
    if established.status == "False":
        return _FAILED, "not established", _cause(identity, established)
    return _PROGRESSING, "not established yet", None


def _namespace(_: objects.ObjectId, status: _Status) -> _Told:
    return (outcomes.State.TERMINATING if status.phase == "Terminating" else _CURRENT), "", None


def _claim(identity: objects.ObjectId, status: _Status) -> _Told:
    if status.phase == "Bound":
        return _CURRENT, "", None
    if status.phase == "Lost":
        return _PROGRESSING, "lost", outcomes.Cause("ClaimLost", str(identity), "its PersistentVolume is gone")
    return _PROGRESSING, "not bound to a volume yet", None


def _volume(identity: objects.ObjectId, status: _Status) -> _Told:
    if status.phase == "Failed":
        return _FAILED, "failed", outcomes.Cause("VolumeFailed", str(identity), "its reclamation failed")
    return _CURRENT, "", None


def _available(identity: objects.ObjectId, status: _Status) -> _Told:
    found = observed.condition(status.conditions, "Available")
    if found is None:
        return _PROGRESSING, "not available yet", None
    return _of_condition(identity, found)


_BUILT_IN: Final[dict[tuple[str, str], Callable[[objects.ObjectId, _Status], _Told]]] = {
    ("", "Namespace"): _namespace,
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _available,
}


def _custom(identity: objects.ObjectId, body: bytes, wanted: int, since: float) -> _Told:
    """Judge a custom resource by the conditions that kstatus defines, then by those that are widely used."""
    if not observed.decode(body, _Custom).status:
        if since < NO_STATUS_GRACE:
            return _PROGRESSING, "no status yet", None
        return _CURRENT, "no status", None
    status = observed.decode(body, _CustomStatusOnly).status or _CustomStatus()
    if status.observed_generation is not None and status.observed_generation < wanted:
        return _PROGRESSING, seen(status.observed_generation, wanted), None
    if (general := _general(identity, status.conditions)) is not None:
        return general
    for kind in ("Ready", "Available"):
        found = observed.condition(status.conditions, kind)
        if found is not None:
            if found.observed_generation is not None and found.observed_generation < wanted:
                return _PROGRESSING, seen(found.observed_generation, wanted), None
            return _of_condition(identity, found)
    return _CURRENT, "", None


def _general(identity: objects.ObjectId, told: tuple[observed.Condition, ...] | None) -> _Told | None:
    """Return what the two conditions say that kstatus defines for objects of any kind; the first that is true counts.

    Source: ``checkGenericProperties`` in generic.go.
    """
    for found in told or ():
        if found.type in _GENERAL and found.status == "True":
            return _GENERAL[found.type], _words(found), _cause(identity, found)
    return None


def _of_condition(identity: objects.ObjectId, found: observed.Condition) -> _Told:
    if found.status == "True":
        return _CURRENT, "", None
    return _PROGRESSING, _words(found), _cause(identity, found)


def _words(found: observed.Condition) -> str:
    return f"{found.type} is {found.status}" + (f": {found.reason}" if found.reason else "")


def _cause(identity: objects.ObjectId, found: observed.Condition) -> outcomes.Cause:
    reason = observed.words(found.reason or f"Not{found.type}")
    return outcomes.Cause(reason, str(identity), observed.words(found.message))
