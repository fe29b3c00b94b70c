"""What is kept of an object of somebody else, how it is marked, and what gives it back."""

import base64
import json
from typing import Any

import pytest

from fleetctl.kube import adoptions, applysets

LAST = "kubectl.kubernetes.io/last-applied-configuration"
OURS = "fleetctl:app"
CLIENT = "kubectl-client-side-apply"


def _entry(manager: str, fields: dict[str, Any], operation: str = "Update", subresource: str = "") -> dict[str, Any]:
    found = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}
    return {**found, "subresource": subresource} if subresource else found


def _live(kind: str = "ConfigMap", *managed: dict[str, Any], meta: Any = None, **rest: Any) -> adoptions.Live:  # noqa: ANN401 - JSON
    metadata = {"name": "one", "namespace": "app", "uid": "u-1", "resourceVersion": "7", **(meta or {})}
    if managed:
        metadata["managedFields"] = list(managed)
    return adoptions.Live({"apiVersion": "v1", "kind": kind, "metadata": metadata, **rest})


def _operations(body: bytes) -> dict[str, Any]:
    """Return what a patch does, by path: the value, or None for a removal."""
    return {one["path"]: one.get("value") for one in json.loads(body)}


def _secret(**values: str) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def test_what_the_server_writes_is_not_kept() -> None:
    """Neither status, versions and times, nor marks of an earlier adoption; content and notes are."""
    marks = {adoptions.ADOPTED: "r-1", adoptions.RELEASED: "r-2", "owner": "Ada"}
    meta = {"generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": marks, "labels": {"x": "1"}}
    kept = adoptions.keep(_live(meta=meta, data={"a": "b"}, status={"phase": "Active"}))
    assert kept.uid == "u-1"
    assert kept.object == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "app", "annotations": {"owner": "Ada"}, "labels": {"x": "1"}},
        "data": {"a": "b"},
    }


def test_values_of_a_secret_are_not_kept() -> None:
    """Nor its notes, in which kubectl writes the values down once more; what managed fields name stays."""
    data = _secret(password="hunter2")  # noqa: S106 - made up
    note = {LAST: json.dumps({"data": data})}
    managed = _entry(CLIENT, {"f:data": {"f:password": {}}})
    kept = adoptions.keep(_live("Secret", managed, meta={"annotations": note}, data=data))
    assert kept.object["data"] == {"password": None}
    assert "annotations" not in kept.object["metadata"]
    assert kept.managers == [managed]
    assert "hunter2" not in repr(kept)
    assert data["password"] not in repr(kept)


@pytest.mark.parametrize(
    ("kind", "wanted", "fault"),
    [
        ("Secret", {"data": _secret(a="1", b="2")}, ""),
        ("Secret", {"stringData": {"a": "1", "b": "2"}}, ""),
        ("Secret", {"data": _secret(a="1", b="2", c="3")}, ""),
        ("Secret", {"data": _secret(a="1")}, "its b would change"),
        ("Secret", {"data": _secret(a="x", b="x")}, "its a, b would change"),
        ("ConfigMap", {"data": {}}, ""),
    ],
)
def test_a_secret_must_keep_its_values(kind: str, wanted: dict[str, Any], fault: str) -> None:
    """As nothing else knows them, an undo could not bring back what changes or goes; no value is told."""
    live = _live(kind, data=_secret(a="1", b="2"))
    assert adoptions.secret_fault(live, json.dumps(wanted).encode()) == fault


def test_many_values_are_named_in_part() -> None:
    """Three of them."""
    live = _live("Secret", data=_secret(a="1", b="1", c="1", d="1"))
    assert adoptions.secret_fault(live, b"{}") == "its a, b, c, ... would change"


def test_what_a_client_applied_becomes_the_bundles() -> None:
    """Whoever holds the note of such an apply counts as well as kubectl; status and other managers are left alone."""
    note: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{LAST}": {}}}}
    live = _live(
        "ConfigMap",
        _entry(CLIENT, {"f:data": {"f:a": {}}}),
        _entry("helm", {**note, "f:data": {"f:b": {}}}),
        _entry("edit", {"f:data": {"f:c": {}}}),
        _entry(CLIENT, {"f:status": {}}, subresource="status"),
    )
    done = _operations(adoptions.take(live, OURS, "r-9"))
    assert done["/metadata/resourceVersion"] == "7"
    assert done["/metadata/annotations"] == {adoptions.ADOPTED: "r-9"}
    ours, edit, status = done["/metadata/managedFields"]
    assert (ours["manager"], ours["operation"]) == (OURS, "Apply")
    assert ours["fieldsV1"] == {**note, "f:data": {"f:a": {}, "f:b": {}}}
    assert (edit["manager"], status["subresource"]) == ("edit", "status")


def test_notes_of_a_secret_stay_its_clients() -> None:
    """They hold copies of it, which no journal keeps; what was marked already is marked once more as it is."""
    notes: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{LAST}": {}}}}
    fields = {"f:data": {"f:a": {}}, "f:metadata": {"f:annotations": {f"f:{LAST}": {}}, "f:labels": {"f:x": {}}}}
    first = _operations(adoptions.take(_live("Secret", _entry(CLIENT, fields)), OURS, "r-9"))
    managed = first["/metadata/managedFields"]
    ours = {"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:x": {}}}}
    assert managed == [_entry(OURS, ours, "Apply"), _entry(CLIENT, notes)]
    again = _operations(adoptions.take(_live("Secret", *managed), OURS, "r-9"))
    assert "/metadata/managedFields" not in again


def test_what_nobody_applied_is_marked_only() -> None:
    """Its fields stay whose they are; a mark that it was let go is replaced by the new one."""
    notes = {"owner": "Ada", adoptions.RELEASED: "r-2"}
    done = _operations(adoptions.take(_live("ConfigMap", _entry("edit", {}), meta={"annotations": notes}), OURS, "r-9"))
    assert done == {
        "/metadata/resourceVersion": "7",
        "/metadata/annotations/fleetctl.dev~1adopted": "r-9",
        "/metadata/annotations/fleetctl.dev~1released": None,
    }


def test_what_is_given_back_leaves_to_others_what_is_theirs() -> None:
    """The apply is bound to the version that was read, and holds no null: an apply takes one for a value."""
    kept = adoptions.Kept(
        "u-1",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1", "b": "2", "n": None}},
    )
    live = _live(
        "ConfigMap",
        _entry(OURS, {"f:data": {"f:a": {}}}, "Apply"),
        _entry(applysets.MANAGER, {"f:data": {"f:a": {}}}),
        _entry("night", {"f:data": {"f:b": {}}}),
        data={"a": "x", "b": "x"},
    )
    body = json.loads(adoptions.give_back(kept, live, OURS))
    assert body["data"] == {"a": "1"}
    assert body["metadata"] == {"name": "one", "namespace": "app", "uid": "u-1", "resourceVersion": "7"}


def test_a_secret_is_given_back_with_the_values_it_has() -> None:
    """Those of its old keys; keys that were added meanwhile go, and notes are left to whoever has them."""
    was = adoptions.keep(_live("Secret", meta={"annotations": {"owner": "Ada"}}, data=_secret(a="1")))
    live = _live("Secret", meta={"annotations": {"owner": "Ada", "new": "1"}}, data=_secret(a="1", c="3"))
    body = json.loads(adoptions.give_back(was, live, OURS))
    assert body["data"] == _secret(a="1")
    assert "annotations" not in body["metadata"]


def test_nothing_of_ours_is_left_on_what_is_let_go() -> None:
    """Label, marks and managed fields go; entries that others had come back, beside what they have since."""
    labels = {applysets.PART_OF: "applyset-1-v1", applysets.RETAINED: "app", "x": "1"}
    live = _live(
        "ConfigMap",
        _entry(OURS, {}, "Apply"),
        _entry(applysets.MANAGER, {}),
        _entry("edit", {"f:data": {"f:new": {}}}),
        meta={"labels": labels, "annotations": {adoptions.ADOPTED: "r-1"}},
    )
    back = [_entry(CLIENT, {"f:data": {}}), _entry("edit", {"f:data": {"f:old": {}}})]
    done = _operations(adoptions.let_go(live, OURS, back=back))
    managed = done.pop("/metadata/managedFields")
    assert managed == [_entry("edit", {"f:data": {"f:new": {}, "f:old": {}}}), back[0]]
    assert done == {
        "/metadata/resourceVersion": "7",
        "/metadata/labels/applyset.kubernetes.io~1part-of": None,
        "/metadata/labels/fleetctl.dev~1retained": None,
        "/metadata/annotations/fleetctl.dev~1adopted": None,
    }
    done = _operations(adoptions.let_go(live, OURS, run="r-3"))
    assert done["/metadata/annotations/fleetctl.dev~1released"] == "r-3"
