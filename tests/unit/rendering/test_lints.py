"""What no object of a bundle may contain."""

from typing import Any

import pytest

from fleetctl.model import problems
from fleetctl.rendering import lints


def _said(kind: str, version: str = "v1", **rest: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    allowed = rest.pop("allow_literal", False)
    data = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, **rest}
    found = lints.check(data, allow_literal=allowed)
    return [(str(code).removeprefix("object/"), problems.field_text(field)) for field, code, _ in found]


def _pod(**spec: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return _said("Deployment", "apps/v1", spec={"template": {"spec": spec}})


def _container(**own: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return _pod(containers=[{"name": "c", **own}])


def test_an_ordinary_object_is_fine() -> None:
    """There is nothing to say about it."""
    assert _said("ConfigMap", data={"a": "b"}) == []


@pytest.mark.parametrize(
    ("kind", "items", "is_list"),
    [
        ("List", [], True),
        ("List", None, True),
        ("PodList", [], True),
        ("PodList", None, False),
        ("PriceList", {}, False),
        ("Pod", [], False),
        (12, [], False),
    ],
)
def test_lists(kind: object, items: object, is_list: bool) -> None:  # noqa: FBT001  # a column of the table
    """A kind that ends in List with items is what kubectl get prints; a custom kind may only sound like it."""
    assert lints.is_list({"kind": kind, "items": items}) is is_list  # type: ignore[dict-item]


@pytest.mark.parametrize("key", ["data", "stringData"])
def test_literal_secrets(key: str) -> None:
    """With values they are refused, unless the bundle allows it; a kind of another group is not Kubernetes' Secret."""
    own: dict[str, Any] = {key: {"a": "b"}}
    empty: dict[str, Any] = {key: {}}
    assert _said("Secret", **own) == [("literal-secret", key)]
    assert _said("Secret", allow_literal=True, **own) == []
    assert _said("Secret", "vault.example/v1", **own) == []
    assert _said("Secret", **empty) == []


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"uid": "x"}, "metadata.uid"),
        ({"resourceVersion": ""}, "metadata.resourceVersion"),
        ({"generateName": "a-"}, "metadata.generateName"),
        ({"managedFields": []}, "metadata.managedFields"),
        ({"creationTimestamp": "x"}, "metadata.creationTimestamp"),
        ({"generation": 1}, "metadata.generation"),
        ({"selfLink": "/x"}, "metadata.selfLink"),
        ({"labels": {"applyset.kubernetes.io/part-of": "x"}}, 'metadata.labels["applyset.kubernetes.io/part-of"]'),
    ],
)
def test_server_fields(metadata: dict[str, object], field: str) -> None:
    """What the API server or fleetctl writes, even if it is empty."""
    assert _said("ConfigMap", metadata={"name": "a", **metadata}) == [("server-field", field)]


def test_status() -> None:
    """An empty status is one too."""
    assert _said("Pod", status={}) == [("server-field", "status")]


def test_a_status_further_down_is_a_word_like_any_other() -> None:
    """Only that of the object is the cluster's."""
    assert _said("Till", "shop.example/v1", spec={"status": "open", "metadata": {"uid": "x"}}) == []


def test_nulls_are_found_wherever_they_are() -> None:
    """In maps and lists; the text null is none."""
    assert _said("Till", "x.example/v1", spec={"a": None, "b": [1, None, {"c": None}], "null": "null"}) == [
        ("null", "spec.a"),
        ("null", "spec.b[1]"),
        ("null", "spec.b[2].c"),
    ]


@pytest.mark.parametrize("key", ["data", "binaryData"])
@pytest.mark.parametrize(("length", "found"), [(2**20 - 1, 0), (2**20, 1)])
def test_config_maps_have_a_mebibyte(key: str, length: int, found: int) -> None:
    """Keys count, and what counts are bytes."""
    plain: dict[str, Any] = {key: {"k": "x" * length}}
    wide: dict[str, Any] = {key: {"kk": "é" * (length // 2)}}
    assert len(_said("ConfigMap", **plain)) == found
    assert len(_said("ConfigMap", **wide)) == found


def test_annotations_have_a_quarter() -> None:
    """256 KiB in all, on every kind."""
    for kind in ("ConfigMap", "Pod"):
        metadata = {"name": "a", "annotations": {"a": "x" * 2**17, "b": "x" * 2**17}}
        assert _said(kind, metadata=metadata) == [("too-large", "metadata.annotations")]


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"env": [{"name": "A"}, {"name": "B"}, {"name": "A"}]}, "env[2]"),
        ({"ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "TCP"}]}, "ports[1]"),
        ({"volumeMounts": [{"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}]}, "volumeMounts[1]"),
        ({"volumeDevices": [{"devicePath": "/x"}, {"devicePath": "/x"}]}, "volumeDevices[1]"),
    ],
)
def test_lists_of_containers_that_are_maps(own: dict[str, object], field: str) -> None:
    """Equal keys would be one entry to the API server, which refuses them."""
    place = f"spec.template.spec.containers[0].{field}"
    assert _container(**own) == [("duplicate-list-key", place)]


@pytest.mark.parametrize("key", ["containers", "initContainers", "volumes", "imagePullSecrets"])
def test_lists_of_pods_that_are_maps(key: str) -> None:
    """By name."""
    assert _pod(**{key: [{"name": "a"}, {"name": "a"}]}) == [("duplicate-list-key", f"spec.template.spec.{key}[1]")]


@pytest.mark.parametrize(
    "own",
    [
        {"ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "UDP"}]},
        {"env": [{"name": "A"}, {"value": "x"}, {"value": "x"}, "text"]},
        {"args": ["a", "a"]},
        {"volumeMounts": [{"name": "a", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}]},
    ],
)
def test_lists_that_only_look_double(own: dict[str, object]) -> None:
    """Another protocol is another port; entries without the key and plain lists are not compared."""
    assert _container(**own) == []


def test_ports_of_services() -> None:
    """They are known by number and protocol."""
    assert _said("Service", spec={"ports": [{"port": 1}, {"port": 1}]}) == [("duplicate-list-key", "spec.ports[1]")]
    assert _said("Service", spec={"ports": [{"port": 1}, {"port": 1, "protocol": "UDP"}]}) == []


def test_cron_jobs_and_pods() -> None:
    """A pod is found however deep it stands."""
    spec = {"containers": [{"name": "a"}, {"name": "a"}]}
    job = {"jobTemplate": {"spec": {"template": {"spec": spec}}}}
    assert _said("Pod", spec=spec) == [("duplicate-list-key", "spec.containers[1]")]
    assert len(_said("CronJob", "batch/v1", spec=job)) == 1


def test_definitions_are_not_pods() -> None:
    """The schema of a custom resource may have properties of any name."""
    schema = {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}
    assert _said("CustomResourceDefinition", "apiextensions.k8s.io/v1", spec=schema) == []


def test_everything_is_said_at_once() -> None:
    """One pass finds all."""
    found = _said("Secret", data={"a": None}, status={}, metadata={"name": "a", "uid": "x"})
    assert [what for what, _ in found] == ["literal-secret", "server-field", "server-field", "null"]
