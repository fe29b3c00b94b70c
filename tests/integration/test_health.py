"""Verdicts on a real cluster: each scenario is applied, and its verdict has to come.

``FLEETCTL_WRITE_CASES=1`` keeps what the cluster of the newer minor showed, for ``tests/unit/kube/test_health.py``.
"""

import json
import os
import pathlib
from typing import Any

import pytest

from fleetctl.kube import surroundings, views, workloads
from fleetctl.model import objects, outcomes
from tests.contract import plainhttp, talking
from tests.kubebox import clusters
from tests.unit.kube import cluster, scenarios

_RECORDED = pathlib.Path(scenarios.__file__).with_name("recorded")


class _Stage:
    """A scenario in a namespace of its own."""

    def __init__(self, api: plainhttp.Api, name: str, scenario: scenarios.Scenario) -> None:
        self._api = api
        self._scenario = scenario
        self._namespace = f"health-{name}"
        self.seen: dict[str, Any] = {}
        """What the cluster showed when it was judged last."""
        talking.Place.made(api, self._namespace)

    def _path(self, body: scenarios.Json) -> str:
        return f"/{scenarios.PATHS[body['kind']].format(self._namespace)}/{body['metadata']['name']}"

    def apply(self, body: scenarios.Json) -> None:
        """Apply an object; one of a kind that is only being made known is tried again."""

        def applied() -> bool:
            path = f"{self._path(body)}?fieldManager=test&fieldValidation=Strict"
            answer = self._api.call("PATCH", path, body, content=plainhttp.APPLY)
            assert answer.status in {200, 201, 404}, answer.text
            return answer.status != 404

        talking.until(applied, f"the cluster knows {body['kind']}")

    def clean(self) -> None:
        """Take away what lies outside namespaces and would be in others' way."""
        for body in reversed(self._scenario.objects):
            if "{}" not in scenarios.PATHS[body["kind"]] and body["metadata"]["name"] not in scenarios.SHARED:
                assert self._api.call("DELETE", self._path(body)).status in {200, 404}

    def tell(self, status: scenarios.Json) -> None:
        """Write a status, as a controller would."""
        path = f"{self._path(self._scenario.objects[-1])}/status"
        answer = self._api.call("PATCH", path, {"status": status}, content="application/merge-patch+json")
        assert answer.status == 200, answer.text

    def verdict(self) -> outcomes.Verdict:
        """Look once."""
        judged = self._scenario.then or self._scenario.objects[-1]
        answer = self._api.call("GET", self._path(judged))
        group = objects.group_of(judged["apiVersion"])
        identity = objects.ObjectId(group, judged["kind"], self._namespace, judged["metadata"]["name"])
        self.seen = {"object": _bare(answer.json)}
        for name, collection in cluster.LISTS.items():
            if collection in workloads.needs(identity, unwell=True):
                self.seen[name] = self._listed(collection)
        around = cluster.listed(**{name: items for name, items in self.seen.items() if name != "object"})
        body = json.dumps(self.seen["object"]).encode()
        return workloads.verdict(views.View(identity, body, around=around, since=self._scenario.since))

    def _listed(self, collection: surroundings.List) -> list[Any]:
        plural = f"{collection.kind.lower()}{'es' if collection.kind.endswith('s') else 's'}"
        root = f"/apis/{collection.api_version}" if "/" in collection.api_version else f"/api/{collection.api_version}"
        inside = f"/namespaces/{self._namespace}" if collection.namespaced else ""
        answer = self._api.call("GET", f"{root}{inside}/{plural}")
        assert answer.status == 200, answer.text
        return [_bare(item) for item in answer.json["items"]]


def _bare(found: Any) -> Any:  # noqa: ANN401 - JSON
    found["metadata"].pop("managedFields", None)
    return found


@pytest.mark.parametrize("minor", clusters.MINORS)
@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_verdict_comes(kubebox: clusters.Fleet, request: pytest.FixtureRequest, name: str, minor: str) -> None:
    """The state, the message and the reason of the cause, as soon as controllers and nodes have done their part."""
    scenario = scenarios.SCENARIOS[name]
    stage = _Stage(kubebox.cluster(minor).api(), name, scenario)
    request.addfinalizer(stage.clean)
    for body in scenario.objects:
        stage.apply(body)
    if scenario.status is not None:
        stage.tell(scenario.status)
    if scenario.then is not None:
        talking.until(lambda: stage.verdict().state is outcomes.State.CURRENT, "the first is current")
        stage.apply(scenario.then)
    seen: list[outcomes.Verdict] = []

    def comes() -> bool:
        found = stage.verdict()
        seen.append(found)
        cause = found.cause.reason if found.cause else ""
        return (found.state, found.message, cause) == (scenario.state, scenario.message, scenario.cause)

    try:
        talking.until(comes, "the verdict comes")
    except AssertionError:
        pytest.fail(f"it is {seen[-1]}")
    if os.environ.get("FLEETCTL_WRITE_CASES") and minor == clusters.MINORS[0]:
        text = json.dumps(stage.seen, indent=1, sort_keys=True)
        (_RECORDED / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
