"""From a kind to its REST path: Kubernetes' own kinds from a table, all others as the cluster says."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable
from typing import Any, Final, Protocol, overload

import msgspec

from fleetctl.kube import answers, discovery, transport
from fleetctl.model import objects

__all__ = ["Collection", "Resource", "Resources"]

# Plurals that are not the kind in small letters with an s.
_PLURALS: Final = {
    "Endpoints": "endpoints",
    "Ingress": "ingresses",
    "IngressClass": "ingressclasses",
    "NetworkPolicy": "networkpolicies",
    "PriorityClass": "priorityclasses",
    "RuntimeClass": "runtimeclasses",
    "StorageClass": "storageclasses",
    "DeviceClass": "deviceclasses",
    "VolumeAttributesClass": "volumeattributesclasses",
    "CSIStorageCapacity": "csistoragecapacities",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "IPAddress": "ipaddresses",
}

# The version of each group in which its kinds are served, save those named below; source: the API reference of
# Kubernetes 1.36.
_VERSIONS: Final = {
    "": "v1",
    "admissionregistration.k8s.io": "v1",
    "apiextensions.k8s.io": "v1",
    "apiregistration.k8s.io": "v1",
    "apps": "v1",
    "autoscaling": "v2",
    "batch": "v1",
    "coordination.k8s.io": "v1",
    "discovery.k8s.io": "v1",
    "flowcontrol.apiserver.k8s.io": "v1",
    "networking.k8s.io": "v1",
    "node.k8s.io": "v1",
    "policy": "v1",
    "rbac.authorization.k8s.io": "v1",
    "scheduling.k8s.io": "v1",
    "storage.k8s.io": "v1",
}
_UNSETTLED: Final = frozenset({("coordination.k8s.io", "LeaseCandidate")})
_NO_ANSWER: Final = frozenset({"missing", "forbidden", "rejected", "broken"})
"""How a cluster may fail to tell all its kinds at once, and yet tell those of a version."""


class _Asks(Protocol):
    """What discovery needs of a client."""

    async def get_raw(self, path: str) -> bytes:
        """Return what stands at a path; raises ``answers.Failure``."""
        ...


class _AsksForAll(_Asks, Protocol):
    """What aggregated discovery needs of a client."""

    async def conditional(self, path: str, accept: str, etag: str = "") -> transport.Answer:
        """Return what stands at a path, or a 304 where it bears the mark; raises ``answers.Failure``."""
        ...


class Resource(msgspec.Struct, frozen=True):
    """How a kind is served: its API version, its plural, whether it lives in namespaces and has a status."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    has_status: bool = True
    """Whether there is ``widgets/status``: without it nobody will ever say how its objects are."""

    @property
    def root(self) -> str:
        """Return the path of its API."""
        return _root(self.api_version)

    def collection(self, namespace: str = "") -> str:
        """Return the path of all objects, or of those in a namespace."""
        inside = f"/namespaces/{urllib.parse.quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{self.root}{inside}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """Return the path of one object."""
        return f"{self.collection(namespace)}/{urllib.parse.quote(name, safe=':')}"


class Collection(msgspec.Struct, frozen=True):
    """The objects of a kind in one namespace, or outside namespaces."""

    resource: Resource
    namespace: str

    @property
    def path(self) -> str:
        """Return the collection's path."""
        return self.resource.collection(self.namespace)

    def id_of(self, meta: answers.Meta) -> objects.ObjectId:
        """Return the identity of one of its objects."""
        group = objects.group_of(self.resource.api_version)
        return objects.ObjectId(group, self.resource.kind, meta.namespace, meta.name)


def _own(group: str, kind: str, api_version: str) -> Resource:
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    return Resource(api_version, kind, plural, (group, kind) not in objects.CLUSTER_SCOPED)


class Resources:
    """How one cluster serves kinds. What it serves is kept for the visit; what it does not, it may soon.

    All kinds are asked for at once where an answer is known that the cluster may only have to confirm, and from the
    second question of a visit on; the first alone is smaller. What that answer lacks is asked for by its version.
    """

    @overload
    def __init__(self, api: _Asks) -> None: ...
    @overload
    def __init__(self, api: _AsksForAll, known: discovery.Known | None) -> None: ...
    def __init__(self, api: Any, known: discovery.Known | None = None) -> None:
        """Ask a client; ``known`` is what the cluster said before."""
        self._api = api
        self._known = known
        self._all: discovery.Document | None = None
        self._questions: set[str] = set()
        self._groups: dict[str, list[str]] = {}
        self._served: dict[str, dict[str, Resource]] = {}

    async def of(self, group: str, kind: str, api_version: str = "") -> Resource | None:
        """Return how a kind is served, in the version given or the first that has it; None when it is not."""
        settled = group in _VERSIONS and (group, kind) not in _UNSETTLED
        if (group, kind) in objects.BUILT_IN and (api_version or settled):
            known = f"{group}/{_VERSIONS[group]}" if group and not api_version else api_version or _VERSIONS[group]
            return _own(group, kind, known)
        for version in (api_version,) if api_version else await self._versions(group):
            found = await self._in(version, kind)
            if found is not None:
                return found
        return None

    async def path(self, one: objects.ObjectId, api_version: str) -> str:
        """Return the path of an object; raises ``Failure`` (missing) when its kind is not served."""
        found = await self.of(one.group, one.kind, api_version)
        if found is None:
            raise answers.Failure(
                "missing", "KindNotServed", f"the cluster does not know the kind {one.kind} of {api_version}"
            )
        return found.path(one.namespace, one.name)

    async def collections(self, name: str, namespaces: Iterable[str]) -> list[Collection]:
        """Return where objects of a kind, written ``Kind.group``, may stand; nothing when it is no longer served."""
        kind, _, group = name.partition(".")
        found = await self.of(group, kind)
        if found is None:
            return []
        return [Collection(found, one) for one in (sorted(namespaces) if found.namespaced else [""])]

    async def _versions(self, group: str) -> list[str]:
        """Return the versions of a group, the preferred one first: not every kind is served in that one."""
        if not self._groups.get(group):
            found = (await self._told(group)).versions.get(group)
            if found:
                self._groups[group] = list(found)
                return self._groups[group]
            body = await answers.optional(self._api.get_raw(f"/apis/{urllib.parse.quote(group, safe='')}"))
            said = answers.decode(body, _Group) if body is not None else _Group()
            versions = [said.preferredVersion, *said.versions]
            self._groups[group] = list(dict.fromkeys(one.groupVersion for one in versions if one.groupVersion))
        return self._groups[group]

    async def _in(self, api_version: str, kind: str) -> Resource | None:
        """Return how a version serves a kind."""
        if kind not in self._served.get(api_version, {}):
            told = (await self._told(api_version)).kinds.get(api_version, {})
            if kind in told:
                self._served[api_version] = {
                    name: Resource(api_version, name, one.plural, one.namespaced, one.has_status)
                    for name, one in told.items()
                }
                return self._served[api_version][kind]
            body = await answers.optional(self._api.get_raw(_root(api_version)))
            found = answers.decode(body, _Served).resources if body is not None else []
            names = {one.name for one in found}
            self._served[api_version] = {
                one.kind: Resource(api_version, one.kind, one.name, one.namespaced, f"{one.name}/status" in names)
                for one in found
                if "/" not in one.name
            }
        return self._served[api_version].get(kind)

    async def _told(self, question: str) -> discovery.Document:
        """Return all that the cluster serves, as it said in this visit, where that is worth the asking."""
        if self._all is None:
            self._questions.add(question)
            kept = self._known.suggested() if self._known is not None else None
            if self._known is None or (kept is None and len(self._questions) == 1):
                return discovery.NOTHING
            self._all = await self._ask(self._known, kept)
        return self._all

    async def _ask(self, known: discovery.Known, kept: discovery.Kept | None) -> discovery.Document:
        try:
            answer = await self._api.conditional("/apis", discovery.ACCEPT, kept.etag if kept else "")
            if answer.status == 304 and kept is not None:
                return known.confirm(kept) or discovery.NOTHING
            return known.take(answer)
        except answers.Failure as failure:
            if failure.kind not in _NO_ANSWER:
                raise
            return discovery.NOTHING


def _root(api_version: str) -> str:
    version = urllib.parse.quote(api_version)
    return f"/apis/{version}" if "/" in api_version else f"/api/{version}"


class _Version(msgspec.Struct):
    groupVersion: str = ""  # noqa: N815  # as Kubernetes spells it


class _Group(msgspec.Struct):
    preferredVersion: _Version = msgspec.field(default_factory=_Version)  # noqa: N815
    versions: list[_Version] = []


class _ServedKind(msgspec.Struct):
    name: str = ""
    kind: str = ""
    namespaced: bool = False


class _Served(msgspec.Struct):
    resources: list[_ServedKind] = []
