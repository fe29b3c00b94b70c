"""What an API server says that it serves, in one answer and in many. Held against every target of conftest.py."""

from typing import Any

from fleetctl.kube import discovery
from fleetctl.sim import kinds
from tests.contract import plainhttp

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _resources(api: plainhttp.Api) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return what aggregated discovery tells, by group, version and plural."""
    found = {}
    for path in ("/api", "/apis"):
        answer = api.call("GET", path, accept=AGGREGATED)
        assert (answer.status, answer.headers["Content-Type"]) == (200, AGGREGATED)
        for group in answer.json["items"]:
            for version in group["versions"]:
                assert version["freshness"] == "Current"
                for one in version["resources"]:
                    found[group["metadata"].get("name", ""), version["version"], one["resource"]] = one
    return found


def test_aggregated_discovery_tells_each_kind(api: plainhttp.Api) -> None:
    """Scope, singular, short names and categories of every kind that the simulation has are those of Kubernetes."""
    found = _resources(api)
    for kind in kinds.RESOURCES:
        one = found[kind.group, kind.version, kind.plural]
        assert one["responseKind"] == {"group": "", "version": "", "kind": kind.kind}
        told = (one["scope"], one["singularResource"], one.get("shortNames"), one.get("categories"))
        scope = "Namespaced" if kind.namespaced else "Cluster"
        short, all_ = [kind.short] if kind.short else None, ["all"] if kind.common else None
        assert told == (scope, kind.kind.lower(), short, all_)
        assert {"delete", "get", "list"} <= set(one["verbs"])
        below = {
            item["subresource"]: (item["responseKind"]["kind"], item["verbs"]) for item in one.get("subresources", ())
        }
        assert ("status" in below) is ("status" in kind.below)
        for name in kind.below:
            verbs = ["get"] if name == "log" else ["get", "patch", "update"]
            assert below[name] == (kind.kind, verbs)


def test_both_forms_of_discovery_agree(api: plainhttp.Api) -> None:
    """A version that is asked for alone tells the same of its kinds, with what stands below them beside them."""
    aggregated = _resources(api)
    for version in ("v1", "apps/v1"):
        group, _, bare = version.rpartition("/")
        listed = api.call("GET", f"/apis/{version}" if group else f"/api/{version}").json["resources"]
        for one in listed:
            name, _, below = one["name"].partition("/")
            other = aggregated[group, bare, name]
            if below:
                [other] = [item for item in other["subresources"] if item["subresource"] == below]
            else:
                assert one["namespaced"] is (other["scope"] == "Namespaced")
            assert (one["kind"], one["verbs"]) == (other["responseKind"]["kind"], other["verbs"])


def test_what_is_known_is_not_sent_again(api: plainhttp.Api) -> None:
    """An answer bears a mark; with it the same question is answered by 304 and no word of a body, else in full."""
    first = api.call("GET", "/apis", accept=AGGREGATED)
    etag = first.headers["Etag"]
    again = api.call("GET", "/apis", accept=AGGREGATED, if_none_match=etag)
    assert (again.status, again.text, again.headers["Etag"]) == (304, "", etag)
    assert not {"Content-Type", "Content-Length"} & again.headers.keys()
    for other in ('"0"', etag.strip('"')):
        assert api.call("GET", "/apis", accept=AGGREGATED, if_none_match=other).status == 200


def test_groups_alone_are_told_to_who_does_not_ask_for_more(api: plainhttp.Api) -> None:
    """Plain JSON gets the old form: a list of groups, with the version that each prefers."""
    answer = api.call("GET", "/apis")
    assert answer.json["kind"] == "APIGroupList"
    assert "Etag" not in answer.headers
    preferred = {group["name"]: group["preferredVersion"]["groupVersion"] for group in answer.json["groups"]}
    assert preferred["apps"] == "apps/v1"
    assert api.call("GET", "/api").json["versions"] == ["v1"]


def test_aggregated_discovery_is_taken_where_plain_is_second(api: plainhttp.Api) -> None:
    """A client may name both forms; the first that the server has is answered."""
    both = api.call("GET", "/apis", accept=f"{AGGREGATED},application/json")
    assert both.json["kind"] == "APIGroupDiscoveryList"
    newer = AGGREGATED.replace("v=v2", "v=v9")
    assert api.call("GET", "/apis", accept=f"{newer},application/json").json["kind"] == "APIGroupList"


def test_our_own_reading_is_what_is_told(api: plainhttp.Api) -> None:
    """What our client asks for gets the newest form; it finds in it the path of every kind that the simulation has."""
    answer = api.call("GET", "/apis", accept=discovery.ACCEPT)
    assert answer.headers["Content-Type"] == AGGREGATED
    document = discovery.read(answer.text.encode())
    for kind in kinds.RESOURCES:
        if kind.group:
            found = discovery.Served(kind.plural, kind.namespaced, "status" in kind.below)
            assert document.kinds[kind.api_version][kind.kind] == found
            assert document.versions[kind.group][0] == kind.api_version


def test_the_mark_is_the_hash_of_what_is_told(api: plainhttp.Api) -> None:
    """So that an answer of one cluster may be asked about at another, and none can pass for a third's."""
    answer = api.call("GET", "/apis", accept=AGGREGATED)
    assert discovery.proven(answer.headers["Etag"], answer.text.encode())
    assert not discovery.proven(answer.headers["Etag"], answer.text.replace("apps", "Apps").encode())
