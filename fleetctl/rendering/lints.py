"""What no object of a bundle may contain, because the API server would refuse it, ignore it, or make it drift.

Source of each rule: the cluster contract (docs/reference/bundle.md), observed on Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleetctl.model import codes, objects, problems, values
from fleetctl.rendering import secrecy

__all__ = ["Fault", "check", "is_list"]

Fault = tuple[problems.Field, codes.Code, str]

_SERVER_FIELDS: dict[problems.Field, str] = {
    ("status",): "the cluster writes it",
    ("metadata", "generateName"): "every apply would make a new object (give it a name)",
    ("metadata", "managedFields"): "the API server writes it",
    ("metadata", "resourceVersion"): "the API server writes it",
    ("metadata", "uid"): "the API server writes it",
    ("metadata", "creationTimestamp"): "the API server writes it",
    ("metadata", "generation"): "the API server writes it",
    ("metadata", "selfLink"): "the API server wrote it before 1.20",
    ("metadata", "labels", "applyset.kubernetes.io/part-of"): "fleetctl marks its own objects with it",
}
_LIST_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "volumeDevices": ("devicePath",),
}
"""Lists of a pod that are maps by these keys (Kubernetes OpenAPI, ``x-kubernetes-list-map-keys``)."""
_POD_PARENTS = frozenset({"spec", "containers", "initContainers"})

_DATA_LIMIT = 2**20
_ANNOTATION_LIMIT = 256 * 2**10


def check(data: values.Vars, *, allow_literal: bool) -> list[Fault]:
    """Return everything wrong with an object whose identity is sound."""
    text = objects.canonical(data)
    found = [*_literal_secret(data, allow_literal=allow_literal), _too_large(data)]
    found += _server_fields(data)
    if secrecy.MARK in text:
        found += secrecy.faults(data)
    if b"null" in text:  # looking at the text spares nearly every object the walk
        found += _nulls(data, ())
    if data["kind"] != "CustomResourceDefinition":
        found += _duplicates(data, ())
    return [fault for fault in found if fault is not None]


def is_list(data: values.Vars) -> bool:
    """Tell whether a document is no object but a list of them, as ``kubectl get -o yaml`` prints it."""
    kind = data.get("kind")
    return kind == "List" or (isinstance(data.get("items"), list) and str(kind).endswith("List"))


def _literal_secret(data: values.Vars, *, allow_literal: bool) -> Iterator[Fault]:
    """Find values that are written out in a Secret; where some are references, each of the others is named."""
    if data["kind"] != "Secret" or data["apiVersion"] != "v1" or allow_literal:
        return
    written = next((key for key in ("data", "stringData") if data.get(key)), None)
    if written is None:
        return
    if secrecy.MARK not in objects.canonical({key: data.get(key) for key in ("data", "stringData")}):
        message = "a Secret with its values written out ends up in plans and stores; allowLiteral: true permits it"
        yield (written,), codes.Code.OBJECT_LITERAL_SECRET, message
        return
    for field in secrecy.literals(data):
        message = "no secret has a part in this value; move it to a ConfigMap, or allowLiteral: true permits it"
        yield field, codes.Code.OBJECT_LITERAL_SECRET, message


def _too_large(data: values.Vars) -> Fault | None:
    annotations = problems.value_at(data, ("metadata", "annotations"))
    if isinstance(annotations, dict) and _size(annotations) > _ANNOTATION_LIMIT:
        message = f"has {_size(annotations):,} bytes; the API server takes {_ANNOTATION_LIMIT:,}"
        return ("metadata", "annotations"), codes.Code.OBJECT_TOO_LARGE, message
    if data["kind"] not in ("ConfigMap", "Secret") or data["apiVersion"] != "v1":
        return None
    for key in ("data", "binaryData", "stringData"):
        content = data.get(key)
        if isinstance(content, dict) and _size(content) > _DATA_LIMIT:
            message = f"has {_size(content):,} bytes; the API server takes {_DATA_LIMIT:,}"
            return (key,), codes.Code.OBJECT_TOO_LARGE, message
    return None


def _size(content: values.Vars) -> int:
    return sum(len(key.encode()) + len(str(value).encode()) for key, value in content.items())


def _server_fields(data: values.Vars) -> Iterator[Fault]:
    for field, why in _SERVER_FIELDS.items():
        if problems.value_at(data, field) is not problems.NOTHING:
            yield field, codes.Code.OBJECT_SERVER_FIELD, f"{why}; take it out of the template"


def _nulls(value: values.Value, field: problems.Field) -> Iterator[Fault]:
    """Find nulls: the API server turns some into "", drops others, and an apply with them never settles."""
    if value is None:
        message = "null here; leave the key out (an empty template result, or a map without entries?)"
        yield field, codes.Code.OBJECT_NULL, message
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _nulls(inner, (*field, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nulls(inner, (*field, index))


def _duplicates(value: values.Vars, field: problems.Field) -> list[Fault]:
    """Find entries that stand twice in a list that is a map by some of its keys."""
    found: list[Fault] = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            found += _duplicates(inner, (*field, key))
        elif isinstance(inner, list):
            if field and _in_pod(field) and (keys := _keys_of(key, field)):
                found += _repeated(inner, (*field, key), keys)
            for index, item in enumerate(inner):
                if isinstance(item, dict):
                    found += _duplicates(item, (*field, key, index))
    return found


def _keys_of(name: str, field: problems.Field) -> tuple[str, ...] | None:
    if name == "ports":
        return ("containerPort", "protocol") if "containers" in field else ("port", "protocol")
    return _LIST_KEYS.get(name)


def _in_pod(field: problems.Field) -> bool:
    return field[-1] in _POD_PARENTS or (len(field) > 1 and field[-2] in _POD_PARENTS)


def _repeated(items: list[values.Value], field: problems.Field, keys: tuple[str, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if not isinstance(item, dict) or item.get(keys[0]) is None:
            continue
        defaults = {"protocol": "TCP"}
        identity = [item.get(key, defaults.get(key)) for key in keys]
        mark = objects.canonical({"key": identity}).decode()
        if mark in seen:
            shown = ", ".join(f"{key} {one}" for key, one in zip(keys, identity, strict=True))
            message = f"{shown} stands twice in {field[-1]}; the API server refuses the whole object (500)"
            yield (*field, index), codes.Code.OBJECT_DUPLICATE_LIST_KEY, message
        seen.add(mark)
