"""What a simulated cluster says that it serves."""

from fleetctl.sim import kinds
from tests.unit.sim import small


def test_discovery_leads_to_every_kind() -> None:
    """From /api and /apis to each kind that is served."""
    cluster = small.Small()
    groups = cluster.call("GET", "/apis").json["groups"]
    paths = [f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"]]
    paths += [f"/api/{version}" for version in cluster.call("GET", "/api").json["versions"]]
    found = {item["kind"] for path in paths for item in cluster.call("GET", path).json["resources"]}
    assert found == {one.kind for one in kinds.RESOURCES}


def test_groups_are_told_one_by_one() -> None:
    """A group names its version; one that is not served is a 404 in plain text."""
    cluster = small.Small()
    assert cluster.call("GET", "/apis/apps").json["preferredVersion"]["groupVersion"] == "apps/v1"
    for path in ("/apis/nobody/v1", "/apis/nobody", "/nothing"):
        assert cluster.call("GET", path) == (404, b"404 page not found\n")


def test_every_kind_is_listed_by_its_path() -> None:
    """Each kind answers with a list of its own kind."""
    cluster = small.Small()
    for one in kinds.RESOURCES:
        assert cluster.call("GET", cluster.path(one.kind)).json["kind"] == f"{one.kind}List"
