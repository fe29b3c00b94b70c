"""Claims, volumes and addresses, by a clock that the test sets."""

from typing import Any

from tests.unit.sim import small


def _claim(**spec: object) -> dict[str, Any]:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": wanted}


def _using() -> dict[str, Any]:
    body = small.workload()
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    return body


def test_default_class_is_that_of_k3s() -> None:
    """A claim that names no class gets it, and waits for a pod; one that names "" gets none and waits for ever."""
    cluster = small.Small()
    cluster.applied(_claim())
    found = cluster.get("PersistentVolumeClaim", "data")
    assert (found["spec"]["storageClassName"], found["status"]) == ("local-path", {"phase": "Pending"})
    other = small.Small()
    other.applied(_claim(storageClassName=""))
    other.applied(_using())
    other.wait(600)
    assert other.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Pending"
    assert other.ready() == 0


def test_pod_begins_when_its_volume_is_there() -> None:
    """It is not older than that: what it takes to come up is counted from then."""
    cluster = small.Small()
    cluster.applied(_using())
    cluster.wait(100)
    assert cluster.ready() == 0
    cluster.applied(_claim())
    cluster.wait(0.5)
    assert cluster.ready() == 0
    assert cluster.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Bound"
    cluster.wait(0.5)
    assert cluster.ready() == 1


def test_a_provisioner_that_nobody_plays() -> None:
    """A late claim of such a class leaves its pod waiting without a word, as the real scheduler does for long."""
    cluster = small.Small()
    made = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "far"}}
    cluster.applied({**made, "provisioner": "example.com/far", "volumeBindingMode": "WaitForFirstConsumer"})
    cluster.applied(_claim(storageClassName="far"))
    cluster.applied(_using())
    cluster.wait(60)
    [pod] = cluster.listed("Pod")
    assert pod["status"] == {"phase": "Pending"}
    assert "nodeName" not in pod["spec"]


def test_address_goes_with_the_type() -> None:
    """A Service that is no load balancer any more has no address of one."""
    cluster = small.Small()
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    cluster.applied({**service, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})
    assert cluster.get("Service", "web")["status"]["loadBalancer"]["ingress"]
    cluster.applied({**service, "spec": {"type": "ClusterIP", "ports": [{"port": 80}]}})
    assert cluster.get("Service", "web")["status"] == {"loadBalancer": {}}
