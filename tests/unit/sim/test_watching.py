"""Watches of a simulated cluster over virtual time; the wire is not here (test_streaming), nor the contract."""

import json
from typing import Any

from fleetctl.sim import watching
from tests.contract import talking
from tests.unit.sim import small


def _watch(cluster: small.Small, kind: str, **query: object) -> watching.Watch:
    headers = {"authorization": "Bearer t"}
    watch = cluster.cluster.answer("GET", cluster.path(kind, watch=1, **query), headers, b"").watch
    assert watch is not None
    return watch


def _told(part: watching.Part) -> list[tuple[str, str]]:
    lines: list[dict[str, Any]] = list(map(json.loads, part.lines))
    return [(one["type"], one["object"]["metadata"].get("name", "")) for one in lines]


def test_it_says_when_to_look_again() -> None:
    """At the next moment at which a pod changes; where none does, at the end; after the end never."""
    cluster = small.Small()
    begin = cluster.now
    watch = _watch(cluster, "Pod", timeoutSeconds=60)
    assert watch.look() == ([], begin + 60)
    cluster.applied(small.workload())
    part = watch.look()
    assert [kind for kind, _ in _told(part)] == ["ADDED", "MODIFIED"]
    assert part.wakes == begin + 1
    cluster.now = begin + 1
    part = watch.look()
    assert [kind for kind, _ in _told(part)] == ["MODIFIED"]
    assert part.wakes == begin + 60
    cluster.now = begin + 60
    assert watch.look() == ([], None)


def test_bookmarks_come_by_the_minute_and_before_the_end() -> None:
    """One each minute, and one two seconds before the end; none to who did not ask."""
    cluster = small.Small()
    begin = cluster.now
    watch = _watch(cluster, "ConfigMap", timeoutSeconds=90, allowWatchBookmarks="true")
    times = []
    wakes = watch.look().wakes
    while wakes is not None:
        cluster.now = wakes
        part = watch.look()
        times += [cluster.now - begin] * len(part.lines)
        wakes = part.wakes
    assert times == [60]
    watch = _watch(cluster, "ConfigMap", timeoutSeconds=50, allowWatchBookmarks="true")
    assert watch.look().wakes == cluster.now + 48
    assert _watch(cluster, "ConfigMap").look().wakes == cluster.now + 1800
    watch = _watch(cluster, "ConfigMap", timeoutSeconds=50, allowWatchBookmarks="true", resourceVersion=10**6)
    cluster.now += 48
    assert watch.look().lines == []  # nothing came since: there is nothing to tell


def test_a_version_that_is_forgotten_is_an_error() -> None:
    """As a last line, with the Status of an expired version; then it is over."""
    cluster = small.Small()
    cluster.applied(talking.config_map("one", {}))
    [line], wakes = _watch(cluster, "ConfigMap", resourceVersion=1).look()
    told = json.loads(line)
    assert (told["type"], told["object"]["code"], told["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert wakes is None


def test_only_one_namespace_is_told() -> None:
    """What happens in other namespaces is nobody's business here."""
    cluster = small.Small()
    watch = _watch(cluster, "ConfigMap")
    assert watch.look().lines == []
    elsewhere = "/api/v1/namespaces/default/configmaps/one?fieldManager=a"
    assert cluster.call("PATCH", elsewhere, talking.config_map("one", {})).status == 201
    assert watch.look().lines == []
