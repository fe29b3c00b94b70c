"""What a visit asks of a cluster, as rights: pure data, one for each verb on each kind and object.

docs/reference/cluster.md says the same as a ClusterRole; tests/docs holds both against each other. A need has the name
of its object where the API server knows it when it authorizes the request: for an apply that creates, too, but neither
for a list nor for a POST. Source: Kubernetes' RequestInfo, and the patch handler's second question for ``create``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from fleetctl.kube import applysets, leases, workloads
from fleetctl.model import objects, releases

__all__ = ["Need", "Purpose", "Served", "Step", "defined", "kinds_of", "of"]

Purpose = Literal["visit", "evidence", "lease", "undo"]
"""What goes wrong without the right: the visit fails; ``why`` shows no logs; nobody is kept away; an undo may fail."""

Served = Mapping[tuple[str, str], tuple[str, bool]]
"""How kinds are served, by (group, kind): the plural, and whether objects live in namespaces."""

_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_NAMESPACE: Final = ("", "Namespace")
_RBAC: Final = "rbac.authorization.k8s.io"


class Need(msgspec.Struct, frozen=True, order=True):
    """One right: a verb on a resource, ``pods/log`` below one; ``namespace`` is "" outside namespaces.

    A Namespace counts as one of the objects in it. ``name`` is "" for all objects. With all rights of ``instead``
    it is not needed.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    purpose: Purpose = "visit"
    instead: tuple[Need, ...] = ()

    @property
    def qualified(self) -> str:
        """Return the resource as Kubernetes' messages have it: ``deployments.apps``, ``pods/log``."""
        plural, slash, below = self.resource.partition("/")
        return f"{plural}.{self.group}{slash}{below}" if self.group else self.resource


class Step(msgspec.Struct, frozen=True):
    """What a visit would do: from the release that is there to the one that is wanted; None for none of it."""

    bundle: str
    home: str
    """The namespace of the parent."""
    old: releases.Release | None
    new: releases.Release | None
    sure: bool = True
    """Whether what is there is known; if not, everything may have to be made."""
    listed: bool = False
    """Whether the set is listed even where nothing would be pruned; it always is where its members are not known."""
    parent: bool = False
    """Whether there is a parent, and thus its namespace."""
    home_exists: bool = False
    """Whether the namespace is there without one."""


def kinds_of(step: Step) -> dict[tuple[str, str], str]:
    """Return the kinds that a step touches, by (group, kind), with the API version in which they are written."""
    found: dict[tuple[str, str], str] = {}
    for release in (step.old, step.new):
        for one in release.objects if release else ():
            found[one.id.group, one.id.kind] = msgspec.json.decode(one.body, type=_Head).apiVersion
    return found


def defined(release: releases.Release | None) -> Served:
    """Return the kinds that a release brings itself."""
    made: dict[tuple[str, str], tuple[str, bool]] = {}
    for one in release.objects if release else ():
        if (one.id.group, one.id.kind) == _DEFINITION:
            spec = msgspec.json.decode(one.body, type=_Definition).spec
            made[spec.group, spec.names.kind] = (spec.names.plural, spec.scope == "Namespaced")
    return made


def of(step: Step, served: Served) -> list[Need]:
    """Return what a visit needs, sorted, each once; objects of kinds that are not served need nothing."""
    return sorted({*_always(step), *_objects(step, served), *_home(step)})


def _always(step: Step) -> Iterator[Need]:
    """Return what every visit that changes something asks for beside its objects."""
    yield _on_namespace("get", "kube-system")
    for verb in ("get", "patch", *(() if step.parent else ("create",)), *(() if step.new else ("delete",))):
        yield Need(verb, "", "secrets", step.home, step.bundle)
    for verb in ("get", "update", "delete"):
        yield Need(verb, "coordination.k8s.io", "leases", leases.NAMESPACE, leases.name(step.bundle), "lease")
    yield Need("create", "coordination.k8s.io", "leases", leases.NAMESPACE, "", "lease")


def _on_namespace(verb: str, name: str) -> Need:
    return Need(verb, "", "namespaces", name, name)


def _home(step: Step) -> Iterator[Need]:
    """Return what the home namespace asks for: it is made where it is not there."""
    yield _on_namespace("get", step.home)
    if step.new is not None and not (step.parent or step.home_exists):
        yield _on_namespace("create", step.home)
        yield _on_namespace("patch", step.home)


def _objects(step: Step, served: Served) -> Iterator[Need]:
    wanted = {one.id: one for one in step.new.objects} if step.new else {}
    had = {one.id for one in step.old.objects} if step.old else set()
    for identity, one in wanted.items():
        verbs = ("get", "patch") if identity in had and step.sure else ("get", "patch", "create")
        yield from _named(identity, served, verbs)
        yield from _health(identity)
        yield from _granting(one, step.new, served)
    for identity in sorted(had - wanted.keys()):
        kept = (identity.group, identity.kind) in applysets.PROTECTED
        yield from _named(identity, served, ("patch",) if kept else ("get", "delete"))
    if step.listed or not step.sure or step.old is None or had - wanted.keys():
        yield from _lists(step, {*wanted, *had}, served)


def _lists(step: Step, ids: set[objects.ObjectId], served: Served) -> Iterator[Need]:
    """Return the lists of a set: each kind in each namespace of the set, as its parent has both."""
    namespaces = {step.home, *(one.namespace for one in ids if one.namespace)}
    for key in {(one.group, one.kind) for one in ids}:
        plural, namespaced = served.get(key, ("", False))
        for namespace in (namespaces if namespaced else {""}) if plural else ():
            yield Need("list", key[0], plural, namespace)


def _named(identity: objects.ObjectId, served: Served, verbs: Iterable[str]) -> Iterator[Need]:
    if (identity.group, identity.kind) == _NAMESPACE:
        yield from (_on_namespace(verb, identity.name) for verb in verbs)
        return
    plural, namespaced = served.get((identity.group, identity.kind), ("", False))
    for verb in verbs if plural else ():
        yield Need(verb, identity.group, plural, identity.namespace if namespaced else "", identity.name)


def _health(identity: objects.ObjectId) -> Iterator[Need]:
    """Return what is listed for verdicts, what shows why one is bad, and what frees a StatefulSet in an undo."""
    found = workloads.needs(identity, unwell=True)
    for one in found:
        group = objects.group_of(one.api_version)
        plural = "storageclasses" if one.kind == "StorageClass" else f"{one.kind.lower()}s"
        yield Need("list", group, plural, identity.namespace if one.namespaced else "")
    if any(one.kind == "Pod" for one in found):
        yield Need("get", "", "pods/log", identity.namespace, "", "evidence")
    if (identity.group, identity.kind) == ("apps", "StatefulSet"):
        yield Need("delete", "", "pods", identity.namespace, "", "undo")


# --- RBAC objects hand out rights: who applies them must have these, or ``escalate`` and ``bind``


def _granting(one: releases.RenderedObject, release: releases.Release | None, served: Served) -> Iterator[Need]:
    if one.id.group != _RBAC or (one.id.group, one.id.kind) not in served:
        return
    body = msgspec.json.decode(one.body, type=_Granting)
    namespace = one.id.namespace
    if one.id.kind in {"Role", "ClusterRole"}:
        plural = served[one.id.group, one.id.kind][0]
        yield Need("escalate", _RBAC, plural, namespace, one.id.name, instead=_atoms(body.rules, namespace))
    elif body.roleRef is not None:
        where = namespace if body.roleRef.kind == "Role" else ""
        given = objects.ObjectId(_RBAC, body.roleRef.kind, where, body.roleRef.name)
        found = next((other for other in release.objects if other.id == given), None) if release else None
        rules = msgspec.json.decode(found.body, type=_Granting).rules if found else None
        plural = f"{body.roleRef.kind.lower()}s"
        yield Need("bind", _RBAC, plural, namespace, body.roleRef.name, instead=_atoms(rules, namespace))


def _atoms(rules: tuple[_Rule, ...] | None, namespace: str) -> tuple[Need, ...]:
    """Return the rights of rules one by one; nothing where they cannot all be told."""
    if not rules or any(rule.nonResourceURLs for rule in rules):
        return ()
    return tuple(
        Need(verb, group, resource, namespace, name)
        for rule in rules
        for verb in rule.verbs
        for group in rule.apiGroups
        for resource in rule.resources
        for name in rule.resourceNames or ("",)
    )


class _Head(msgspec.Struct):
    apiVersion: str = ""  # noqa: N815  # as Kubernetes spells it


class _Names(msgspec.Struct):
    kind: str = ""
    plural: str = ""


class _Spec(msgspec.Struct):
    group: str = ""
    scope: str = ""
    names: _Names = msgspec.field(default_factory=_Names)


class _Definition(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


class _Rule(msgspec.Struct):
    verbs: tuple[str, ...] = ()
    apiGroups: tuple[str, ...] = ()  # noqa: N815
    resources: tuple[str, ...] = ()
    resourceNames: tuple[str, ...] = ()  # noqa: N815
    nonResourceURLs: tuple[str, ...] = ()  # noqa: N815


class _Ref(msgspec.Struct):
    kind: str = ""
    name: str = ""


class _Granting(msgspec.Struct):
    rules: tuple[_Rule, ...] | None = None
    roleRef: _Ref | None = None  # noqa: N815
