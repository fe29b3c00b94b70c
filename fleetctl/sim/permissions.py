"""Who may do what in a simulated cluster: RBAC, as its objects say it or as a site's fault restricts it.

Source: Kubernetes' RBAC authorizer and the words of its refusals; what every authenticated user may do are the rules of
``system:basic-user``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from fleetctl.sim import discovery, kinds, objects, replies

__all__ = ["ADMIN", "ALL", "Request", "Rule", "User", "allowed", "refuse", "requested", "review", "rules"]

_GROUP: Final = "rbac.authorization.k8s.io"
_REVIEWS: Final = "authorization.k8s.io"
_PATH: Final = f"/apis/{_REVIEWS}/v1/"


class Rule(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A rule of RBAC; with a namespace it holds in that one alone."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ("",)
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    namespace: str = ""


ALL: Final = Rule(("*",), ("*",), ("*",))
_BASIC: Final = (
    Rule(("create",), (_REVIEWS,), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
    Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
)


class User(NamedTuple):
    """Who asks; with ``only`` these rules say what is allowed, else those of the cluster's objects."""

    name: str
    only: tuple[Rule, ...] | None = None

    @property
    def is_admin(self) -> bool:
        """Tell whether nothing is refused."""
        return self.only == (ALL,)


ADMIN: Final = User("admin", (ALL,))


class Request(NamedTuple):
    """What is asked for, as the authorizer sees it."""

    verb: str
    group: str
    resource: str
    """The plural, and ``pods/log`` for what is below."""
    namespace: str = ""
    name: str = ""


def requested(method: str, place: discovery.Place, query: dict[str, str]) -> Request:
    """Return what a request asks for."""
    name = place.name
    if method == "GET":
        field, _, value = query.get("fieldSelector", "").partition("=")
        watch = query.get("watch", "") not in {"", "0", "false"}
        verb = "get" if name else "watch" if watch else "list"
        if not name and field == "metadata.name":
            name = value.lstrip("=")
    elif method == "DELETE":
        verb = "delete" if name else "deletecollection"
    else:
        verb = {"PATCH": "patch", "POST": "create", "PUT": "update"}.get(method, method.lower())
    resource = place.resource.plural + (f"/{place.below}" if place.below else "")
    namespace = place.name if place.resource.kind == "Namespace" else place.namespace
    return Request(verb, place.resource.group, resource, namespace, name)


def rules(store: objects.Objects, user: User, namespace: str) -> Iterator[Rule]:
    """Return the rules that hold for a user in a namespace, or outside namespaces ("")."""
    given = list(_bound(store, user, namespace)) if user.only is None else user.only
    yield from (*_BASIC, *(one for one in given if one.namespace in {"", namespace}))


def allowed(store: objects.Objects, user: User, asked: Request) -> bool:
    """Tell whether a user may do something."""
    return user.is_admin or any(_grants(rule, asked) for rule in rules(store, user, asked.namespace))


def refuse(store: objects.Objects, user: User, asked: Request) -> None:
    """Raise ``Refusal`` unless a user may do something."""
    if allowed(store, user, asked):
        return
    plural = asked.resource.partition("/")[0]
    about = f"{plural}.{asked.group}" if asked.group else plural
    named = f'{about} "{asked.name}"' if asked.name else about
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    text = (
        f'{named} is forbidden: User "{user.name}" cannot {asked.verb} resource "{asked.resource}"'
        f' in API group "{asked.group}" {where}'
    )
    raise objects.Refusal(403, "Forbidden", text, kind=plural, group=asked.group, name=asked.name)


def review(store: objects.Objects, user: User, method: str, path: str, body: bytes) -> replies.Reply | None:
    """Answer what somebody asks about their own rights; None for a path that asks something else."""
    kind = {"selfsubjectaccessreviews": "SelfSubjectAccessReview", "selfsubjectrulesreviews": "SelfSubjectRulesReview"}
    if not path.startswith(_PATH) or (plural := path.removeprefix(_PATH)) not in kind:
        return None
    if method != "POST":
        raise objects.Refusal(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )
    refuse(store, user, Request("create", _REVIEWS, plural))
    try:
        spec = msgspec.json.decode(body, type=_Review).spec
    except msgspec.MsgspecError as error:
        raise objects.Refusal(400, "BadRequest", f"the object provided is unrecognized: {error}") from None
    if plural == "selfsubjectaccessreviews":
        status = _access(store, user, spec)
    elif not spec.namespace:
        raise objects.Refusal(400, "BadRequest", "no namespace on request")
    else:
        told = [msgspec.json.decode(msgspec.json.encode(_told(rule))) for rule in rules(store, user, spec.namespace)]
        status = {"resourceRules": told, "nonResourceRules": [], "incomplete": False}
    sent = msgspec.json.decode(msgspec.json.encode(spec)) if plural == "selfsubjectaccessreviews" else {}
    made = {"kind": kind[plural], "apiVersion": f"{_REVIEWS}/v1", "metadata": {}, "spec": sent, "status": status}
    return replies.Reply(201, msgspec.json.encode(made))


def _access(store: objects.Objects, user: User, spec: _Spec) -> dict[str, Any]:
    about = spec.resourceAttributes
    if about is None:
        raise objects.Refusal(501, "NotImplemented", "a simulated cluster does not do reviews of other than resources")
    resource = about.resource + (f"/{about.subresource}" if about.subresource else "")
    asked = Request(about.verb, about.group, resource, about.namespace, about.name)
    return {"allowed": allowed(store, user, asked)}


def _told(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, namespace="")


def _grants(rule: Rule, asked: Request) -> bool:
    _, slash, below = asked.resource.partition("/")
    resources = {"*", asked.resource, *((f"*/{below}",) if slash else ())}
    return (
        bool({"*", asked.verb} & {*rule.verbs})
        and bool({"*", asked.group} & {*rule.api_groups})
        and bool(resources & {*rule.resources})
        and (not rule.resource_names or asked.name in rule.resource_names)
    )


def _bound(store: objects.Objects, user: User, namespace: str) -> Iterator[Rule]:
    """Return the rules of the roles that are bound to a user, or to all who are authenticated."""
    bindings: Iterable[objects.Object] = store.of(_GROUP, "ClusterRoleBinding")
    if namespace:
        bindings = [*bindings, *store.listed(kinds.BY_KIND[_GROUP, "RoleBinding"], namespace)]
    for binding in bindings:
        subjects = [(one.get("kind"), one.get("name")) for one in binding.get("subjects") or ()]
        if ("User", user.name) not in subjects and ("Group", "system:authenticated") not in subjects:
            continue
        ref = binding["roleRef"]
        where = binding["metadata"].get("namespace", "") if ref["kind"] == "Role" else ""
        role = store.find(kinds.BY_KIND[_GROUP, ref["kind"]], where, ref["name"])
        if role is None:
            continue
        for rule in role.get("rules") or ():
            yield msgspec.convert({key: value for key, value in rule.items() if key != "nonResourceURLs"}, type=Rule)


class _Attributes(msgspec.Struct, omit_defaults=True):
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class _Spec(msgspec.Struct, omit_defaults=True):
    resourceAttributes: _Attributes | None = None  # noqa: N815  # as Kubernetes spells it
    namespace: str = ""


class _Review(msgspec.Struct):
    spec: _Spec
