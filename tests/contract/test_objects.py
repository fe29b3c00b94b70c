"""What an API server answers to reads and deletes, and who may ask. Held against every target of conftest.py.

Nothing of fleetctl is used here: what these tests find is what our client may count on.
"""

import datetime as dt
import email.utils

import pytest

from tests.contract import plainhttp, talking

DATA = {"greeting": "hello"}


def test_reads_an_object(place: talking.Place) -> None:
    """A GET returns the object with its uid and resourceVersion, and the server's clock in the Date header."""
    place.applied(talking.config_map("one", DATA))
    answer = place.api.call("GET", place.path("configmaps", "one"))
    found = answer.json
    assert (found["apiVersion"], found["kind"], found["data"]) == ("v1", "ConfigMap", DATA)
    assert found["metadata"]["uid"]
    assert found["metadata"]["resourceVersion"]
    assert found["metadata"]["namespace"] == place.namespace
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
    told = email.utils.parsedate_to_datetime(answer.headers["Date"])
    assert abs(told - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_reads_metadata_alone(place: talking.Place) -> None:
    """An object and a list can be asked for without specs and data; labels and annotations are there."""
    place.applied(talking.config_map("one", DATA, labels={"a": "1"}, annotations={"b": "2"}))
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    one = place.api.call("GET", place.path("configmaps", "one"), accept=accept).json
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert (one["metadata"]["labels"], one["metadata"]["annotations"]) == ({"a": "1"}, {"b": "2"})
    assert "data" not in one
    query = place.path("configmaps", labelSelector="a=1")
    several = place.api.call("GET", query, accept=talking.METADATA_LIST).json
    assert (several["kind"], several["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert several["metadata"]["resourceVersion"]
    assert [item["metadata"]["name"] for item in several["items"]] == ["one"]
    assert several["items"][0]["metadata"]["uid"] == one["metadata"]["uid"]
    assert "data" not in several["items"][0]


def test_knows_who_it_is(api: plainhttp.Api) -> None:
    """The namespace kube-system is there from the start; its uid is the cluster's identity."""
    answer = api.call("GET", "/api/v1/namespaces/kube-system")
    assert answer.status == 200
    assert answer.json["metadata"]["uid"]
    assert api.call("GET", "/version").json["gitVersion"].startswith("v1.")


def test_says_what_kinds_a_group_has(api: plainhttp.Api) -> None:
    """Discovery gives each kind its plural and its scope."""
    core = {item["name"]: item for item in api.call("GET", "/api/v1").json["resources"]}
    assert (core["configmaps"]["kind"], core["configmaps"]["namespaced"]) == ("ConfigMap", True)
    assert (core["namespaces"]["kind"], core["namespaces"]["namespaced"]) == ("Namespace", False)
    apps = {item["name"]: item["kind"] for item in api.call("GET", "/apis/apps/v1").json["resources"]}
    assert apps["deployments"] == "Deployment"


def test_lists_in_pages(place: talking.Place) -> None:
    """A limited LIST gives a token for the rest; every page has the resourceVersion of the first."""
    for number in range(5):
        place.applied(talking.config_map(f"page-{number}", DATA, labels={"paged": "yes"}))
    query: dict[str, object] = {"labelSelector": "paged=yes", "limit": 2}
    names: list[str] = []
    versions: set[str] = set()
    sizes: list[int] = []
    while True:
        page = place.api.call("GET", place.path("configmaps", **query)).json
        names += [item["metadata"]["name"] for item in page["items"]]
        sizes.append(len(page["items"]))
        versions.add(page["metadata"]["resourceVersion"])
        if not (token := page["metadata"].get("continue")):
            break
        query["continue"] = token
    assert names == [f"page-{number}" for number in range(5)]
    assert sizes == [2, 2, 1]
    assert len(versions) == 1


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=web", ["a", "b"]),
        ("tier==web,ring=1", ["b"]),
        ("tier!=web", ["c", "d"]),
        ("tier", ["a", "b", "c"]),
        ("!tier,kept", ["d"]),
        ("ring in (0, 1)", ["a", "b"]),
        ("tier notin (db),kept", ["a", "b", "d"]),
    ],
)
def test_selects_by_label(place: talking.Place, selector: str, found: list[str]) -> None:
    """A LIST takes the label selectors that kubectl takes."""
    labels = {"a": {"tier": "web", "ring": "0"}, "b": {"tier": "web", "ring": "1"}, "c": {"tier": "db"}, "d": {}}
    for name, given in labels.items():
        place.applied(talking.config_map(name, DATA, labels={"kept": "yes", **given}))
    seen = [item["metadata"]["name"] for item in place.listed("configmaps", labelSelector=selector)]
    assert [name for name in seen if name in labels] == found


def test_refuses_a_broken_selector(place: talking.Place) -> None:
    """A selector that cannot be read is a bad request, not an empty list."""
    answer = place.api.call("GET", place.path("configmaps", labelSelector="a in b"))
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")


def test_not_found_says_what(place: talking.Place, api: plainhttp.Api) -> None:
    """A 404 tells a missing object, a missing namespace and a group that is not served apart."""
    missing = api.call("GET", place.path("configmaps", "none"))
    assert (missing.status, missing.json["reason"]) == (404, "NotFound")
    assert (missing.json["details"]["kind"], missing.json["details"]["name"]) == ("configmaps", "none")
    nowhere = talking.Place(api, "no-such-namespace").apply(talking.config_map("one", DATA))
    assert (nowhere.status, nowhere.json["details"]["kind"]) == (404, "namespaces")
    group = api.call("GET", f"/apis/nobody.example/v1/namespaces/{place.namespace}/tills/one")
    assert (group.status, group.text.strip()) == (404, "404 page not found")
    kind = api.call("GET", f"/apis/apps/v1/namespaces/{place.namespace}/tills/one")
    assert kind.status == 404


def test_wrong_token_is_401(connect: talking.Connect) -> None:
    """A token that nobody gave out is a 401, on any path."""
    answer = connect("wrong").call("GET", "/api/v1/namespaces/kube-system")
    assert (answer.status, answer.json["reason"]) == (401, "Unauthorized")


def test_delete_checks_its_preconditions(place: talking.Place) -> None:
    """A delete with another's uid or an old resourceVersion is a 409; with both right it is done, then 404."""
    old = place.applied(talking.config_map("one", DATA))["metadata"]
    now = place.applied(talking.config_map("one", {"greeting": "hi"}))["metadata"]
    other = "00000000-0000-0000-0000-000000000000"
    wrong = place.delete("configmaps", "one", preconditions={"uid": other})
    assert (wrong.status, wrong.json["reason"]) == (409, "Conflict")
    right = {"uid": old["uid"], "resourceVersion": now["resourceVersion"]}
    stale = place.delete("configmaps", "one", preconditions=right | {"resourceVersion": old["resourceVersion"]})
    assert (stale.status, stale.json["reason"]) == (409, "Conflict")
    assert place.delete("configmaps", "one", preconditions=right).status == 200
    gone = place.delete("configmaps", "one", preconditions=right)
    assert (gone.status, gone.json["reason"]) == (404, "NotFound")


def test_lease_is_renewed_by_version(place: talking.Place) -> None:
    """A Lease is made by POST and renewed by PUT; an old resourceVersion, or a second POST, is a 409."""
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "fleetctl-shop", "namespace": place.namespace},
        "spec": {"holderIdentity": "run-1", "leaseDurationSeconds": 60, "renewTime": "2026-01-01T00:00:00.000000Z"},
    }
    made = place.api.call("POST", place.path("leases"), body)
    assert made.status == 201
    again = place.api.call("POST", place.path("leases"), body)
    assert (again.status, again.json["reason"]) == (409, "AlreadyExists")
    renewed = made.json | {"spec": {**made.json["spec"], "renewTime": "2026-01-01T00:00:20.000000Z"}}
    assert place.api.call("PUT", place.path("leases", "fleetctl-shop"), renewed).status == 200
    stale = place.api.call("PUT", place.path("leases", "fleetctl-shop"), renewed)
    assert (stale.status, stale.json["reason"]) == (409, "Conflict")


def test_lease_needs_its_namespace(api: plainhttp.Api) -> None:
    """Where the namespace is not there, a POST is a 404 that names it."""
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "fleetctl-shop"}}
    answer = api.call("POST", "/apis/coordination.k8s.io/v1/namespaces/nowhere/leases", body)
    assert (answer.status, answer.json["reason"]) == (404, "NotFound")
