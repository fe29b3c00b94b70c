"""Identity, scope, apply order and canonical bytes of Kubernetes objects."""

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import objects

# One kind per rank, in the order in which they must be applied.
IN_ORDER = [
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("", "Namespace"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("", "ServiceAccount"),
    ("", "ConfigMap"),
    ("cert-manager.io", "Certificate"),
    ("apps", "Deployment"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
]


def _id(group: str, kind: str, namespace: str = "", name: str = "a") -> objects.ObjectId:
    return objects.ObjectId(group, kind, namespace, name)


def test_ranks_are_in_order() -> None:
    """Definitions come first, then namespaces, rights, configuration, custom resources, workloads, webhooks."""
    assert [objects.rank(_id(*kind)) for kind in IN_ORDER] == list(range(len(IN_ORDER)))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (("", "Namespace"), ("", "ResourceQuota")),
        (("", "ResourceQuota"), ("", "ServiceAccount")),
        (("rbac.authorization.k8s.io", "RoleBinding"), ("", "Secret")),
        (("", "Secret"), ("apps", "DaemonSet")),
        (("", "PersistentVolumeClaim"), ("batch", "Job")),
        (("networking.k8s.io", "NetworkPolicy"), ("", "Pod")),
        (("apiextensions.k8s.io", "CustomResourceDefinition"), ("cilium.io", "CiliumNetworkPolicy")),
        (("cilium.io", "CiliumNetworkPolicy"), ("apps", "StatefulSet")),
        (("apps", "Deployment"), ("apiregistration.k8s.io", "APIService")),
        (("autoscaling", "HorizontalPodAutoscaler"), ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")),
    ],
)
def test_what_must_come_first(earlier: tuple[str, str], later: tuple[str, str]) -> None:
    """Whatever another object needs in order to be accepted or to start is applied before it."""
    assert objects.rank(_id(*earlier)) < objects.rank(_id(*later))


def test_rank_is_of_a_kind_in_a_group() -> None:
    """A custom kind that borrows a built-in name is a custom resource all the same."""
    assert objects.rank(_id("serving.knative.dev", "Service")) > objects.rank(_id("", "Service"))
    assert objects.rank(_id("example.com", "Namespace")) == objects.rank(_id("example.com", "Anything"))


@pytest.mark.parametrize(
    ("group", "kind", "built_in"),
    [
        ("", "ConfigMap", True),
        ("apps", "Deployment", True),
        ("storage.k8s.io", "StorageClass", True),
        ("", "configmap", False),
        ("extensions", "Ingress", False),
        ("events.k8s.io", "Event", False),
        ("gateway.networking.k8s.io", "Gateway", False),
        ("k3s.cattle.io", "Addon", False),
    ],
)
def test_built_in_kinds(group: str, kind: str, *, built_in: bool) -> None:
    """A kind is Kubernetes' own by its name and group; a group below k8s.io may hold custom resources too."""
    assert _id(group, kind).built_in is built_in


def test_no_built_in_kind_has_two_groups() -> None:
    """So that a kind alone names a file."""
    assert len({kind.lower() for _, kind in objects.BUILT_IN}) == len(objects.BUILT_IN)


@pytest.mark.parametrize(("api_version", "group"), [("v1", ""), ("apps/v1", "apps"), ("a.b/v1beta1", "a.b"), ("", "")])
def test_groups_of_versions(api_version: str, group: str) -> None:
    """The version does not belong to an object's identity, the group does."""
    assert objects.group_of(api_version) == group


def test_identities_read_well_and_sort() -> None:
    """An identity prints as people write it and sorts by group, kind, namespace and name."""
    one, two = _id("apps", "Deployment", "pos", "gateway"), _id("", "Namespace", name="pos")
    assert [str(one), str(two)] == ["Deployment pos/gateway", "Namespace pos"]
    assert sorted([one, two]) == [two, one]


@pytest.mark.parametrize(
    ("group", "kind", "cluster_scoped"),
    [
        ("", "Namespace", True),
        ("", "ConfigMap", False),
        ("rbac.authorization.k8s.io", "ClusterRole", True),
        ("rbac.authorization.k8s.io", "Role", False),
        ("networking.k8s.io", "IngressClass", True),
        ("networking.k8s.io", "Ingress", False),
    ],
)
def test_scopes(group: str, kind: str, *, cluster_scoped: bool) -> None:
    """Only kinds that live outside namespaces are listed as such."""
    assert ((group, kind) in objects.CLUSTER_SCOPED) is cluster_scoped


def test_canonical_bytes() -> None:
    """Keys are sorted at every depth, nothing is padded, text stays UTF-8, lists keep their order."""
    value: dict[str, Any] = {"b": [{"z": 1, "a": None}, 2.0, True], "a": "Å\n"}
    assert objects.canonical(value) == '{"a":"Å\\n","b":[{"a":null,"z":1},2.0,true]}'.encode()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _reversed(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


@hypothesis.given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_canonical_bytes_depend_on_content_only(value: dict[str, Any]) -> None:
    """The order of keys does not matter, no byte breaks the line, and the bytes are JSON of the same value."""
    body = objects.canonical(value)
    assert objects.canonical(_reversed(value)) == body
    assert b"\n" not in body
    assert json.loads(body) == value
