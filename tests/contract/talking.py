"""What the contract's tests say to an API server: objects, where they lie, and waiting for what controllers do."""

import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.contract import plainhttp

__all__ = [
    "METADATA_LIST",
    "Connect",
    "Kubectl",
    "Place",
    "config_map",
    "daemon_set",
    "deployment",
    "job",
    "plural",
    "stateful_set",
    "until",
]

METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

_GROUPS = {
    "configmaps": "api/v1",
    "controllerrevisions": "apis/apps/v1",
    "daemonsets": "apis/apps/v1",
    "deployments": "apis/apps/v1",
    "events": "api/v1",
    "jobs": "apis/batch/v1",
    "persistentvolumeclaims": "api/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "pods": "api/v1",
    "replicasets": "apis/apps/v1",
    "secrets": "api/v1",
    "services": "api/v1",
    "statefulsets": "apis/apps/v1",
}
_OF_KIND = {
    "ConfigMap": "configmaps",
    "DaemonSet": "daemonsets",
    "Deployment": "deployments",
    "Job": "jobs",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Secret": "secrets",
    "Service": "services",
    "StatefulSet": "statefulsets",
}


class Place(NamedTuple):
    """A namespace at an API server, and what a test does there."""

    api: plainhttp.Api
    namespace: str

    @classmethod
    def made(cls, api: plainhttp.Api, namespace: str) -> "Place":
        """Make the namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        answer = api.call("PATCH", f"/api/v1/namespaces/{namespace}?fieldManager=test", body, content=plainhttp.APPLY)
        assert answer.status == 201, answer.text
        return cls(api, namespace)

    def path(self, plural: str, name: str = "", /, **query: object) -> str:
        """Return where a collection lies, or one object of it."""
        path = f"/{_GROUPS[plural]}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")
        return f"{path}?{urllib.parse.urlencode(query)}" if query else path

    def apply(self, body: dict[str, Any], manager: str = "test", **query: object) -> plainhttp.Answer:
        """Apply an object strictly, as one field manager."""
        options = {"fieldManager": manager, "fieldValidation": "Strict", **query}
        path = self.path(_OF_KIND[body["kind"]], body["metadata"]["name"], **options)
        return self.api.call("PATCH", path, body, content=plainhttp.APPLY)

    def applied(self, body: dict[str, Any], manager: str = "test", **query: object) -> Any:  # noqa: ANN401 - JSON
        """Apply an object, which must succeed, and return it as it now is."""
        answer = self.apply(body, manager, **query)
        assert answer.status in {200, 201}, answer.text
        return answer.json

    def get(self, plural: str, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return an object, which must be there."""
        answer = self.api.call("GET", self.path(plural, name))
        assert answer.status == 200, answer.text
        return answer.json

    def listed(self, plural: str, **query: object) -> list[Any]:
        """Return the objects of a collection."""
        answer = self.api.call("GET", self.path(plural, **query))
        assert answer.status == 200, answer.text
        items: list[Any] = answer.json["items"]
        return items

    def delete(self, plural: str, name: str, **options: object) -> plainhttp.Answer:
        """Delete an object in the background, with what else the options say."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **options}
        return self.api.call("DELETE", self.path(plural, name), body)


def plural(kind: str) -> str:
    """Return what the objects of a kind are called in paths."""
    return _OF_KIND[kind]


Connect = Callable[[str | None], plainhttp.Api]
"""How a test reaches an API server: with a bearer token, or with None as an administrator."""

Kubectl = Callable[..., str]
"""How a test calls kubectl: words, ``body`` for its standard input, and ``code``, with which it must end."""


def until(look: Callable[[], object], what: str, patience: float = 30) -> Any:  # noqa: ANN401 - what ``look`` returns
    """Return the first true thing that ``look`` returns."""
    end = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < end, f"after {patience:.0f} s still not: {what}"
        time.sleep(0.1)
    return seen


def config_map(name: str, data: Mapping[str, str | None], **metadata: object) -> dict[str, Any]:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": dict(data)}


def _pods(name: str, image: str, **pod: object) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image}], **pod}}


def _workload(kind: str, name: str, image: str, spec: dict[str, object]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": _pods(name, image), **spec},
    }


def deployment(name: str, image: str = "app:1.0", **spec: object) -> dict[str, Any]:
    """Return a Deployment of one pod with one container, ``app``."""
    return _workload("Deployment", name, image, {"replicas": 1, **spec})


def stateful_set(name: str, image: str = "app:1.0", **spec: object) -> dict[str, Any]:
    """Return a StatefulSet of two pods."""
    return _workload("StatefulSet", name, image, {"replicas": 2, "serviceName": name, **spec})


def daemon_set(name: str, image: str = "app:1.0", **spec: object) -> dict[str, Any]:
    """Return a DaemonSet."""
    return _workload("DaemonSet", name, image, spec)


def job(name: str, image: str = "app:1.0", **spec: object) -> dict[str, Any]:
    """Return a Job that tries once."""
    template = _pods(name, image, restartPolicy="Never")
    spec = {"backoffLimit": 0, "template": template, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
