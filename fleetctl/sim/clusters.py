"""One simulated cluster: requests in, answers out; what it does not do is a 501 that says so."""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fleetctl.sim import applying, behaviours, kinds, objects, workloads

__all__ = ["Cluster", "Reply"]

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_MOST: Final = 1_048_576
_VERSION: Final = {"major": "1", "minor": "36", "gitVersion": "v1.36.3+sim", "platform": "simulated"}
_GIVEN: Final = frozenset({"status"})
_SERVER: Final = frozenset({"resourceVersion", "managedFields"})

Reply = tuple[int, bytes]


class Cluster:
    """A cluster's API, without the wire."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        rules: behaviours.Behaviours,
        token: str,
        nodes: tuple[str, ...] = ("n0",),
    ) -> None:
        self.name = name
        self.token = token
        self.requests = 0
        """Answered so far."""
        self.store = objects.Objects(clock, name)
        self._controllers = workloads.Controllers(name, self.store, rules)
        for namespace in ("default", "kube-system"):
            self.store.make("", "Namespace", {"metadata": {"name": namespace}, "status": {"phase": "Active"}})
        for node in nodes:
            ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
            self.store.make("", "Node", {"metadata": {"name": node}, "status": {"conditions": [ready]}})

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer a request; never raises."""
        self.requests += 1
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, objects.Refusal(401, "Unauthorized", "Unauthorized").status()
        try:
            path, _, query = target.partition("?")
            return self._route(method, path, dict(urllib.parse.parse_qsl(query)), headers, body)
        except objects.Refusal as refusal:
            return refusal.code, refusal.status()
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            # A body that is not what the kind wants, in more ways than are worth telling apart here.
            message = f"the request cannot be understood by a simulated cluster: {type(error).__name__}: {error}"
            return 400, objects.Refusal(400, "BadRequest", message).status()

    def _route(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Reply:
        if path == "/version":
            return 200, msgspec.json.encode(_VERSION)
        if path in {"/readyz", "/healthz", "/livez"}:
            return 200, b"ok"
        found = _parse(path)
        if found is None:
            return _discovery(path)
        resource, namespace, name = found
        self._controllers.advance()
        match method:
            case "GET" if name:
                one = self.store.get(resource, namespace, name)
                return 200, _encode(_partial(one) if "as=PartialObjectMetadata;" in headers.get("accept", "") else one)
            case "GET":
                if query.get("watch"):
                    raise _unsupported("watch")
                return 200, self._list(resource, namespace, query, headers.get("accept", ""))
            case "PATCH" if name:
                if "apply-patch" not in headers.get("content-type", ""):
                    raise _unsupported(f"a patch of type {headers.get('content-type', '')}")
                return self._apply(resource, (namespace, name), query, body)
            case "DELETE" if name:
                return self._delete(resource, namespace, name, body)
            case _:
                raise _unsupported(f"{method} {path}")

    # --- reading

    def _list(self, resource: kinds.Resource, namespace: str, query: dict[str, str], accept: str) -> bytes:
        if namespace and self.store.find(kinds.BY_KIND["", "Namespace"], "", namespace) is None:
            found: list[objects.Object] = []
        else:
            found = self.store.listed(resource, namespace)
        selector = query.get("labelSelector", "")
        if selector:
            found = [one for one in found if _matches(one["metadata"].get("labels", {}), selector)]
        if query.get("fieldSelector"):
            raise _unsupported("field selectors")
        limit, begin = int(query.get("limit", "0")), 0
        if query.get("continue"):
            begin = int(base64.b64decode(query["continue"]).decode())
        page = found[begin : begin + limit] if limit else found
        meta: objects.Object = {"resourceVersion": self.store.version}
        if limit and begin + limit < len(found):
            meta["continue"] = base64.b64encode(str(begin + limit).encode()).decode()
            meta["remainingItemCount"] = len(found) - begin - limit
        if "as=PartialObjectMetadataList" in accept:
            head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return _encode({**head, "metadata": meta, "items": [_partial(one) for one in page]})
        head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        return _encode({**head, "metadata": meta, "items": page})

    # --- changing

    def _apply(self, resource: kinds.Resource, at: tuple[str, str], query: dict[str, str], body: bytes) -> Reply:
        namespace, name = at
        wanted = msgspec.json.decode(body)
        meta = wanted["metadata"]
        _check(resource, namespace, name, wanted, query)
        self._require_namespace(resource, namespace)
        live = self.store.find(resource, namespace, name)
        _check_preconditions(resource, name, live, meta)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            return 200, _encode(live)
        manager = query["fieldManager"]
        force = query.get("force") == "true"
        given = {key: value for key, value in wanted.items() if key not in _GIVEN}
        if namespace:
            given["metadata"] = {**meta, "namespace": namespace}
        try:
            result = applying.apply(live, given, manager, objects.stamp(self.store.clock()), force=force)
        except applying.Conflicts as conflicts:
            raise conflicts.refusal() from None
        _check_immutable(resource, name, live, result)
        if live is not None and _same(live, result):
            return 200, _encode(live)
        if query.get("dryRun"):
            return (200 if live else 201), _encode(result)
        if resource.counted:
            changed = live is None or live.get("spec") != result.get("spec")
            result["metadata"]["generation"] = (live or {}).get("metadata", {}).get("generation", 0) + changed
        if resource.kind == "Namespace":
            result.setdefault("status", {"phase": "Active"})
            result["metadata"].setdefault("labels", {}).setdefault("kubernetes.io/metadata.name", name)
        if resource.kind == "PersistentVolumeClaim":
            result.setdefault("status", {"phase": "Bound"})
        stored = self.store.put(resource, result)
        self._controllers.advance()
        return (200 if live else 201), _encode(stored)

    def _require_namespace(self, resource: kinds.Resource, namespace: str) -> None:
        if resource.namespaced:
            self.store.get(kinds.BY_KIND["", "Namespace"], "", namespace)

    def _delete(self, resource: kinds.Resource, namespace: str, name: str, body: bytes) -> Reply:
        found = self.store.get(resource, namespace, name)
        options = msgspec.json.decode(body) if body else {}
        if options.get("propagationPolicy", "Background") != "Background":
            raise _unsupported(f"propagationPolicy {options['propagationPolicy']}")
        for key in ("uid", "resourceVersion"):
            wanted = (options.get("preconditions") or {}).get(key)
            if wanted and wanted != found["metadata"][key]:
                there = found["metadata"][key]
                text = f"Precondition failed: {key} in precondition: {wanted}, {key} in object meta: {there}"
                raise objects.Refusal(409, "Conflict", f"Operation cannot be fulfilled: {text}", kind=resource.plural)
        self.store.remove(resource, found)
        return 200, msgspec.json.encode({"kind": "Status", "apiVersion": "v1", "status": "Success", "code": 200})


def _encode(found: objects.Object) -> bytes:
    return msgspec.json.encode(found)


def _unsupported(what: str) -> objects.Refusal:
    return objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do {what}")


def _parse(path: str) -> tuple[kinds.Resource, str, str] | None:
    """Return the kind, namespace and name that a path means; None for paths that are no objects'."""
    parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = kinds.BY_PATH.get((group, version, rest[0]))
    if resource is None:
        raise objects.Refusal(404, "NotFound", "the server could not find the requested resource")
    if len(rest) > 2:
        raise _unsupported(f"{'/'.join(rest[2:])} of {resource.plural}")
    return resource, namespace, rest[1] if len(rest) > 1 else ""


def _discovery(path: str) -> Reply:
    parts = path.strip("/").split("/")
    if (parts[:1] == ["apis"] and len(parts) == 3) or parts == ["api", "v1"]:
        group, version = (parts[1], parts[2]) if parts[0] == "apis" else ("", "v1")
        served = [one for one in kinds.RESOURCES if (one.group, one.version) == (group, version)]
        if served:
            items = [
                {"name": one.plural, "kind": one.kind, "namespaced": one.namespaced, "verbs": []} for one in served
            ]
            return 200, msgspec.json.encode(
                {"kind": "APIResourceList", "groupVersion": served[0].api_version, "resources": items}
            )
    if parts[:1] == ["apis"] and len(parts) == 2:
        found = next((one for one in kinds.RESOURCES if one.group == parts[1]), None)
        if found is not None:
            preferred = {"groupVersion": found.api_version, "version": found.version}
            return 200, msgspec.json.encode({"kind": "APIGroup", "name": found.group, "preferredVersion": preferred})
    return 404, b"404 page not found\n"


def _partial(one: objects.Object) -> objects.Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one["metadata"]}


def _matches(labels: dict[str, str], selector: str) -> bool:
    for part in selector.split(","):
        key, equals, value = part.partition("=")
        if not equals or key.endswith("!") or " " in part:
            raise _unsupported(f"the label selector {selector}")
        if labels.get(key) != value.removeprefix("="):
            return False
    return True


def _same(live: objects.Object, result: objects.Object) -> bool:
    """Tell whether an apply changed nothing; times of managed fields moved only if their fields did."""

    def bare(one: objects.Object) -> Any:  # noqa: ANN401  # JSON
        return {**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "resourceVersion"}}

    return bool(bare(live) == bare(result))


def _check(resource: kinds.Resource, namespace: str, name: str, wanted: objects.Object, query: dict[str, str]) -> None:
    meta = wanted["metadata"]
    if (wanted.get("apiVersion"), wanted.get("kind")) != (resource.api_version, resource.kind):
        raise objects.Refusal(400, "BadRequest", "the kind or apiVersion in the body is not that of the path")
    if meta.get("name") != name or (meta.get("namespace") or namespace) != namespace:
        raise objects.Refusal(400, "BadRequest", "the name or namespace of the object does not match the URL")
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise _invalid(resource, name, "metadata.name", "a lowercase RFC 1123 subdomain is wanted")
    manager = query.get("fieldManager", "")
    if not manager:
        raise objects.Refusal(
            422, "Invalid", "PatchOptions is invalid: fieldManager: Required value: is required for apply patch"
        )
    if len(manager) > 128:
        raise objects.Refusal(
            422, "Invalid", "PatchOptions is invalid: fieldManager: Too long: may not be more than 128 bytes"
        )
    if (
        resource.kind in {"ConfigMap", "Secret"}
        and sum(map(len, map(str, (wanted.get("data") or {}).values()))) > _MOST
    ):
        raise _invalid(resource, name, "data", "must have at most 1048576 bytes")
    known = {"apiVersion", "kind", "metadata", *_TOP.get(resource.kind, ("spec", "status"))}
    for key in wanted:
        if key not in known and query.get("fieldValidation") == "Strict":
            about = f"({namespace}/{name}; {resource.api_version}, Kind={resource.kind})"
            text = f"failed to create typed patch object {about}: .{key}: field not declared in schema"
            raise objects.Refusal(500, "", text)


_TOP: Final[dict[str, tuple[str, ...]]] = {
    "ClusterRole": ("rules", "aggregationRule"),
    "ClusterRoleBinding": ("subjects", "roleRef"),
    "ConfigMap": ("data", "binaryData", "immutable"),
    "PriorityClass": ("value", "globalDefault", "description", "preemptionPolicy"),
    "Role": ("rules",),
    "RoleBinding": ("subjects", "roleRef"),
    "Secret": ("data", "stringData", "type", "immutable"),
    "ServiceAccount": ("secrets", "imagePullSecrets", "automountServiceAccountToken"),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode", "mountOptions"),
}
"""Fields at the top of kinds that have others than spec and status: no deeper is looked for unknown ones."""


def _invalid(resource: kinds.Resource, name: str, field: str, why: str) -> objects.Refusal:
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field}]
    text = f'{resource.kind} "{name}" is invalid: {field}: Invalid value: {why}'
    return objects.Refusal(422, "Invalid", text, kind=resource.plural, causes=causes)


def _check_preconditions(
    resource: kinds.Resource, name: str, live: objects.Object | None, meta: objects.Object
) -> None:
    """Hold an apply against the version it was made for, as a real server does: without a UID it may create anew."""
    stale = live is not None and any(
        meta.get(key) not in {None, live["metadata"][key]} for key in ("uid", "resourceVersion")
    )
    if stale or (live is None and meta.get("uid")):
        text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been modified'
        raise objects.Refusal(409, "Conflict", text, kind=resource.plural)


def _check_immutable(resource: kinds.Resource, name: str, live: objects.Object | None, result: objects.Object) -> None:
    if live is None or resource.group != "apps" or "spec" not in live:
        return
    if live["spec"].get("selector") != result["spec"].get("selector"):
        raise _invalid(resource, name, "spec.selector", "field is immutable")
