"""What counts as drift and what does not, on a real API server and with real kubectl: by metadata, and by a dry-run."""

import asyncio
import json
import pathlib
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest

from fleetctl.kube import answers, applysets, client, curl, drift, endpoints
from fleetctl.model import objects, problems
from tests.contract import talking
from tests.integration import shops
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

MANAGER = "fleetctl:app"
CHANGED = "(masked)", "(masked, changed)"

Fields = dict[str, tuple[object, object, tuple[str, ...]]]


class Site(NamedTuple):
    """A namespace of a real cluster, reached as fleetctl reaches it and by kubectl."""

    place: talking.Place
    config: pathlib.Path

    @property
    def set_id(self) -> str:
        """The id of the set of a bundle that has its home here."""
        return applysets.set_id("app", self.place.namespace)

    def sent(self, body: dict[str, Any]) -> bytes:
        """Return an object as a rollout sends it."""
        placed = {**body, "metadata": {**body["metadata"], "namespace": self.place.namespace}}
        return applysets.member(json.dumps(placed).encode(), self.set_id)

    def apply(self, body: dict[str, Any]) -> None:
        """Apply an object as a rollout does."""
        self.place.applied(json.loads(self.sent(body)), MANAGER)

    def kubectl(self, *words: str, given: object = None) -> None:
        """Do something by hand, which must succeed."""
        command = [shutil.which("kubectl") or "kubectl", f"--kubeconfig={self.config}", "-n", self.place.namespace]
        text = None if given is None else json.dumps(given)
        done = subprocess.run([*command, *words], check=False, capture_output=True, text=True, input=text, timeout=60)
        assert done.returncode == 0, done.stderr

    def ask(self, question: Callable[[client.Client], Awaitable[Any]]) -> Any:  # noqa: ANN401 - what it returns
        """Ask the API server something as fleetctl does."""

        async def work() -> Any:  # noqa: ANN401 - as above
            async with curl.CurlTransport() as wire:
                endpoint = endpoints.Endpoints().endpoint([self.config], None)
                with client.Client(wire.session(endpoint)) as api:
                    return await question(api)

        return asyncio.run(work())

    def look(self, body: dict[str, Any]) -> drift.Seen:
        """Ask what an apply would change."""
        path = self.place.path(talking.plural(body["kind"]), body["metadata"]["name"])
        seen: drift.Seen = self.ask(lambda api: drift.look(api, path, self.sent(body), MANAGER))
        return seen

    def glance(self, body: dict[str, Any]) -> drift.Glance:
        """Go by the metadata of the set, for one object; the release was written down long after."""
        kind, name = body["kind"], body["metadata"]["name"]
        path = self.place.path(talking.plural(kind))
        label = f"{applysets.PART_OF}={self.set_id}"
        items = self.ask(lambda api: api.items(path, label_selector=label, metadata_only=True))
        identity = objects.ObjectId(objects.group_of(body["apiVersion"]), kind, self.place.namespace, name)
        found = []
        for item in items:
            meta = json.loads(item)["metadata"]
            one = objects.ObjectId(identity.group, kind, meta["namespace"], meta["name"])
            found.append(applysets.Member(one, answers.Meta(uid=meta["uid"]), "", "", item))
        return drift.glance({identity: self.sent(body)}, found, MANAGER, "9999-01-01T00:00:00Z")


@pytest.fixture(params=clusters.MINORS)
def site(kubebox: clusters.Fleet, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A namespace of its own for each test, on a cluster of each minor."""
    cluster = kubebox.cluster(request.param)
    clusters.write_kubeconfig(tmp_path / "kubeconfig", {"one": cluster})
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower()).strip("-")[-50:]
    place = talking.Place.made(cluster.api(), f"drift-{name.strip('-')}")
    yield Site(place, tmp_path / "kubeconfig")
    cluster.api().call("DELETE", f"/api/v1/namespaces/{place.namespace}")


def deployment(**spec: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a Deployment has
    """Return a Deployment that leaves much to defaults, and writes much otherwise than the server does."""
    body = talking.deployment("web", **spec)
    pod = body["spec"]["template"]["spec"]
    pod["containers"][0] |= {
        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": "2.0"}},
        "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
        "env": [{"name": "COLOR", "value": "red"}],
        "command": ["run", "--fast"],
    }
    pod["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    return body


def service() -> dict[str, Any]:
    """Return a Service with a port as short as it can be."""
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def secret(field: str) -> dict[str, Any]:
    """Return a Secret whose values stand in a field."""
    value = "aGVsbG8=" if field == "data" else "hello"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, field: {"a": value}}


CONTAINER = '.spec.template.spec.containers[name="app"]'
SIDECAR = {"name": "proxy", "image": "proxy:1.0"}
OTHER = {"name": "other", "image": "other:1.0"}


class Story(NamedTuple):
    """What is applied, what somebody does by hand, and which of our fields differ then: live, wanted, and whose."""

    body: dict[str, Any]
    by_hand: tuple[tuple[str, ...], ...]
    fields: Fields
    given: object = None


def _strategic(patch: object, *words: str) -> tuple[str, ...]:
    return ("patch", "deployment", "web", *words, "-p", json.dumps(patch))


STORIES = {
    "nothing": Story(deployment(), (), {}),
    "service defaults": Story(service(), (), {}),
    "scale": Story(
        deployment(replicas=1),
        (("scale", "deployment/web", "--replicas=3"),),
        {".spec.replicas": (3, 1, ("kubectl",))},
    ),
    "scale of what we leave open": Story(
        {**deployment(), "spec": {k: v for k, v in deployment()["spec"].items() if k != "replicas"}},
        (("scale", "deployment/web", "--replicas=3"),),
        {},
    ),
    "rollout restart": Story(deployment(), (("rollout", "restart", "deployment/web"),), {}),
    "rollout pause": Story(deployment(), (("rollout", "pause", "deployment/web"),), {}),
    "annotate": Story(deployment(), (("annotate", "deployment/web", "team=night"),), {}),
    "label over ours": Story(
        talking.config_map("one", {"a": "1"}, labels={"tier": "shop"}),
        (("label", "configmap/one", "--overwrite", "tier=other"),),
        {".metadata.labels.tier": ("other", "shop", ("kubectl-label",))},
    ),
    "set image": Story(
        deployment(),
        (("set", "image", "deployment/web", "app=app:2.0"),),
        {f"{CONTAINER}.image": ("app:2.0", "app:1.0", ("kubectl-set",))},
    ),
    "set env over ours": Story(
        deployment(),
        (("set", "env", "deployment/web", "COLOR=blue"),),
        {f'{CONTAINER}.env[name="COLOR"].value': ("blue", "red", ("kubectl-set",))},
    ),
    "set env beside ours": Story(deployment(), (("set", "env", "deployment/web", "SIZE=big"),), {}),
    "a command that is ours": Story(
        deployment(),
        (
            _strategic(
                {"spec": {"template": {"spec": {"containers": [{"name": "app", "command": ["run"]}]}}}},
                "--field-manager=night-shift",
            ),
        ),
        {f"{CONTAINER}.command": (["run"], ["run", "--fast"], ("night-shift",))},
    ),
    "the same quantity in other words": Story(
        deployment(), (("set", "resources", "deployment/web", "--requests=cpu=1,memory=1Gi"),), {}
    ),
    "another quantity": Story(
        deployment(),
        (("set", "resources", "deployment/web", "--requests=cpu=1500m,memory=1Gi"),),
        {f"{CONTAINER}.resources.requests.cpu": ("1500m", "1", ("kubectl-set",))},
    ),
    "an injected sidecar": Story(
        deployment(),
        (_strategic({"spec": {"template": {"spec": {"containers": [SIDECAR]}}}}, "--field-manager=mesh"),),
        {},
    ),
    "an applied sidecar": Story(
        deployment(),
        (("apply", "--server-side", "--field-manager=mesh", "-f", "-"),),
        {},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"template": {"spec": {"containers": [SIDECAR]}}},
        },
    ),
    "a container that is gone": Story(
        deployment(),
        (
            (
                "patch",
                "deployment",
                "web",
                "--type=json",
                "-p",
                f'[{{"op": "replace", "path": "/spec/template/spec/containers", "value": [{json.dumps(OTHER)}]}}]',
            ),
        ),
        {
            CONTAINER: (
                None,
                {
                    "name": "app",
                    "image": "app:1.0",
                    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}},
                    "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
                    "env": [{"name": "COLOR", "value": "red"}],
                    "command": ["run", "--fast"],
                },
                (),
            )
        },
    ),
    "a port that is gone": Story(
        deployment(),
        (
            (
                "patch",
                "deployment",
                "web",
                "--type=json",
                "-p",
                '[{"op": "remove", "path": "/spec/template/spec/containers/0/ports/1"}]',
            ),
        ),
        {f'{CONTAINER}.ports[containerPort=53,protocol="UDP"]': (None, {"containerPort": 53, "protocol": "UDP"}, ())},
    ),
    "a key that is gone": Story(
        talking.config_map("one", {"a": "1", "b.yaml": "2"}),
        (("patch", "configmap", "one", "--type=json", "-p", '[{"op": "remove", "path": "/data/b.yaml"}]'),),
        {".data.b.yaml": (None, "2", ())},
    ),
    "a key of another": Story(
        talking.config_map("one", {"a": "1"}), (("patch", "configmap", "one", "-p", '{"data": {"z": "26"}}'),), {}
    ),
    "a label of the set that is gone": Story(
        talking.config_map("one", {"a": "1"}),
        (("label", "configmap/one", f"{applysets.PART_OF}-"),),
        {f".metadata.labels.{applysets.PART_OF}": (None, "SET", ())},
    ),
    "a selector of a service": Story(
        service(),
        (("patch", "service", "web", "-p", '{"spec": {"selector": {"extra": "1"}}}', "--field-manager=x"),),
        {".spec.selector": ({"app": "web", "extra": "1"}, {"app": "web"}, ("x",))},
    ),
    "the data of a secret": Story(
        secret("data"),
        (("patch", "secret", "key", "-p", '{"stringData": {"a": "stolen"}}', "--field-manager=x"),),
        {".data.a": (*CHANGED, ("x",))},
    ),
    "the text of a secret": Story(
        secret("stringData"),
        (("patch", "secret", "key", "-p", '{"stringData": {"a": "stolen"}}', "--field-manager=x"),),
        {".data.a": (*CHANGED, ("x",))},
    ),
    "a secret as it was": Story(secret("data"), (), {}),
    "a secret of text as it was": Story(secret("stringData"), (), {}),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_is_drift(site: Site, name: str) -> None:
    """Of what somebody did by hand, exactly our own fields differ, and their managers are named.

    Metadata alone tell the same: that something is to be looked at, or that nothing is. Of what a Secret was sent as
    text they tell nothing, so that it is always looked at.
    """
    story = STORIES[name]
    site.apply(story.body)
    for words in story.by_hand:
        site.kubectl(*words, given=story.given)
    seen = site.look(story.body)
    absent = problems.NOTHING
    found = {one.path: (one.live, one.wanted, one.managers) for one in seen.fields}
    expected = {
        path: (absent if live is None else live, site.set_id if wanted == "SET" else wanted, whose)
        for path, (live, wanted, whose) in story.fields.items()
    }
    assert found == expected
    assert seen.found == ("differs" if expected else "same")
    glance = site.glance(story.body)
    assert bool(glance.suspect or glance.missing) == bool(expected or "stringData" in story.body)
    assert "stolen" not in str(seen)
    assert "aGVsbG8" not in str(seen)


def test_asking_changes_nothing(shop: shops.Shop) -> None:
    """What differs at real clusters is told before and after a rollout, and by hand; no resourceVersion moves by it."""
    shop.release("1.0.0", *shops.standard())
    first = shop.run("diff", "app", "--against", "live", "-o", "json", code=1).json["items"]
    assert [one["verb"] for one in first[0]["objects"]] == ["+"] * 6
    shop.start()
    shop.kubectl("store-2", "-n", shop.namespace, "scale", "deployment/web", "--replicas=3")
    shop.kubectl("store-3", "-n", shop.namespace, "delete", "configmap", "greeting")
    shop.kubectl("store-4", "-n", shop.namespace, "annotate", "service", "web", "team=night")
    talking.until(lambda: _settled(shop), "the controllers have seen what was done by hand")
    before = {site: shops.versions(shop.place(site)) for site in shops.SITES}
    items = shop.run("diff", "app", "--against", "live", "-o", "json", code=1).json["items"]
    told = {tuple(one["sites"]): [(o["verb"], o["object"], o.get("fields")) for o in one["objects"]] for one in items}
    field = {"path": ".spec.replicas", "live": 3, "wanted": 2, "managers": ["kubectl"]}
    assert told == {
        ("store-2",): [("~", f"Deployment {shop.namespace}/web", [field])],
        ("store-3",): [("+", f"ConfigMap {shop.namespace}/greeting", None)],
        ("store-1", "store-4", "store-5", "store-6"): [],
    }
    shop.release("1.1.0", *shops.standard("app:1.1")[1:])
    changed = shop.run("diff", "app", "--against", "live", "-o", "json", code=1).json["items"]
    assert ("~", f"Deployment {shop.namespace}/web") in [(o["verb"], o["object"]) for o in changed[0]["objects"]]
    assert {site: shops.versions(shop.place(site)) for site in shops.SITES} == before


def _settled(shop: shops.Shop) -> bool:
    """Tell whether the scaled Deployment has all its pods, after which nobody writes its status any more."""
    status = shop.place("store-2").get("deployments", "web")["status"]
    return bool(status.get("availableReplicas") == status.get("updatedReplicas") == 3)
