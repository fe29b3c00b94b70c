"""Health of Jobs, and of pods of their own."""

from typing import Any

import pytest

from fleetctl.kube import workloads
from fleetctl.model import outcomes
from tests.unit.kube import cluster

CURRENT, PROGRESSING, FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED
TERMINATING = outcomes.State.TERMINATING

CRASHING = ("CrashLoopBackOff", "back-off")


def _job(*told: str, **status: Any) -> cluster.Json:  # noqa: ANN401 - JSON
    conditions = [{"type": kind, "status": "True", "reason": f"Why{kind}", "message": "told"} for kind in told]
    return {
        "metadata": cluster.owned("gateway", ""),
        "spec": {"completions": 2},
        "status": {"conditions": conditions} | status,
    }


EXIT = {"exitCode": 1, "reason": "Error"}
JOBS: dict[str, cluster.Case] = {
    "complete": (_job("SuccessCriteriaMet", "Complete", succeeded=2), {}, CURRENT, "", ""),
    "running": (_job(active=1, succeeded=1), {}, PROGRESSING, "1 of 2 done, 1 running", ""),
    "not started": ({"metadata": {}, "spec": {}}, {}, PROGRESSING, "0 of 1 done", ""),
    "retrying": (
        _job(active=1, failed=3),
        {"pods": [cluster.pod("p", "gateway", waiting=CRASHING, restarts=9)]},
        PROGRESSING,
        "0 of 2 done, 1 running, 3 failed",
        "CrashLoopBackOff",
    ),
    "failed": (
        _job("Failed", failed=7),
        {"pods": [cluster.pod("p", "gateway", phase="Failed", ended=EXIT)]},
        FAILED,
        "0 of 2 done, 7 failed",
        "WhyFailed",
    ),
    "about to fail": (
        _job("FailureTarget", failed=7),
        {},
        PROGRESSING,
        "0 of 2 done, 7 failed",
        "WhyFailureTarget",
    ),
    "image name that will never do": (
        _job(active=1),
        {"pods": [cluster.pod("p", "gateway", waiting=("InvalidImageName", "x"))]},
        FAILED,
        "0 of 2 done, 1 running",
        "InvalidImageName",
    ),
    "suspended": (
        _job("Suspended") | {"spec": {"suspend": True}},
        {},
        CURRENT,
        "suspended: it does not run until somebody resumes it",
        "",
    ),
    "nothing to run at a time": (
        _job() | {"spec": {"parallelism": 0}},
        {},
        CURRENT,
        "parallelism 0: it does not run until somebody raises it",
        "",
    ),
    "no pod may be made": (
        _job(),
        {"events": [cluster.event("gateway", "FailedCreate", "quota")]},
        PROGRESSING,
        "0 of 2 done",
        "FailedCreate",
    ),
    "being deleted": (
        {"metadata": {"deletionTimestamp": "2026-11-27T10:00:00Z"}},
        {},
        TERMINATING,
        "being deleted",
        "",
    ),
}


@pytest.mark.parametrize("case", JOBS.values(), ids=JOBS)
def test_job(case: cluster.Case) -> None:
    """A Job is current when it is complete, not while it runs, and fails when it says so itself."""
    cluster.check("batch/Job", case)


def test_job_says_what_its_pods_died_of() -> None:
    """The limit that was reached explains nothing; the last exit code does."""
    around = cluster.listed(pods=[cluster.pod("p", "gateway", phase="Failed", ended=EXIT)])
    found = workloads.verdict(cluster.view("batch/Job", _job("Failed"), around))
    assert found.cause == outcomes.Cause("WhyFailed", "Job pos/gateway", "told; container gateway: exit code 1 (Error)")


LONE: dict[str, cluster.Case] = {
    "ready": (cluster.pod("gateway", ready=True), {}, CURRENT, "", ""),
    "succeeded": (cluster.pod("gateway", phase="Succeeded", ended={"exitCode": 0}), {}, CURRENT, "", ""),
    "failed": (cluster.pod("gateway", phase="Failed", ended=EXIT), {}, FAILED, "failed", "ContainerExited"),
    "running": (cluster.pod("gateway"), {}, PROGRESSING, "running, not ready", ""),
    "pending": (
        cluster.pod("gateway", unscheduled="0/1 nodes are available: 1 Insufficient cpu."),
        {},
        PROGRESSING,
        "pending",
        "Unschedulable",
    ),
    "not seen": ({"metadata": {}}, {}, PROGRESSING, "not seen by a kubelet yet", ""),
    "being deleted": (cluster.pod("gateway", ready=True, deleted=True), {}, TERMINATING, "being deleted", ""),
}


@pytest.mark.parametrize("case", LONE.values(), ids=LONE)
def test_pod(case: cluster.Case) -> None:
    """A pod of its own is well when it serves or is done."""
    cluster.check("Pod", case)
