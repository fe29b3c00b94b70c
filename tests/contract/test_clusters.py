"""The real clusters themselves: what tests elsewhere count on when they ask for ``kubebox``."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys

import pytest

from tests.architecture import sources
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

needs_kubebox = pytest.mark.kubebox

# Starts a program that would outlive it, says which, and waits to be killed.
_PARENT = """
import pathlib, sys, time
from tests.kubebox import processes
child = processes.Process(["sleep", "600"], pathlib.Path(sys.argv[1], "log"))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_killed_run(tmp_path: pathlib.Path) -> None:
    """A test run that is killed takes the programs that it started with it."""
    if not shutil.which("setpriv"):
        pytest.skip("no setpriv (Debian package util-linux)")
    command = [sys.executable, "-c", _PARENT, str(tmp_path)]
    with subprocess.Popen(command, cwd=sources.ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = pathlib.Path("/proc", parent.stdout.readline().strip())
        talking.until(lambda: (child / "comm").read_text(encoding="utf-8") == "sleep\n", "the program runs")
        parent.send_signal(signal.SIGKILL)
    talking.until(lambda: not _lives(child), "the program is gone")


def _lives(process: pathlib.Path) -> bool:
    try:
        return " Z " not in (process / "stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_minors_are_those_that_are_built() -> None:
    """Each minor has the versions of its modules beside main.go, the newest in go.mod itself."""
    folder = sources.ROOT / "tests" / "kubebox"
    files = [folder / "go.mod", *(folder / f"go-{minor}.mod" for minor in clusters.MINORS[1:])]
    assert {*files} == {*folder.glob("*.mod")}
    for minor, file in zip(clusters.MINORS, files, strict=True):
        assert f"\tk8s.io/kubernetes v{minor}." in file.read_text(encoding="utf-8")


@needs_kubebox
def test_clusters_are_of_all_minors_in_turns(kubebox: clusters.Fleet) -> None:
    """As many clusters as there are minors are one of each, and say so."""
    for minor, cluster in zip(clusters.MINORS, kubebox.clusters(len(clusters.MINORS)), strict=True):
        assert cluster is kubebox.cluster(minor)
        assert cluster.minor == minor
        assert cluster.api().call("GET", "/version").json["gitVersion"].startswith(f"v{minor}.")


@needs_kubebox
def test_clusters_are_apart(kubebox: clusters.Fleet) -> None:
    """Each cluster has its own identity, its own authority and its own objects; a token opens one of them only."""
    one, two = kubebox.clusters(2)
    uids = {c.api().call("GET", "/api/v1/namespaces/kube-system").json["metadata"]["uid"] for c in (one, two)}
    assert len(uids) == 2
    talking.Place.made(one.api(), "apart")
    assert two.api().call("GET", "/api/v1/namespaces/apart").status == 404
    assert two.api(one.token).call("GET", "/api/v1/namespaces").status == 401
    with pytest.raises(ssl.SSLCertVerificationError):
        plainhttp.Api(two.port, one.authority).call("GET", "/readyz")


@needs_kubebox
def test_kubectl_reads_the_kubeconfig(kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> None:
    """One file has a context for each cluster, with the token or the client certificate of its administrator."""
    one, two = kubebox.clusters(2)
    tokens, certificate = tmp_path / "tokens.json", tmp_path / "certificate.json"
    clusters.write_kubeconfig(tokens, {"store-1": one, "store-2": two})
    clusters.write_kubeconfig(certificate, {"store-1": one}, one.admin)
    for options in (
        [f"--kubeconfig={tokens}", "--context=store-2"],
        [f"--kubeconfig={tokens}"],
        [f"--kubeconfig={certificate}"],
    ):
        command = [str(kubebox.binary), "kubectl", *options, "get", "nodes", "-o", "json"]
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert [node["metadata"]["name"] for node in json.loads(done.stdout)["items"]] == ["node-1"]
    assert tokens.stat().st_mode & 0o777 == 0o600


@needs_kubebox
def test_guest_may_do_nothing(kubebox: clusters.Fleet) -> None:
    """The guest is known and has no rights: 403, and not 401."""
    cluster = kubebox.cluster()
    answer = cluster.api(cluster.guest_token).call("GET", "/api/v1/namespaces/kube-system")
    assert (answer.status, answer.json["reason"]) == (403, "Forbidden")
    assert f'User "{clusters.GUEST}"' in answer.json["message"]


@needs_kubebox
def test_api_server_goes_away_and_comes_back(kubebox: clusters.Fleet) -> None:
    """A stopped API server refuses connections, a paused one never answers; both come back with all their objects."""
    cluster = kubebox.cluster()
    uid = cluster.api().call("GET", "/api/v1/namespaces/kube-system").json["metadata"]["uid"]
    cluster.pause()
    with pytest.raises(TimeoutError):
        cluster.api().call("GET", "/readyz", timeout=0.5)
    cluster.start()
    cluster.wait()
    cluster.stop()
    with pytest.raises(ConnectionRefusedError):
        cluster.api().call("GET", "/readyz")
    [again] = kubebox.clusters(1)
    assert again is cluster
    assert again.api().call("GET", "/api/v1/namespaces/kube-system").json["metadata"]["uid"] == uid
    place = talking.Place.made(again.api(), "came-back")
    place.applied(talking.deployment("web"))
    talking.until(
        lambda: place.get("deployments", "web").get("status", {}).get("availableReplicas") == 1,
        "controllers, scheduler and node have found it again",
        60,
    )


@needs_kubebox
def test_node_goes_down_and_comes_back(kubebox: clusters.Fleet) -> None:
    """A node with the label kubebox/down is NotReady, and its pods with it; without the label it is Ready again."""
    cluster = kubebox.cluster()
    path = "/api/v1/nodes/node-1"

    def label(value: str | None) -> None:
        patch = {"metadata": {"labels": {"kubebox/down": value}}}
        assert cluster.api().call("PATCH", path, patch, content="application/merge-patch+json").status == 200

    label("yes")
    try:
        talking.until(lambda: not cluster.serves_pods(), "the node is down")
    finally:
        label(None)
    talking.until(cluster.serves_pods, "the node is back")


@needs_kubebox
@pytest.mark.parametrize(
    ("image", "policy", "reason", "message"),
    [
        ("app:1.0-config", "IfNotPresent", "CreateContainerConfigError", 'secret "missing" not found'),
        ("app:1.0-missing", "Never", "ErrImageNeverPull", "is not present with pull policy of Never"),
        ("shop/Till:1.0", "IfNotPresent", "InvalidImageName", "must be lowercase"),
        ("app:1.0-oom", "IfNotPresent", "CrashLoopBackOff", "restarting failed container=app"),
    ],
)
def test_images_decide(kubebox: clusters.Fleet, image: str, policy: str, reason: str, message: str) -> None:
    """Each image tag of stages/pods.yaml ends where it says it does, and the pod's other containers run."""
    place = talking.Place.made(kubebox.cluster().api(), f"images-{reason.lower()}")
    body = talking.deployment("web", image)
    containers = body["spec"]["template"]["spec"]["containers"]
    containers[0]["imagePullPolicy"] = policy
    containers.append({"name": "sidecar", "image": "proxy:1.0"})
    place.applied(body)

    def container(name: str) -> dict[str, object]:
        [status] = [
            s for p in place.listed("pods") for s in p["status"].get("containerStatuses", ()) if s["name"] == name
        ]
        return dict(status["state"].get("waiting", {}), ready=status["ready"], last=status.get("lastState"))

    talking.until(lambda: place.listed("pods") and place.listed("pods")[0]["status"].get("startTime"), "there is a pod")
    waiting = talking.until(lambda: (now := container("app")).get("reason") == reason and now, f"it is {reason}")
    assert message in str(waiting["message"])
    assert ("OOMKilled" in str(waiting["last"])) is image.endswith("-oom")
    assert container("sidecar")["ready"]


@needs_kubebox
def test_slow_and_unready_images(kubebox: clusters.Fleet) -> None:
    """A slow image is Ready after so many seconds; an unready one runs, and an event says that its probe fails."""
    place = talking.Place.made(kubebox.cluster().api(), "slow-and-unready")
    place.applied(talking.deployment("slow", "app:1.0-slow2"))
    place.applied(talking.deployment("unready", "app:1.0-unready"))
    events = talking.until(lambda: place.listed("events", fieldSelector="reason=Unhealthy"), "its probe has failed")
    assert events[0]["message"].startswith("Readiness probe failed")
    phases = {pod["metadata"]["labels"]["app"]: pod["status"]["phase"] for pod in place.listed("pods")}
    assert phases == {"slow": "Pending", "unready": "Running"}
    ready = ("slow", "unready")
    talking.until(lambda: place.get("deployments", "slow")["status"].get("readyReplicas") == 1, "the slow one is ready")
    counts = [place.get("deployments", name)["status"].get("readyReplicas", 0) for name in ready]
    assert counts == [1, 0]


@needs_kubebox
def test_custom_resources(kubebox: clusters.Fleet) -> None:
    """A kind that is not there yet is a 404 without a Status; once its definition is Established it can be applied."""
    api = kubebox.cluster().api()
    place = talking.Place.made(api, "custom")
    path = "/apis/shop.example/v1/namespaces/custom/tills/one?fieldManager=test"
    till = {"apiVersion": "shop.example/v1", "kind": "Till", "metadata": {"name": "one"}, "spec": {"drawers": 2}}
    early = api.call("PATCH", path, till, content=plainhttp.APPLY)
    assert (early.status, early.text.strip()) == (http.client.NOT_FOUND, "404 page not found")
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tills.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"kind": "Till", "plural": "tills"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    where = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tills.shop.example"
    assert api.call("PATCH", f"{where}?fieldManager=test", definition, content=plainhttp.APPLY).status == 201

    def established() -> bool:
        conditions = api.call("GET", where).json.get("status", {}).get("conditions") or ()  # null, at first
        return "Established" in {found["type"] for found in conditions if found["status"] == "True"}

    talking.until(established, "the definition is established")
    applied = talking.until(
        lambda: (answer := api.call("PATCH", path, till, content=plainhttp.APPLY)).status == 201 and answer,
        "the kind is served",
    )
    assert applied.json["metadata"]["generation"] == 1
    assert applied.json["metadata"]["namespace"] == place.namespace
