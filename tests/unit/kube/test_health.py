"""Every row of docs/reference/health.md has a case with its verdict, and what real clusters showed is judged as it was.

The recordings are made by ``tests/integration/test_health.py`` from the scenarios.
"""

import json
import pathlib
from typing import Any

import pytest

from fleetctl.kube import views, workloads
from fleetctl.model import objects, outcomes
from tests.architecture import sources
from tests.unit.kube import cluster, scenarios, test_conditions, test_jobs, test_replicas, test_workloads

CURRENT, PROGRESSING, FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED

_RECORDED = pathlib.Path(__file__).with_name("recorded")

_NEW = test_replicas.NEW


def _suffers(reason: str, state: outcomes.State = PROGRESSING, **pod: Any) -> cluster.Case:  # noqa: ANN401 - JSON
    body = cluster.pod("gateway", **pod)
    return body, pod.get("lists", {}), state, "pending" if pod.get("unscheduled") else "running, not ready", reason


def _evicted() -> cluster.Case:
    pod = cluster.pod("a", "gateway-new", phase="Failed", status={"reason": "Evicted", "message": "disk pressure"})
    pod["status"]["containerStatuses"] = None
    message = "0 of 2 pods of the new template ready"
    return cluster.deployment(), {"replica_sets": [_NEW], "pods": [pod]}, PROGRESSING, message, "Evicted"


_PULLING = test_replicas.PULLING
_CONFIG = ("CreateContainerConfigError", 'secret "pos-tls" not found')
_NOWHERE = "0/1 nodes are available: 1 Insufficient memory."

_CAUSES: dict[str, tuple[cluster.Case, float]] = {
    "CrashLoopBackOff, it was seen": (_suffers("CrashLoopBackOff", waiting=("CrashLoopBackOff", ""), restarts=2), 900),
    "CrashLoopBackOff, at 3 restarts": (
        _suffers("CrashLoopBackOff", FAILED, ended={"exitCode": 1, "reason": "Error"}, restarts=3),
        0,
    ),
    "ImagePullBackOff, it was seen": (_suffers("ImagePullBackOff", waiting=_PULLING), 119),
    "ImagePullBackOff, after 120 seconds": (_suffers("ImagePullBackOff", FAILED, waiting=_PULLING), 120),
    "CreateContainerConfigError, it was seen": (_suffers("CreateContainerConfigError", waiting=_CONFIG), 119),
    "CreateContainerConfigError, after 120 seconds": (
        _suffers("CreateContainerConfigError", FAILED, waiting=_CONFIG),
        120,
    ),
    "Unschedulable, it was seen": (_suffers("Unschedulable", unscheduled=_NOWHERE), 59),
    "Unschedulable, after 60 seconds": (_suffers("Unschedulable", FAILED, unscheduled=_NOWHERE), 60),
    "Unhealthy, it was seen": (
        _suffers("Unhealthy", lists={"events": [cluster.event("gateway", "Unhealthy", "probe failed")]}),
        900,
    ),
    "Evicted, it was seen": (_evicted(), 900),
}
"""The early causes, each with the seconds that it has lasted."""

_TABLES: dict[str, tuple[str, dict[str, cluster.Case]]] = {
    "Deployment": ("apps/Deployment", test_replicas.DEPLOYMENTS),
    "StatefulSet": ("apps/StatefulSet", test_replicas.SETS),
    "DaemonSet": ("apps/DaemonSet", test_replicas.DAEMONS),
    "ReplicaSet": ("apps/ReplicaSet", test_replicas.REPLICA_SETS),
    "Job": ("batch/Job", test_jobs.JOBS),
    "Pod": ("Pod", test_jobs.LONE),
    "PersistentVolumeClaim": ("PersistentVolumeClaim", test_workloads.CLAIMS),
}
"""Where the cases of a kind stand."""

_SMALL: dict[str, str] = {
    "Deployment, its controller has not seen the generation": "not seen",
    "Deployment, paused": "paused",
    "Deployment, no ReplicaSet of the new template yet": "no ReplicaSet",
    "Deployment, all pods of the new template are on nodes that are not ready": "no node is ready",
    "Deployment, pods are Ready but not for minReadySeconds": "ready for too short a time",
    "Deployment, pods of the old template are still there": "old pods are still there",
    "Deployment, the others are on nodes that are not ready": "a node is not ready",
    "ReplicaSet, its controller has not seen the generation": "not seen",
    "ReplicaSet, pods are Ready but not for minReadySeconds": "behind",
    "ReplicaSet, there are too many pods": "too many",
    "StatefulSet, its controller has not seen the generation": "not seen",
    "StatefulSet, no revision of the new template yet": "no revision",
    "StatefulSet, pods of an old template hold it up": "old pod is in the way",
    "StatefulSet, pods are Ready but not for minReadySeconds": "ready for too short a time",
    "StatefulSet, there are too many pods": "too many",
    "DaemonSet, its controller has not seen the generation": "never seen",
    "DaemonSet, no revision of the new template yet": "no revision",
    "DaemonSet, pods are Ready but not for minReadySeconds": "ready for too short a time",
    "DaemonSet, the others are on nodes that are not ready": "a node with an old pod is not ready",
    "DaemonSet, no node is to run it": "nowhere",
    "Job, FailureTarget is true": "about to fail",
    "Pod, Failed": "failed",
    "PersistentVolumeClaim, Lost": "lost",
}
"""Rules that no real cluster shows at will, and the cases of the kind's own table that stand for them."""

_PLAIN: dict[str, str] = {
    "Any kind, it is being deleted": "deleted",
    "Kinds without a verdict of their own, its controller has not seen the generation": "built-in kind not seen",
    "Namespace, Terminating": "namespace that goes",
    "Namespace, Active": "namespace",
    "CustomResourceDefinition, Established is false, and not for being installed": "definition not established",
    "CustomResourceDefinition, Established is not true yet": "definition installing",
    "APIService, Available is true": "api service available",
    "PersistentVolume, Failed": "volume failed",
}
"""The same, of kinds that make no pods."""


def _rules() -> dict[str, outcomes.State]:
    """Read the page's rows: kind and what is seen, and the verdict."""
    text = (sources.ROOT / "docs" / "reference" / "health.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {
        f"{kind}, {seen}": outcomes.State(verdict) for kind, seen, verdict in rows if verdict not in {"verdict", "---"}
    }


def _cases() -> dict[str, set[outcomes.State]]:
    """Return the verdicts that each rule has a case for."""
    found: dict[str, set[outcomes.State]] = {}
    for scenario in scenarios.SCENARIOS.values():
        found.setdefault(scenario.rule, set()).add(scenario.state)
    for rule, (case, _) in _CAUSES.items():
        found.setdefault(rule, set()).add(case[2])
    for rule, name in _SMALL.items():
        found.setdefault(rule, set()).add(_TABLES[rule.partition(",")[0]][1][name][2])
    for rule, name in _PLAIN.items():
        found.setdefault(rule, set()).add(test_conditions.CASES[name][2])
    found["Any kind, it is not of the form of its kind"] = {test_workloads.CLAIMS["odd"][2]}
    found["FailedCreate, it was seen"] = {test_replicas.DEPLOYMENTS["no pod may be made"][2]}
    found["Custom resource, of a kind without a status"] = {test_conditions.NO_STATUS.state}
    return found


def test_every_rule_has_its_case() -> None:
    """No row without a case, no case without a row, and they agree on the verdict."""
    assert _cases() == {rule: {state} for rule, state in _rules().items()}


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_recorded(name: str) -> None:
    """What a real cluster showed is judged as it was then."""
    scenario = scenarios.SCENARIOS[name]
    seen = json.loads((_RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    body = seen.pop("object")
    meta = body["metadata"]
    identity = objects.ObjectId(
        objects.group_of(body["apiVersion"]), body["kind"], meta.get("namespace", ""), meta["name"]
    )
    view = views.View(identity, json.dumps(body).encode(), around=cluster.listed(**seen), since=scenario.since)
    found = workloads.verdict(view)
    cause = found.cause.reason if found.cause else ""
    assert (found.state, found.message, cause) == (scenario.state, scenario.message, scenario.cause)


def test_recordings_are_those_of_the_scenarios() -> None:
    """A scenario that is gone leaves no recording behind."""
    assert {file.stem for file in _RECORDED.iterdir()} == set(scenarios.SCENARIOS)


@pytest.mark.parametrize("rule", _CAUSES)
def test_cause_at_its_time(rule: str) -> None:
    """A cause is shown as soon as it is seen, and fails its object at its own time."""
    case, lasted = _CAUSES[rule]
    cluster.check("apps/Deployment" if "Evicted" in rule else "Pod", case, since=lasted)
