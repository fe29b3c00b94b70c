"""What metadata alone tell of a set, and what no answer may do. Values are compared in tests/integration/test_drift."""

import json
from typing import Any

import pytest

from fleetctl.kube import answers, applysets, drift
from fleetctl.model import objects

MANAGER = "fleetctl:app"
WRITTEN = "2026-11-28T10:00:00Z"
ONE = objects.ObjectId("", "ConfigMap", "app", "one")
BODY = json.dumps({"kind": "ConfigMap", "metadata": {"name": "one", "labels": {"b": "2"}}, "data": {"a": "1"}}).encode()
LABELS: dict[str, Any] = {"f:metadata": {"f:labels": {"f:b": {}}}}
OURS = {"manager": MANAGER, "operation": "Apply", "time": WRITTEN, "fieldsV1": {"f:data": {"f:a": {}}, **LABELS}}


def _member(*managed: dict[str, Any], identity: objects.ObjectId = ONE) -> applysets.Member:
    body = json.dumps({"metadata": {"managedFields": managed}}).encode()
    return applysets.Member(identity, answers.Meta(), "", "v1", body)


@pytest.mark.parametrize(
    ("managed", "suspect"),
    [
        ([OURS], None),
        ([OURS, {**OURS, "manager": "x"}], None),
        ([{**OURS, "time": "2026-11-28T10:00:01Z"}], ()),
        ([{**OURS, "time": "2026-11-28T09:59:59Z"}], None),
        ([], ()),
        ([{**OURS, "operation": "Update"}], ()),
        ([{**OURS, "subresource": "status"}], ()),
        ([{**OURS, "fieldsV1": 1}], ()),
        ([{**OURS, "fieldsV1": {"f:data": {"f:b": {}}, **LABELS}}], (drift.Lost(".data.a"),)),
        (
            [{**OURS, "fieldsV1": LABELS}, {**OURS, "manager": "kubectl"}],
            (drift.Lost(".data", ("kubectl",)),),
        ),
        ([{**OURS, "fieldsV1": {"f:data": {"f:a": {}}, "f:stringData": {}, **LABELS}}], ()),
    ],
    ids=[
        "ours",
        "shared",
        "applied since",
        "applied before",
        "never applied",
        "updated",
        "status",
        "unreadable",
        "gone",
        "taken",
        "text",
    ],
)
def test_one_glance(managed: list[dict[str, Any]], suspect: tuple[drift.Lost, ...] | None) -> None:
    """An object is to be looked at unless all its fields are ours and nothing was applied since the release."""
    found = drift.glance({ONE: BODY}, [_member(*managed)], MANAGER, WRITTEN)
    assert found == drift.Glance((), (), {} if suspect is None else {ONE: suspect})


def test_what_is_missing_and_what_is_too_much() -> None:
    """Membership is told by identity."""
    other = _member(OURS, identity=objects.ObjectId("", "ConfigMap", "app", "other"))
    assert drift.glance({ONE: BODY}, [other], MANAGER, WRITTEN) == drift.Glance((ONE,), (other,), {})


def test_answers_that_are_no_objects() -> None:
    """They are failures like any other unreadable answer; managed fields of a wrong type are nobody's."""
    with pytest.raises(answers.Failure, match="not what the Kubernetes API documents"):
        drift.compare(b"[]", BODY, BODY, MANAGER)
    strange = json.dumps({"metadata": {"managedFields": [{**OURS, "fieldsV1": {"f:data": [1]}}]}}).encode()
    assert drift.compare(strange, strange, strange, MANAGER).found == "same"
