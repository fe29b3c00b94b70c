"""Write down what a real API server answers, for tests that take such answers apart.

FLEETCTL_KUBEBOX=FOLDER python -m tests.kubebox.recording tests/unit/kube/recorded-answers.json
"""

import json
import os
import pathlib
import sys
import tempfile

from tests.contract import talking
from tests.kubebox import clusters

__all__ = ["record"]

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def record(place: talking.Place) -> dict[str, str]:
    """Return answers by what they are."""
    place.applied(talking.config_map("settings", {"a": "1"}), "fleetctl:pos")
    place.applied({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pos", "labels": {"a": "b"}}})
    place.applied(talking.deployment("gateway", "app:1.0", replicas=2), "fleetctl:pos")
    place.applied(talking.stateful_set("journal", "app:1.0-crash", replicas=1), "fleetctl:pos")
    place.applied(talking.daemon_set("agent", "app:1.0-missing"), "fleetctl:pos")
    place.applied(talking.job("migrate", "app:1.0"), "fleetctl:pos")
    lease = {"holderIdentity": "shop a r 1", "leaseDurationSeconds": 60, "renewTime": "2026-11-27T20:00:00.000000Z"}
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": lease}
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{place.namespace}/leases"
    assert place.api.call("POST", leases, body).status == 201
    events = f"/api/v1/namespaces/{place.namespace}/events"
    talking.until(
        lambda: len(place.listed("pods")) >= 5 and place.api.call("GET", events).json["items"], "pods and events"
    )
    asked = {
        "ConfigMap": place.path("configmaps", "settings"),
        "Secret": place.path("secrets", "pos"),
        "Deployment": place.path("deployments", "gateway"),
        "StatefulSet": place.path("statefulsets", "journal"),
        "DaemonSet": place.path("daemonsets", "agent"),
        "Job": place.path("jobs", "migrate"),
        "Lease": f"{leases}/l",
        "PodList": place.path("pods"),
        "ReplicaSetList": place.path("replicasets"),
        "ControllerRevisionList": place.path("controllerrevisions"),
        "EventList": events,
        "Page": place.path("pods", limit=1),
        "NodeList": "/api/v1/nodes",
        "Namespace": f"/api/v1/namespaces/{place.namespace}",
        "APIGroup": "/apis/apps",
        "APIResourceList": "/apis/apps/v1",
        "Version": "/version",
        "NotFound": place.path("secrets", "nobody"),
        "NoSuchGroup": "/apis/nobody.example/v1",
    }
    found = {name: place.api.call("GET", path).text for name, path in asked.items()}
    found["PartialObjectMetadataList"] = place.api.call("GET", place.path("pods"), accept=_METADATA).text
    found["Conflict"] = place.apply(talking.config_map("settings", {"a": "2"}), "another").text
    found["Invalid"] = place.apply(talking.config_map("settings", {"a b": "2"}), "fleetctl:pos").text
    return found


def _main(file: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(os.environ["FLEETCTL_KUBEBOX"])  # what tests/kubebox/build has made
        fleet = clusters.Fleet(pathlib.Path(folder), {program.name: program for program in made.iterdir()})
        try:
            found = record(talking.Place.made(fleet.cluster().api(), "pos"))
        finally:
            fleet.close()
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main(pathlib.Path(sys.argv[1]))
