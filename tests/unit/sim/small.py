"""One simulated cluster without a wire, with a clock that tests set, spoken to as the server is."""

import json
import urllib.parse
from typing import Any, NamedTuple

from fleetctl.sim import behaviours, clusters, kinds
from tests.contract import talking

__all__ = ["APPLY", "NAMESPACE", "Answer", "Small", "workload"]

APPLY = "application/apply-patch+yaml"
NAMESPACE = "shop"
_TOKEN = "t"  # noqa: S105 - a simulated cluster's
_MAKE = {
    "DaemonSet": talking.daemon_set,
    "Deployment": talking.deployment,
    "Job": talking.job,
    "StatefulSet": talking.stateful_set,
}


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body, decoded."""
        return json.loads(self.body)


class Small:
    """A cluster with one namespace."""

    def __init__(self, *rules: behaviours.Behaviour, nodes: tuple[str, ...] = ("n0",), name: str = "s") -> None:
        """Make it; images without a rule are ready after a second."""
        self.now = 1_000_000.0
        self.cluster = clusters.Cluster(name, lambda: self.now, behaviours.Behaviours(rules), _TOKEN, nodes)
        self.applied({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})

    def call(self, method: str, target: str, body: object = None, content: str = APPLY, accept: str = "") -> Answer:
        """Send a request; a body that is no bytes is sent as JSON."""
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {_TOKEN}", "content-type": content, "accept": accept}
        return Answer(*self.cluster.answer(method, target, headers, raw)[:2])

    def path(self, kind: str, name: str = "", /, **query: object) -> str:
        """Return where a kind's objects lie, or one of them."""
        found = next(one for one in kinds.RESOURCES if one.kind == kind)
        path = f"/apis/{found.api_version}" if found.group else f"/api/{found.version}"
        if found.namespaced:
            path += f"/namespaces/{NAMESPACE}"
        path += f"/{found.plural}" + (f"/{urllib.parse.quote(name, safe='')}" if name else "")
        return f"{path}?{urllib.parse.urlencode(query)}" if query else path

    def apply(self, body: dict[str, Any], manager: str = "a", **query: object) -> Answer:
        """Apply an object."""
        options: dict[str, object] = {"fieldManager": manager, "fieldValidation": "Strict", **query}
        return self.call("PATCH", self.path(body["kind"], body["metadata"]["name"], **options), body)

    def applied(self, body: dict[str, Any], manager: str = "a", **query: object) -> Any:  # noqa: ANN401 - JSON
        """Apply an object, which must succeed, and return it."""
        answer = self.apply(body, manager, **query)
        assert answer.status in {200, 201}, answer.body
        return answer.json

    def get(self, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return an object, which must be there."""
        answer = self.call("GET", self.path(kind, name))
        assert answer.status == 200, answer.body
        return answer.json

    def listed(self, kind: str, **query: object) -> list[Any]:
        """Return all objects of a kind."""
        answer = self.call("GET", self.path(kind, **query))
        assert answer.status == 200, answer.body
        items: list[Any] = answer.json["items"]
        return items

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, which must be there."""
        assert self.call("DELETE", self.path(kind, name)).status == 200

    def wait(self, seconds: float) -> None:
        """Let time go by; nobody looks meanwhile."""
        self.now += seconds

    def images(self) -> dict[str, str]:
        """Return the image of each pod's first container."""
        return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in self.listed("Pod")}

    def ready(self) -> int:
        """Return how many pods are ready."""
        return sum(
            one["type"] == "Ready" and one["status"] == "True"
            for pod in self.listed("Pod")
            for one in pod["status"].get("conditions", ())
        )

    def dump(self) -> bytes:
        """Return everything that is there, as of now."""
        self.call("GET", self.path("Pod"))
        found = [[one.kind, self.cluster.store.listed(one, "")] for one in kinds.RESOURCES]
        return json.dumps(found, sort_keys=True).encode()


def workload(kind: str = "Deployment", image: str = "app:1", *, name: str = "web", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a workload with one container, ``app``."""
    return _MAKE[kind](name, image, **spec)
