"""Every example of every shipped bundle, applied to a real cluster: taken without a warning, and settled."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fleetctl.model import releases
from fleetctl.rendering import bundles, examples
from tests.architecture import sources
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

TEMPLATES = sources.ROOT / "templates"
EXAMPLES = [
    pytest.param(name, case, id=f"{name}-{case.name}")
    for name in bundles.catalogue(TEMPLATES)
    for case in examples.cases(bundles.load(TEMPLATES, name, str), TEMPLATES / name, str)
]
_WORKLOADS = {"DaemonSet", "Deployment", "StatefulSet"}
_VOLUMES = 3
_CLASS = "catalogue"
_MERGE = "application/merge-patch+json"
_STRICT = "fieldManager=catalogue&fieldValidation=Strict"


class _Site:
    """A cluster of three nodes, with volumes and what a bundle's page says must be there first."""

    def __init__(self, cluster: clusters.Cluster) -> None:
        self.cluster = cluster
        self.api = cluster.api()
        self._plurals: dict[str, dict[str, tuple[str, bool]]] = {}
        self._made: list[str] = []

    def path(self, body: dict[str, Any]) -> str:
        """Return where an object lies."""
        version, kind, meta = body["apiVersion"], body["kind"], body["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in self._plurals:
            listed = self.api.call("GET", root).json["resources"]
            self._plurals[version] = {
                one["kind"]: (one["name"], one["namespaced"]) for one in listed if "/" not in one["name"]
            }
        plural, namespaced = self._plurals[version][kind]
        within = f"namespaces/{meta['namespace']}/" if namespaced else ""
        return f"{root}/{within}{plural}/{meta['name']}"

    def apply(self, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Apply an object strictly; the server must have nothing to say against it."""
        path = self.path(body)
        answer = self.api.call("PATCH", f"{path}?{_STRICT}", body, content=plainhttp.APPLY)
        assert answer.status in {200, 201}, f"{path}: {answer.text}"
        assert "Warning" not in answer.headers, f"{path}: {answer.headers['Warning']}"
        if answer.status == 201:
            self._made.append(path)
        return answer.json

    def prepare(self, made: releases.Release) -> None:
        """Make what an example takes for granted: volumes, and namespaces and classes of other bundles."""
        storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": _CLASS}}
        storage["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}  # type: ignore[index]
        self.apply(
            {**storage, "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
        )
        volume = {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": _CLASS}
        for number in range(_VOLUMES):
            head = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"catalogue-{number}"}}
            self.apply({**head, "spec": {**volume, "hostPath": {"path": "/nowhere", "type": ""}}})
        bodies = [json.loads(one.body) for one in made.objects]
        own = {(one.id.kind, one.id.name) for one in made.objects} | {("Namespace", "default")}
        for body in bodies:
            namespace = body["metadata"].get("namespace")
            if namespace and ("Namespace", namespace) not in own:
                self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            spec = body.get("spec", {}).get("template", {}).get("spec", {}) if body["kind"] in _WORKLOADS else {}
            wanted = spec.get("priorityClassName")
            if wanted and ("PriorityClass", wanted) not in own:
                head = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": wanted}}
                self.apply({**head, "value": -1})

    def clear(self, *more: str) -> None:
        """Delete all that was made, the last first, and wait until it is gone."""
        left = [*reversed(self._made), *more]
        for path in left:
            answer = self.api.call("DELETE", f"{path}?propagationPolicy=Background")
            assert answer.status in {200, 202, 404, 409}, answer.text  # 409: a namespace that is ending already
        # No controller here takes the finalizers of volumes away.
        for kind in ("PersistentVolume", "PersistentVolumeClaim"):
            for one in self.api.call("GET", f"/api/v1/{kind.lower()}s").json["items"]:
                path = self.path({**one, "apiVersion": "v1", "kind": kind})
                if one["metadata"].get("deletionTimestamp") or one["spec"].get("storageClassName") == _CLASS:
                    self.api.call("PATCH", path, {"metadata": {"finalizers": None}}, content=_MERGE)
                    self.api.call("DELETE", path)
        talking.until(lambda: self.gone(left), "all is gone", 60)
        self._made.clear()

    def gone(self, paths: list[str]) -> bool:
        """Take off a list what is gone; tell whether nothing is left."""
        while paths and self.api.call("GET", paths[-1]).status == 404:
            paths.pop()
        return not paths


@pytest.fixture
def site(kubebox: clusters.Fleet) -> Iterator[_Site]:
    """A cluster that other tests use too, with two more nodes while a test runs; it is left as it was."""
    cluster = kubebox.cluster()
    made = _Site(cluster)
    # What other tests may have left of the shipped bundles.
    namespaces = [f"/api/v1/namespaces/{name}" for name in ("pos", "monitoring", "node-exporter", "platform")]
    made.clear("/apis/scheduling.k8s.io/v1/priorityclasses/pos-critical", *namespaces)
    others = ("node-2", "node-3")
    try:
        for name in others:
            cluster.add_node(name)
        for name in ("node-1", *others):  # what every kubelet says of its node
            labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": name}
            made.api.call("PATCH", f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}}, content=_MERGE)
        talking.until(cluster.serves_pods, "the new nodes are ready")
        yield made
    finally:
        made.clear(*(f"/api/v1/nodes/{name}" for name in others))


@pytest.mark.parametrize(("name", "case"), EXAMPLES)
def test_example_on_a_cluster(name: str, case: examples.Case, site: _Site) -> None:
    """An example is applied strictly without a warning, its pods become ready, and another apply changes nothing."""
    made = examples.release(bundles.load(TEMPLATES, name, str), case)
    site.prepare(made)
    bodies = [json.loads(one.body) for one in made.objects]
    for body in bodies:
        site.apply(body)
    workloads = [body for body in bodies if body["kind"] in _WORKLOADS]
    for body in workloads:
        talking.until(lambda body=body: _ready(site, body), f"{body['metadata']['name']} is ready", 60)  # type: ignore[misc]
    for body in bodies:
        before = site.api.call("GET", site.path(body)).json
        after = site.apply(body)
        assert _settled(before) == _settled(after), site.path(body)


def _ready(site: _Site, body: dict[str, Any]) -> bool:
    found = site.api.call("GET", site.path(body)).json
    status = found.get("status", {})
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        return False
    if body["kind"] == "DaemonSet":
        wanted = status["desiredNumberScheduled"]
        return bool(wanted == status.get("numberReady") == status.get("numberAvailable") == 3)
    return bool(status.get("readyReplicas") == status.get("availableReplicas") == found["spec"]["replicas"])


def _settled(one: dict[str, Any]) -> tuple[str, str]:
    return one["metadata"]["resourceVersion"], one["metadata"]["uid"]
