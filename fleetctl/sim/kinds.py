"""The kinds that a simulated cluster serves; whatever else is asked of it answers 501."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["BY_KIND", "BY_PATH", "RESOURCES", "Resource"]


class Resource(msgspec.Struct, frozen=True):
    """A kind as it is served."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    counted: bool = False
    """Whether a change of ``spec`` raises ``metadata.generation``."""

    @property
    def api_version(self) -> str:
        """Return ``apps/v1`` or ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the name that messages use: ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


RESOURCES: Final = (
    Resource("", "v1", "ConfigMap", "configmaps"),
    Resource("", "v1", "Event", "events"),
    Resource("", "v1", "LimitRange", "limitranges"),
    Resource("", "v1", "Namespace", "namespaces", namespaced=False),
    Resource("", "v1", "Node", "nodes", namespaced=False),
    Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Resource("", "v1", "Pod", "pods"),
    Resource("", "v1", "ResourceQuota", "resourcequotas"),
    Resource("", "v1", "Secret", "secrets"),
    Resource("", "v1", "Service", "services"),
    Resource("", "v1", "ServiceAccount", "serviceaccounts"),
    Resource("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Resource("apps", "v1", "DaemonSet", "daemonsets", counted=True),
    Resource("apps", "v1", "Deployment", "deployments", counted=True),
    Resource("apps", "v1", "ReplicaSet", "replicasets", counted=True),
    Resource("apps", "v1", "StatefulSet", "statefulsets", counted=True),
    Resource("batch", "v1", "Job", "jobs", counted=True),
    Resource("coordination.k8s.io", "v1", "Lease", "leases"),
    Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", counted=True),
    Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", counted=True),
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, counted=True),
    Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False),
)
BY_PATH: Final = {(one.group, one.version, one.plural): one for one in RESOURCES}
BY_KIND: Final = {(one.group, one.kind): one for one in RESOURCES}
