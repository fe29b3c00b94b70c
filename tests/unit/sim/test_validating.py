"""What a server finds invalid. Fields and reasons were seen on a real one."""

from typing import Any

import pytest

from tests.unit.sim import small

Object = dict[str, Any]


def _causes(answer: small.Answer) -> dict[str, str]:
    assert (answer.status, answer.json["reason"]) == (422, "Invalid"), answer.body
    return {cause["field"]: cause["reason"] for cause in answer.json["details"]["causes"]}


def _of(kind: str, group: str = "", /, name: str = "one", **fields: object) -> Object:
    meta = {"name": name, **fields.pop("metadata", {})}  # type: ignore[dict-item]
    return {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": meta, **fields}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"replicas": -1}, "spec.replicas", "FieldValueInvalid"),
        ({"template": None}, "spec.template.spec.containers", "FieldValueRequired"),
        ({"selector": None}, "spec.selector", "FieldValueRequired"),
        ({"selector": {"matchLabels": {"app": "x"}}}, "spec.template.metadata.labels", "FieldValueInvalid"),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "abc"}}},
            "spec.strategy.rollingUpdate.maxSurge",
            "FieldValueInvalid",
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            "spec.strategy.rollingUpdate.maxUnavailable",
            "FieldValueInvalid",
        ),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            "spec.strategy.rollingUpdate",
            "FieldValueForbidden",
        ),
    ],
)
def test_a_deployment_that_makes_no_sense(change: Object, field: str, reason: str) -> None:
    """What controllers could not work with is refused, with the field that is the matter."""
    assert _causes(small.Small().apply(small.workload(**change)))[field] == reason


@pytest.mark.parametrize("field", ["name", "image"])
@pytest.mark.parametrize("sort", ["containers", "initContainers"])
def test_containers_need_a_name_and_an_image(sort: str, field: str) -> None:
    """Both, and init containers as well."""
    body = small.workload()
    container = {"name": "extra", "image": "x:1"}
    del container[field]
    body["spec"]["template"]["spec"].setdefault(sort, []).append(container)
    [found] = _causes(small.Small().apply(body))
    assert found.startswith(f"spec.template.spec.{sort}[")
    assert found.endswith(f"].{field}")


def test_several_faults_are_told_at_once() -> None:
    """A message lists all faults, and so do the causes."""
    answer = small.Small().apply(small.workload(selector=None, template=None))
    assert len(_causes(answer)) == 3
    assert answer.json["message"].startswith('Deployment.apps "web" is invalid: [spec.selector: Required value, ')
    details = answer.json["details"]
    assert (details["name"], details["group"], details["kind"]) == ("web", "apps", "Deployment")


def test_recreate_after_a_rolling_update() -> None:
    """Only the type of a strategy cannot be changed where the server has added the rest: a trap of real servers too."""
    cluster = small.Small()
    cluster.applied(small.workload())
    assert "spec.strategy.rollingUpdate" in _causes(cluster.apply(small.workload(strategy={"type": "Recreate"})))


@pytest.mark.parametrize("name", ["Bad_Name", "a..b", "-a", "a" * 254])
def test_names_are_checked(name: str) -> None:
    """A name that is no DNS name is invalid."""
    assert _causes(small.Small().apply(_of("ConfigMap", name=name))) == {"metadata.name": "FieldValueInvalid"}


def test_names_differ_by_kind() -> None:
    """Roles may be called nearly anything, namespaces are one label."""
    cluster = small.Small()
    cluster.applied(_of("Role", "rbac.authorization.k8s.io", name="system:X", rules=[]))
    assert _causes(cluster.apply(_of("Namespace", name="a.b"))) == {"metadata.name": "FieldValueInvalid"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_of("ConfigMap", data={"a b": "x"}), "data[a b]"),
        (_of("ConfigMap", data={"a": "é" * 600_000}), "[]"),
        (_of("ConfigMap", metadata={"labels": {"a": "b c"}}), "metadata.labels"),
        (_of("ConfigMap", metadata={"labels": {"a b": "c"}}), "metadata.labels"),
        (_of("ConfigMap", metadata={"annotations": {"a": "x" * 262_145}}), "metadata.annotations"),
    ],
)
def test_data_and_labels_are_checked(body: Object, field: str) -> None:
    """Keys, sizes in bytes, and labels."""
    assert field in _causes(small.Small().apply(body))


def _claim(mode: str) -> Object:
    return _of("PersistentVolumeClaim", spec={"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}})


def _binding(role: str) -> Object:
    group = "rbac.authorization.k8s.io"
    return _of("RoleBinding", group, roleRef={"apiGroup": group, "kind": "Role", "name": role})


def _relabelled() -> Object:
    body = small.workload(name="one", selector={"matchLabels": {"app": "x"}})
    body["spec"]["template"]["metadata"]["labels"] = {"app": "x"}
    return body


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (small.workload(name="one"), _relabelled(), "spec.selector"),
        (
            small.workload("StatefulSet", name="one"),
            small.workload("StatefulSet", name="one", serviceName="other"),
            "spec",
        ),
        (small.workload("Job", name="one"), small.workload("Job", "app:2", name="one"), "spec.template"),
        (_of("Secret", type="a"), _of("Secret", type="b"), "type"),
        (_of("ConfigMap", data={"a": "1"}, immutable=True), _of("ConfigMap", data={"a": "1"}), "immutable"),
        (
            _of("ConfigMap", data={"a": "1"}, immutable=True),
            _of("ConfigMap", data={"a": "2"}, immutable=True),
            "data",
        ),
        (_claim("ReadWriteOnce"), _claim("ReadWriteMany"), "spec"),
        (_binding("x"), _binding("y"), "roleRef"),
        (
            _of("PriorityClass", "scheduling.k8s.io", value=1),
            _of("PriorityClass", "scheduling.k8s.io", value=2),
            "value",
        ),
    ],
)
def test_what_cannot_change(before: Object, after: Object, field: str) -> None:
    """Immutable fields are a 422 that names them, and nothing is changed."""
    cluster = small.Small()
    made = cluster.applied(before)
    assert field in _causes(cluster.apply(after, force="true"))
    again = cluster.applied(before)["metadata"]
    assert (again["uid"], again.get("generation")) == (made["metadata"]["uid"], made["metadata"].get("generation"))


def test_what_of_a_stateful_set_can_change() -> None:
    """Replicas, template and the like."""
    cluster = small.Small()
    cluster.applied(small.workload("StatefulSet"))
    cluster.applied(small.workload("StatefulSet", "app:2", replicas=3, minReadySeconds=1))
