"""Health of Deployments, StatefulSets, DaemonSets and ReplicaSets: each rule as a row of a table."""

from typing import Any

import pytest

from fleetctl.kube import workloads
from fleetctl.model import outcomes
from tests.unit.kube import cluster

CURRENT, PROGRESSING, FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED
TERMINATING = outcomes.State.TERMINATING

_pod, _fresh, _numbered = cluster.pod, cluster.fresh, cluster.numbered
_deployment, _set = cluster.deployment, cluster.stateful_set

OLD, NEW = cluster.replica_set("gateway-old", "1"), cluster.replica_set("gateway-new", "2", 2)
PULLING = ("ImagePullBackOff", f'Back-off pulling image "{cluster.IMAGE}": ErrImagePull: not found')
CRASHING = ("CrashLoopBackOff", "back-off")

READY = {"replica_sets": [OLD, NEW], "pods": _fresh(ready=True)}
DEPLOYMENTS: dict[str, cluster.Case] = {
    "done": (_deployment(), READY, CURRENT, "", ""),
    "not seen": (
        _deployment(seen=3),
        READY,
        PROGRESSING,
        "not yet seen by its controller (generation 4, observed 3)",
        "",
    ),
    "no status": (
        _deployment() | {"status": {}},
        READY,
        PROGRESSING,
        "not yet seen by its controller (generation 4, observed 0)",
        "",
    ),
    "no ReplicaSet": (_deployment(), {}, PROGRESSING, "no ReplicaSet of the new template yet", ""),
    "the list is older than the Deployment": (
        _deployment(),
        {"replica_sets": [OLD], "pods": [_pod("a", "gateway-old", ready=True)]},
        PROGRESSING,
        "no ReplicaSet of the new template yet",
        "",
    ),
    "ReplicaSet cannot be made": (
        _deployment(
            status={
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "ReplicaSetCreateError", "message": "x"}
                ]
            }
        ),
        {},
        PROGRESSING,
        "no ReplicaSet of the new template yet",
        "ReplicaSetCreateError",
    ),
    "another reason is no reason why a ReplicaSet cannot be made": (
        _deployment(
            status={"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
        ),
        {},
        PROGRESSING,
        "no ReplicaSet of the new template yet",
        "",
    ),
    "pods of the old template do not count": (
        _deployment(),
        {"replica_sets": [OLD, NEW], "pods": [_pod("a", "gateway-old", ready=True), *_fresh(1, ready=True)]},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "",
    ),
    "the newest revision is a number, not a text": (
        _deployment(revision="10"),
        {
            "replica_sets": [cluster.replica_set("gateway-9", "9"), cluster.replica_set("gateway-new", "10", 2)],
            "pods": _fresh(ready=True),
        },
        CURRENT,
        "",
        "",
    ),
    "pods that are going do not count": (
        _deployment(),
        {
            "replica_sets": [NEW],
            "pods": [*_fresh(1, ready=True), _pod("g", "gateway-new", ready=True, deleted=True)],
        },
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "",
    ),
    "pods that were evicted do not count": (
        _deployment(),
        {"replica_sets": [NEW], "pods": [*_fresh(2, ready=True), _pod("g", "gateway-new", phase="Failed")]},
        CURRENT,
        "",
        "",
    ),
    "ready for too short a time": (
        _deployment(spec={"minReadySeconds": 30}),
        {"replica_sets": [cluster.replica_set("gateway-new", "2", 1)], "pods": _fresh(ready=True)},
        PROGRESSING,
        "2 of 2 pods of the new template ready, not yet for 30 s",
        "",
    ),
    "the controller is behind": (
        _deployment(),
        {"replica_sets": [cluster.replica_set("gateway-new", "2", 1)], "pods": _fresh(ready=True)},
        PROGRESSING,
        "2 of 2 pods of the new template ready, not yet counted as available",
        "",
    ),
    "old pods are still there": (
        _deployment(status={"replicas": 3}),
        READY,
        PROGRESSING,
        "1 pod of the old template not gone yet",
        "",
    ),
    "scaled to nothing": (
        _deployment(spec={"replicas": 0}, status={"replicas": 0, "updatedReplicas": 0}),
        {"replica_sets": [NEW]},
        CURRENT,
        "",
        "",
    ),
    "replicas are 1 where nothing is said": (
        _deployment(spec={"replicas": None}, status={"replicas": 1, "updatedReplicas": 1}),
        {"replica_sets": [NEW], "pods": _fresh(1, ready=True)},
        CURRENT,
        "",
        "",
    ),
    "paused": (
        _deployment(spec={"paused": True}, status={"updatedReplicas": 0}),
        {},
        CURRENT,
        "paused: its pods keep the old template",
        "",
    ),
    "being deleted": (
        _deployment() | {"metadata": {"deletionTimestamp": "2026-11-27T10:00:00Z"}},
        READY,
        TERMINATING,
        "being deleted",
        "",
    ),
    "image trouble is shown at once": (
        _deployment(),
        {"replica_sets": [NEW], "pods": [*_fresh(1, ready=True), _pod("g", "gateway-new", waiting=PULLING)]},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "ImagePullBackOff",
    ),
    "trouble of old pods is not ours": (
        _deployment(),
        {"replica_sets": [OLD, NEW], "pods": [_pod("g", "gateway-old", waiting=("InvalidImageName", "x"))]},
        PROGRESSING,
        "0 of 2 pods of the new template ready",
        "",
    ),
    "bad image name": (
        _deployment(),
        {"replica_sets": [NEW], "pods": _fresh(1, waiting=("InvalidImageName", "x"))},
        FAILED,
        "0 of 2 pods of the new template ready",
        "InvalidImageName",
    ),
    "two restarts": (
        _deployment(),
        {"replica_sets": [NEW], "pods": _fresh(1, waiting=CRASHING, restarts=2)},
        PROGRESSING,
        "0 of 2 pods of the new template ready",
        "CrashLoopBackOff",
    ),
    "three restarts, beside a trouble that may pass": (
        _deployment(),
        {
            "replica_sets": [NEW],
            "pods": [_pod("f", "gateway-new", waiting=PULLING), *_fresh(1, waiting=CRASHING, restarts=3)],
        },
        FAILED,
        "0 of 2 pods of the new template ready",
        "CrashLoopBackOff",
    ),
    "no pod may be made": (
        _deployment(),
        {
            "replica_sets": [
                cluster.replica_set(
                    "gateway-new",
                    "2",
                    conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}],
                )
            ]
        },
        PROGRESSING,
        "0 of 2 pods of the new template ready",
        "FailedCreate",
    ),
    "a node is not ready": (
        _deployment(status={"replicas": 3}),
        {
            "replica_sets": [cluster.replica_set("gateway-new", "2", 1)],
            "pods": [*_fresh(1, ready=True), _pod("g", "gateway-new", node="n2", waiting=CRASHING, restarts=9)],
            "nodes": [cluster.node("n0"), cluster.node("n2", ready=False)],
        },
        CURRENT,
        "owed nodes, not ready: n2",
        "",
    ),
    "a pod on a node that is not ready does not count as ready": (
        _deployment(),
        {
            "replica_sets": [NEW],
            "pods": [_pod("f", "gateway-new"), _pod("g", "gateway-new", node="n2", ready=True)],
            "nodes": [cluster.node("n2", ready=False)],
        },
        PROGRESSING,
        "0 of 1 pod of the new template ready; owed nodes, not ready: n2",
        "",
    ),
    "no node is ready": (
        _deployment(),
        {"replica_sets": [NEW], "pods": _fresh(ready=True), "nodes": [cluster.node("n0", ready=False)]},
        PROGRESSING,
        "all pods of the new template are on nodes that are not ready: n0",
        "NodeNotReady",
    ),
}


@pytest.mark.parametrize("case", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_deployment(case: cluster.Case) -> None:
    """A Deployment is as well as the pods of its newest ReplicaSet."""
    cluster.check("apps/Deployment", case)


def test_deployment_is_bound_to_our_generation() -> None:
    """What was well before our apply was seen is not well yet; what somebody scales afterwards stays well."""
    around = cluster.listed(**READY)
    body = _deployment(generation=5, seen=4)
    assert workloads.verdict(cluster.view("apps/Deployment", body, around, generation=4)).state is CURRENT
    assert workloads.verdict(cluster.view("apps/Deployment", body, around, generation=5)).state is PROGRESSING
    assert workloads.verdict(cluster.view("apps/Deployment", body, around)).state is PROGRESSING


def _late(since: float, **lists: Any) -> outcomes.Verdict:  # noqa: ANN401 - lists
    told = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    body = _deployment(spec={"progressDeadlineSeconds": 300}, status={"conditions": [told]})
    return workloads.verdict(cluster.view("apps/Deployment", body, cluster.listed(**lists), since=since))


def test_progress_deadline_of_pods_that_are_ready() -> None:
    """Pods that are ready and never available are no progress either."""
    found = _late(300, replica_sets=[cluster.replica_set("gateway-new", "2", 1)], pods=_fresh(ready=True))
    assert found.state is FAILED
    assert found.message.endswith("not yet counted as available, no progress within 300 s")
    assert found.cause is not None
    assert found.cause.reason == "ProgressDeadlineExceeded"


def test_progress_deadline() -> None:
    """No progress in the Deployment's own time is a failure, with what its pods suffer from as the cause."""
    found = _late(300, replica_sets=[NEW], pods=_fresh(1))
    assert (found.state, found.message) == (FAILED, "0 of 2 pods of the new template ready, no progress within 300 s")
    assert found.cause == outcomes.Cause(
        "ProgressDeadlineExceeded", "Deployment pos/gateway", "no progress within 300 s"
    )
    pulling = _late(300, replica_sets=[NEW], pods=_fresh(1, waiting=("ContainerCreating", "")), events=[
        cluster.event("gateway-new-0", "FailedMount", "no volume")
    ])  # fmt: skip
    assert pulling.cause is not None
    assert pulling.cause.reason == "FailedMount"


def test_time_alone_is_no_deadline() -> None:
    """Only the controller says that no progress was made; a Deployment without a deadline has all the time."""
    around = cluster.listed(replica_sets=[NEW], pods=_fresh(1))
    for reason, deadline in (("ReplicaSetUpdated", 300), ("ProgressDeadlineExceeded", None)):
        told = {"type": "Progressing", "status": "True", "reason": reason}
        body = _deployment(spec={"progressDeadlineSeconds": deadline}, status={"conditions": [told]})
        found = workloads.verdict(cluster.view("apps/Deployment", body, around, since=9999.0))
        assert found.state is PROGRESSING


def test_deadline_of_an_earlier_release() -> None:
    """The condition that a failed release left behind does not condemn the next one, nor pods that are well."""
    assert _late(299, replica_sets=[NEW], pods=_fresh(1)).state is PROGRESSING
    assert _late(300, **READY).state is CURRENT


A, B = "gateway-a", "gateway-b"
ALL = _numbered((0, B, True), (1, B, True), (2, B, True))
SETS: dict[str, cluster.Case] = {
    "done, though the current revision is late": (_set(), {"pods": ALL}, CURRENT, "", ""),
    "not seen": (
        _set(status={"observedGeneration": 1}),
        {"pods": ALL},
        PROGRESSING,
        "not yet seen by its controller (generation 2, observed 1)",
        "",
    ),
    "no revision": (_set(""), {"pods": ALL}, PROGRESSING, "no revision of the new template yet", ""),
    "half way": (
        _set(),
        {"pods": _numbered((0, A, True), (1, B, True), (2, B, True))},
        PROGRESSING,
        "2 of 3 pods of the new template ready",
        "",
    ),
    "OnDelete": (
        _set(spec={"updateStrategy": {"type": "OnDelete"}}),
        {"pods": _numbered((0, A, True))},
        CURRENT,
        "OnDelete: its pods keep the old template until somebody deletes them",
        "",
    ),
    "partition": (
        _set(spec={"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}),
        {"pods": _numbered((0, A, True), (1, A, True), (2, B, True))},
        CURRENT,
        "partition 2: pods below it keep the old template",
        "",
    ),
    "partition not reached": (
        _set(spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}}),
        {"pods": _numbered((0, B, True), (1, A, True), (2, B, True))},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "",
    ),
    "no partition": (
        _set(spec={"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
        {"pods": ALL},
        CURRENT,
        "",
        "",
    ),
    "partition with ordinals that start later": (
        _set(spec={"ordinals": {"start": 5}, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
        {"pods": _numbered((5, A, True), (6, A, True), (7, B, True))},
        CURRENT,
        "partition 2: pods below it keep the old template",
        "",
    ),
    "ready for too short a time": (
        _set(spec={"minReadySeconds": 5}, status={"availableReplicas": 2}),
        {"pods": ALL},
        PROGRESSING,
        "3 of 3 pods of the new template ready, not yet for 5 s",
        "",
    ),
    "ready for long enough": (
        _set(spec={"minReadySeconds": 5}, status={"availableReplicas": 3}),
        {"pods": ALL},
        CURRENT,
        "",
        "",
    ),
    "too many": (_set(status={"replicas": 4}), {"pods": ALL}, PROGRESSING, "1 pod too many not gone yet", ""),
    "new pod crashes": (
        _set(),
        {"pods": [*_numbered((0, A, True), (1, A, True)), *_numbered((2, B, False), waiting=CRASHING, restarts=3)]},
        FAILED,
        "0 of 3 pods of the new template ready",
        "CrashLoopBackOff",
    ),
    "old pod is in the way": (
        _set(),
        {"pods": [*_numbered((0, A, False), waiting=CRASHING, restarts=9), *_numbered((1, B, True), (2, B, True))]},
        PROGRESSING,
        "2 of 3 pods of the new template ready",
        "StatefulSetStuck",
    ),
    "pod cannot be made": (
        _set(),
        {"pods": ALL[:2], "events": [cluster.event("gateway", "FailedCreate", "quota")]},
        PROGRESSING,
        "2 of 3 pods of the new template ready",
        "FailedCreate",
    ),
    "a node is not ready": (
        _set(),
        {"pods": [*ALL[:2], *_numbered((2, B, False), node="n2")], "nodes": [cluster.node("n2", ready=False)]},
        CURRENT,
        "owed nodes, not ready: n2",
        "",
    ),
    "being deleted": (
        _set() | {"metadata": {"deletionTimestamp": "2026-11-27T10:00:00Z"}},
        {},
        TERMINATING,
        "being deleted",
        "",
    ),
}


@pytest.mark.parametrize("case", SETS.values(), ids=SETS)
def test_stateful_set(case: cluster.Case) -> None:
    """A StatefulSet is as well as the pods of its update revision."""
    cluster.check("apps/StatefulSet", case)


def _daemons(desired: int = 2, **more: Any) -> cluster.Json:  # noqa: ANN401 - JSON
    """DaemonSet pos/gateway on two nodes."""
    status = {"observedGeneration": 2, "desiredNumberScheduled": desired, "updatedNumberScheduled": desired}
    return {
        "metadata": cluster.owned("gateway", "") | {"generation": 2},
        "spec": more.get("spec", {}),
        "status": status | {"numberAvailable": desired} | more.get("status", {}),
    }


REVISIONS = [
    {"metadata": cluster.owned(f"gateway-{name}", "gateway", controller_revision_hash=name), "revision": number}
    for name, number in (("new", 10), ("old", 9))
]
ON_BOTH = [_pod(f"gateway-{node}", "gateway", "new", ready=True, node=node) for node in ("n0", "n1")]
OLD_ON_N1 = _pod("gateway-n1", "gateway", "old", ready=True, node="n1")
N1_DOWN = [cluster.node("n0"), cluster.node("n1", ready=False)]
DAEMONS: dict[str, cluster.Case] = {
    "done": (_daemons(), {"revisions": REVISIONS, "pods": ON_BOTH}, CURRENT, "", ""),
    "never seen": (
        {"metadata": {"generation": 1}},
        {},
        PROGRESSING,
        "not yet seen by its controller (generation 1, observed 0)",
        "",
    ),
    "no revision": (_daemons(), {"pods": ON_BOTH}, PROGRESSING, "no revision of the new template yet", ""),
    "half way": (
        _daemons(),
        {"revisions": REVISIONS, "pods": [ON_BOTH[0], OLD_ON_N1]},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "",
    ),
    "the list of revisions is older than the DaemonSet": (
        _daemons(status={"updatedNumberScheduled": 0}),
        {"revisions": REVISIONS, "pods": ON_BOTH},
        PROGRESSING,
        "2 of 2 pods of the new template ready, not yet counted as available",
        "",
    ),
    "ready for too short a time": (
        _daemons(spec={"minReadySeconds": 9}, status={"numberAvailable": 1}),
        {"revisions": REVISIONS, "pods": ON_BOTH},
        PROGRESSING,
        "2 of 2 pods of the new template ready, not yet for 9 s",
        "",
    ),
    "OnDelete": (
        _daemons(spec={"updateStrategy": {"type": "OnDelete"}}),
        {},
        CURRENT,
        "OnDelete: its pods keep the old template until somebody deletes them",
        "",
    ),
    "nowhere": (_daemons(0), {"revisions": REVISIONS}, CURRENT, "no node is to run it", ""),
    "a node with an old pod is not ready": (
        _daemons(status={"updatedNumberScheduled": 1, "numberAvailable": 1}),
        {"revisions": REVISIONS, "pods": [ON_BOTH[0], OLD_ON_N1], "nodes": N1_DOWN},
        CURRENT,
        "owed nodes, not ready: n1",
        "",
    ),
    "a node that is not ready owes nothing where no pod should be": (
        _daemons(status={"numberMisscheduled": 1}),
        {"revisions": REVISIONS, "pods": [ON_BOTH[0], OLD_ON_N1], "nodes": N1_DOWN},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "",
    ),
    "no node is ready": (
        _daemons(),
        {"revisions": REVISIONS, "pods": ON_BOTH, "nodes": [cluster.node(name, ready=False) for name in ("n0", "n1")]},
        PROGRESSING,
        "all pods of the new template are on nodes that are not ready: n0, n1",
        "NodeNotReady",
    ),
    "image trouble": (
        _daemons(),
        {"revisions": REVISIONS, "pods": [ON_BOTH[0], _pod("g", "gateway", "new", waiting=PULLING)]},
        PROGRESSING,
        "1 of 2 pods of the new template ready",
        "ImagePullBackOff",
    ),
}


@pytest.mark.parametrize("case", DAEMONS.values(), ids=DAEMONS)
def test_daemon_set(case: cluster.Case) -> None:
    """A DaemonSet is as well as the pods of its newest ControllerRevision, on nodes that are ready."""
    cluster.check("apps/DaemonSet", case)


BARE = {"metadata": cluster.owned("gateway", "") | {"generation": 1}, "spec": {"replicas": 1}}
BARE_STATUS = {"observedGeneration": 1, "replicas": 1, "availableReplicas": 1}
MADE = [_pod("g", "gateway", ready=True)]
REPLICA_SETS: dict[str, cluster.Case] = {
    "done": (BARE | {"status": BARE_STATUS}, {"pods": MADE}, CURRENT, "", ""),
    "not seen": (BARE, {"pods": MADE}, PROGRESSING, "not yet seen by its controller (generation 1, observed 0)", ""),
    "not ready": (BARE | {"status": BARE_STATUS}, {}, PROGRESSING, "0 of 1 pod ready", ""),
    "no pod may be made": (
        BARE | {"status": BARE_STATUS | {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}},
        {},
        PROGRESSING,
        "0 of 1 pod ready",
        "FailedCreate",
    ),
    "behind": (
        BARE | {"status": BARE_STATUS | {"availableReplicas": 0}},
        {"pods": MADE},
        PROGRESSING,
        "1 of 1 pod ready, not yet counted as available",
        "",
    ),
    "too many": (
        BARE | {"status": BARE_STATUS | {"replicas": 2}},
        {"pods": MADE},
        PROGRESSING,
        "1 pod too many not gone yet",
        "",
    ),
}


@pytest.mark.parametrize("kind", ["apps/ReplicaSet", "ReplicationController"])
@pytest.mark.parametrize("case", REPLICA_SETS.values(), ids=REPLICA_SETS)
def test_replica_set(kind: str, case: cluster.Case) -> None:
    """One of its own has no old template: all its pods count."""
    cluster.check(kind, case)
