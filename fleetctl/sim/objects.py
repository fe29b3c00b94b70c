"""A simulated cluster's objects, and the refusals of an API server."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from fleetctl.sim import histories, kinds

__all__ = ["OWN", "Object", "Objects", "Refusal", "not_found", "stamp"]

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""
OWN: Final = ("creationTimestamp", "deletionTimestamp", "generation", "resourceVersion", "uid")
"""Metadata that only the server writes."""


class Refusal(Exception):
    """An answer that says no, as a Status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        kind: str = "",
        group: str = "",
        name: str = "",
        causes: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.kind = kind
        self.group = group
        self.name = name
        self.causes = causes or []

    def status(self) -> bytes:
        """Return the Status to send."""
        named = (("name", self.name), ("group", self.group), ("kind", self.kind))
        details: Object = {key: value for key, value in named if value}
        if self.causes:
            details["causes"] = self.causes
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        }
        if self.reason:
            body["reason"] = self.reason
        if details:
            body["details"] = details
        return msgspec.json.encode(body)


def not_found(resource: kinds.Resource, name: str) -> Refusal:
    """Return what a server says of an object that is not there."""
    text = f'{resource.qualified} "{name}" not found'
    return Refusal(404, "NotFound", text, kind=resource.plural, group=resource.group, name=name)


def stamp(seconds: float) -> str:
    """Return a time as Kubernetes writes it."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Objects:
    """All objects of one cluster, by kind, namespace and name."""

    def __init__(self, clock: Callable[[], float], seed: str) -> None:
        self._clock = clock
        self.moment: float | None = None
        """The time at which something happens that is worked out only later; None for the present."""
        self.changed = clock()
        """When something was changed last."""
        self._random = random.Random(seed)  # noqa: S311  # names and ids of a simulation
        self.histories = histories.Histories()
        """What those who watch are told."""
        self._version = 0
        self._by_kind: dict[kinds.Resource, dict[tuple[str, str], Object]] = {}

    def clock(self) -> float:
        """Return the time."""
        return self._clock() if self.moment is None else self.moment

    def of(self, group: str, kind: str) -> Iterator[Object]:
        """Return the objects of a kind as they stand; the caller may change the store meanwhile."""
        return iter(list(self._by_kind.get(kinds.BY_KIND[group, kind], {}).values()))

    def find(self, resource: kinds.Resource, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        return self._by_kind.get(resource, {}).get((namespace, name))

    def get(self, resource: kinds.Resource, namespace: str, name: str) -> Object:
        """Return an object; raises ``Refusal``."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def listed(self, resource: kinds.Resource, namespace: str) -> list[Object]:
        """Return the objects of a kind in a namespace ("" for all), in the order of their names."""
        found = self._by_kind.get(resource, {})
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def put(self, resource: kinds.Resource, found: Object) -> Object:
        """Store an object under a new version; a new one gets a UID and a time."""
        self.date(found)
        meta = found["metadata"]
        meta["resourceVersion"] = self.next_version()
        self._by_kind.setdefault(resource, {})[meta.get("namespace", ""), meta["name"]] = found
        self.histories.note(resource, found, self._version, self.clock())
        return found

    def date(self, found: Object) -> None:
        """Give an object a UID and a time if it has none."""
        meta = found["metadata"]
        meta.setdefault("uid", self.new_uid())
        meta.setdefault("creationTimestamp", stamp(self.clock()))

    def make(self, group: str, kind: str, found: Object) -> Object:
        """Store an object that a controller makes."""
        resource = kinds.BY_KIND[group, kind]
        if resource.counted:
            found["metadata"].setdefault("generation", 1)
        return self.put(resource, {"apiVersion": resource.api_version, "kind": kind, **found})

    def touch(self, found: Object) -> None:
        """Note that an object was changed in place."""
        found["metadata"]["resourceVersion"] = self.next_version()
        resource = kinds.BY_KIND[found["apiVersion"].rpartition("/")[0], found["kind"]]
        self.histories.note(resource, found, self._version, self.clock())

    def tell(self, found: Object, status: Object) -> None:
        """Set an object's status; conditions keep their times where they say what they said."""
        before = {one["type"]: one for one in found.get("status", {}).get("conditions", ())}
        for one in status.get("conditions", ()):
            old = before.get(one["type"])
            if old is not None and old["status"] == one["status"]:
                one["lastTransitionTime"] = old["lastTransitionTime"]
                if (old["reason"], old["message"]) == (one["reason"], one["message"]):
                    one["lastUpdateTime"] = old["lastUpdateTime"]
        if found.get("status") != status:
            found["status"] = status
            self.touch(found)

    def remove(self, resource: kinds.Resource, found: Object) -> None:
        """Take an object away, and with it what belongs to it; one with finalizers is only marked.

        A namespace goes when nothing is left in it, as the namespace controller has it.
        """
        meta = found["metadata"]
        namespace = (resource.group, resource.kind) == ("", "Namespace")
        if namespace:
            for other, item in self._inside(meta["name"]):
                self.remove(other, item)
        if meta.get("finalizers") or (namespace and self._inside(meta["name"])):
            if "deletionTimestamp" not in meta:
                meta["deletionTimestamp"] = stamp(self.clock())
                if namespace:
                    found["status"] = {"phase": "Terminating"}
                self.touch(found)
            return
        self._by_kind.get(resource, {}).pop((meta.get("namespace", ""), meta["name"]), None)
        self.next_version()
        self.histories.note(resource, found, self._version, self.clock(), gone=True)
        for other, items in self._by_kind.items():
            for child in list(items.values()):
                owners = child["metadata"].get("ownerReferences", ())
                if len(owners) == 1 and owners[0].get("uid") == meta["uid"] and self._is_there(other, child):
                    self.remove(other, child)
        if not namespace and meta.get("namespace"):
            self._end_namespace(meta["namespace"])

    def _is_there(self, resource: kinds.Resource, found: Object) -> bool:
        meta = found["metadata"]
        return self.find(resource, meta.get("namespace", ""), meta["name"]) is found

    def _inside(self, namespace: str) -> list[tuple[kinds.Resource, Object]]:
        return [
            (resource, item)
            for resource, items in self._by_kind.items()
            for key, item in items.items()
            if key[0] == namespace and resource.namespaced
        ]

    def _end_namespace(self, name: str) -> None:
        resource = kinds.BY_KIND["", "Namespace"]
        found = self.find(resource, "", name)
        if found is not None and "deletionTimestamp" in found["metadata"] and not self._inside(name):
            self.remove(resource, found)

    def next_version(self) -> str:
        """Return a resourceVersion that was not used before."""
        self._version += 1
        self.changed = self.clock()
        return str(self._version)

    @property
    def version(self) -> str:
        """Return the resourceVersion of the whole."""
        return str(self._version)

    def new_uid(self) -> str:
        """Return a UID."""
        text = f"{self._random.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def suffix(self, letters: int = 5) -> str:
        """Return the random end of a generated name, in the letters that Kubernetes uses."""
        return "".join(self._random.choices("bcdfghjklmnpqrstvwxz2456789", k=letters))
