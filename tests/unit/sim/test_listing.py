"""Lists of a simulated cluster: pages and field selectors."""

from tests.unit.sim import small

ONE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}


def test_pages_hold_whatever_happens_between_them() -> None:
    """What is there from the first page to the last is in one of them, though others come and go. Old tokens expire."""
    cluster = small.Small()
    for number in range(6):
        cluster.applied({**ONE, "metadata": {"name": f"m{number}"}})
    first = cluster.call("GET", cluster.path("ConfigMap", limit=2)).json
    assert first["metadata"]["remainingItemCount"] == 4
    token = first["metadata"]["continue"]
    cluster.delete("ConfigMap", "m0")
    cluster.applied({**ONE, "metadata": {"name": "a"}})
    second = cluster.call("GET", cluster.path("ConfigMap", **{"limit": 10, "continue": token})).json
    assert [item["metadata"]["name"] for item in second["items"]] == ["m2", "m3", "m4", "m5"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    cluster.wait(301)
    expired = cluster.call("GET", cluster.path("ConfigMap", **{"limit": 10, "continue": token}))
    assert (expired.status, expired.json["reason"]) == (410, "Expired")


def test_broken_pages_are_bad_requests() -> None:
    """A token that nobody gave out, and a limit that is no number; without one, or with -1, all are listed."""
    cluster = small.Small()
    cluster.applied(ONE)
    assert cluster.call("GET", cluster.path("ConfigMap", **{"continue": "?"})).status == 400
    assert cluster.call("GET", cluster.path("ConfigMap", limit="x")).status == 400
    assert len(cluster.listed("ConfigMap", limit="")) == len(cluster.listed("ConfigMap", limit=-1)) == 1


def test_field_selectors() -> None:
    """Equal and unequal, for the fields that a kind can be selected by; others are a bad request."""
    cluster = small.Small()
    for name in ("x", "y"):
        cluster.applied({**ONE, "metadata": {"name": name}})

    def names(selector: str) -> list[str]:
        return [item["metadata"]["name"] for item in cluster.listed("ConfigMap", fieldSelector=selector)]

    assert names("metadata.name=x") == names("metadata.name==x") == names("metadata.name!=y") == ["x"]
    assert names("metadata.name=x,metadata.namespace=other") == []
    for selector in ("data.a=1", "metadata.name"):
        assert cluster.call("GET", cluster.path("ConfigMap", fieldSelector=selector)).status == 400
    cluster.applied(small.workload())
    assert len(cluster.listed("Pod", fieldSelector="status.phase=Pending")) == 1
