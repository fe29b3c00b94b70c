"""What stands around the objects of a bundle: pods, templates, events, nodes; listed once, looked up by owner.

UIDs are unique in a cluster, so that one index holds the lists of all its namespaces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fleetctl.kube import observed, pods

__all__ = ["EVENTS", "NODES", "NOTHING", "PODS", "REPLICA_SETS", "REVISIONS", "STORAGE_CLASSES", "List", "Surroundings"]


class List(msgspec.Struct, frozen=True):
    """A collection to list, and the type that its items are decoded into."""

    api_version: str
    kind: str
    into: type[Any]
    namespaced: bool = True


PODS: Final = List("v1", "Pod", pods.Pod)
REPLICA_SETS: Final = List("apps/v1", "ReplicaSet", observed.ReplicaSet)
REVISIONS: Final = List("apps/v1", "ControllerRevision", observed.Revision)
EVENTS: Final = List("v1", "Event", observed.Event)
NODES: Final = List("v1", "Node", observed.Node, namespaced=False)
STORAGE_CLASSES: Final = List("storage.k8s.io/v1", "StorageClass", observed.StorageClass, namespaced=False)

_BINDING_IS_LATE: Final = "WaitForFirstConsumer"
_IS_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


class Surroundings:
    """Lists of a cluster, by owner; what was not listed is taken for empty."""

    def __init__(self, listed: Mapping[List, Iterable[Any]]) -> None:
        self._pods: dict[str, list[pods.Pod]] = defaultdict(list)
        self._replica_sets: dict[str, list[observed.ReplicaSet]] = defaultdict(list)
        self._revisions: dict[str, list[observed.Revision]] = defaultdict(list)
        self._events: dict[str, list[observed.Event]] = defaultdict(list)
        self._claimed: set[tuple[str, str]] = set()
        for pod in listed.get(PODS, ()):
            self._pods[pod.metadata.owner].append(pod)
            self._claimed |= {(pod.metadata.namespace, name) for name in pod.claims}
        for one in listed.get(REPLICA_SETS, ()):
            self._replica_sets[one.metadata.owner].append(one)
        for one in listed.get(REVISIONS, ()):
            self._revisions[one.metadata.owner].append(one)
        for event in listed.get(EVENTS, ()):
            self._events[event.involved_object.uid].append(event)
        self._classes: list[observed.StorageClass] = list(listed.get(STORAGE_CLASSES, ()))
        self.down = frozenset(node.metadata.name for node in listed.get(NODES, ()) if not node.ready)
        """Names of the nodes that are not ready."""

    def pods_of(self, uid: str) -> list[pods.Pod]:
        """Return the pods that an object made, by name."""
        return sorted(self._pods.get(uid, ()) if uid else (), key=lambda pod: pod.metadata.name)

    def replica_sets_of(self, uid: str) -> list[observed.ReplicaSet]:
        """Return the ReplicaSets of a Deployment."""
        return self._replica_sets.get(uid, []) if uid else []

    def revisions_of(self, uid: str) -> list[observed.Revision]:
        """Return the ControllerRevisions of a StatefulSet or DaemonSet."""
        return self._revisions.get(uid, []) if uid else []

    def events_about(self, uid: str) -> list[observed.Event]:
        """Return the events about an object."""
        return self._events.get(uid, []) if uid else []

    def is_claimed(self, namespace: str, claim: str) -> bool:
        """Tell whether any pod uses a PersistentVolumeClaim."""
        return (namespace, claim) in self._claimed

    def binds_late(self, storage_class: str | None) -> bool:
        """Tell whether volumes of a class come only with the first pod; None is the default class."""
        return any(
            one.volume_binding_mode == _BINDING_IS_LATE
            for one in self._classes
            if (
                one.metadata.name == storage_class
                if storage_class is not None
                else one.metadata.annotation(_IS_DEFAULT) == "true"
            )
        )


NOTHING: Final = Surroundings({})
"""The surroundings of objects that need none."""
