"""Jobs of a simulated cluster, by a clock that the test sets."""

from typing import Any

import pytest

from fleetctl.sim import behaviours
from tests.unit.sim import small

FAILS = behaviours.Behaviour("*-fail", "fails", after=1)


def _status(cluster: small.Small) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("Job", "web")["status"]
    return found


def test_pauses_between_tries_double() -> None:
    """Ten seconds after the first failure, then twenty, then forty: as the real controller has it."""
    cluster = small.Small(FAILS)
    cluster.applied(small.workload("Job", "app:1-fail", backoffLimit=3))
    tries = []
    for second in range(90):
        tries.append(len(cluster.listed("Pod")))
        assert second == cluster.now - 1_000_000
        cluster.wait(1)
    starts = [tries.index(count) for count in (1, 2, 3, 4)]
    assert starts == [0, 11, 32, 73]
    status = _status(cluster)
    assert status["failed"] == 4
    assert [told["type"] for told in status["conditions"]] == ["FailureTarget", "Failed"]


def test_a_success_ends_the_pause() -> None:
    """What counts is how often it failed since a pod succeeded."""
    cluster = small.Small(FAILS, behaviours.Behaviour(after=2))
    cluster.applied(small.workload("Job", "app:1-fail", backoffLimit=9, completions=5, parallelism=1))
    cluster.wait(1)
    assert len(cluster.listed("Pod")) == 1
    cluster.wait(9)
    assert len(cluster.listed("Pod")) == 1
    cluster.wait(1)
    assert len(cluster.listed("Pod")) == 2


def test_a_deleted_pod_has_failed() -> None:
    """There is no word from it any more, so another takes its place after a pause."""
    cluster = small.Small(behaviours.Behaviour(after=100))
    cluster.applied(small.workload("Job", backoffLimit=1))
    [pod] = cluster.listed("Pod")
    cluster.delete("Pod", pod["metadata"]["name"])
    assert not cluster.listed("Pod")
    assert _status(cluster)["failed"] == 1
    cluster.wait(10)
    assert len(cluster.listed("Pod")) == 1


def test_no_more_pods_than_are_left_to_do() -> None:
    """The last ones run alone; those too many after a change are deleted."""
    cluster = small.Small(behaviours.Behaviour(after=10))
    cluster.applied(small.workload("Job", completions=3, parallelism=2))
    assert _status(cluster)["active"] == 2
    cluster.wait(10)
    assert (_status(cluster)["active"], _status(cluster)["succeeded"]) == (1, 2)
    cluster.wait(10)
    assert _status(cluster)["succeeded"] == 3
    cluster.applied(small.workload("Job", name="other", completions=9, parallelism=4))
    cluster.applied(small.workload("Job", name="other", completions=9, parallelism=1))
    assert cluster.get("Job", "other")["status"]["active"] == 1


@pytest.mark.parametrize(
    ("kind", "spec", "named"),
    [
        ("Job", {"completionMode": "Indexed", "completions": 2}, "completionMode"),
        ("Job", {"podFailurePolicy": {"rules": [{"action": "FailJob"}]}}, "podFailurePolicy"),
        ("StatefulSet", {"ordinals": {"start": 3}}, "ordinals"),
        (
            "StatefulSet",
            {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}},
            "persistentVolumeClaimRetentionPolicy",
        ),
        ("DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}, "maxSurge"),
    ],
)
def test_what_nobody_here_goes_by_is_refused(kind: str, spec: dict[str, Any], named: str) -> None:
    """A field that would be taken and then overlooked would tell tests something wrong."""
    answer = small.Small().apply(small.workload(kind, **spec))
    assert answer.status == 501
    assert answer.json["message"] == f"a simulated cluster does not do {named} of a {kind}"
