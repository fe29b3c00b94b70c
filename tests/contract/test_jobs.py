"""How Jobs run: side by side, again after a pause, not at all, not for too long. Held against every target."""

import datetime as dt
from typing import Any

from tests.contract import talking


def _conditions(place: talking.Place) -> dict[str, dict[str, Any]]:
    return {told["type"]: told for told in place.get("jobs", "once").get("status", {}).get("conditions", ())}


def _until(place: talking.Place, condition: str, status: str = "True") -> Any:  # noqa: ANN401 - JSON
    """Return the Job's status once a condition has come."""
    talking.until(lambda: _conditions(place).get(condition, {}).get("status") == status, f"{condition} is {status}")
    return place.get("jobs", "once")["status"]


def test_pods_run_side_by_side(place: talking.Place) -> None:
    """No more than ``parallelism`` at a time, until as many as ``completions`` have done their work."""
    place.applied(talking.job("once", completions=3, parallelism=2))
    status = _until(place, "Complete")
    assert (status["succeeded"], status.get("active", 0), status["ready"]) == (3, 0, 0)
    assert "failed" not in status
    assert status["completionTime"] >= status["startTime"]
    assert {told["reason"] for told in _conditions(place).values()} == {"CompletionsReached"}
    pods = place.listed("pods", labelSelector="batch.kubernetes.io/job-name=once")
    uid = place.get("jobs", "once")["metadata"]["uid"]
    assert len(pods) == 3
    for pod in pods:
        assert pod["status"]["phase"] == "Succeeded"
        labels = pod["metadata"]["labels"]
        assert (labels["job-name"], labels["controller-uid"]) == ("once", uid)
        assert labels["batch.kubernetes.io/controller-uid"] == uid


def test_failed_pods_are_tried_again_after_a_pause(place: talking.Place) -> None:
    """Ten seconds after the first failure, and no more often than ``backoffLimit`` says; the pods stay to be seen."""
    place.applied(talking.job("once", "app:1.0-fail", backoffLimit=1))
    status = _until(place, "Failed")
    assert _conditions(place)["Failed"]["reason"] == "BackoffLimitExceeded"
    assert _conditions(place)["FailureTarget"]["status"] == "True"
    assert (status["failed"], status.get("active", 0)) == (2, 0)
    made = sorted(dt.datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in place.listed("pods"))
    assert len(made) == 2
    assert (made[1] - made[0]).total_seconds() >= 10


def test_suspended_job_deletes_its_pods_and_goes_on(place: talking.Place, target: str) -> None:
    """Suspending deletes the pods that run; when it goes on, its time begins anew.

    From Kubernetes 1.36 on a suspended Job has no startTime (KEP-5440); before, it keeps the old one till it goes on.
    """
    place.applied(talking.job("once", "app:1.0-slow60", parallelism=2, completions=2))
    talking.until(lambda: len(place.listed("pods")) == 2, "both pods are there")
    place.applied(talking.job("once", "app:1.0-slow60", parallelism=2, completions=2, suspend=True))
    status = _until(place, "Suspended")
    assert _conditions(place)["Suspended"]["reason"] == "JobSuspended"
    assert "active" not in status
    assert ("startTime" in status) is (target == "kubebox-1.34")
    assert "failed" not in status  # it was not their fault
    talking.until(lambda: not place.listed("pods"), "the pods are gone")
    place.applied(talking.job("once", "app:1.0-slow60", parallelism=2, completions=2, suspend=False))
    status = _until(place, "Suspended", "False")
    assert status["startTime"]
    assert _conditions(place)["Suspended"]["reason"] == "JobResumed"


def test_job_that_takes_too_long_is_ended(place: talking.Place) -> None:
    """After ``activeDeadlineSeconds`` the pods that run are deleted, and count as failed."""
    place.applied(talking.job("once", "app:1.0-slow60", activeDeadlineSeconds=1))
    status = _until(place, "Failed")
    assert _conditions(place)["Failed"]["reason"] == "DeadlineExceeded"
    assert (status["failed"], status.get("active", 0)) == (1, 0)
    talking.until(lambda: not place.listed("pods"), "the pod is gone")


def test_parallelism_of_0_waits(place: talking.Place) -> None:
    """Nothing runs, and nothing is told, until it is raised."""
    place.applied(talking.job("once", parallelism=0))
    talking.until(lambda: "startTime" in place.get("jobs", "once").get("status", {}), "it was seen")
    assert not _conditions(place)
    assert not place.listed("pods")
    place.applied(talking.job("once", parallelism=1))
    assert _until(place, "Complete")["succeeded"] == 1


def test_fewer_at_a_time_is_no_failure(place: talking.Place) -> None:
    """Pods beyond a smaller ``parallelism`` are deleted, and do not count as failed."""
    place.applied(talking.job("once", "app:1.0-slow60", completions=3, parallelism=2))
    talking.until(lambda: place.get("jobs", "once").get("status", {}).get("active") == 2, "two run")
    place.applied(talking.job("once", "app:1.0-slow60", completions=3, parallelism=1))
    talking.until(lambda: place.get("jobs", "once")["status"].get("active") == 1, "one runs")
    talking.until(lambda: len(place.listed("pods")) == 1, "the other is gone")
    assert "failed" not in place.get("jobs", "once")["status"]


def test_deleted_pod_has_failed(place: talking.Place) -> None:
    """A pod that somebody deletes before it ended has failed: there is no word from it any more."""
    place.applied(talking.job("once", "app:1.0-slow60"))
    pod = talking.until(lambda: place.listed("pods"), "it runs")[0]
    assert place.delete("pods", pod["metadata"]["name"]).status == 200
    assert _until(place, "Failed")["failed"] == 1


def test_work_queue_ends_with_its_pods(place: talking.Place) -> None:
    """Without ``completions`` a Job is complete when one pod succeeded and the others have ended."""
    made = place.applied(talking.job("once", parallelism=2))
    assert "completions" not in made["spec"]
    assert _until(place, "Complete")["succeeded"] == 2


def test_crashes_in_place_count_too(place: talking.Place) -> None:
    """With ``OnFailure`` a pod starts again by itself; as many restarts as ``backoffLimit`` end the Job."""
    body = talking.job("once", "app:1.0-crash", backoffLimit=2)
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    place.applied(body)
    _until(place, "Failed")
    assert _conditions(place)["Failed"]["reason"] == "BackoffLimitExceeded"
