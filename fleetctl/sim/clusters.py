"""One simulated cluster: requests in, answers out; what it does not do is a 501 that says so."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fleetctl.model import selectors
from fleetctl.sim import applying, behaviours, checking, kinds, objects, workloads

__all__ = ["Cluster", "Reply"]

_VERSION: Final = {"major": "1", "minor": "36", "gitVersion": "v1.36.3+sim", "platform": "simulated"}
_GIVEN: Final = frozenset({"status"})

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
        if isinstance(found, int):
            return found, b"404 page not found\n"
        resource, namespace, name = found
        self._controllers.advance()
        if method == "GET":
            return self._get(resource, namespace, name, query, headers.get("accept", ""))
        if method == "PATCH" and name:
            if "apply-patch" not in headers.get("content-type", ""):
                raise _unsupported(f"a patch of type {headers.get('content-type', '')}")
            return self._apply(resource, (namespace, name), query, body)
        if method == "DELETE" and name:
            return self._delete(resource, namespace, name, body)
        if resource.kind == "Lease" and (method, bool(name)) in {("POST", False), ("PUT", True)}:
            return self._replace(resource, namespace, name, body) if name else self._create(resource, namespace, body)
        raise _unsupported(f"{method} {path}")

    # --- reading

    def _get(self, resource: kinds.Resource, namespace: str, name: str, query: dict[str, str], accept: str) -> Reply:
        if not name:
            if query.get("watch"):
                raise _unsupported("watch")
            return 200, self._list(resource, namespace, query, accept)
        one = self.store.get(resource, namespace, name)
        return 200, _encode(_partial(one) if "as=PartialObjectMetadata;" in accept else one)

    def _list(self, resource: kinds.Resource, namespace: str, query: dict[str, str], accept: str) -> bytes:
        if namespace and self.store.find(kinds.BY_KIND["", "Namespace"], "", namespace) is None:
            found: list[objects.Object] = []
        else:
            found = self.store.listed(resource, namespace)
        if query.get("labelSelector"):
            wanted = _selector(query["labelSelector"])
            found = [one for one in found if wanted.matches(one["metadata"].get("labels", {}))]
        for part in filter(None, query.get("fieldSelector", "").split(",")):
            path, _, value = part.partition("=")
            found = [one for one in found if _at(one, path) == value.removeprefix("=")]
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
        checking.check(resource, namespace, name, wanted, query)
        live = self.store.find(resource, namespace, name)
        if live is None:
            self._require_namespace(resource, namespace)
        checking.preconditions(resource, name, live, meta)
        manager = query["fieldManager"]
        force = query.get("force") == "true"
        given = _given(resource, namespace, wanted)
        try:
            result = applying.apply(live, given, manager, objects.stamp(self.store.clock()), force=force)
        except applying.Conflicts as conflicts:
            raise conflicts.refusal() from None
        checking.immutable(resource, name, live, result)
        if live is not None and _same(live, result):
            return 200, _encode(live)
        if query.get("dryRun"):
            result["metadata"].setdefault("uid", self.store.new_uid())
            return (200 if live else 201), _encode(result)
        _complete(resource, live, result)
        stored = self.store.put(resource, result)
        if stored["metadata"].get("deletionTimestamp") and not stored["metadata"].get("finalizers"):
            self.store.remove(resource, stored)
        self._controllers.advance()
        return (200 if live else 201), _encode(stored)

    def _require_namespace(self, resource: kinds.Resource, namespace: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get(kinds.BY_KIND["", "Namespace"], "", namespace)
        if "deletionTimestamp" in found["metadata"]:
            causes = [{"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}]
            text = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise objects.Refusal(403, "Forbidden", text, kind=resource.plural, causes=causes)

    def _create(self, resource: kinds.Resource, namespace: str, body: bytes) -> Reply:
        self._require_namespace(resource, namespace)
        wanted = msgspec.json.decode(body)
        name = wanted["metadata"]["name"]
        if self.store.find(resource, namespace, name) is not None:
            text = f'{resource.qualified} "{name}" already exists'
            raise objects.Refusal(409, "AlreadyExists", text, kind=resource.plural, name=name)
        wanted["metadata"]["namespace"] = namespace
        return 201, _encode(self.store.put(resource, wanted))

    def _replace(self, resource: kinds.Resource, namespace: str, name: str, body: bytes) -> Reply:
        found, wanted = self.store.get(resource, namespace, name), msgspec.json.decode(body)
        checking.preconditions(resource, name, found, wanted["metadata"])
        kept = {key: found["metadata"][key] for key in ("uid", "creationTimestamp")}
        wanted["metadata"] = {**wanted["metadata"], **kept, "namespace": namespace}
        return 200, _encode(self.store.put(resource, wanted))

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


def _parse(path: str) -> tuple[kinds.Resource, str, str] | int | None:
    """Return the kind, namespace and name that a path means; 404 for a group not served, None for no objects' path."""
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
    if resource is None and not any((one.group, one.version) == (group, version) for one in kinds.RESOURCES):
        return 404
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


def _given(resource: kinds.Resource, namespace: str, wanted: objects.Object) -> objects.Object:
    """Return an applied object as the server takes it."""
    given = {key: value for key, value in wanted.items() if key not in _GIVEN}
    if namespace:
        given["metadata"] = {**wanted["metadata"], "namespace": namespace}
    if resource.kind in {"ConfigMap", "Secret"} and given.get("data"):
        given["data"] = {key: "" if value is None else value for key, value in given["data"].items()}
    return given


def _complete(resource: kinds.Resource, live: objects.Object | None, result: objects.Object) -> None:
    """Add what the server itself writes into a changed object."""
    meta = result["metadata"]
    if resource.kind in {"ConfigMap", "Secret"} and result.get("data") == {}:
        del result["data"]
    if resource.counted:
        changed = live is None or live.get("spec") != result.get("spec")
        meta["generation"] = (live or {}).get("metadata", {}).get("generation", 0) + changed
    if resource.kind == "Namespace":
        result.setdefault("status", {"phase": "Active"})
        meta.setdefault("labels", {}).setdefault("kubernetes.io/metadata.name", meta["name"])
    if resource.kind == "PersistentVolumeClaim":
        result.setdefault("status", {"phase": "Bound"})


def _selector(text: str) -> selectors.Selector:
    try:
        return selectors.parse(text)
    except selectors.SelectorError as error:
        raise objects.Refusal(400, "BadRequest", f"unable to parse requirement: {error}") from None


def _at(one: objects.Object, path: str) -> object:
    found: Any = one
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _same(live: objects.Object, result: objects.Object) -> bool:
    """Tell whether an apply changed nothing; times of managed fields moved only if their fields did."""

    def bare(one: objects.Object) -> Any:  # noqa: ANN401  # JSON
        return {**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "resourceVersion"}}

    return bool(bare(live) == bare(result))
