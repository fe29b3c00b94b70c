"""Which kind, namespace and name a path means, and what a simulated cluster says that it serves."""

from __future__ import annotations

import urllib.parse
from typing import Any, Final, NamedTuple

import msgspec

from fleetctl.sim import kinds, objects

__all__ = ["NOT_SERVED", "Place", "of", "place"]

NOT_SERVED: Final = (404, b"404 page not found\n")
"""What is said of an API group that is not there."""
_VERBS: Final = ["delete", "get", "list", "patch"]


class Place(NamedTuple):
    """What a path means: a collection, an object, or something below one."""

    resource: kinds.Resource
    namespace: str
    name: str
    below: str


def place(path: str) -> Place | None:
    """Return what a path means; None for one that is not of objects, or of a group that is not served."""
    parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if not any(one.group == group for one in kinds.RESOURCES):
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = kinds.BY_PATH.get((group, version, rest[0]))
    name = rest[1] if len(rest) > 1 else ""
    if resource is None or (resource.namespaced != bool(namespace) and (name or namespace)):
        raise objects.Refusal(404, "NotFound", "the server could not find the requested resource")
    return Place(resource, namespace, name, "/".join(rest[2:]))


def of(path: str) -> tuple[int, bytes]:
    """Answer a request about what is served."""
    parts = path.strip("/").split("/")
    if parts == ["api"]:
        return 200, msgspec.json.encode({"kind": "APIVersions", "versions": ["v1"]})
    if parts == ["apis"]:
        groups = [_group(name) for name in sorted({one.group for one in kinds.RESOURCES} - {""})]
        return 200, msgspec.json.encode({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    if parts[0] in {"logs", "metrics", "openapi"}:
        raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do /{parts[0]}")
    if parts == ["api", "v1"] or (parts[0] == "apis" and len(parts) == 3):
        version = "/".join(parts[1:])
        served = [_resource(one) for one in kinds.RESOURCES if one.api_version == version]
        if served:
            found = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": served}
            return 200, msgspec.json.encode(found)
    if parts[0] == "apis" and len(parts) == 2 and any(one.group == parts[1] for one in kinds.RESOURCES):
        return 200, msgspec.json.encode({"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1])})
    return NOT_SERVED


def _group(name: str) -> dict[str, Any]:
    version = next(one.version for one in kinds.RESOURCES if one.group == name)
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def _resource(one: kinds.Resource) -> dict[str, Any]:
    return {
        "name": one.plural,
        "singularName": one.kind.lower(),
        "namespaced": one.namespaced,
        "kind": one.kind,
        "verbs": _VERBS,
    }
