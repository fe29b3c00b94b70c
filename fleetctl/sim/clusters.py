"""One simulated cluster: requests in, answers out; what it does not do is a 501 that says so."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Final

import msgspec

from fleetctl.sim import (
    applying,
    behaviours,
    checking,
    completing,
    discovery,
    kinds,
    listing,
    objects,
    patching,
    permissions,
    replies,
    schemas,
    shapes,
    validating,
    watching,
    workloads,
)

__all__ = ["Cluster"]

_VERSION: Final = {"major": "1", "minor": "36", "gitVersion": "v1.36.3+sim", "platform": "simulated"}
_ALWAYS: Final = ("default", "kube-system")
_REGISTERED: Final = "fleetctl-system"
"""The namespace of fleetctl's own, where visits hold their Leases."""


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
        """A bearer token of somebody who may do everything, save for ``rights``."""
        self.guest_token = f"guest-{token}"
        """A bearer token of the user ``guest``, who may do what RBAC objects say."""
        self.rights: tuple[permissions.Rule, ...] | None = None
        """All that ``token`` may do; None for everything."""
        self.requests = 0
        """Answered so far."""
        self.store = objects.Objects(clock, name)
        self.controllers = workloads.Controllers(name, self.store, rules)
        for namespace in (*_ALWAYS, _REGISTERED):
            labels = {"kubernetes.io/metadata.name": namespace}
            found = {"metadata": {"name": namespace, "labels": labels}, "status": {"phase": "Active"}}
            self.store.make("", "Namespace", found)
        for node in nodes:
            ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
            self.store.make("", "Node", {"metadata": {"name": node}, "status": {"conditions": [ready]}})

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
        """Answer a request; never raises."""
        self.requests += 1
        user = self._user(headers.get("authorization", ""))
        if user is None:
            return replies.refused(objects.Refusal(401, "Unauthorized", "Unauthorized"))
        try:
            path, _, query = target.partition("?")
            given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
            review = permissions.review(self.store, user, method, path, body)
            return review or self._route(user, method, path, given, headers=headers, body=body)
        except objects.Refusal as refusal:
            return replies.refused(refusal)
        except Exception as error:  # noqa: BLE001  # one site's mistake must not end the fleet, and must be seen
            text = f"the simulation itself failed: {type(error).__name__}: {error}"
            return replies.refused(objects.Refusal(500, "InternalError", text))

    def _user(self, authorization: str) -> permissions.User | None:
        """Return who asks; None for a stranger."""
        if authorization == f"Bearer {self.guest_token}":
            return permissions.User("guest")
        if authorization != f"Bearer {self.token}":
            return None
        return permissions.ADMIN if self.rights is None else permissions.User("admin", self.rights)

    def _route(
        self,
        user: permissions.User,
        method: str,
        path: str,
        query: dict[str, str],
        *,
        headers: dict[str, str],
        body: bytes,
    ) -> replies.Reply:
        if path == "/version":
            return replies.Reply(200, msgspec.json.encode(_VERSION))
        if path in {"/readyz", "/healthz", "/livez"}:
            return replies.Reply(200, b"ok")
        place = discovery.place(path)
        if place is None:
            return discovery.of(path, headers)
        self.controllers.advance()
        if method not in {"DELETE", "GET", *(("PATCH", "PUT") if place.name else ("POST",))}:
            text = "the server does not allow this method on the requested resource"
            raise objects.Refusal(405, "MethodNotAllowed", text)
        permissions.refuse(self.store, user, permissions.requested(method, place, query))
        if place.below:
            return self._below(method, place, query)
        watch = method == "GET" and not place.name and query.get("watch", "") not in {"", "0", "false"}
        bare = listing.form(headers.get("accept", ""), many=method == "GET" and not place.name and not watch)
        if watch:
            what = watching.Place(place.resource, place.namespace, bare)
            return replies.Reply(200, b"", watch=watching.begin(self.store, what, query, self._present))
        if method == "GET":
            return self._get(place, query, bare=bare)
        if method == "DELETE":
            return self._delete(place, query, body)
        content = headers.get("content-type", "")
        if method == "PATCH" and not user.is_admin:
            self._may_patch(user, place)
        return self._change(method, place, query, body, bare=bare, content=content)

    def _may_patch(self, user: permissions.User, place: discovery.Place) -> None:
        """Refuse what asks for more than ``patch``: an apply that would create, and one that hands out rights."""
        resource, namespace, name, _ = place
        if resource.group == "rbac.authorization.k8s.io":
            raise _unsupported("RBAC objects of who may not do everything")
        if self.store.find(resource, namespace, name) is None:
            self._require_namespace(resource, namespace)
            created = permissions.requested("POST", place, {})
            permissions.refuse(self.store, user, created)

    def _change(
        self, method: str, place: discovery.Place, query: dict[str, str], body: bytes, *, bare: bool, content: str
    ) -> replies.Reply:
        if place.resource.kind in kinds.MADE:
            raise _unsupported(f"{place.resource.plural} that others make")
        if method == "PATCH" and patching.is_json(content):
            code, found = self._patch(place, query, body)
        elif method == "PATCH":
            code, found = self._apply(place, query, body)
        elif method == "POST":
            code, found = self._create(place, query, body)
        else:
            code, found = self._replace(place, query, body)
        return replies.Reply(code, msgspec.json.encode(listing.partial(found) if bare else found))

    def _present(self) -> float | None:
        """Bring the cluster to the present, and return when it changes next by itself."""
        self.controllers.advance()
        return self.controllers.due

    # --- reading

    def _get(self, place: discovery.Place, query: dict[str, str], *, bare: bool) -> replies.Reply:
        if place.name:
            one = self.store.get(place.resource, place.namespace, place.name)
            return replies.Reply(200, msgspec.json.encode(listing.partial(one) if bare else one))
        found = listing.page(self.store, place.resource, place.namespace, query, bare=bare)
        return replies.Reply(200, msgspec.json.encode(found))

    def _below(self, method: str, place: discovery.Place, query: dict[str, str]) -> replies.Reply:
        if (method, place.resource.kind, place.below) != ("GET", "Pod", "log"):
            raise _unsupported(f"{method} of {place.below} of {place.resource.plural}")
        pod = self.store.get(place.resource, place.namespace, place.name)
        return replies.Reply(200, self.controllers.log(pod, query).encode())

    # --- changing

    def _apply(self, place: discovery.Place, query: dict[str, str], body: bytes) -> tuple[int, objects.Object]:
        resource, namespace, name, _ = place
        wanted = checking.decoded(body)
        by = self._manager(resource, checking.manager(query), "Apply")
        checking.addressed(resource, namespace, name, wanted)
        checking.shaped(resource, wanted)
        meta, live = wanted["metadata"], self.store.find(resource, namespace, name)
        if live is None:
            checking.unmoved(resource, name, live, meta)
            self._require_namespace(resource, namespace)
        given = {key: value for key, value in wanted.items() if key != "status"}
        try:
            result = applying.apply(live, given, schemas.of(resource), by, force=query.get("force") in {"true", "1"})
        except applying.Conflicts as conflicts:
            raise conflicts.refusal() from None
        checking.unmoved(resource, name, live, meta)
        return self._store(place, live, result, dry=bool(query.get("dryRun")))

    def _store(
        self, place: discovery.Place, live: objects.Object | None, result: objects.Object, *, dry: bool
    ) -> tuple[int, objects.Object]:
        resource = place.resource
        completing.complete(place, live, result)
        if found := validating.faults(resource, live, result):
            raise validating.invalid(resource, place.name, found)
        code = 200 if live is not None else 201
        if dry and result != live:
            self.store.date(result)
        if dry or result == live:
            return code, result
        stored = self.store.put(resource, result)
        if stored["metadata"].get("deletionTimestamp") and not stored["metadata"].get("finalizers"):
            self.store.remove(resource, stored)
        return code, stored

    def _patch(self, place: discovery.Place, query: dict[str, str], body: bytes) -> tuple[int, objects.Object]:
        live = self.store.get(place.resource, place.namespace, place.name)
        by = self._manager(place.resource, query.get("fieldManager", "") or "unknown", "Update")
        return self._store(place, live, patching.patched(place.resource, live, body, by), dry=bool(query.get("dryRun")))

    def _manager(self, resource: kinds.Resource, name: str, operation: str) -> applying.Managed:
        now = objects.stamp(self.store.clock())
        return {"manager": name, "operation": operation, "apiVersion": resource.api_version, "time": now}

    def _require_namespace(self, resource: kinds.Resource, namespace: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get(kinds.BY_KIND["", "Namespace"], "", namespace)
        if "deletionTimestamp" in found["metadata"]:
            said = f"namespace {namespace} is being terminated"
            causes = [{"reason": "NamespaceTerminating", "message": said, "field": "metadata.namespace"}]
            text = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise objects.Refusal(403, "Forbidden", text, kind=resource.plural, group=resource.group, causes=causes)

    def _create(self, place: discovery.Place, query: dict[str, str], body: bytes) -> tuple[int, objects.Object]:
        resource, namespace, _, _ = place
        wanted, name = self._sent(place, body)
        self._require_namespace(resource, namespace)
        if self.store.find(resource, namespace, name) is not None:
            text = f'{resource.qualified} "{name}" already exists'
            raise objects.Refusal(409, "AlreadyExists", text, kind=resource.plural, group=resource.group, name=name)
        by = self._manager(resource, query.get("fieldManager", "") or "unknown", "Update")
        result = applying.made(wanted, schemas.of(resource), by)
        return self._store(place._replace(name=name), None, result, dry=bool(query.get("dryRun")))

    def _replace(self, place: discovery.Place, query: dict[str, str], body: bytes) -> tuple[int, objects.Object]:
        if place.resource.kind != "Lease":
            raise _unsupported(f"PUT of {place.resource.plural}")
        live = self.store.get(place.resource, place.namespace, place.name)
        wanted, _ = self._sent(place, body)
        by = self._manager(place.resource, query.get("fieldManager", "") or "unknown", "Update")
        checking.unmoved(place.resource, place.name, live, wanted["metadata"])
        result = applying.made(wanted, schemas.of(place.resource), by)
        result["metadata"] |= {key: live["metadata"][key] for key in objects.OWN if key in live["metadata"]}
        return self._store(place, live, result, dry=bool(query.get("dryRun")))

    def _sent(self, place: discovery.Place, body: bytes) -> tuple[objects.Object, str]:
        """Return an object that was sent as a whole, with its name."""
        wanted = checking.decoded(body)
        fault = next(shapes.faults(schemas.of(place.resource), wanted), None)
        if fault is not None:
            raise objects.Refusal(400, "BadRequest", f"strict decoding error: {fault}")
        name = wanted["metadata"].get("name") or ""
        wanted["metadata"].pop("managedFields", None)
        checking.addressed(place.resource, place.namespace, place.name or name, wanted)
        return wanted, name

    def _delete(self, place: discovery.Place, query: dict[str, str], body: bytes) -> replies.Reply:
        resource, namespace, name, _ = place
        if not name:
            raise _unsupported(f"DELETE of all {resource.plural}")
        options = {**query, **(checking.decoded(body) if body else {})}
        policy = options.get("propagationPolicy") or "Background"
        if policy in {"Foreground", "Orphan"}:
            raise _unsupported(f"propagationPolicy {policy}")
        if policy != "Background":
            text = f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}"'
            raise objects.Refusal(422, "Invalid", text)
        found = self.store.get(resource, namespace, name)
        checking.meant(resource, found, options.get("preconditions") or {})
        if resource.kind == "Namespace" and name in _ALWAYS:
            text = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
            raise objects.Refusal(403, "Forbidden", text, kind="namespaces", name=name)
        if not options.get("dryRun"):
            self.store.remove(resource, found)
            if "deletionTimestamp" in found["metadata"]:
                return replies.Reply(200, msgspec.json.encode(found))
        details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": found["metadata"]["uid"]}
        done: objects.Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        done["details"] = {key: value for key, value in details.items() if value}
        return replies.Reply(200, msgspec.json.encode(done))


def _unsupported(what: str) -> objects.Refusal:
    return objects.Refusal(501, "NotImplemented", f"a simulated cluster does not do {what}")
