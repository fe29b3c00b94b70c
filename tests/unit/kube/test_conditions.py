"""Health of what makes no pods: kstatus' rules, and where ours differ."""

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.kube import conditions
from fleetctl.model import objects, outcomes
from tests.unit.kube import cluster

CURRENT, PROGRESSING, FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED
TERMINATING, UNKNOWN = outcomes.State.TERMINATING, outcomes.State.UNKNOWN

CRD, API = "apiextensions.k8s.io/CustomResourceDefinition", "apiregistration.k8s.io/APIService"
CUSTOM = "cert-manager.io/Certificate"


def _told(kind: str, status: str = "True", reason: str = "", **more: Any) -> cluster.Json:  # noqa: ANN401 - JSON
    return {"type": kind, "status": status, "reason": reason, "message": f"{kind} says\n so"} | more


def _status(*told: cluster.Json, **more: Any) -> cluster.Json:  # noqa: ANN401 - JSON
    return {"metadata": {"generation": 2}, "status": {"conditions": list(told)} | more}


def _judge(kind: str, body: cluster.Json | bytes, **more: Any) -> outcomes.Verdict:  # noqa: ANN401 - arguments
    group, _, name = kind.rpartition("/")
    identity = objects.ObjectId(group, name, "pos", "x")
    return conditions.verdict(identity, body if isinstance(body, bytes) else json.dumps(body).encode(), **more)


BALANCER = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}

CASES = {
    # Applied is enough.
    "config map": ("ConfigMap", {"data": {"a": "b"}}, CURRENT, ""),
    "secret": ("Secret", {}, CURRENT, ""),
    "cron job": ("batch/CronJob", {"status": {"active": [1]}}, CURRENT, ""),
    "ingress": ("networking.k8s.io/Ingress", {"status": {"loadBalancer": {}}}, CURRENT, ""),
    "budget that allows nothing": (
        "policy/PodDisruptionBudget",
        _status(_told("DisruptionAllowed", "False")),
        CURRENT,
        "",
    ),
    "autoscaler that its controller did not see": (
        "autoscaling/HorizontalPodAutoscaler",
        _status(_told("ScalingActive", "False"), observedGeneration=1),
        CURRENT,
        "",
    ),
    "service": ("Service", {"spec": {"type": "ClusterIP"}}, CURRENT, ""),
    # An address is what a LoadBalancer is for.
    "load balancer without address": ("Service", BALANCER, PROGRESSING, "no address from a load balancer yet"),
    "load balancer with null for addresses": (
        "Service",
        {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": None}}},
        PROGRESSING,
        "no address from a load balancer yet",
    ),
    "load balancer with address": (
        "Service",
        {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.7"}]}}},
        CURRENT,
        "",
    ),
    "load balancer with name": (
        "Service",
        {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"hostname": "lb"}]}}},
        CURRENT,
        "",
    ),
    # Namespaces, volumes, claims.
    "namespace": ("Namespace", {"status": {"phase": "Active"}}, CURRENT, ""),
    "namespace that goes": ("Namespace", {"status": {"phase": "Terminating"}}, TERMINATING, ""),
    "claim bound": ("PersistentVolumeClaim", {"status": {"phase": "Bound"}}, CURRENT, ""),
    "claim pending": (
        "PersistentVolumeClaim",
        {"status": {"phase": "Pending"}},
        PROGRESSING,
        "not bound to a volume yet",
    ),
    "claim lost": ("PersistentVolumeClaim", {"status": {"phase": "Lost"}}, PROGRESSING, "lost"),
    "volume": ("PersistentVolume", {"status": {"phase": "Available"}}, CURRENT, ""),
    "volume failed": ("PersistentVolume", {"status": {"phase": "Failed"}}, FAILED, "failed"),
    # Definitions: kstatus' crdConditions.
    "definition without status": (CRD, {}, PROGRESSING, "not established yet"),
    "definition established": (CRD, _status(_told("NamesAccepted"), _told("Established")), CURRENT, ""),
    "definition installing": (
        CRD,
        _status(_told("Established", "False", "Installing")),
        PROGRESSING,
        "not established yet",
    ),
    "definition not established": (
        CRD,
        _status(_told("Established", "False", "NotAccepted")),
        FAILED,
        "not established",
    ),
    "definition unsure": (CRD, _status(_told("Established", "Unknown", "Odd")), PROGRESSING, "not established yet"),
    "definition whose names are taken": (
        CRD,
        _status(_told("NamesAccepted", "False", "PluralConflict"), _told("Established")),
        FAILED,
        "its names are taken",
    ),
    # Aggregated APIs: their backend is what they are for.
    "api service without status": (API, {}, PROGRESSING, "not available yet"),
    "api service available": (API, _status(_told("Available")), CURRENT, ""),
    "api service not available": (
        API,
        _status(_told("Available", "False", "MissingEndpoints")),
        PROGRESSING,
        "Available is False: MissingEndpoints",
    ),
    # Generations count where the kind has them.
    "built-in kind not seen": (
        "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
        _status(observedGeneration=1),
        PROGRESSING,
        "not yet seen by its controller (generation 2, observed 1)",
    ),
    "custom not seen": (
        CUSTOM,
        _status(_told("Ready"), observedGeneration=1),
        PROGRESSING,
        "not yet seen by its controller (generation 2, observed 1)",
    ),
    "custom seen later": (CUSTOM, _status(_told("Ready"), observedGeneration=3), CURRENT, ""),
    "custom condition of an older generation": (
        CUSTOM,
        _status(_told("Ready", observedGeneration=1)),
        PROGRESSING,
        "not yet seen by its controller (generation 2, observed 1)",
    ),
    # Custom resources: kstatus' own conditions first, then the widely used ones.
    "custom reconciling": (
        CUSTOM,
        _status(_told("Ready"), _told("Reconciling", reason="Issuing")),
        PROGRESSING,
        "Reconciling is True: Issuing",
    ),
    "custom stalled": (CUSTOM, _status(_told("Stalled", reason="NoIssuer")), FAILED, "Stalled is True: NoIssuer"),
    "custom stalled before it reconciles": (
        CUSTOM,
        _status(_told("Stalled"), _told("Reconciling")),
        FAILED,
        "Stalled is True",
    ),
    "built-in kind that is not ready": (
        "networking.k8s.io/ServiceCIDR",
        _status(_told("Ready", "False", "Terminating")),
        PROGRESSING,
        "Ready is False: Terminating",
    ),
    "built-in kind that is stalled": (
        "networking.k8s.io/ServiceCIDR",
        _status(_told("Stalled")),
        FAILED,
        "Stalled is True",
    ),
    "custom no longer stalled": (CUSTOM, _status(_told("Stalled", "False")), CURRENT, ""),
    "custom ready": (CUSTOM, _status(_told("Ready"), _told("Available", "False")), CURRENT, ""),
    "custom not ready": (CUSTOM, _status(_told("Ready", "False", "Pending")), PROGRESSING, "Ready is False: Pending"),
    "custom unsure": (CUSTOM, _status(_told("Ready", "Unknown")), PROGRESSING, "Ready is Unknown"),
    "custom available": (CUSTOM, _status(_told("Available")), CURRENT, ""),
    "custom not available": (CUSTOM, _status(_told("Available", "False")), PROGRESSING, "Available is False"),
    "custom with other conditions": (CUSTOM, _status(_told("Programmed", "False")), CURRENT, ""),
    "custom with null for conditions": (CUSTOM, {"status": {"conditions": None, "x": 1}}, CURRENT, ""),
    "custom that shares a name of Kubernetes": ("example.com/Service", {"status": {"x": 1}}, CURRENT, ""),
    # What is being deleted is not well, whatever its conditions say.
    "deleted": (
        CUSTOM,
        _status(_told("Ready")) | {"metadata": {"deletionTimestamp": "2026-11-27T10:00:00Z"}},
        TERMINATING,
        "being deleted",
    ),
    "deleted config": (
        "ConfigMap",
        {"metadata": {"deletionTimestamp": "2026-11-27T10:00:00Z"}},
        TERMINATING,
        "being deleted",
    ),
}


@pytest.mark.parametrize(("kind", "body", "state", "message"), CASES.values(), ids=CASES)
def test_verdict(kind: str, body: cluster.Json, state: outcomes.State, message: str) -> None:
    """Each rule of the table of kinds, and of kstatus."""
    found = _judge(kind, body, since=60.0)
    assert (found.state, found.message) == (state, message)


def test_cause_says_what_the_condition_says() -> None:
    """Trouble is shown at once, in one line, about an object that is named alike at every site."""
    found = _judge(CUSTOM, _status(_told("Ready", "False", "Pending")))
    assert found.cause == outcomes.Cause("Pending", "Certificate pos/x", "Ready says so")
    assert _judge(CUSTOM, _status(_told("Ready", "False"))).cause == outcomes.Cause(
        "NotReady", "Certificate pos/x", "Ready says so"
    )
    taken = _judge(CRD, _status(_told("NamesAccepted", "False", "PluralConflict")))
    assert taken.cause is not None
    assert taken.cause.reason == "PluralConflict"


NO_STATUS = _judge(CUSTOM, {}, since=0.0, declares_status=False)


@pytest.mark.parametrize("status", [{}, {"status": {}}, {"status": None}])
def test_no_status_is_waited_for_a_little(status: cluster.Json) -> None:
    """A controller gets 15 seconds to say anything; a kind without a status is not waited for."""
    assert _judge(CUSTOM, status, since=14.9).state is PROGRESSING
    late = _judge(CUSTOM, status, since=15.0)
    assert (late.state, late.message) == (CURRENT, "no status")
    assert NO_STATUS.state is CURRENT


def test_generation_is_that_of_our_apply() -> None:
    """What somebody changes after us is not waited for; what the object says counts where we know nothing."""
    body = {"metadata": {"generation": 5}, "status": {"observedGeneration": 4, "conditions": [_told("Ready")]}}
    assert _judge(CUSTOM, body, generation=4).state is CURRENT
    assert _judge(CUSTOM, body, generation=5).state is PROGRESSING
    assert _judge(CUSTOM, body).state is PROGRESSING


def test_load_balancers_may_be_ignored() -> None:
    """A bundle may say that nothing at its sites gives addresses."""
    assert _judge("Service", BALANCER, load_balancers=False).state is CURRENT


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CUSTOM, {"status": "ok"}),
        (CUSTOM, {"status": {"conditions": {"Ready": True}}}),
        (CUSTOM, {"status": {"observedGeneration": "4"}}),
        (CRD, {"status": {"conditions": [{"type": 1}]}}),
        ("Service", {"spec": 5}),
        ("ConfigMap", {"metadata": []}),
        ("ConfigMap", b""),
        ("ConfigMap", b"null"),
        ("ConfigMap", b"\xff"),
        ("ConfigMap", b'{"metadata":{"name":"\xff"}}'),
        ("ConfigMap", b'{"a":' + b"[" * 100_000),
    ],
)
def test_other_forms_are_unknown(kind: str, body: cluster.Json | bytes) -> None:
    """What is not of the form of its kind is unknown, with a reason, and final it is not."""
    found = _judge(kind, body)
    assert found.state is UNKNOWN
    assert found.message.startswith("not of the form of its kind: ")
    assert not found.final


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TOLD = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["Ready", "Stalled", "Established"]) | JSON,
        "status": st.sampled_from(["True", "False"]) | JSON,
        "reason": JSON,
        "message": JSON,
    },
)
STATUS = st.fixed_dictionaries(
    {}, optional={"phase": JSON, "observedGeneration": JSON, "conditions": st.lists(TOLD, max_size=3) | JSON}
)


@hypothesis.given(
    st.sampled_from(["ConfigMap", "Service", "Namespace", "PersistentVolumeClaim", CRD, API, CUSTOM, "batch/CronJob"]),
    st.fixed_dictionaries({}, optional={"metadata": JSON, "spec": JSON, "status": STATUS | JSON}) | JSON,
    st.integers(0, 5),
)
def test_no_json_raises(kind: str, body: Any, generation: int) -> None:  # noqa: ANN401 - any JSON
    """A cluster may answer anything."""
    found = _judge(kind, json.dumps(body).encode(), generation=generation)
    assert found.state in outcomes.State


@hypothesis.given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    """Nor need the answer be JSON."""
    assert _judge(CUSTOM, body).state in outcomes.State
