"""From a kind to its REST path: Kubernetes' own kinds from a table, all others as the cluster says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

import msgspec

from fleetctl.kube import answers
from fleetctl.model import objects

__all__ = ["Collection", "Resource", "Resources", "collection"]

T = TypeVar("T")

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
    "StorageCapacity": "storagecapacities",
    "CSIStorageCapacity": "csistoragecapacities",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "IPAddress": "ipaddresses",
}

# The version of each group in which all our kinds are served; source: the API reference of Kubernetes 1.36.
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


class _Asks(Protocol):
    """What discovery needs of a client."""

    async def get_raw(self, path: str) -> bytes:
        """Return what stands at a path; raises ``answers.Failure``."""
        ...


class Resource(msgspec.Struct, frozen=True):
    """How a kind is served: its API version, its plural, and whether it lives in namespaces."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def root(self) -> str:
        """Return the path of its API."""
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"

    def collection(self, namespace: str = "") -> str:
        """Return the path of all objects, or of those in a namespace."""
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.root}{inside}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """Return the path of one object."""
        return f"{self.collection(namespace)}/{name}"


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


def collection(group: str, kind: str, namespace: str) -> str:
    """Return the path of a collection of one of Kubernetes' own kinds."""
    return _own(group, kind, f"{group}/{_VERSIONS[group]}" if group else "v1").collection(namespace)


def _own(group: str, kind: str, api_version: str) -> Resource:
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    return Resource(api_version, kind, plural, (group, kind) not in objects.CLUSTER_SCOPED)


class Resources:
    """How one cluster serves kinds; what it was asked once is kept for the visit."""

    def __init__(self, api: _Asks) -> None:
        self._api = api
        self._served: dict[str, dict[str, Resource]] = {}

    async def of(self, group: str, kind: str, api_version: str = "") -> Resource | None:
        """Return how a kind is served, in the version given or the one its group prefers; None when it is not."""
        if (group, kind) in objects.BUILT_IN:
            known = f"{group}/{_VERSIONS[group]}" if group in _VERSIONS and group else _VERSIONS.get(group, "")
            if api_version or known:
                return _own(group, kind, api_version or known)
        version = api_version or await self._preferred(group)
        if not version:
            return None
        if version not in self._served:
            self._served[version] = await self._discover(version)
        return self._served[version].get(kind)

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

    async def _preferred(self, group: str) -> str:
        class Version(msgspec.Struct):
            groupVersion: str = ""  # noqa: N815  # as Kubernetes spells it

        class Group(msgspec.Struct):
            preferredVersion: Version = msgspec.field(default_factory=Version)  # noqa: N815

        try:
            body = await self._api.get_raw(f"/apis/{group}")
        except answers.Failure as failure:
            if failure.kind == "missing":
                return ""
            raise
        return answers.decode(body, Group).preferredVersion.groupVersion

    async def _discover(self, api_version: str) -> dict[str, Resource]:
        class Served(msgspec.Struct):
            name: str = ""
            kind: str = ""
            namespaced: bool = False

        class Listing(msgspec.Struct):
            resources: list[Served] = []

        try:
            body = await self._api.get_raw(f"/apis/{api_version}")
        except answers.Failure as failure:
            if failure.kind == "missing":
                return {}
            raise
        found = answers.decode(body, Listing).resources
        return {
            one.kind: Resource(api_version, one.kind, one.name, one.namespaced) for one in found if "/" not in one.name
        }
