"""Kubernetes objects as data: identity, scope, apply order and canonical bytes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fleetctl.model import values

__all__ = ["BUILT_IN", "CLUSTER_SCOPED", "ObjectId", "canonical", "group_of", "rank"]

CLUSTER_SCOPED = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("authentication.k8s.io", "SelfSubjectReview"),
        ("authentication.k8s.io", "TokenReview"),
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authorization.k8s.io", "SubjectAccessReview"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("internal.apiserver.k8s.io", "StorageVersion"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "IPAddress"),
        ("networking.k8s.io", "ServiceCIDR"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("resource.k8s.io", "DeviceClass"),
        ("resource.k8s.io", "DeviceTaintRule"),
        ("resource.k8s.io", "ResourcePoolStatusRequest"),
        ("resource.k8s.io", "ResourceSlice"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("storage.k8s.io", "VolumeAttributesClass"),
        ("storagemigration.k8s.io", "StorageVersionMigration"),
    }
)
"""Built-in kinds that live outside namespaces, as (group, kind), of all minors in ``fleetctl.openapi``.

It stands here, and not in that data, for those who must know a scope at once; a test holds both equal.
"""

_NAMESPACED = {
    "": (
        "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController"
        " ResourceQuota Secret Service ServiceAccount"
    ),
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "authorization.k8s.io": "LocalSubjectAccessReview",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "certificates.k8s.io": "PodCertificateRequest",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "lifecycle.k8s.io": "Eviction EvictionRequest",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "resource.k8s.io": "ResourceClaim ResourceClaimTemplate",
    "scheduling.k8s.io": "CompositePodGroup PodGroup Workload",
    "storage.k8s.io": "CSIStorageCapacity",
}
BUILT_IN = CLUSTER_SCOPED | {(group, kind) for group, kinds in _NAMESPACED.items() for kind in kinds.split()}
"""Kinds of Kubernetes' own, as (group, kind), none in two groups: an Event counts as one of the core group.

The same kinds as in ``fleetctl.openapi``. A group that ends in ``.k8s.io`` says nothing: many hold custom resources.
"""

_RANKS: dict[tuple[str, str], int] = {
    key: rank
    for rank, keys in enumerate(
        (
            [("apiextensions.k8s.io", "CustomResourceDefinition")],
            [("", "Namespace")],
            [
                ("scheduling.k8s.io", "PriorityClass"),
                ("storage.k8s.io", "StorageClass"),
                ("storage.k8s.io", "CSIDriver"),
                ("storage.k8s.io", "VolumeAttributesClass"),
                ("node.k8s.io", "RuntimeClass"),
                ("networking.k8s.io", "IngressClass"),
                ("", "ResourceQuota"),
                ("", "LimitRange"),
            ],
            [
                ("", "ServiceAccount"),
                ("rbac.authorization.k8s.io", "ClusterRole"),
                ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
                ("rbac.authorization.k8s.io", "Role"),
                ("rbac.authorization.k8s.io", "RoleBinding"),
            ],
            [
                ("", "ConfigMap"),
                ("", "Secret"),
                ("", "PersistentVolume"),
                ("", "PersistentVolumeClaim"),
                ("", "Service"),
                ("networking.k8s.io", "NetworkPolicy"),
            ],
        )
    )
    for key in keys
}
_RANK_CUSTOM, _RANK_WORKLOAD, _RANK_ADMISSION = 5, 6, 7
_ADMISSION_GROUPS = frozenset({"admissionregistration.k8s.io", "apiregistration.k8s.io"})


class ObjectId(msgspec.Struct, frozen=True, order=True):
    """What makes an object the same one across versions of its API; ``namespace`` is "" outside namespaces."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return ``Kind namespace/name`` as people write it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def built_in(self) -> bool:
        """Tell whether the kind is Kubernetes' own rather than a custom resource."""
        return (self.group, self.kind) in BUILT_IN


def group_of(api_version: str) -> str:
    """Return the API group of ``apps/v1`` (``apps``) or ``v1`` ("")."""
    return api_version.rpartition("/")[0]


def rank(identity: ObjectId) -> int:
    """Return the place of a kind in the apply order: definitions first, webhooks last."""
    known = _RANKS.get((identity.group, identity.kind))
    if known is not None:
        return known
    if identity.group in _ADMISSION_GROUPS:
        return _RANK_ADMISSION
    return _RANK_WORKLOAD if identity.built_in else _RANK_CUSTOM


def canonical(value: Mapping[str, values.Value]) -> bytes:
    """Return the one JSON text of an object: keys sorted, no spaces, UTF-8. Equal objects give equal bytes."""
    return msgspec.json.encode(value, order="deterministic")
