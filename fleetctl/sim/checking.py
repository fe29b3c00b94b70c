"""What a simulated API server refuses: bad names, unknown fields, doubled list keys, stale preconditions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from fleetctl.sim import applying, kinds, objects

__all__ = ["check", "immutable", "preconditions"]

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_MOST: Final = 1_048_576

_TOP: Final[dict[str, tuple[str, ...]]] = {
    "ClusterRole": ("rules", "aggregationRule"),
    "ClusterRoleBinding": ("subjects", "roleRef"),
    "ConfigMap": ("data", "binaryData", "immutable"),
    "PriorityClass": ("value", "globalDefault", "description", "preemptionPolicy"),
    "Role": ("rules",),
    "RoleBinding": ("subjects", "roleRef"),
    "Secret": ("data", "stringData", "type", "immutable"),
    "ServiceAccount": ("secrets", "imagePullSecrets", "automountServiceAccountToken"),
    "StorageClass": (
        "provisioner",
        "parameters",
        "reclaimPolicy",
        "volumeBindingMode",
        "mountOptions",
        "allowVolumeExpansion",
        "allowedTopologies",
    ),
}
_WORKLOAD: Final = "selector template minReadySeconds revisionHistoryLimit "
_SPEC: Final[dict[str, frozenset[str]]] = {
    "DaemonSet": frozenset((_WORKLOAD + "updateStrategy").split()),
    "Deployment": frozenset((_WORKLOAD + "replicas strategy paused progressDeadlineSeconds").split()),
    "StatefulSet": frozenset(
        (
            _WORKLOAD + "replicas serviceName podManagementPolicy updateStrategy volumeClaimTemplates ordinals"
            " persistentVolumeClaimRetentionPolicy"
        ).split()
    ),
}
"""Fields that are looked for unknown ones: those at the top of every kind, and below ``spec`` of these."""


def check(resource: kinds.Resource, namespace: str, name: str, wanted: objects.Object, query: dict[str, str]) -> None:
    """Hold an object that is applied against its path and kind; raises ``Refusal``."""
    meta = wanted["metadata"]
    if (wanted.get("apiVersion"), wanted.get("kind")) != (resource.api_version, resource.kind):
        raise objects.Refusal(400, "BadRequest", "the kind or apiVersion in the body is not that of the path")
    if meta.get("name") != name or (meta.get("namespace") or namespace) != namespace:
        raise objects.Refusal(400, "BadRequest", "the name or namespace of the object does not match the URL")
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise _invalid(resource, name, "metadata.name", "a lowercase RFC 1123 subdomain is wanted")
    manager = query.get("fieldManager", "")
    if not manager:
        message = "PatchOptions is invalid: fieldManager: Required value: is required for apply patch"
        raise objects.Refusal(422, "Invalid", message)
    if len(manager) > 128:
        message = "PatchOptions is invalid: fieldManager: Too long: may not be more than 128 bytes"
        raise objects.Refusal(422, "Invalid", message)
    if (
        resource.kind in {"ConfigMap", "Secret"}
        and sum(map(len, map(str, (wanted.get("data") or {}).values()))) > _MOST
    ):
        raise _invalid(resource, name, "data", "must have at most 1048576 bytes")
    if query.get("fieldValidation") == "Strict":
        _strict(resource, namespace, name, wanted)


def _strict(resource: kinds.Resource, namespace: str, name: str, wanted: objects.Object) -> None:
    """Refuse as a real server does what cannot be typed: with a 500 that gives no reason."""
    known = {"apiVersion", "kind", "metadata", *_TOP.get(resource.kind, ("spec", "status"))}
    faults = [f".{key}: field not declared in schema" for key in wanted if key not in known]
    below = _SPEC.get(resource.kind)
    if below is not None:
        spec = wanted.get("spec") or {}
        faults += [f".spec.{key}: field not declared in schema" for key in spec if key not in below]
    faults += [f"{path}: duplicate entries for key {key}" for path, key in _doubled((), wanted)]
    if faults:
        about = f"{namespace}/{name}; {resource.api_version}, Kind={resource.kind}"
        text = f"failed to create typed patch object ({about}): {faults[0]}"
        raise objects.Refusal(500, "", text)


def _doubled(path: applying.Path, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _doubled((*path, f"f:{key}"), inner)
    elif isinstance(value, list):
        keys = applying.keys_of(path, value) if path else None
        seen: set[str] = set()
        for item in value:
            step = applying.key_step(item, keys) if keys else ""
            if step and step in seen:
                yield applying.shown(path), applying.shown((step,))
            seen.add(step)
            yield from _doubled(path, item)


def _invalid(resource: kinds.Resource, name: str, field: str, why: str) -> objects.Refusal:
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field}]
    text = f'{resource.kind} "{name}" is invalid: {field}: Invalid value: {why}'
    return objects.Refusal(422, "Invalid", text, kind=resource.plural, causes=causes)


def preconditions(resource: kinds.Resource, name: str, live: objects.Object | None, meta: objects.Object) -> None:
    """Hold an apply against the version it was made for, as a real server does: without a UID it may create anew."""
    stale = live is not None and any(
        meta.get(key) not in {None, live["metadata"][key]} for key in ("uid", "resourceVersion")
    )
    if stale or (live is None and meta.get("uid")):
        text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been modified'
        raise objects.Refusal(409, "Conflict", text, kind=resource.plural, name=name)


def immutable(resource: kinds.Resource, name: str, live: objects.Object | None, result: objects.Object) -> None:
    """Refuse to change the selector of a workload."""
    if live is None or resource.group != "apps" or "spec" not in live:
        return
    if live["spec"].get("selector") != result["spec"].get("selector"):
        raise _invalid(resource, name, "spec.selector", "field is immutable")
