"""What an API server tells those who watch. Held against every target of conftest.py."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import plainhttp, talking

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
OURS = {"ours": "yes"}

Events = Iterator[dict[str, Any]]


def _version(place: talking.Place, plural: str = "configmaps") -> int:
    """Return the version of a collection."""
    return int(place.api.call("GET", place.path(plural)).json["metadata"]["resourceVersion"])


def _watch(place: talking.Place, plural: str = "configmaps", **query: object) -> str:
    return place.path(plural, watch=1, **{"timeoutSeconds": 15, **query})


def _take(events: Events, count: int) -> list[tuple[str, str]]:
    """Return the next events about what a test made: type and name."""
    ours = (one for one in events if one["object"]["metadata"]["name"] != "kube-root-ca.crt")
    return [(one["type"], one["object"]["metadata"]["name"]) for one in itertools.islice(ours, count)]


def test_changes_are_told_in_order(place: talking.Place) -> None:
    """From a version on: what is new, what changed, what is gone, each as it was then, under growing versions."""
    place.applied(talking.config_map("before", {"a": "1"}))
    begin = _version(place)
    with place.api.lines(
        _watch(place, resourceVersion=begin, fieldSelector="metadata.name!=kube-root-ca.crt")
    ) as events:
        place.applied(talking.config_map("one", {"a": "1"}))
        place.applied(talking.config_map("one", {"a": "2"}))
        place.applied(talking.config_map("one", {"a": "2"}))
        place.delete("configmaps", "one")
        found = list(itertools.islice(events, 3))
    assert [one["type"] for one in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert [one["object"]["data"] for one in found] == [{"a": "1"}, {"a": "2"}, {"a": "2"}]
    assert {(one["object"]["kind"], one["object"]["apiVersion"]) for one in found} == {("ConfigMap", "v1")}
    versions = [int(one["object"]["metadata"]["resourceVersion"]) for one in found]
    assert [begin, *versions] == sorted({begin, *versions})


@pytest.mark.parametrize("version", [None, "0"])
def test_without_a_version_all_that_is_there_is_new(place: talking.Place, version: str | None) -> None:
    """A watch that names no version begins with everything, and goes on from there."""
    place.applied(talking.config_map("b", {}))
    place.applied(talking.config_map("a", {}))
    with place.api.lines(_watch(place, **({"resourceVersion": version} if version else {}))) as events:
        assert sorted(_take(events, 2)) == [("ADDED", "a"), ("ADDED", "b")]
        place.delete("configmaps", "a")
        assert _take(events, 1) == [("DELETED", "a")]


def test_what_was_missed_is_told_later(place: talking.Place) -> None:
    """A watch from an earlier version begins with what came after that."""
    begin = _version(place)
    with place.api.lines(_watch(place, resourceVersion=begin)):
        place.applied(talking.config_map("one", {"a": "1"}))
        place.applied(talking.config_map("one", {"a": "2"}))
    place.delete("configmaps", "one")
    with place.api.lines(_watch(place, resourceVersion=begin, fieldSelector="metadata.name=one")) as events:
        assert _take(events, 3) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_selections_have_borders(place: talking.Place) -> None:
    """An object that comes under a selector is new; one that leaves it is gone as it was, at that version."""
    begin = _version(place)
    with place.api.lines(_watch(place, resourceVersion=begin, labelSelector="ours=yes")) as events:
        place.applied(talking.config_map("one", {}))
        place.applied(talking.config_map("one", {}, labels=OURS))
        place.applied(talking.config_map("one", {"a": "1"}, labels=OURS))
        left = place.applied(talking.config_map("one", {"a": "1"}))
        found = list(itertools.islice(events, 3))
    assert [one["type"] for one in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert found[-1]["object"]["metadata"]["labels"] == OURS
    assert found[-1]["object"]["metadata"]["resourceVersion"] == left["metadata"]["resourceVersion"]


def test_metadata_may_be_all(place: talking.Place) -> None:
    """A watch of metadata tells no more than that."""
    begin = _version(place)
    with place.api.lines(_watch(place, resourceVersion=begin, labelSelector="ours"), accept=METADATA) as events:
        place.applied(talking.config_map("one", {"a": "1"}, labels=OURS))
        told = next(events)["object"]
    assert (told["kind"], told["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert told.keys() == {"kind", "apiVersion", "metadata"}
    assert (told["metadata"]["name"], told["metadata"]["labels"]) == ("one", OURS)


def test_pods_come_up_before_one_that_watches(place: talking.Place) -> None:
    """Status goes on by itself: a pod is there, then ready, and nobody asks for anything meanwhile."""
    begin = _version(place, "pods")
    with place.api.lines(_watch(place, "pods", resourceVersion=begin)) as events:
        place.applied(talking.deployment("web"))
        seen = []
        for one in events:
            conditions = one["object"].get("status", {}).get("conditions") or ()
            ready = any((item["type"], item["status"]) == ("Ready", "True") for item in conditions)
            seen.append((one["type"], ready))
            if ready:
                break
    assert (seen[0], seen[-1]) == (("ADDED", False), ("MODIFIED", True))


def test_a_watch_ends_when_it_was_told_to(place: talking.Place) -> None:
    """After ``timeoutSeconds`` the answer is whole, and nothing was wrong."""
    place.applied(talking.config_map("one", {}))
    with place.api.lines(_watch(place, fieldSelector="metadata.name=one", timeoutSeconds=1)) as events:
        assert [(one["type"], one["object"]["metadata"]["name"]) for one in events] == [("ADDED", "one")]


def test_bookmarks_move_the_version(place: talking.Place) -> None:
    """Who allows bookmarks is told before the end how far the watch has come, in an object of nothing but that."""
    begin = _version(place)
    path = _watch(place, resourceVersion=begin, labelSelector="ours", allowWatchBookmarks="true", timeoutSeconds=5)
    with place.api.lines(path) as events:
        other = place.applied(talking.config_map("theirs", {}))
        found = next(events)
    assert found["type"] == "BOOKMARK"
    last = found["object"]
    assert (last["kind"], last["apiVersion"], list(last["metadata"])) == ("ConfigMap", "v1", ["resourceVersion"])
    assert int(last["metadata"]["resourceVersion"]) >= int(other["metadata"]["resourceVersion"])


def test_the_first_bookmark_after_everything_says_so(place: talking.Place) -> None:
    """Where a watch began with all that was there, its first bookmark is marked as the end of that."""
    with place.api.lines(_watch(place, labelSelector="ours", allowWatchBookmarks="true", timeoutSeconds=3)) as events:
        metadata = next(events)["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_an_object_is_not_watched_by_its_path(place: talking.Place) -> None:
    """``watch`` is for collections; one object is simply returned."""
    place.applied(talking.config_map("one", {"a": "1"}))
    answer = place.api.call("GET", place.path("configmaps", "one", watch=1, timeoutSeconds=1))
    assert answer.json["data"] == {"a": "1"}


def test_versions_that_are_none(place: talking.Place) -> None:
    """A version that is no number is refused; one that is still to come is waited for."""
    answer = place.api.call("GET", _watch(place, resourceVersion="x", timeoutSeconds=1))
    assert (answer.status, answer.json.get("reason")) == (500, None)
    assert "resourceVersion: Invalid value" in answer.json["message"]
    ahead = place.api.call("GET", _watch(place, resourceVersion=_version(place) + 10**9, timeoutSeconds=1))
    assert (ahead.status, ahead.text) == (200, "")


def test_selectors_are_checked(place: talking.Place, api: plainhttp.Api) -> None:
    """A field that cannot be selected by is refused before anything is told."""
    answer = api.call("GET", _watch(place, fieldSelector="data.a=1", timeoutSeconds=1))
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")
