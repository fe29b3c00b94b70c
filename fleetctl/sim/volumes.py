"""Volumes and addresses of a simulated cluster, as K3s' local-path provisioner and its service load balancer give them.

A claim is bound when a volume can be made for it; the volumes themselves are not served.
"""

from __future__ import annotations

from typing import Any, Final

from fleetctl.sim import kinds, objects

__all__ = ["BEGUN", "CLASS", "PROVISIONER", "Volumes", "claimed"]

BEGUN: Final[dict[str, dict[str, Any]]] = {
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
}
"""With which status objects begin, by kind."""
CLASS: Final = "local-path"
"""The default StorageClass of every simulated cluster."""
PROVISIONER: Final = "rancher.io/local-path"
"""The only provisioner that anybody plays here."""

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_LATE: Final = "WaitForFirstConsumer"
_CLAIM: Final = kinds.BY_KIND["", "PersistentVolumeClaim"]
_STORAGE_CLASS: Final = kinds.BY_KIND["storage.k8s.io", "StorageClass"]
_ADDRESS: Final = "192.0.2.1"


class Volumes:
    """The binder of claims, the provisioner, and the giver of addresses."""

    def __init__(self, store: objects.Objects) -> None:
        self._store = store
        made = {
            "metadata": {"name": CLASS, "annotations": {_DEFAULT: "true"}},
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": _LATE,
        }
        store.make("storage.k8s.io", "StorageClass", made)

    def advance(self) -> None:
        """Bind what can be bound, and give addresses to Services that ask for one."""
        used: set[tuple[str, str]] | None = None
        for claim in self._store.of("", "PersistentVolumeClaim"):
            if claim["status"]["phase"] != "Pending":
                continue
            self._adopt_default(claim)
            found = self._class_of(claim)
            if found is None or found["provisioner"] != PROVISIONER:
                continue
            if used is None:
                used = {
                    (pod["metadata"]["namespace"], name)
                    for pod in self._store.of("", "Pod")
                    for name in claimed(pod["spec"])
                }
            late = found.get("volumeBindingMode") == _LATE
            if not late or (claim["metadata"]["namespace"], claim["metadata"]["name"]) in used:
                self._bind(claim)
        for service in self._store.of("", "Service"):
            self._address(service)

    def hindrance(self, pod: objects.Object) -> str | None:
        """Return why no node can take a pod, in the scheduler's words; "" where it only waits, None where one can."""
        for name in claimed(pod["spec"]):
            claim = self._store.find(_CLAIM, pod["metadata"]["namespace"], name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if claim["status"]["phase"] == "Bound":
                continue
            found = self._class_of(claim)
            if found is None or found.get("volumeBindingMode") != _LATE:
                return "pod has unbound immediate PersistentVolumeClaims"
            if found["provisioner"] != PROVISIONER:
                return ""
        return None

    def _class_of(self, claim: objects.Object) -> objects.Object | None:
        return self._store.find(_STORAGE_CLASS, "", claim["spec"].get("storageClassName") or "")

    def _adopt_default(self, claim: objects.Object) -> None:
        """Give a claim that names no class the default one, as soon as there is one."""
        if "storageClassName" in claim["spec"]:
            return
        for found in self._store.of("storage.k8s.io", "StorageClass"):
            if found["metadata"].get("annotations", {}).get(_DEFAULT) == "true":
                claim["spec"]["storageClassName"] = found["metadata"]["name"]
                self._store.touch(claim)
                return

    def _bind(self, claim: objects.Object) -> None:
        spec = claim["spec"]
        spec["volumeName"] = f"pvc-{claim['metadata']['uid']}"
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
        status = {"phase": "Bound", "accessModes": spec.get("accessModes", []), "capacity": {"storage": size}}
        self._store.tell(claim, status)

    def _address(self, service: objects.Object) -> None:
        spec = service.get("spec") or {}
        wanted = spec.get("type") == "LoadBalancer" and "loadBalancerClass" not in spec
        balancer: dict[str, Any] = {"ingress": [{"ip": _ADDRESS, "ipMode": "VIP"}]} if wanted else {}
        self._store.tell(service, {"loadBalancer": balancer})


def claimed(spec: dict[str, Any]) -> list[str]:
    """Return the names of the claims that a pod of a spec uses."""
    sources = ((one.get("persistentVolumeClaim") or {}).get("claimName") for one in spec.get("volumes") or ())
    return [name for name in sources if name]
