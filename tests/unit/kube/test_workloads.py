"""Health of what makes pods, bound to the template that was applied: each rule, and no observed JSON that raises."""

import json
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from fleetctl.kube import causes, surroundings, templates, views, workloads
from fleetctl.model import objects, outcomes, plans
from tests.unit.kube import cluster

CURRENT, PROGRESSING, FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED
UNKNOWN = outcomes.State.UNKNOWN

NEW = cluster.replica_set("gateway-new", "2", 2)
PULLING = ("ImagePullBackOff", f'Back-off pulling image "{cluster.IMAGE}": ErrImagePull: not found')

LATE = {"metadata": {"name": "local-path"}, "volumeBindingMode": "WaitForFirstConsumer"}
DEFAULT = LATE | {
    "metadata": {"name": "local-path", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
}
SOON = {"metadata": {"name": "fast"}, "volumeBindingMode": "Immediate"}
USER = cluster.pod("user", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "gateway"}}, {"name": "w"}])
WAITS = "not bound yet: its volume is made for the first pod that uses it"
UNBOUND = "not bound to a volume yet"


def _claim(phase: str = "Pending", **spec: Any) -> cluster.Json:  # noqa: ANN401 - JSON
    return {"metadata": {"uid": "c"}, "spec": spec, "status": {"phase": phase}}


CLAIMS: dict[str, cluster.Case] = {
    "bound": (_claim("Bound"), {}, CURRENT, "", ""),
    "late, no pod": (_claim(storageClassName="local-path"), {"storage_classes": [SOON, LATE]}, CURRENT, WAITS, ""),
    "late by default, no pod": (_claim(), {"storage_classes": [SOON, DEFAULT]}, CURRENT, WAITS, ""),
    "late, with a pod": (
        _claim(storageClassName="local-path"),
        {"storage_classes": [LATE], "pods": [USER]},
        PROGRESSING,
        UNBOUND,
        "",
    ),
    "late, with a pod elsewhere": (
        _claim(storageClassName="local-path"),
        {"storage_classes": [LATE], "pods": [USER | {"metadata": cluster.owned("user", "") | {"namespace": "other"}}]},
        CURRENT,
        WAITS,
        "",
    ),
    "at once": (_claim(storageClassName="fast"), {"storage_classes": [SOON, DEFAULT]}, PROGRESSING, UNBOUND, ""),
    "no class": (_claim(storageClassName=""), {"storage_classes": [DEFAULT]}, PROGRESSING, UNBOUND, ""),
    "no default": (_claim(), {"storage_classes": [LATE]}, PROGRESSING, UNBOUND, ""),
    "cannot be made": (
        _claim(storageClassName="fast"),
        {"storage_classes": [SOON], "events": [cluster.event("c", "ProvisioningFailed", "disk full")]},
        PROGRESSING,
        UNBOUND,
        "ProvisioningFailed",
    ),
    "lost": (_claim("Lost"), {"storage_classes": [DEFAULT]}, PROGRESSING, "lost", "ClaimLost"),
    "odd": (
        _claim() | {"spec": 5},
        {},
        UNKNOWN,
        "not of the form of its kind: Expected `object`, got `int` - at `$.spec`",
        "",
    ),
}


@pytest.mark.parametrize("case", CLAIMS.values(), ids=CLAIMS)
def test_claim(case: cluster.Case) -> None:
    """A claim of K3s' local-path has no volume before a pod uses it, and is well so."""
    cluster.check("PersistentVolumeClaim", case)


def test_other_kinds_follow_their_conditions() -> None:
    """What makes no pods is judged by the object alone, with all that the view knows."""
    lonely = cluster.view("cert-manager.io/Certificate", {}, since=0.0)
    assert workloads.verdict(lonely).state is PROGRESSING
    assert workloads.verdict(msgspec.structs.replace(lonely, declares_status=False)).state is CURRENT
    balancer = cluster.view("Service", {"spec": {"type": "LoadBalancer"}})
    assert workloads.verdict(balancer).state is PROGRESSING
    assert workloads.verdict(msgspec.structs.replace(balancer, load_balancers=False)).state is CURRENT
    workload_of_others = cluster.view("example.com/Deployment", {"status": {"x": 1}})
    assert workloads.verdict(workload_of_others).state is CURRENT


PATIENT = [
    (cluster.fresh(1, waiting=PULLING), 119.0, 120.0),
    (cluster.fresh(1, waiting=("CreateContainerConfigError", "x")), 119.0, 120.0),
    (cluster.fresh(1, unscheduled="x"), 59.0, 60.0),
]


@pytest.mark.parametrize(("pods", "patient", "over"), PATIENT, ids=["image", "config", "unschedulable"])
def test_patience(pods: list[cluster.Json], patient: float, over: float) -> None:
    """Trouble that may pass fails an object when it has lasted, counted from its first sight, not from the apply."""
    around = cluster.listed(replica_sets=[NEW], pods=pods)
    memory = causes.Memory()

    def look(now: float) -> outcomes.State:
        seen = cluster.view("apps/Deployment", cluster.deployment(), around, since=500.0, lasted=memory.at(now))
        return workloads.verdict(seen).state

    assert [look(1000.0), look(1000.0 + patient), look(1000.0 + over)] == [PROGRESSING, PROGRESSING, FAILED]


def test_patience_without_memory_counts_from_the_apply() -> None:
    """A single look has nothing else to go by."""
    around = cluster.listed(replica_sets=[NEW], pods=cluster.fresh(1, waiting=PULLING))
    for since, state in ((119.0, PROGRESSING), (120.0, FAILED)):
        assert (
            workloads.verdict(cluster.view("apps/Deployment", cluster.deployment(), around, since=since)).state is state
        )
    hasty = cluster.view("apps/Deployment", cluster.deployment(), around, patience=plans.Patience(image_pull=5))
    assert workloads.verdict(hasty).state is FAILED


def test_needs() -> None:
    """Each collection is asked for only where a verdict reads it, and more only when it is not well."""

    def names(kind: str, *, unwell: bool) -> list[str]:
        group, _, name = kind.rpartition("/")
        found = workloads.needs(objects.ObjectId(group, name, "pos", "x"), unwell=unwell)
        assert len(found) == len(set(found))
        return [one.kind for one in found]

    assert names("apps/Deployment", unwell=False) == ["Pod", "ReplicaSet"]
    assert names("apps/StatefulSet", unwell=False) == ["Pod"]
    assert names("apps/DaemonSet", unwell=False) == ["Pod", "ControllerRevision"]
    assert names("batch/Job", unwell=False) == []
    assert names("PersistentVolumeClaim", unwell=False) == []
    assert names("ConfigMap", unwell=True) == []
    assert names("apps/Deployment", unwell=True) == ["Pod", "ReplicaSet", "Event", "Node"]
    assert names("batch/Job", unwell=True) == ["Pod", "Event", "Node"]
    assert names("PersistentVolumeClaim", unwell=True) == ["Pod", "StorageClass", "Event"]


REVISIONS = [
    {"metadata": cluster.owned(f"gateway-{name}", "gateway", controller_revision_hash=name), "revision": number}
    for name, number in (("new", 10), ("old", 9))
]
ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.just([]) | st.just({})
)
NUMBER = st.integers(-3, 10**30) | ODD
TEXT = (
    st.sampled_from(["gateway", "gateway-0", "new", "2", "OnDelete", "Parallel", "True", "False", "-²", ""]) | st.text()
)
META = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "uid": TEXT,
        "generation": NUMBER,
        "labels": st.dictionaries(st.just(templates.POD_REVISION), TEXT) | ODD,
        "annotations": st.dictionaries(st.just("deployment.kubernetes.io/revision"), TEXT) | ODD,
    },
)
NUMBERS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "availableReplicas",
    "desiredNumberScheduled",
    "numberMisscheduled",
)
STRATEGY = st.fixed_dictionaries(
    {}, optional={"type": TEXT, "rollingUpdate": st.fixed_dictionaries({"partition": NUMBER}) | ODD}
)
BODY = st.fixed_dictionaries(
    {"metadata": META},
    optional={
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "replicas": NUMBER,
                "completions": NUMBER,
                "minReadySeconds": NUMBER,
                "paused": ODD,
                "ordinals": st.fixed_dictionaries({"start": NUMBER}),
                "updateStrategy": STRATEGY,
            },
        ),
        "status": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(NUMBERS, NUMBER)
            | {
                "phase": TEXT,
                "updateRevision": TEXT,
                "conditions": st.lists(st.fixed_dictionaries({"type": TEXT, "status": TEXT}), max_size=2) | ODD,
            },
        ),
    },
)  # fmt: skip
KINDS = [
    "apps/Deployment",
    "apps/StatefulSet",
    "apps/DaemonSet",
    "apps/ReplicaSet",
    "batch/Job",
    "Pod",
    "PersistentVolumeClaim",
]
PODS = st.lists(
    st.builds(
        lambda name, owner, revision, node, **more: cluster.pod(name, owner, revision, node=node, **more),
        TEXT, st.sampled_from(["gateway", "rs", ""]), TEXT, st.sampled_from(["n0", "n1", ""]),
        ready=st.booleans(), restarts=st.integers(-1, 5), waiting=st.tuples(TEXT, TEXT), unscheduled=TEXT, phase=TEXT,
    ),
    max_size=4,
)  # fmt: skip


@hypothesis.given(st.sampled_from(KINDS), BODY, PODS, st.integers(0, 3))
def test_no_workload_raises(kind: str, body: Any, pods: list[cluster.Json], generation: int) -> None:  # noqa: ANN401 - JSON
    """Whatever a cluster shows, there is a verdict, and what is not current says why."""
    around = cluster.listed(
        pods=pods,
        replica_sets=[{"metadata": cluster.owned("rs", "gateway")}],
        revisions=REVISIONS,
        nodes=[cluster.node("n1", ready=False)],
        storage_classes=[DEFAULT],
    )
    seen = cluster.view(kind, body, around, generation=generation)
    found = workloads.verdict(seen)
    assert found.message or found.state is CURRENT


@hypothesis.given(
    st.sampled_from(KINDS),
    st.binary() | st.recursive(ODD, st.lists, max_leaves=3).map(lambda one: json.dumps(one).encode()),
)
def test_no_bytes_raise(kind: str, body: bytes) -> None:
    """Nor need it be an object, or JSON."""
    around = surroundings.NOTHING
    found = workloads.verdict(cluster.view(kind, body, around))
    assert isinstance(found, outcomes.Verdict)
    assert isinstance(cluster.view(kind, body), views.View)
