"""Pods that are ready and not yet available: ``minReadySeconds`` in every kind. Held against every target."""

from typing import Any

from tests.contract import talking

_LONG = 300


def _status(place: talking.Place, plural: str, key: str, number: int) -> Any:  # noqa: ANN401 - JSON
    """Return an object's status once a count in it, of its present generation, has a value."""

    def there() -> Any:  # noqa: ANN401 - JSON
        found = place.get(plural, "web")
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return status if seen and status.get(key, 0) == number else None

    return talking.until(there, f"{key} is {number}")


def test_deployment_waits_for_availability(place: talking.Place) -> None:
    """Ready pods do not count as available before their time, and no old pod goes for them."""
    place.applied(talking.deployment("web"))
    _status(place, "deployments", "availableReplicas", 1)
    place.applied(talking.deployment("web", "app:2.0", minReadySeconds=_LONG))
    status = _status(place, "deployments", "readyReplicas", 2)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "unavailableReplicas")]
    assert counts == [2, 1, 1]
    assert status["availableReplicas"] == 1  # the old pod: it was never asked for more time
    progressing = {told["type"]: told["reason"] for told in status["conditions"]}["Progressing"]
    assert progressing == "ReplicaSetUpdated"


def test_pods_become_available_in_time(place: talking.Place) -> None:
    """After ``minReadySeconds`` a ready pod counts, and the rollout ends."""
    place.applied(talking.deployment("web", minReadySeconds=1, replicas=2))
    status = _status(place, "deployments", "availableReplicas", 2)
    assert "unavailableReplicas" not in status


def test_stateful_set_waits_for_availability(place: talking.Place) -> None:
    """The next pod is made only when the one before it is available."""
    place.applied(talking.stateful_set("web", minReadySeconds=_LONG))
    status = _status(place, "statefulsets", "readyReplicas", 1)
    assert status.get("availableReplicas", 0) == 0
    assert [pod["metadata"]["name"] for pod in place.listed("pods")] == ["web-0"]


def test_daemon_set_waits_for_availability(place: talking.Place) -> None:
    """Each count has its own meaning."""
    place.applied(talking.daemon_set("web", minReadySeconds=_LONG))
    nodes = len(place.api.call("GET", "/api/v1/nodes").json["items"])
    status = _status(place, "daemonsets", "numberReady", nodes)
    assert status.get("numberAvailable", 0) == 0
    assert status["numberUnavailable"] == nodes


def test_progress_must_have_more_time_than_that(place: talking.Place) -> None:
    """A Deployment that could never be done in time is refused."""
    answer = place.apply(talking.deployment("web", minReadySeconds=600))
    assert answer.status == 422
    [cause] = answer.json["details"]["causes"]
    assert cause["field"] == "spec.progressDeadlineSeconds"
    assert "must be greater than minReadySeconds" in answer.json["message"]
