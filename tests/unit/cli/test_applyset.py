"""Sets that change hands, on a simulated cluster: what is said and asked, refused, and done."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from fleetctl.sim import faults
from tests.unit.cli import simulated

_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"
_NAMESPACE = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n"
_TOOLING = "applyset.kubernetes.io/tooling"


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[simulated.Shop]:
    """A bundle on one site."""
    with simulated.opened(tmp_path, ("s1",)) as opened:
        opened.write("templates/app/a.yaml.j2", _CONFIG_MAP + _NAMESPACE)
        yield opened


def _json(said: simulated.Said) -> Any:  # noqa: ANN401 - JSON is anything
    assert said.exit_code == 0, said.stderr
    return json.loads(said.stdout)


def test_there_and_back(shop: simulated.Shop) -> None:
    """Each way is done once, says what to do next, and repeats as what it is: nothing to do."""
    shop.rollout()
    said = shop.run("applyset", "handover", "s1", "app", "--yes")
    assert (said.exit_code, said.stderr) == (0, "")
    assert said.stdout == (
        "SIMULATED\n"
        "app at s1 is managed by kubectl now\n"
        "kubectl prunes these as well, when it is not given them: Namespace app\n"
        "Next:  KUBECTL_APPLYSET=true kubectl apply --server-side --prune --applyset=app -n app -f FILES\n"
    )
    found = _json(shop.run("applyset", "handover", "s1", "app", "-y", "-o", "json"))
    assert found == {
        "apiVersion": "fleetctl.dev/v1alpha1",
        "kind": "ApplySet",
        "name": "s1/app",
        "does": "handover",
        "site": "s1",
        "bundle": "app",
        "namespace": "app",
        "outcome": "unchanged",
        "cause": None,
        "tooling": "kubectl/v1.27.0",
        "objects": ["ConfigMap app/settings", "Namespace app"],
        "protected": ["Namespace app"],
    }
    said = shop.run("applyset", "adopt", "s1", "app", "--yes")
    assert said.stdout == (
        "SIMULATED\napp at s1 is managed by fleetctl now\nNext:  fleetctl --sim rollout start app --site s1\n"
    )
    assert "as before" in shop.run("applyset", "adopt", "s1", "app", "--yes").stdout
    assert "1 changed" in shop.rollout().stdout, "what nobody saw since is applied in full"
    assert "1 unchanged" in shop.rollout().stdout


def test_a_set_of_kubectls_is_no_release_of_ours(shop: simulated.Shop) -> None:
    """Neither plan nor run takes what kubectl manages for unchanged."""
    shop.rollout()
    shop.run("applyset", "handover", "s1", "app", "--yes")
    said = shop.run("rollout", "start", "app", "--all", "--yes")
    assert said.exit_code in {6, 7}
    assert "ForeignParent" in said.stdout


def test_nobody_is_asked_without_a_terminal(shop: simulated.Shop) -> None:
    """What would be done is said, and nothing of it is done."""
    shop.rollout()
    said = shop.run("applyset", "handover", "s1", "app")
    assert said.exit_code == 9
    assert "app at s1: 2 objects, managed by fleetctl/" in said.stderr
    assert "[run/needs-confirmation]" in said.stderr
    assert "as before" in shop.run("applyset", "adopt", "s1", "app", "--yes").stdout


def test_what_is_not_there(shop: simulated.Shop) -> None:
    """A site without the set is told from one that has it."""
    for does in ("handover", "adopt"):
        said = shop.run("applyset", does, "s1", "app", "--yes")
        assert (said.exit_code, "[applyset/missing]" in said.stderr) == (9, True)


@pytest.mark.parametrize(
    ("note", "value", "code"),
    [
        (_TOOLING, "helm/v3", "applyset/managed-elsewhere"),
        ("fleetctl.dev/project", "others", "applyset/managed-elsewhere"),
        ("fleetctl.dev/applying", "r1:b r-1 1", "applyset/half-done"),
        ("applyset.kubernetes.io/additional-namespaces", "elsewhere", "applyset/too-wide"),
    ],
)
def test_what_is_not_to_be_handed_over(shop: simulated.Shop, note: str, value: str, code: str) -> None:
    """Another tool's set, another project's, a change under way, and what kubectl could not keep."""
    shop.rollout()
    _annotate(shop, note, value)
    said = shop.run("applyset", "handover", "s1", "app", "--yes")
    assert (said.exit_code, f"[{code}]" in said.stderr) == (9, True)


def test_a_site_that_does_not_answer(shop: simulated.Shop) -> None:
    """Out of reach is 4 and refused is 6, as of a run; neither is an error of the command."""
    shop.rollout()
    assert shop.fleet
    shop.fleet.suffer("s1", faults.Fault(refuse=True))
    said = shop.run("applyset", "handover", "s1", "app", "--yes")
    assert (said.exit_code, "s1 unreachable: ConnectionRefused" in said.stdout) == (4, True)
    shop.fleet.suffer("s1", faults.Fault(status=403))
    found = shop.run("applyset", "adopt", "s1", "app", "--yes", "-o", "json")
    assert (found.exit_code, json.loads(found.stdout)["outcome"]) == (6, "failed")


def test_another_cluster_is_left_alone(shop: simulated.Shop) -> None:
    """The cluster behind an address must be the one that was there before."""
    shop.rollout()
    cluster = shop.cluster("s1")
    found = next(one for one in cluster.store.of("", "Namespace") if one["metadata"]["name"] == "kube-system")
    found["metadata"]["uid"] = "another"
    said = shop.run("applyset", "handover", "s1", "app", "--yes")
    assert (said.exit_code, "s1 failed: AnotherCluster" in said.stdout) == (6, True)


def _annotate(shop: simulated.Shop, note: str, value: str) -> None:
    """Write a note on the parent by force, as somebody."""
    cluster = shop.cluster("s1")
    headers = {"authorization": f"Bearer {cluster.token}", "content-type": "application/apply-patch+yaml"}
    metadata = {"name": "app", "namespace": "app", "annotations": {note: value}}
    body = json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}).encode()
    path = "/api/v1/namespaces/app/secrets/app?fieldManager=somebody&force=true"
    assert cluster.answer("PATCH", path, headers, body)[0] == 200
