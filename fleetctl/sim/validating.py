"""What a simulated API server finds invalid (422): what makes no sense to controllers, and what cannot change.

Not all that a real one finds: names, labels, sizes, what the simulated controllers go by, and the immutable fields
of the kinds served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from fleetctl.model import labels
from fleetctl.sim import kinds, objects

__all__ = ["Fault", "faults", "invalid"]

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_PERCENT: Final = re.compile(r"[0-9]+%")
_MOST_DATA: Final = 1_048_576
_MOST_ANNOTATIONS: Final = 262_144
_FREE: Final[dict[str, tuple[str, ...]]] = {
    "StatefulSet": (
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ),
    "PersistentVolumeClaim": ("resources", "volumeAttributesClassName", "volumeName"),
}
_NAMED: Final = ", ".join(f"'{field}'" for field in _FREE["StatefulSet"][:-1]) + " and 'minReadySeconds'"
_FORBIDDEN: Final = {
    "StatefulSet": f"updates to statefulset spec for fields other than {_NAMED} are forbidden",
    "PersistentVolumeClaim": "spec is immutable after creation except resources.requests and"
    " volumeAttributesClassName for bound claims",
}


class Fault(NamedTuple):
    """One thing that is invalid."""

    field: str
    reason: str
    message: str


def invalid(resource: kinds.Resource, name: str, found: list[Fault]) -> objects.Refusal:
    """Return the refusal of an object."""
    said = [f"{one.field}: {one.message}" for one in found]
    text = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    what = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    causes = [{"reason": one.reason, "message": one.message, "field": one.field} for one in found]
    message = f'{what} "{name}" is invalid: {text}'
    return objects.Refusal(422, "Invalid", message, kind=resource.kind, group=resource.group, name=name, causes=causes)


def faults(resource: kinds.Resource, live: objects.Object | None, one: objects.Object) -> list[Fault]:
    """Return what is invalid about an object as it would be stored."""
    found = [*_metadata(resource, one["metadata"])]
    if resource.kind in {"ConfigMap", "Secret"}:
        found += _data(one)
    if resource.kind in {"DaemonSet", "Deployment", "Job", "StatefulSet"}:
        found += _workload(resource.kind, one.get("spec") or {})
    if live is not None:
        found += _changed(resource, live, one)
    return found


def _bad(field: str, value: object, why: str) -> Fault:
    return Fault(field, "FieldValueInvalid", f"Invalid value: {msgspec.json.encode(value).decode()}: {why}")


def _metadata(resource: kinds.Resource, meta: dict[str, Any]) -> Iterator[Fault]:
    name = meta["name"]
    if resource.group == "rbac.authorization.k8s.io":
        if name in {".", ".."} or "/" in name or "%" in name:
            yield _bad("metadata.name", name, "may not contain '/' or '%'")
    else:
        check = labels.dns_label_fault if resource.kind in {"Namespace", "Service"} else labels.subdomain_fault
        if why := check(name):
            yield _bad("metadata.name", name, why)
    for key, value in meta.get("labels", {}).items():
        if why := labels.key_fault(key):
            yield _bad("metadata.labels", key, why)
        if why := labels.value_fault(value):
            yield _bad("metadata.labels", value, why)
    annotations = meta.get("annotations", {})
    if sum(len(text.encode()) for pair in annotations.items() for text in pair) > _MOST_ANNOTATIONS:
        why = f"Too long: may not be more than {_MOST_ANNOTATIONS} bytes"
        yield Fault("metadata.annotations", "FieldValueTooLong", why)


def _data(one: objects.Object) -> Iterator[Fault]:
    data = {**one.get("data", {}), **one.get("binaryData", {})}
    for key in data:
        if not _KEY.fullmatch(key) or key in {".", ".."}:
            why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
            yield _bad(f"data[{key}]", key, why)
    if sum(len(value.encode()) for value in data.values()) > _MOST_DATA:
        yield Fault("[]", "FieldValueTooLong", f"Too long: may not be more than {_MOST_DATA} bytes")


def _workload(kind: str, spec: dict[str, Any]) -> Iterator[Fault]:
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        yield _bad("spec.replicas", replicas, "must be greater than or equal to 0")
    template = spec.get("template") or {}
    if kind != "Job":
        yield from _selected(spec.get("selector"), (template.get("metadata") or {}).get("labels"))
    pod = template.get("spec") or {}
    where = "spec.template.spec"
    if not pod.get("containers"):
        yield Fault(f"{where}.containers", "FieldValueRequired", "Required value")
    for sort in ("containers", "initContainers"):
        for index, container in enumerate(pod.get(sort) or ()):
            for field in ("name", "image"):
                if not container.get(field):
                    yield Fault(f"{where}.{sort}[{index}].{field}", "FieldValueRequired", "Required value")
    if kind == "Deployment":
        yield from _strategy(spec.get("strategy") or {})
        deadline = spec.get("progressDeadlineSeconds", 600)
        if deadline <= spec.get("minReadySeconds", 0):
            yield _bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _selected(selector: dict[str, Any] | None, labelled: dict[str, str] | None) -> Iterator[Fault]:
    if selector is None:
        yield Fault("spec.selector", "FieldValueRequired", "Required value")
    wanted = (selector or {}).get("matchLabels") or {}
    if not wanted.items() <= (labelled or {}).items() or selector is None:
        yield _bad("spec.template.metadata.labels", labelled, "`selector` does not match template `labels`")


def _strategy(strategy: dict[str, Any]) -> Iterator[Fault]:
    rolling = strategy.get("rollingUpdate") or {}
    if rolling and strategy.get("type") == "Recreate":
        why = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        yield Fault("spec.strategy.rollingUpdate", "FieldValueForbidden", why)
    for field, value in rolling.items():
        if isinstance(value, str) and not _PERCENT.fullmatch(value):
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            yield _bad(f"spec.strategy.rollingUpdate.{field}", value, why)
    if {str(rolling.get(field, 1)).rstrip("%") for field in ("maxSurge", "maxUnavailable")} == {"0"}:
        where = "spec.strategy.rollingUpdate.maxUnavailable"
        yield _bad(where, rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0")


def _changed(resource: kinds.Resource, live: objects.Object, one: objects.Object) -> Iterator[Fault]:
    """Yield changes of what cannot change."""
    kind, before, after = resource.kind, live.get("spec") or {}, one.get("spec") or {}
    if kind in _FREE and any(
        before.get(key) != after.get(key) for key in (before.keys() | after.keys()) - set(_FREE[kind])
    ):
        yield Fault("spec", "FieldValueForbidden", f"Forbidden: {_FORBIDDEN[kind]}")
    if kind in {"DaemonSet", "Deployment"} and before.get("selector") != after.get("selector"):
        yield _bad("spec.selector", after.get("selector"), "field is immutable")
    if kind == "Job" and before.get("template") != after.get("template"):
        yield _bad("spec.template", after.get("template"), "field is immutable")
    if "roleRef" in live and live["roleRef"] != one.get("roleRef"):
        yield _bad("roleRef", one.get("roleRef"), "cannot change roleRef")
    for field in _TOP.get(kind, ()):
        if live.get(field) != one.get(field):
            yield _bad(field, one.get(field), "field is immutable")
    if kind in {"ConfigMap", "Secret"} and live.get("immutable"):
        for field in ("immutable", "data", "binaryData"):
            if live.get(field) != one.get(field):
                yield Fault(field, "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set")


_TOP: Final = {
    "PriorityClass": ("value", "preemptionPolicy"),
    "Secret": ("type",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
}
"""Fields beside ``spec`` that cannot change."""
