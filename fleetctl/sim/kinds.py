"""The kinds that a simulated cluster serves; whatever else is asked of it answers 501."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["BY_KIND", "BY_PATH", "MADE", "RESOURCES", "Resource"]


class Resource(msgspec.Struct, frozen=True):
    """A kind as it is served."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    counted: bool = False
    """Whether a change of ``spec`` raises ``metadata.generation``."""
    short: str = ""
    """What people call it: ``deploy``."""
    common: bool = False
    """Whether ``kubectl get all`` shows it."""
    below: tuple[str, ...] = ()
    """What else its objects have; of that, only the logs of pods can be asked for."""

    @property
    def api_version(self) -> str:
        """Return ``apps/v1`` or ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the name that messages use: ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_STATUS: Final = ("status",)
RESOURCES: Final = (
    Resource("", "v1", "ConfigMap", "configmaps", short="cm"),
    Resource("", "v1", "Event", "events", short="ev"),
    Resource("", "v1", "LimitRange", "limitranges", short="limits"),
    Resource("", "v1", "Namespace", "namespaces", namespaced=False, short="ns", below=_STATUS),
    Resource("", "v1", "Node", "nodes", namespaced=False, short="no", below=_STATUS),
    Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short="pvc", below=_STATUS),
    Resource("", "v1", "Pod", "pods", short="po", common=True, below=("log", "status")),
    Resource("", "v1", "ResourceQuota", "resourcequotas", short="quota", below=_STATUS),
    Resource("", "v1", "Secret", "secrets"),
    Resource("", "v1", "Service", "services", short="svc", common=True, below=_STATUS),
    Resource("", "v1", "ServiceAccount", "serviceaccounts", short="sa"),
    Resource("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Resource("apps", "v1", "DaemonSet", "daemonsets", counted=True, short="ds", common=True, below=_STATUS),
    Resource("apps", "v1", "Deployment", "deployments", counted=True, short="deploy", common=True, below=_STATUS),
    Resource("apps", "v1", "ReplicaSet", "replicasets", counted=True, short="rs", common=True, below=_STATUS),
    Resource("apps", "v1", "StatefulSet", "statefulsets", counted=True, short="sts", common=True, below=_STATUS),
    Resource("batch", "v1", "Job", "jobs", counted=True, common=True, below=_STATUS),
    Resource("coordination.k8s.io", "v1", "Lease", "leases"),
    Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", counted=True, short="netpol"),
    Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", counted=True, short="pdb", below=_STATUS),
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, counted=True, short="pc"),
    Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short="sc"),
)
BY_PATH: Final = {(one.group, one.version, one.plural): one for one in RESOURCES}
BY_KIND: Final = {(one.group, one.kind): one for one in RESOURCES}
MADE: Final = frozenset({"ControllerRevision", "Event", "Node", "Pod", "ReplicaSet"})
"""Kinds that only the simulation itself makes."""
