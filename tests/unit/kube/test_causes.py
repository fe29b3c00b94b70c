"""Why pods are not well: from real kubelets' words to a cause that is alike at every site, and when to give up."""

import json
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from fleetctl.kube import causes, observed, pods
from fleetctl.model import outcomes, plans
from tests.unit.kube import cluster

OWNER = "Deployment pos/gateway"
PATIENCE = plans.Patience()
IMAGE = cluster.IMAGE
CONTAINERD = f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
RESOLVING = f'{CONTAINERD}failed to resolve reference "{IMAGE}": '
NO_PLATFORM = "no match for platform in manifest: not found"
REFUSED = 'Head "https://reg.eu.example:5000/v2/": dial tcp 10.1.2.3:5000: connect: connection refused'
CRIO = f"initializing source docker://{IMAGE}: reading manifest 1.4.0 in reg.eu.example:5000/pos-gateway: "
QUOTA = 'pods "gateway-7d9c4f-" is forbidden: exceeded quota: small'
TAINTED = "1 Insufficient memory, 2 node(s) had taint {a: b}, that the pod did not tolerate"
FIELD = "spec.containers{gateway}"

Waiting = tuple[str, str]


def _pod(**more: Any) -> pods.Pod:  # noqa: ANN401 - arguments of cluster.pod
    return msgspec.json.decode(json.dumps(cluster.pod("gateway-7d9c4f-x2x8p", **more)), type=pods.Pod)


def _events(*found: cluster.Json) -> list[observed.Event]:
    return msgspec.json.decode(json.dumps(found), type=list[observed.Event])


PULLS = {
    "no such platform": (
        ("ImagePullBackOff", f'Back-off pulling image "{IMAGE}": ErrImagePull: {CONTAINERD}{NO_PLATFORM}'),
        NO_PLATFORM,
    ),
    "no such tag": (("ErrImagePull", f"{RESOLVING}{IMAGE}: not found"), "not found"),
    "no such tag, quoted": (("ErrImagePull", f'{RESOLVING}"{IMAGE}": not found'), "not found"),
    "no such tag, whole name": (("ErrImagePull", f"{RESOLVING}docker.io/library/{IMAGE}: not found"), "not found"),
    "refused": (
        ("ErrImagePull", f"{RESOLVING}failed to do request: {REFUSED}"),
        REFUSED,
    ),
    "not allowed": (
        ("ErrImagePull", f"{RESOLVING}failed to authorize: failed to fetch anonymous token: 401 Unauthorized"),
        "failed to fetch anonymous token: 401 Unauthorized",
    ),
    "newer containerd": (("ErrImagePull", f"{CONTAINERD}failed to resolve image: {IMAGE}: not found"), "not found"),
    "cri-o": (
        ("ErrImagePull", f"{CRIO}manifest unknown"),
        "manifest unknown",
    ),
    "backing off, no words": (("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'), ""),
    "several lines": (("ErrImagePull", "rpc error: code = Unknown desc = one\n two\x1b[31m"), "one two [31m"),
}


@pytest.mark.parametrize(("waiting", "message"), PULLS.values(), ids=PULLS)
def test_image_that_cannot_be_pulled(waiting: Waiting, message: str) -> None:
    """The subject is the image as the pod asks for it, the message what the registry said, wrappings taken off.

    ErrImagePull and ImagePullBackOff take turns for one trouble, so that they are one cause.
    """
    found = causes.of_pod(_pod(waiting=waiting, phase="Pending"), (), OWNER)
    assert found == outcomes.Cause("ImagePullBackOff", IMAGE, message)


def test_older_kubelets_tell_only_in_events() -> None:
    """Before 1.31 the status of a back-off does not say why."""
    pod = _pod(waiting=("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'), phase="Pending")
    events = _events(
        cluster.event("x", "Failed", f'Failed to pull image "{IMAGE}": {CONTAINERD}{NO_PLATFORM}'),
        cluster.event("x", "Failed", "Error: ImagePullBackOff"),
        cluster.event("x", "BackOff", f'Back-off pulling image "{IMAGE}"', type="Normal"),
    )
    found = causes.of_pod(pod, events, OWNER)
    assert found == outcomes.Cause("ImagePullBackOff", IMAGE, NO_PLATFORM)


WAITING = {
    "bad name": (
        ("InvalidImageName", "couldn't parse it"),
        outcomes.Cause("InvalidImageName", IMAGE, "couldn't parse it"),
    ),
    "never pulled": (
        ("ErrImageNeverPull", "is not present"),
        outcomes.Cause("ErrImageNeverPull", IMAGE, "is not present"),
    ),
    "missing secret": (
        ("CreateContainerConfigError", 'secret "pos-tls" not found'),
        outcomes.Cause("CreateContainerConfigError", "container gateway", 'secret "pos-tls" not found'),
    ),
    "cannot run": (
        ("RunContainerError", "exec: x"),
        outcomes.Cause("RunContainerError", "container gateway", "exec: x"),
    ),
    "still creating": (("ContainerCreating", ""), None),
    "waits for init containers": (("PodInitializing", ""), None),
}


@pytest.mark.parametrize(("waiting", "cause"), WAITING.values(), ids=WAITING)
def test_container_that_does_not_start(waiting: Waiting, cause: outcomes.Cause | None) -> None:
    """Each reason of the kubelet that means trouble, and those that mean none."""
    assert causes.of_pod(_pod(waiting=waiting, phase="Pending"), (), OWNER) == cause


ENDS = {
    "error": ({"exitCode": 3, "reason": "Error"}, "CrashLoopBackOff", "exit code 3 (Error), restarts: 4"),
    "out of memory": (
        {"exitCode": 137, "reason": "OOMKilled"},
        "OOMKilled",
        "exit code 137 (OOMKilled), restarts: 4",
    ),
    "signal": ({"exitCode": 0, "signal": 9}, "CrashLoopBackOff", "killed by signal 9, restarts: 4"),
    "nothing known": (None, "CrashLoopBackOff", "restarts: 4"),
}


@pytest.mark.parametrize(("last", "reason", "message"), ENDS.values(), ids=ENDS)
def test_container_that_crashes(last: cluster.Json | None, reason: str, message: str) -> None:
    """How the latest run ended, and how often it did."""
    more: dict[str, Any] = {"last": last} if last else {}
    waiting = ("CrashLoopBackOff", "back-off 40s restarting failed container=gateway pod=gateway-7d9c4f-x2x8p_pos(u)")
    found = causes.of_pod(_pod(waiting=waiting, restarts=4, **more), (), OWNER)
    assert found == outcomes.Cause(reason, "container gateway", message)


def test_container_that_ended() -> None:
    """Between two runs, or in a pod that does not restart, the end itself is the cause; a good end is none."""
    bad = _pod(ended={"exitCode": 1, "reason": "Error"})
    assert causes.of_pod(bad, (), OWNER) == outcomes.Cause(
        "ContainerExited", "container gateway", "exit code 1 (Error)"
    )
    assert causes.of_pod(_pod(ended={"exitCode": 0, "reason": "Completed"}), (), OWNER) is None


NODES = {
    "one": ("0/1 nodes are available: 1 Insufficient memory.", "insufficient memory"),
    "preemption": (
        f"0/3 nodes are available: {TAINTED}. preemption: 0/3 nodes are available: 3 Preemption is not helpful.",
        "insufficient memory, had taint {a: b}, that the pod did not tolerate",
    ),
    "claims": (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes",
        "insufficient cpu",
    ),
    "other words": (
        "pod has unbound immediate PersistentVolumeClaims",
        "pod has unbound immediate PersistentVolumeClaims",
    ),
}


@pytest.mark.parametrize(("said", "message"), NODES.values(), ids=NODES)
def test_pod_that_no_node_takes(said: str, message: str) -> None:
    """What is missing is alike at sites of one and of three nodes."""
    assert causes.of_pod(_pod(unscheduled=said), (), OWNER) == outcomes.Cause("Unschedulable", OWNER, message)


def test_pod_behind_a_gate() -> None:
    """Other reasons for not being scheduled are shown as they are; they end with whoever made the gate."""
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "blocked"}
    pod = _pod(phase="Pending", status={"conditions": [gated], "containerStatuses": []})
    assert causes.of_pod(pod, (), OWNER) == outcomes.Cause("SchedulingGated", OWNER, "blocked")


def test_probe_that_fails() -> None:
    """A container that runs and is not ready: the events tell whose probe fails, and how."""
    said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    events = _events(cluster.event("x", "Unhealthy", said, path=FIELD))
    assert causes.of_pod(_pod(), events, OWNER) == outcomes.Cause("Unhealthy", "container gateway", said)
    nameless = _events(cluster.event("x", "Unhealthy", said))
    assert causes.of_pod(_pod(), nameless, OWNER) == outcomes.Cause("Unhealthy", OWNER, said)
    assert causes.of_pod(_pod(), (), OWNER) is None


@pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady"])
def test_pod_that_gets_no_volume_or_network(reason: str) -> None:
    """While containers are being created, only events tell what is missing."""
    pod = _pod(waiting=("ContainerCreating", ""), phase="Pending")
    events = _events(cluster.event("x", reason, 'configmap "gateway" not found'))
    assert causes.of_pod(pod, events, OWNER) == outcomes.Cause(reason, OWNER, 'configmap "gateway" not found')


def test_latest_event_counts() -> None:
    """Of several events of a kind the last one is told."""
    old = cluster.event("x", "Unhealthy", "old", lastTimestamp="2026-11-27T09:00:00Z")
    series = cluster.event("x", "Unhealthy", "new", lastTimestamp=None, firstTimestamp=None) | {
        "series": {"count": 7, "lastObservedTime": "2026-11-27T10:09:00.000000Z"},
        "eventTime": "2026-11-27T10:00:00.000000Z",
    }
    found = causes.of_pod(_pod(), _events(series, old), OWNER)
    assert found is not None
    assert found.message == "new"
    assert [event.times for event in _events(series, old)] == [7, 1]


def test_evicted_pod() -> None:
    """What the node did to a pod is the cause."""
    status = {"reason": "Evicted", "message": "The node was low on resource: memory.", "containerStatuses": []}
    pod = _pod(phase="Failed", status=status)
    cause = outcomes.Cause("Evicted", OWNER, "The node was low on resource: memory.")
    assert causes.of_pod(pod, (), OWNER) == cause


def test_failed_pod_without_a_reason() -> None:
    """That a pod failed is a cause even if nobody says why."""
    pod = _pod(phase="Failed", status={"containerStatuses": []})
    assert causes.of_pod(pod, (), OWNER) == outcomes.Cause("PodFailed", OWNER, "")


def test_pods_that_are_well_have_no_cause() -> None:
    """A pod that serves may have restarted; one that succeeded is not to be ready."""
    assert causes.of_pod(_pod(ready=True, restarts=50, last={"exitCode": 1}), (), OWNER) is None
    warned = _events(cluster.event("x", "Unhealthy", "Readiness probe failed", path=FIELD))
    assert causes.of_pod(_pod(ready=True), warned, OWNER) is None
    assert causes.of_pod(_pod(phase="Succeeded", ended={"exitCode": 0}), (), OWNER) is None


def test_worst_of_several() -> None:
    """What will not pass by itself weighs more than what may."""
    order = [
        "InvalidImageName",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ImagePullBackOff",
        "Unschedulable",
        "Unhealthy",
    ]
    found = [causes.Trouble(outcomes.Cause(reason), reason) for reason in reversed(order)]
    for reason in order:
        worst = causes.worst(found)
        assert worst is not None
        assert worst.cause.reason == reason
        found.pop()
    assert causes.worst(found) is None


def test_init_container_comes_first() -> None:
    """Containers that run before the others are looked at like them."""
    init = {"name": "migrate", "image": "m:1", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": ""}}}
    pod = _pod(waiting=("PodInitializing", ""), phase="Pending", status={"initContainerStatuses": [init]})
    found = causes.of_pod(pod, (), OWNER)
    assert found is not None
    assert found.subject == "container migrate"


FINAL = [
    # reason, seconds, restarts, final
    ("InvalidImageName", 0, 0, True),
    ("ErrImageNeverPull", 0, 0, True),
    ("ImagePullBackOff", 119.9, 0, False),
    ("ImagePullBackOff", 120, 0, True),
    ("CreateContainerConfigError", 119.9, 0, False),
    ("CreateContainerConfigError", 120, 0, True),
    ("Unschedulable", 59.9, 0, False),
    ("Unschedulable", 60, 0, True),
    ("CrashLoopBackOff", 9999, 2, False),
    ("CrashLoopBackOff", 0, 3, True),
    ("OOMKilled", 0, 3, True),
    ("Unhealthy", 9999, 9, False),
    ("FailedMount", 9999, 0, False),
    ("SchedulingGated", 9999, 0, False),
]


@pytest.mark.parametrize(("reason", "since", "restarts", "final"), FINAL)
def test_when_to_give_up(reason: str, since: float, restarts: int, final: bool) -> None:  # noqa: FBT001 - a table
    """The row «failed at once»: at once, after so many restarts, or after so many seconds."""
    assert causes.final(outcomes.Cause(reason), since, restarts, PATIENCE) is final


def test_patience_is_a_setting() -> None:
    """Each of its numbers can be set."""
    patience = plans.Patience(image_pull=1, config_error=2, unschedulable=3, crash_restarts=9)
    settings = [("ImagePullBackOff", 1.0), ("CreateContainerConfigError", 2.0), ("Unschedulable", 3.0)]
    for reason, limit in settings:
        assert not causes.final(outcomes.Cause(reason), limit - 0.5, 0, patience)
        assert causes.final(outcomes.Cause(reason), limit, 0, patience)
    assert not causes.final(outcomes.Cause("CrashLoopBackOff"), 0, 8, patience)


def test_memory_counts_from_the_first_look() -> None:
    """A trouble lasts from when it was first seen, also when another was seen in between."""
    memory = causes.Memory()
    assert memory.at(100.0)("a") == 0.0
    assert memory.at(130.0)("b") == 0.0
    assert memory.at(160.0)("a") == 60.0


def test_key_outlives_the_turns_of_a_reason() -> None:
    """Patience does not begin anew when ErrImagePull turns into ImagePullBackOff."""
    keys = {
        trouble.key
        for reason in ("ErrImagePull", "ImagePullBackOff")
        for trouble in causes.troubles(_pod(waiting=(reason, ""), phase="Pending"))
    }
    assert len(keys) == 1


REFUSALS = {
    "condition": ([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}], []),
    "event": ([], [cluster.event("x", "FailedCreate", f"Error creating: {QUOTA}")]),
}


@pytest.mark.parametrize(("told", "events"), REFUSALS.values(), ids=REFUSALS)
def test_pods_that_cannot_be_made(told: list[cluster.Json], events: list[cluster.Json]) -> None:
    """Quota and admission show on the controller, not on pods: there are none."""
    found = causes.not_created(msgspec.convert(told, list[observed.Condition]), _events(*events), OWNER)
    assert found == outcomes.Cause("FailedCreate", OWNER, "pods are forbidden: exceeded quota: small")


def test_pods_that_can_be_made() -> None:
    """A ReplicaFailure that is over is no cause."""
    over = [observed.Condition("ReplicaFailure", "False", "FailedCreate")]
    other = causes.not_created([observed.Condition("ReplicaFailure", "True", "FailedDelete")], (), OWNER)
    assert other == outcomes.Cause("FailedDelete", OWNER, "")
    assert causes.not_created(over, (), OWNER) is None
    assert causes.not_created(None, (), OWNER) is None


def test_sites_with_the_same_trouble_share_a_fingerprint() -> None:
    """Names of pods and counts differ between sites, causes do not."""
    prints = set()
    for name, restarts, address in (
        ("gateway-7d9c4f5b8-x2x8p", 3, "10.1.2.3"),
        ("gateway-7d9c4f5b8-zzz99", 12, "10.9.9.9"),
    ):
        crash = msgspec.json.decode(
            json.dumps(cluster.pod(name, waiting=("CrashLoopBackOff", ""), restarts=restarts, last={"exitCode": 1})),
            type=pods.Pod,
        )
        pull = msgspec.json.decode(
            json.dumps(cluster.pod(name, waiting=("ErrImagePull", f"dial tcp {address}:5000: connection refused"))),
            type=pods.Pod,
        )
        for pod in (crash, pull):
            cause = causes.of_pod(pod, (), OWNER)
            assert cause is not None
            prints.add(cause.fingerprint)
    assert len(prints) == 2


WORD = (
    st.sampled_from(
        ["CrashLoopBackOff", "ErrImagePull", "InvalidImageName", "Unschedulable", "OOMKilled", "gateway", ""]
    )
    | st.text()
)


@hypothesis.given(st.builds(dict, name=WORD, image=WORD, message=WORD, reason=WORD, restarts=st.integers()), WORD)
def test_no_words_raise(drawn: dict[str, Any], said: str) -> None:
    """Reasons and messages are any text."""
    pod = _pod(waiting=(drawn["reason"], drawn["message"]), restarts=drawn["restarts"], phase=drawn["name"])
    events = _events(cluster.event("x", "Failed", said), cluster.event("x", "Unhealthy", said, path=drawn["image"]))
    found = causes.of_pod(pod, events, OWNER)
    assert found is None or all(letter.isprintable() for letter in str(found.message))
    scheduled = _pod(unscheduled=said)
    assert causes.of_pod(scheduled, events, OWNER) is not None
