"""Ownership: ids as kubectl makes them, parents read and written, members labelled, what is pruned and what is kept."""

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import fleetctl
from fleetctl.kube import answers, applysets
from fleetctl.model import objects

SCOPE = applysets.Scope(frozenset({"ConfigMap", "Deployment.apps"}), frozenset({"pos", "kube-public"}))
DIGEST, OLDER = "r1:" + "b" * 64, "r1:" + "a" * 64
UNION = applysets.Written(
    SCOPE, previous=OLDER, applying=applysets.Applying(DIGEST, "r-20261127-a81f", 2), run="r-20261127-a81f"
)
FINAL = applysets.Written(SCOPE, DIGEST, OLDER, None, "r-20261127-a81f", "c0ffee", "shops", "store-00412")

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)


def _parent(annotations: dict[str, str], **more: Any) -> answers.Partial:  # noqa: ANN401 - fields of Meta
    return answers.Partial("v1", "Secret", answers.Meta("retail-pos", "pos", annotations=annotations, **more))


def _body(parent: applysets.Parent, written: applysets.Written) -> Any:  # noqa: ANN401 - JSON
    return json.loads(applysets.body("retail-pos", "pos", parent, written))


def _read_back(written: applysets.Written) -> applysets.Parent:
    metadata = _body(applysets.ABSENT, written)["metadata"]
    return applysets.read(_parent(metadata["annotations"], uid="u", resourceVersion="7"))


def test_id_is_the_one_kubectl_makes() -> None:
    """The vector of kubectl's own tests (apply_test.go): Secret my-set in namespace test."""
    assert applysets.set_id("my-set", "test") == "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1"


@hypothesis.given(NAMES, NAMES)
def test_id_is_a_label_value(name: str, namespace: str) -> None:
    """Whatever the names are, the id fits into a label."""
    made = applysets.set_id(name, namespace)
    assert len(made) == 55
    assert made[0].isalnum()
    assert made[-1].isalnum()


def test_path_of_the_parent() -> None:
    """The parent is the Secret that is named like the bundle, in its home namespace."""
    assert applysets.path("retail-pos", "pos") == "/api/v1/namespaces/pos/secrets/retail-pos"


def test_scope_of_objects() -> None:
    """Kinds of the core group have no dot, cluster-scoped objects no namespace; home is always there."""
    found = applysets.Scope.of(
        [
            objects.ObjectId("", "ConfigMap", "pos", "a"),
            objects.ObjectId("apps", "Deployment", "edge", "b"),
            objects.ObjectId("rbac.authorization.k8s.io", "ClusterRole", "", "c"),
        ],
        "pos",
    )
    assert found.kinds == {"ConfigMap", "Deployment.apps", "ClusterRole.rbac.authorization.k8s.io"}
    assert found.namespaces == {"pos", "edge"}
    assert applysets.Scope.of([], "pos") == applysets.Scope(frozenset(), frozenset({"pos"}))
    both = found | applysets.Scope(frozenset({"Secret"}), frozenset({"old"}))
    assert both.kinds == found.kinds | {"Secret"}
    assert both.namespaces == {"pos", "edge", "old"}


def test_first_parent_has_no_preconditions() -> None:
    """A parent that is not there yet is made by apply, with the label and annotations of the specification."""
    made = _body(applysets.ABSENT, UNION)
    assert (made["apiVersion"], made["kind"]) == ("v1", "Secret")
    assert set(made) == {"apiVersion", "kind", "metadata"}
    assert "uid" not in made["metadata"]
    assert "resourceVersion" not in made["metadata"]
    assert made["metadata"]["labels"] == {applysets.ID: applysets.set_id("retail-pos", "pos")}
    notes = made["metadata"]["annotations"]
    assert notes["applyset.kubernetes.io/tooling"] == f"fleetctl/{fleetctl.__version__}"
    assert notes["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap,Deployment.apps"
    assert notes["applyset.kubernetes.io/additional-namespaces"] == "kube-public"


def test_known_parent_is_written_as_it_was_read() -> None:
    """UID and resourceVersion go together: the resourceVersion alone would make a deleted parent anew."""
    parent = applysets.Parent(exists=True, uid="u", resource_version="7", tooling="fleetctl/0.1.0")
    metadata = _body(parent, FINAL)["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("u", "7")


def test_union_phase_has_no_release() -> None:
    """While a change is under way the parent names what is being applied, by which run and attempt, and no release."""
    notes = _body(applysets.ABSENT, UNION)["metadata"]["annotations"]
    assert notes["fleetctl.dev/applying"] == f"{DIGEST} r-20261127-a81f 2"
    assert notes["fleetctl.dev/previous"] == OLDER
    assert "fleetctl.dev/release" not in notes


def test_final_phase_has_no_mark() -> None:
    """When all is done the parent names release, previous, run and commit, and nothing under way."""
    notes = _body(applysets.ABSENT, FINAL)["metadata"]["annotations"]
    assert "fleetctl.dev/applying" not in notes
    ours = {key.removeprefix("fleetctl.dev/"): value for key, value in notes.items() if "fleetctl.dev" in key}
    assert ours == {
        "release": DIGEST,
        "previous": OLDER,
        "run": "r-20261127-a81f",
        "commit": "c0ffee",
        "project": "shops",
        "site": "store-00412",
    }


def test_namespaces_are_named_even_if_there_are_none() -> None:
    """The annotation is there, empty, when all objects stand in the home namespace."""
    written = applysets.Written(applysets.Scope(frozenset({"ConfigMap"}), frozenset({"pos"})), DIGEST)
    notes = _body(applysets.ABSENT, written)["metadata"]["annotations"]
    assert notes["applyset.kubernetes.io/additional-namespaces"] == ""


@pytest.mark.parametrize("written", [UNION, FINAL])
def test_parent_reads_what_was_written(written: applysets.Written) -> None:
    """What is read is what the visit that wrote it goes on with, home namespace aside."""
    found = _read_back(written)
    meta = answers.Meta(uid="u", resourceVersion="7")
    assert found == applysets.after(
        applysets.ABSENT,
        applysets.Written(
            applysets.Scope(SCOPE.kinds, SCOPE.namespaces - {"pos"}),
            *(getattr(written, name) for name in written.__struct_fields__[1:]),
        ),
        meta,
    )
    assert found.ours


@pytest.mark.parametrize(
    ("tooling", "ours"),
    [
        ("fleetctl/0.1.0", True),
        ("kubectl/v1.36.0", False),
        ("fleetctl", False),
        ("other/fleetctl/1", False),
        ("", False),
    ],
)
def test_other_tools_sets_are_not_ours(tooling: str, ours: bool) -> None:  # noqa: FBT001 - a table
    """The name before the last slash says who manages a set."""
    assert applysets.read(_parent({"applyset.kubernetes.io/tooling": tooling})).ours is ours


def test_secret_that_is_no_parent() -> None:
    """A Secret that merely has the bundle's name is there, and nobody's set."""
    found = applysets.read(_parent({}, uid="u"))
    assert found.exists
    assert not found.ours
    assert (found.release, found.previous, found.applying, found.kinds) == (None, None, None, frozenset())


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("r1:b r-1 3", applysets.Applying("r1:b", "r-1", 3)),
        (" r-1 1", applysets.Applying("", "r-1", 1)),
        ("", applysets.Applying("", "", 0)),
        ("r1:b r-1 x", applysets.Applying("", "", 0)),
        ("r1:b r-1 ²", applysets.Applying("", "", 0)),
        (f"r1:b r-1 {'9' * 5000}", applysets.Applying("", "", 0)),
    ],
)
def test_mark_that_makes_no_sense_is_still_a_mark(text: str, mark: applysets.Applying) -> None:
    """Work left half done is never taken for a clean parent, whatever the annotation holds."""
    assert applysets.read(_parent({"fleetctl.dev/applying": text})).applying == mark


@hypothesis.given(
    st.dictionaries(st.sampled_from(sorted(_body(applysets.ABSENT, FINAL)["metadata"]["annotations"])), st.text())
)
def test_no_annotation_raises(annotations: dict[str, str]) -> None:
    """Annotations are anybody's to write."""
    assert applysets.read(_parent(annotations)).exists


LABELS = st.dictionaries(st.text(min_size=1), st.text())


@hypothesis.given(LABELS, st.booleans())
def test_member_gains_a_label_and_nothing_else(labels: dict[str, str], has_labels: bool) -> None:  # noqa: FBT001 - drawn
    """The object that is sent is the one that was rendered, with its set's label."""
    metadata: dict[str, Any] = {"name": "a", "namespace": "pos"} | ({"labels": labels} if has_labels else {})
    rendered: dict[str, Any] = {
        "apiVersion": "v1",
        "data": {"x": "ü", "n": "1.0"},
        "kind": "ConfigMap",
        "metadata": metadata,
    }
    sent = json.loads(applysets.member(objects.canonical(rendered), "applyset-x-v1"))
    wanted = (labels if has_labels else {}) | {applysets.PART_OF: "applyset-x-v1"}
    assert sent == rendered | {"metadata": metadata | {"labels": wanted}}


def _member(kind: str, name: str, **more: Any) -> applysets.Member:  # noqa: ANN401 - fields of Meta
    kind, _, group = kind.partition(".")
    namespace = "" if (group, kind) in objects.CLUSTER_SCOPED else "pos"
    meta = answers.Meta(name, namespace, uid=more.pop("uid", f"uid-{name}"), **more)
    return applysets.Member(objects.ObjectId(group, kind, namespace, name), meta, f"/{kind}/{name}")


def test_prune_takes_what_was_not_applied() -> None:
    """UIDs decide, so that an object made anew by somebody else under an old name is not taken for ours."""
    doomed, kept = applysets.prunable([_member("ConfigMap", "a"), _member("ConfigMap", "b")], {"uid-a"})
    assert [one.id.name for one in doomed] == ["b"]
    assert kept == []


def test_prune_goes_backwards() -> None:
    """Deleting follows the reverse of the apply order: workloads before their configuration, rights last."""
    names = [
        "ServiceAccount",
        "ConfigMap",
        "Certificate.cert-manager.io",
        "Deployment.apps",
        "APIService.apiregistration.k8s.io",
    ]
    doomed, _ = applysets.prunable([_member(name, "x") for name in names], set())
    assert [one.id.kind for one in doomed] == [name.partition(".")[0] for name in reversed(names)]


@pytest.mark.parametrize(
    "kind",
    [
        "Namespace",
        "CustomResourceDefinition.apiextensions.k8s.io",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "StorageClass.storage.k8s.io",
    ],
)
def test_protected_kinds_are_kept(kind: str) -> None:
    """What would take data with it is kept, and said."""
    doomed, kept = applysets.prunable([_member(kind, "data")], set())
    assert doomed == []
    assert kept == [f"{_member(kind, 'data').id} was kept: a {kind.partition('.')[0]} is never pruned"]


def test_protected_means_the_kubernetes_kind() -> None:
    """A custom resource that shares a protected kind's name is pruned like any other."""
    doomed, _ = applysets.prunable([_member("Namespace.example.com", "x")], set())
    assert len(doomed) == 1


def test_what_others_own_is_left_alone() -> None:
    """An EndpointSlice inherits its Service's labels, and goes with it."""
    slice_ = _member(
        "EndpointSlice.discovery.k8s.io", "gateway-x7", ownerReferences=(answers.Owner("Service", "gateway", "s"),)
    )
    doomed, kept = applysets.prunable([slice_], set())
    assert doomed == []
    assert kept == ["EndpointSlice pos/gateway-x7 was left alone: it belongs to another object"]


def test_what_is_going_is_not_deleted_again() -> None:
    """An object that waits for its finalizers does not count against the limit."""
    doomed, kept = applysets.prunable([_member("ConfigMap", "a", deletionTimestamp="2026-11-27T10:00:00Z")], set())
    assert doomed == []
    assert kept == ["ConfigMap pos/a is being deleted already"]


def test_retained_objects_are_marked_by_another_manager() -> None:
    """The mark names nothing but the label, on exactly the object that was listed."""
    made = json.loads(applysets.retained(_member("PersistentVolumeClaim", "data"), "v1", "retail-pos"))
    assert made == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "data",
            "namespace": "pos",
            "uid": "uid-data",
            "labels": {"fleetctl.dev/retained": "retail-pos"},
        },
    }
    cluster_wide = json.loads(applysets.retained(_member("Namespace", "old"), "v1", "retail-pos"))
    assert "namespace" not in cluster_wide["metadata"]
