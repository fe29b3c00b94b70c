"""Claims and addresses: when a claim is bound, what a pod without its volume says. Held against every target.

Simulated clusters have a provisioner, the real ones here have none: there a test makes the volume itself.
"""

from typing import Any

from tests.contract import plainhttp, talking

_SIZE = {"storage": "1Gi"}
_PLAYED = "rancher.io/local-path"


def _apply(place: talking.Place, path: str, body: dict[str, Any]) -> None:
    target = f"/{path}/{body['metadata']['name']}?fieldManager=test"
    answer = place.api.call("PATCH", target, body, content=plainhttp.APPLY)
    assert answer.status == 201, answer.text


def _class(place: talking.Place, binding: str, provisioner: str = _PLAYED) -> str:
    """Make a StorageClass of this test's own, and return its name."""
    name = f"{place.namespace}-{binding.lower()}"
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    _apply(place, "apis/storage.k8s.io/v1/storageclasses", body | _how(binding, provisioner))
    return name


def _how(binding: str, provisioner: str) -> dict[str, Any]:
    return {"provisioner": provisioner, "volumeBindingMode": binding}


def _volume(place: talking.Place, target: str, name: str, storage_class: str) -> None:
    """Make what a provisioner would, where there is none."""
    if target == "sim":
        return
    spec = {
        "capacity": _SIZE,
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
        "storageClassName": storage_class,
    }
    meta = {"name": f"{place.namespace}-{name}"}
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
    _apply(place, "api/v1/persistentvolumes", body)


def _spec(storage_class: str) -> dict[str, Any]:
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": _SIZE}, "storageClassName": storage_class}


def _claim(place: talking.Place, storage_class: str) -> None:
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    place.applied(body | {"spec": _spec(storage_class)})


def _using(claim: str) -> dict[str, Any]:
    body = talking.deployment("web")
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return body


def _phase(place: talking.Place, claim: str = "data") -> Any:  # noqa: ANN401 - JSON
    return place.get("persistentvolumeclaims", claim).get("status", {}).get("phase")


def _unscheduled(place: talking.Place) -> str:
    """Return the scheduler's words about the only pod."""

    def words() -> str:
        told = [one for pod in place.listed("pods") for one in pod["status"].get("conditions", ())]
        return next((one["message"] for one in told if one["type"] == "PodScheduled" and one["status"] == "False"), "")

    found: str = talking.until(words, "the scheduler says why")
    return found


def test_late_claim_waits_for_its_pod(place: talking.Place, target: str) -> None:
    """With WaitForFirstConsumer nothing is bound before a pod uses the claim; then it is, and the pod runs."""
    storage_class = _class(place, "WaitForFirstConsumer")
    _volume(place, target, "data", storage_class)
    _claim(place, storage_class)
    talking.until(lambda: _phase(place) == "Pending", "it waits")
    place.applied(_using("data"))
    talking.until(lambda: _phase(place) == "Bound", "it is bound")
    found = place.get("persistentvolumeclaims", "data")
    assert found["status"]["capacity"] == _SIZE
    assert found["spec"]["volumeName"]
    talking.until(lambda: place.get("deployments", "web")["status"].get("readyReplicas") == 1, "the pod runs")


def test_immediate_claim_is_bound_without_a_pod(place: talking.Place, target: str) -> None:
    """As soon as there is a volume."""
    storage_class = _class(place, "Immediate")
    _volume(place, target, "data", storage_class)
    _claim(place, storage_class)
    talking.until(lambda: _phase(place) == "Bound", "it is bound")


def test_pod_waits_for_an_immediate_claim(place: talking.Place) -> None:
    """Where nobody makes the volume, no node takes the pod."""
    _claim(place, _class(place, "Immediate", "example.com/nobody"))
    place.applied(_using("data"))
    assert "unbound immediate PersistentVolumeClaims" in _unscheduled(place)
    assert _phase(place) == "Pending"


def test_pod_waits_for_a_claim_that_is_not_there(place: talking.Place) -> None:
    """And runs when it comes."""
    place.applied(_using("data"))
    assert 'persistentvolumeclaim "data" not found' in _unscheduled(place)


def test_stateful_set_makes_claims(place: talking.Place, target: str) -> None:
    """One for each pod and template, labelled as the set selects; they outlive the pods."""
    storage_class = _class(place, "WaitForFirstConsumer")
    _volume(place, target, "0", storage_class)
    _volume(place, target, "1", storage_class)
    template = {"metadata": {"name": "data"}, "spec": _spec(storage_class)}
    place.applied(talking.stateful_set("db", volumeClaimTemplates=[template]))
    talking.until(lambda: place.get("statefulsets", "db").get("status", {}).get("readyReplicas") == 2, "both are ready")
    claims = {one["metadata"]["name"]: one for one in place.listed("persistentvolumeclaims")}
    assert set(claims) == {"data-db-0", "data-db-1"}
    assert claims["data-db-0"]["metadata"]["labels"] == {"app": "db"}
    assert {one["status"]["phase"] for one in claims.values()} == {"Bound"}
    for pod in place.listed("pods"):
        used = [one.get("persistentVolumeClaim", {}).get("claimName") for one in pod["spec"]["volumes"]]
        assert f"data-{pod['metadata']['name']}" in used
    place.applied(talking.stateful_set("db", volumeClaimTemplates=[template], replicas=1))
    talking.until(lambda: len(place.listed("pods")) == 1, "one pod is left")
    assert len(place.listed("persistentvolumeclaims")) == 2


def _service(**spec: object) -> dict[str, Any]:
    wanted = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": wanted}


def test_load_balancer_gets_an_address(place: talking.Place) -> None:
    """A Service of that type gets one; of another type it has none."""
    place.applied(_service(type="LoadBalancer"))

    def address() -> Any:  # noqa: ANN401 - JSON
        return place.get("services", "web").get("status", {}).get("loadBalancer", {}).get("ingress")

    assert talking.until(address, "it has an address") == [{"ip": "192.0.2.1", "ipMode": "VIP"}]


def test_another_class_gives_no_address(place: talking.Place) -> None:
    """A class that nobody plays leaves the Service without."""
    place.applied(_service(type="LoadBalancer", loadBalancerClass="example.com/nobody"))
    assert not place.get("services", "web")["status"]["loadBalancer"].get("ingress")
