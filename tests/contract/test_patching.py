"""What an API server answers to JSON patches, of managed fields above all. Held against every target of conftest.py."""

from typing import Any

import pytest

from tests.contract import plainhttp, talking

JSON_PATCH = "application/json-patch+json"
MANAGED = "/metadata/managedFields"


def _patch(place: talking.Place, *operations: dict[str, Any], manager: str = "patcher") -> plainhttp.Answer:
    path = place.path("configmaps", "one", fieldManager=manager)
    return place.api.call("PATCH", path, list(operations), content=JSON_PATCH)


def _patched(place: talking.Place, *operations: dict[str, Any], manager: str = "patcher") -> Any:  # noqa: ANN401 - JSON
    answer = _patch(place, *operations, manager=manager)
    assert answer.status == 200, answer.text
    return answer.json


def _made(place: talking.Place, data: dict[str, str], manager: str = "maker") -> Any:  # noqa: ANN401 - JSON
    """Make a ConfigMap as clients do that know nothing of server-side apply."""
    answer = place.api.call("POST", place.path("configmaps", fieldManager=manager), talking.config_map("one", data))
    assert answer.status == 201, answer.text
    return answer.json


def _entries(found: Any) -> dict[tuple[str, str], Any]:  # noqa: ANN401 - JSON
    return {(one["manager"], one["operation"]): one["fieldsV1"] for one in found["metadata"].get("managedFields", ())}


def test_a_patch_changes_what_it_names(place: talking.Place) -> None:
    """Values are added, replaced and removed, keys with a slash among them; what is changed becomes the patcher's."""
    _made(place, {"a": "1", "b": "2", "c": "3"})
    found = _patched(
        place,
        {"op": "replace", "path": "/data/a", "value": "x"},
        {"op": "remove", "path": "/data/b"},
        {"op": "add", "path": "/metadata/annotations", "value": {"shop.example/one": "1"}},
        {"op": "add", "path": "/metadata/annotations/shop.example~1two", "value": "2"},
    )
    assert found["data"] == {"a": "x", "c": "3"}
    assert found["metadata"]["annotations"] == {"shop.example/one": "1", "shop.example/two": "2"}
    owned = _entries(found)
    assert owned["maker", "Update"] == {"f:data": {".": {}, "f:c": {}}}
    notes: dict[str, object] = {".": {}, "f:shop.example/one": {}, "f:shop.example/two": {}}
    assert owned["patcher", "Update"] == {"f:data": {"f:a": {}}, "f:metadata": {"f:annotations": notes}}


def test_what_a_patch_leaves_is_not_the_patchers(place: talking.Place) -> None:
    """Only what differs changes hands: the rest stays with whoever applied it."""
    place.applied(talking.config_map("one", {"a": "1", "b": "2"}, labels={"x": "1", "y": "2"}), manager="bundle")
    found = _patched(place, {"op": "remove", "path": "/metadata/labels/x"})
    assert found["metadata"]["labels"] == {"y": "2"}
    assert list(_entries(found)) == [("bundle", "Apply")]
    assert _entries(found)["bundle", "Apply"]["f:metadata"] == {"f:labels": {"f:y": {}}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/a", "value": "2"},
        {"op": "remove", "path": "/data/b"},
        {"op": "add", "path": "/metadata/annotations/a", "value": "2"},
    ],
    ids=lambda one: one["op"],
)
def test_a_patch_that_does_not_fit_changes_nothing(place: talking.Place, operation: dict[str, Any]) -> None:
    """422 ``Invalid``: a test that fails, a key that is not there, or a map."""
    before = _made(place, {"a": "1"})
    answer = _patch(place, {"op": "replace", "path": "/data/a", "value": "1"}, operation)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    assert place.get("configmaps", "one") == before


def test_a_replacement_of_what_is_not_there_adds_it(place: talking.Place) -> None:
    """In a map, against RFC 6902."""
    _made(place, {"a": "1"})
    found = _patched(place, {"op": "replace", "path": "/data/b", "value": "2"})
    assert found["data"] == {"a": "1", "b": "2"}


def test_a_map_of_which_nothing_is_left_is_gone(place: talking.Place) -> None:
    """Labels and annotations."""
    place.applied(talking.config_map("one", {"a": "1"}, labels={"x": "1"}), manager="bundle")
    found = _patched(place, {"op": "remove", "path": "/metadata/labels/x"})
    assert "labels" not in found["metadata"]
    found = _patched(place, {"op": "add", "path": "/metadata/annotations", "value": {}})
    assert "annotations" not in found["metadata"]


def test_a_patch_may_name_the_version_it_is_made_for(place: talking.Place) -> None:
    """A resourceVersion that is replaced with an old one is a 409 without causes; with the present one it is taken."""
    old = _made(place, {"a": "1"})["metadata"]["resourceVersion"]
    at, change = "/metadata/resourceVersion", {"op": "replace", "path": "/data/a", "value": "2"}
    assert _patched(place, {"op": "replace", "path": at, "value": old}, change)["data"] == {"a": "2"}
    change["value"] = "3"
    answer = _patch(place, {"op": "replace", "path": at, "value": old}, change)
    assert (answer.status, answer.json["reason"]) == (409, "Conflict")
    assert not answer.json.get("details", {}).get("causes")
    assert place.get("configmaps", "one")["data"] == {"a": "2"}
    assert _patch(place, change).status == 200


def test_a_patch_of_what_is_not_there_makes_nothing(place: talking.Place) -> None:
    """404."""
    assert _patch(place, {"op": "add", "path": "/data", "value": {}}).status == 404


def test_fields_change_hands_by_managed_fields(place: talking.Place) -> None:
    """What a client wrote becomes an applier's: it applies without a conflict, and what it leaves out goes."""
    found = _made(place, {"a": "1", "b": "2"})
    assert place.apply(talking.config_map("one", {"a": "x"}), manager="bundle").status == 409
    [entry] = found["metadata"]["managedFields"]
    taken = {**entry, "manager": "bundle", "operation": "Apply"}
    note = {"op": "add", "path": "/metadata/annotations", "value": {"shop.example/taken": "1"}}
    found = _patched(place, {"op": "replace", "path": MANAGED, "value": [taken]}, note, manager="marker")
    owned = _entries(found)
    assert owned["bundle", "Apply"] == {"f:data": {".": {}, "f:a": {}, "f:b": {}}}
    assert owned["marker", "Update"] == {"f:metadata": {"f:annotations": {".": {}, "f:shop.example/taken": {}}}}
    found = place.applied(talking.config_map("one", {"a": "x"}), manager="bundle")
    assert found["data"] == {"a": "x"}
    assert found["metadata"]["annotations"] == {"shop.example/taken": "1"}


def test_managed_fields_may_be_given_up(place: talking.Place) -> None:
    """An entry that is left out leaves its fields to nobody; the object stays as it is."""
    place.applied(talking.config_map("one", {"a": "1"}), manager="bundle")
    other = talking.config_map("one", {"b": "2"})
    entries = place.applied(other, manager="other")["metadata"]["managedFields"]
    left = [one for one in entries if one["manager"] == "other"]
    found = _patched(place, {"op": "replace", "path": MANAGED, "value": left})
    assert list(_entries(found)) == [("other", "Apply")]
    assert found["data"] == {"a": "1", "b": "2"}
    assert place.applied(talking.config_map("one", {"a": "x"}), manager="third")["data"] == {"a": "x", "b": "2"}


@pytest.mark.parametrize("nobody", [[], [{}]], ids=["no entry", "an empty entry"])
def test_all_managed_fields_may_go(place: talking.Place, nobody: list[object]) -> None:
    """Then the object is nobody's, and stays as it is."""
    place.applied(talking.config_map("one", {"a": "1"}), manager="bundle")
    found = _patched(place, {"op": "replace", "path": MANAGED, "value": nobody})
    assert _entries(found) == {}
    assert found["data"] == {"a": "1"}


def test_managed_fields_that_are_removed_stay(place: talking.Place) -> None:
    """It counts as said by somebody who knows nothing of them."""
    place.applied(talking.config_map("one", {"a": "1"}), manager="bundle")
    found = _patched(place, {"op": "remove", "path": MANAGED})
    assert list(_entries(found)) == [("bundle", "Apply")]
