"""The shipped definitions: which minors, which kinds, and what is said of kinds that are not there."""

import gzip
import hashlib
import pathlib

import pytest

from fleetctl.model import objects
from fleetctl.openapi import minors

ROOM = pathlib.Path(minors.__file__).parent


def test_shipped_minors_are_in_order() -> None:
    """The minors come oldest first, by number and not by text, and four of them."""
    assert minors.shipped() == ("1.34", "1.35", "1.36", "1.37")


def test_the_notice_is_of_this_data() -> None:
    """kubernetes.txt states the licence, the sources of every minor, and the hash of the very data beside it."""
    notice = (ROOM / "kubernetes.txt").read_text(encoding="utf-8")
    text = gzip.decompress((ROOM / "kubernetes.json.gz").read_bytes())
    assert hashlib.sha256(text).hexdigest() in notice
    assert "Apache License, Version 2.0" in notice
    for name in minors.shipped():
        assert f"k8s.io/kubernetes {minors.get(name).version}  h1:" in notice


def test_the_data_is_small() -> None:
    """All minors together stay far below what a wheel notices."""
    assert (ROOM / "kubernetes.json.gz").stat().st_size < 100_000


@pytest.mark.parametrize("name", minors.shipped())
def test_scopes_are_those_of_the_model(name: str) -> None:
    """What the model knows by heart about kinds and scopes is what Kubernetes says; Events count once."""
    for (api_version, kind), found in minors.get(name).kinds.items():
        key = objects.group_of(api_version), kind
        if key == ("events.k8s.io", "Event"):
            continue
        assert key in objects.BUILT_IN
        assert (key not in objects.CLUSTER_SCOPED) is found.namespaced, key


def test_the_model_knows_no_kind_that_is_gone() -> None:
    """Every kind of the model is in one of the shipped minors."""
    known = {(objects.group_of(version), kind) for name in minors.shipped() for version, kind in minors.get(name).kinds}
    assert known >= objects.BUILT_IN


@pytest.mark.parametrize("name", minors.shipped())
def test_every_reference_leads_somewhere(name: str) -> None:
    """Every definition that a schema refers to is there."""
    minor = minors.get(name)
    waiting = {kind.definition for kind in minor.kinds.values()}
    seen: set[str] = set()
    while waiting:
        one = waiting.pop()
        seen.add(one)
        schema = minor.schema(one)
        assert schema or one.endswith((".JSON", ".JSONSchemaPropsOrArray", "OrBool", "OrStringArray")), one
        waiting |= _references(schema) - seen


def _references(schema: object) -> set[str]:
    if isinstance(schema, list):
        return {name for inner in schema for name in _references(inner)}
    if not isinstance(schema, dict):
        return set()
    here = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return here.union(*(_references(inner) for inner in schema.values()))


def test_list_map_keys_are_there() -> None:
    """Lists that are maps say by which keys, and int-or-string keeps its format."""
    minor = minors.get("1.36")
    containers = minor.schema("io.k8s.api.core.v1.PodSpec")["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert minor.schema("io.k8s.apimachinery.pkg.util.intstr.IntOrString")["format"] == "int-or-string"


@pytest.mark.parametrize(
    ("version", "minor"),
    [
        ("v1.36.3+k3s1", "1.36"),
        ("1.36/stable", "1.36"),
        ("1.36-strict/stable", "1.36"),
        ("v1.36", "1.36"),
        ("1.4", "1.4"),
        ("v1.40.0", "1.40"),
        ("latest/stable", None),
        ("v1", None),
        ("", None),
        (None, None),
    ],
)
def test_stated_minor(version: str | None, minor: str | None) -> None:
    """Versions and channels state a minor, as k3s and MicroK8s write them."""
    assert minors.stated(version) == minor


@pytest.mark.parametrize(("minor", "taken"), [(None, "1.37"), ("1.36", "1.36"), ("1.9", "1.34"), ("1.99", "1.37")])
def test_nearest_minor(minor: str | None, taken: str) -> None:
    """A minor that is not shipped is judged by the nearest one that is, and no minor by the newest."""
    assert minors.nearest(minor) == taken


@pytest.mark.parametrize(
    ("api_version", "kind", "said"),
    [
        (
            "extensions/v1beta1",
            "Ingress",
            "Ingress of extensions/v1beta1 was removed in Kubernetes 1.22; use networking.k8s.io/v1",
        ),
        (
            "policy/v1beta1",
            "PodSecurityPolicy",
            "PodSecurityPolicy of policy/v1beta1 was removed in Kubernetes 1.25; no other version of the API has it",
        ),
        ("batch/v1beta1", "CronJob", "CronJob of batch/v1beta1 was removed in Kubernetes 1.25; use batch/v1"),
        ("v1", "Deployment", "Kubernetes 1.36 has no Deployment in v1; use apps/v1"),
        ("apps/v1", "Deploymnt", 'Kubernetes 1.36 has no Deploymnt in apps/v1; did you mean "Deployment"?'),
        (
            "lifecycle.k8s.io/v1alpha1",
            "EvictionRequest",
            "Kubernetes 1.36 has no EvictionRequest in lifecycle.k8s.io/v1alpha1, 1.37 has",
        ),
        ("apps/v1", "Qqqqqqqq", "Kubernetes 1.36 has no Qqqqqqqq in apps/v1"),
    ],
)
def test_absence(api_version: str, kind: str, said: str) -> None:
    """The message names since when a kind is gone, who has it, or which one was meant."""
    assert minors.get("1.36").absence(api_version, kind) == said


@pytest.mark.parametrize(
    ("group", "known"),
    [
        ("apps", True),
        ("", True),
        ("extensions", True),
        ("lifecycle.k8s.io", True),
        ("gateway.networking.k8s.io", False),
    ],
)
def test_groups_of_kubernetes_own(group: str, known: bool) -> None:  # noqa: FBT001  # a case's data
    """Groups that were ever Kubernetes' own are told from those of custom resources, which may end in k8s.io too."""
    assert minors.get("1.34").knows_group(group) is known
