"""Tables of sites, nodes, groups and bundles as people see them."""

import io
from typing import Any

import pytest

from fleetctl.console import listings
from fleetctl.model import problems, selectors, sites


def _rows(write: Any, *arguments: Any, **flags: Any) -> list[list[str]]:  # noqa: ANN401  # any table and what it takes
    stream = io.StringIO()
    write(*arguments, stream, **flags)
    return [line.split() for line in stream.getvalue().splitlines()]


NODE = sites.Node(
    "n0",
    "10.0.0.1",
    arch="arm64",
    labels={"disk": "ssd", "ring": "9"},
    taints=(sites.Taint("a", "NoSchedule"), sites.Taint("b", "NoExecute", "1")),
)
FULL = sites.Site(
    "a",
    state="planned",
    labels={"ring": "0", "example.com/env": "prod"},
    nodes=(NODE, sites.Node("n1", "10.0.0.2", role="agent")),
    bundles={"x": {}, "b": {}},
)
BARE = sites.Site("b")


def test_a_cell_has_no_blanks_and_is_never_empty() -> None:
    """So that ``awk`` finds the column: lists are joined by commas, nothing is a dash."""
    assert _rows(listings.of_sites, [FULL, BARE], [], wide=True) == [
        ["NAME", "STATE", "DISTRIBUTION", "VERSION", "NODES", "BUNDLES", "LABELS"],
        ["a", "planned", "k3s", "-", "2", "b,x", "example.com/env=prod,ring=0"],
        ["b", "active", "k3s", "-", "0", "-", "-"],
    ]


def test_labels_are_columns_where_they_are_asked_for() -> None:
    """As kubectl has it: the head is the key without its prefix; built-in labels are labels too."""
    assert _rows(listings.of_sites, [FULL, BARE], ["example.com/env", "state"], wide=False) == [
        ["NAME", "STATE", "DISTRIBUTION", "VERSION", "NODES", "BUNDLES", "ENV", "STATE"],
        ["a", "planned", "k3s", "-", "2", "b,x", "prod", "planned"],
        ["b", "active", "k3s", "-", "0", "-", "-", "active"],
    ]


def test_nodes_are_named_by_their_site() -> None:
    """A label of the node counts before that of its site."""
    assert _rows(listings.of_nodes, [FULL, BARE], ["ring"], wide=True) == [
        ["NAME", "ROLE", "ARCH", "ADDRESS", "RING", "DISTRIBUTION", "VERSION", "TAINTS", "LABELS"],
        ["a/n0", "server", "arm64", "10.0.0.1", "9", "k3s", "-", "a:NoSchedule,b=1:NoExecute", "disk=ssd,ring=9"],
        ["a/n1", "agent", "amd64", "10.0.0.2", "0", "k3s", "-", "-", "-"],
    ]


def test_groups_and_bundles_are_counted() -> None:
    """What matches everything shows a dash."""
    mark = problems.Mark("groups.yaml", 3, 7)
    groups = [
        sites.Group("all", selectors.Selector(), 1, {}, mark),
        sites.Group("g", selectors.parse("a=b"), 2, {}, mark),
    ]
    assert _rows(listings.of_groups, [(groups[0], 1240), (groups[1], 0)]) == [
        ["NAME", "PRIORITY", "SITES", "MATCH"],
        ["all", "1", "1240", "-"],
        ["g", "2", "0", "a=b"],
    ]
    assert _rows(listings.of_bundles, [("pos", "1.4.0", "pos", 3)]) == [
        ["NAME", "VERSION", "NAMESPACE", "SITES"],
        ["pos", "1.4.0", "pos", "3"],
    ]


@pytest.mark.parametrize(
    ("given", "expected"), [([], []), (["a,b", "a", " c ,"], ["a", "b", "c"])], ids=["none", "lists and repeats"]
)
def test_keys_come_once(given: list[str], expected: list[str]) -> None:
    """``-L a,b -L a`` is two columns."""
    assert listings.keys(given) == expected


def test_the_usual_tables_fit_80_columns() -> None:
    """With names as long as those of real fleets."""
    site = sites.Site("store-00001", bundles={"retail-pos": {}}, nodes=(sites.Node("n0", "10.44.15.10"),))
    for write in (listings.of_sites, listings.of_nodes):
        stream = io.StringIO()
        write([site], [], stream, wide=False)
        assert max(map(len, stream.getvalue().splitlines())) <= 80
