"""Which kind, namespace and name a path means, and what a simulated cluster says that it serves."""

from __future__ import annotations

import functools
import hashlib
import urllib.parse
from typing import Any, Final, NamedTuple

import msgspec

from fleetctl.sim import kinds, objects, replies

__all__ = ["NOT_SERVED", "Place", "of", "place"]

NOT_SERVED: Final = replies.Reply(404, b"404 page not found\n")
"""What is said of an API group that is not there."""
_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERBS_BELOW: Final[dict[str, list[str]]] = {"log": ["get"], "status": ["get", "patch", "update"]}


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


def of(path: str, headers: dict[str, str]) -> replies.Reply:
    """Answer a request about what is served."""
    parts = path.strip("/").split("/")
    if parts in (["api"], ["apis"]):
        return _all(parts[0], headers)
    if parts[0] in {"logs", "metrics", "openapi"}:
        raise objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do /{parts[0]}")
    if parts == ["api", "v1"] or (parts[0] == "apis" and len(parts) == 3):
        version = "/".join(parts[1:])
        served = [item for one in kinds.RESOURCES if one.api_version == version for item in _listed(one)]
        if served:
            return _json({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": served})
    if parts[0] == "apis" and len(parts) == 2 and any(one.group == parts[1] for one in kinds.RESOURCES):
        return _json({"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1])})
    return NOT_SERVED


def _all(root: str, headers: dict[str, str]) -> replies.Reply:
    """Tell everything in one answer if that is asked for (KEP-3352), the groups alone otherwise."""
    asked = [clause.replace(" ", "") for clause in headers.get("accept", "").split(",")]
    if _AGGREGATED in asked:
        body, etag = _aggregated(root)
        if headers.get("if-none-match") == etag:
            return replies.Reply(304, b"", etag=etag)
        return replies.Reply(200, body, _AGGREGATED, etag)
    if root == "api":
        return _json({"kind": "APIVersions", "versions": ["v1"]})
    return _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _names()]})


@functools.cache
def _aggregated(root: str) -> tuple[bytes, str]:
    items = [_described(name) for name in ([""] if root == "api" else _names())]
    said = {"metadata": {}, "items": items}
    body = msgspec.json.encode({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", **said})
    # The mark is of what is told, whatever form it is sent in (aggregated/etag.go).
    return body + b"\n", f'"{hashlib.sha512(msgspec.json.encode(said)).hexdigest().upper()}"'


def _described(group: str) -> dict[str, Any]:
    resources = [
        {
            "resource": one.plural,
            "responseKind": {"group": "", "version": "", "kind": one.kind},
            "scope": "Namespaced" if one.namespaced else "Cluster",
            "singularResource": one.kind.lower(),
            "verbs": _verbs(one),
            **_words(one),
            **({"subresources": [_below(one, name) for name in one.below]} if one.below else {}),
        }
        for one in kinds.RESOURCES
        if one.group == group
    ]
    version = next(one.version for one in kinds.RESOURCES if one.group == group)
    versions = [{"version": version, "resources": resources, "freshness": "Current"}]
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _below(one: kinds.Resource, name: str) -> dict[str, Any]:
    kind = {"group": "", "version": "", "kind": one.kind}
    return {"subresource": name, "responseKind": kind, "verbs": _VERBS_BELOW[name]}


def _names() -> list[str]:
    return sorted({one.group for one in kinds.RESOURCES} - {""})


def _group(name: str) -> dict[str, Any]:
    version = next(one.version for one in kinds.RESOURCES if one.group == name)
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def _listed(one: kinds.Resource) -> list[dict[str, Any]]:
    head = {"singularName": one.kind.lower(), "namespaced": one.namespaced, "kind": one.kind}
    below = [
        {"name": f"{one.plural}/{name}", **head, "singularName": "", "verbs": _VERBS_BELOW[name]} for name in one.below
    ]
    return [{"name": one.plural, **head, "verbs": _verbs(one), **_words(one)}, *below]


def _verbs(one: kinds.Resource) -> list[str]:
    """Return what can be done with a kind here: less than elsewhere."""
    more = [] if one.kind in kinds.MADE else ["create", "patch"]
    return sorted(["delete", "get", "list", "watch", *more, *(["update"] if one.kind == "Lease" else [])])


def _words(one: kinds.Resource) -> dict[str, list[str]]:
    return {**({"shortNames": [one.short]} if one.short else {}), **({"categories": ["all"]} if one.common else {})}


def _json(found: dict[str, Any]) -> replies.Reply:
    return replies.Reply(200, msgspec.json.encode(found))
