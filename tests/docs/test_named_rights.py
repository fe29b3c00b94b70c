"""The ClusterRole of docs/reference/cluster.md and what our code says that a visit needs are the same."""

import pathlib
import re
from typing import Any

import msgspec
import yaml

from fleetctl.kube import needs, rights
from fleetctl.model import objects, releases
from tests.architecture import sources

_PAGE = sources.ROOT / "docs" / "reference" / "cluster.md"
_KINDS = {
    "Namespace": "v1",
    "Secret": "v1",
    "ConfigMap": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
}
_SERVED = {
    (objects.group_of(version), kind): (f"{kind.lower()}s", kind != "Namespace") for kind, version in _KINDS.items()
}


def _role(page: pathlib.Path) -> list[rights.Rule]:
    text = re.search(r"```yaml\n(.*?kind: ClusterRole\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert text, "the page has no ClusterRole"
    return msgspec.convert(yaml.safe_load(text.group(1))["rules"], type=list[rights.Rule])


def _release(suffix: str, *more: tuple[str, str]) -> releases.Release:
    made = []
    for kind, version in (*_KINDS.items(), *more):
        namespace = "" if kind == "Namespace" else "pos"
        body: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": f"pos-{suffix}"}}
        identity = objects.ObjectId(objects.group_of(version), kind, namespace, f"pos-{suffix}")
        made.append(releases.RenderedObject(identity, msgspec.json.encode(body), "a.yaml.j2"))
    return releases.Release("s1", "pos", "1", releases.digest(made), tuple(made))


def _wanted() -> list[needs.Need]:
    """Return what a bundle of the page's kinds needs when it is installed, changed and taken off."""
    old, new = _release("old"), _release("new", ("PersistentVolumeClaim", "v1"))
    steps = [
        needs.Step("pos", "pos", None, new),
        needs.Step("pos", "pos", old, new, parent=True),
        needs.Step("pos", "pos", new, None, parent=True),
    ]
    return [need for step in steps for need in needs.of(step, _SERVED)]


def test_the_role_grants_what_is_needed() -> None:
    """Nothing that we would tell as missing is missing from the page."""
    rules = _role(_PAGE)
    assert [one for one in _wanted() if not any(rights.grants(rule, one) for rule in rules)] == []


def test_the_role_grants_nothing_else() -> None:
    """Each verb on each resource of the page is needed for something."""
    wanted = {(one.verb, one.group, one.resource) for one in _wanted()}
    granted = {
        (verb, group, resource)
        for rule in _role(_PAGE)
        for verb in rule.verbs
        for group in rule.api_groups
        for resource in rule.resources
    }
    assert granted - wanted == set()
