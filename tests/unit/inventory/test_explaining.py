"""Why a value is what it is: the winner that is named is always the value that the fleet has."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from fleetctl.inventory import entries, explaining, layers
from fleetctl.model import codes, errors, problems, sites, values
from fleetctl.reading import yaml12
from tests.unit.inventory import writing


def _files(data: dict[str, Any]) -> dict[str, str]:
    return {
        "inventory/defaults.yaml": writing.document("Defaults", data["defaults"]),
        "inventory/sites.yaml": writing.document("SiteList", {"defaults": data["file"], "sites": data["sites"]}),
        **{f"inventory/{group['name']}.yaml": writing.document("Group", group) for group in data["groups"]},
    }


def _made(parts: tuple[explaining.Contribution, ...]) -> object:
    """Make a value of what is said about it."""
    top, *lower = parts
    if top.verb != "appends":
        return top.value
    joined: list[object] = []
    for part in reversed([top, *(part for part in lower if part.counts)]):
        assert isinstance(part.value, list)
        joined += part.value
    return joined


@settings(max_examples=80)
@given(writing.inventories())
def test_the_winner_carries_the_value_of_the_fleet(data: dict[str, Any]) -> None:
    """For every leaf of every site: what the layers are said to make is what the site has, at the winner's line."""
    loaded = writing.loaded(_files(data))
    for name, site in loaded.fleet.sites.items():
        plain = msgspec.to_builtins(site)
        built_in = msgspec.to_builtins(sites.Site(name))
        for one in explaining.explain(loaded, name):
            assert one.value == problems.value_at(plain, one.field)
            known = layers.layers_of(loaded.files, name)
            if any(part.counts for part in one.contributions):
                assert _made(one.contributions) == one.value
                assert layers.origin(known, one.field, exact=True) == one.contributions[0].mark
            else:
                assert one.value == problems.value_at(built_in, one.field)
                assert layers.origin(known, one.field, exact=True) is None


@settings(max_examples=40)
@given(writing.inventories())
def test_all_leaves_are_explained_once(data: dict[str, Any]) -> None:
    """Putting the explained leaves together again gives the whole site."""
    loaded = writing.loaded(_files(data))
    for name, site in loaded.fleet.sites.items():
        rebuilt: dict[str, Any] = {"name": name, "nodes": ()}
        for one in explaining.explain(loaded, name):
            at = rebuilt
            for step in one.field[:-1]:
                at = at.setdefault(str(step), {})
            assert one.field[-1] not in at
            at[str(one.field[-1])] = one.value
        assert rebuilt == msgspec.to_builtins(site)


DATA: dict[str, Any] = {
    "defaults": {
        "labels": {"env": "prod"},
        "vars": {
            "pos": {"tls": {"minVersion": "1.1", "legacy": True}, "cidrs": ["a"], "image": {"tag": "x"}, "key": 1}
        },
    },
    "file": {},
    "groups": [
        {
            "name": "low",
            "match": "env",
            "priority": 1,
            "vars": {"pos": {"cidrs+": ["b"], "image": "none", "key": values.UNSET}},
        },
        {
            "name": "high",
            "match": "env",
            "priority": 2,
            "vars": {"pos": {"tls": {"minVersion": "1.2"}, "image": {"tag": "y"}}},
        },
    ],
    "sites": [
        {
            "name": "s",
            "nodes": [{"name": "n0", "address": "10.0.0.1", "vars": {"pos": {"cidrs+": ["node"]}}}],
            "vars": {"pos": {"tls": {"legacy": values.UNSET}, "cidrs+": ["c"], "empty": {"x": values.UNSET}}},
        }
    ],
}


def _explained(path: str, *, below: tuple[entries.Layer, ...] = ()) -> explaining.Explanation:
    field = explaining.field_of(path)
    (one,) = explaining.explain(writing.loaded(_files(DATA)), "s", field, below)
    return one


def _said(path: str) -> list[tuple[str, str, object, bool]]:
    return [(part.layer, part.verb, part.value, part.counts) for part in _explained(path).contributions]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "pos.tls.minVersion",
            "1.2",
            [("group high (priority 2)", "sets", "1.2", True), ("defaults", "sets", "1.1", False)],
        ),
        (
            "pos.cidrs",
            ["a", "b", "c"],
            [
                ("site s", "appends", ["c"], True),
                ("group low (priority 1)", "appends", ["b"], True),
                ("defaults", "sets", ["a"], True),
            ],
        ),
        (
            "pos.tls.legacy",
            values.UNSET,
            [("site s", "removes", values.UNSET, True), ("defaults", "sets", True, False)],
        ),
        (
            "pos.image.tag",
            "y",
            [
                ("group high (priority 2)", "sets", "y", True),
                ("group low (priority 1)", "replaces", "none", False),
                ("defaults", "sets", "x", False),
            ],
        ),
        (
            "pos.key",
            values.UNSET,
            [("group low (priority 1)", "removes", values.UNSET, True), ("defaults", "sets", 1, False)],
        ),
        ("pos.empty", {}, [("site s", "sets", {}, True)]),
        ("access.ssh.port", 22, []),
        ("labels.env", "prod", [("defaults", "sets", "prod", True)]),
        ("name", "s", [("site s", "sets", "s", True)]),
        ("nodes[0].address", "10.0.0.1", [("site s", "sets", "10.0.0.1", True)]),
        ("nodes[0].arch", "amd64", []),
    ],
)
def test_what_layers_say(path: str, value: object, said: list[tuple[str, str, object, bool]]) -> None:
    """The highest layer first; each with what it does, and whether that still has effect."""
    assert _explained(path).value == value
    assert _said(path) == said


def test_the_vars_of_a_node_have_one_more_layer() -> None:
    """The node stands above its site."""
    one = _explained("nodes[0].vars.pos.cidrs")
    assert one.value == ["a", "b", "c", "node"]
    assert [part.layer for part in one.contributions] == ["node n0", "site s", "group low (priority 1)", "defaults"]


def test_an_item_is_explained_with_its_list() -> None:
    """Which layer an item came from can be seen there."""
    assert _explained("pos.cidrs[2]").field == ("vars", "pos", "cidrs")
    assert _explained("nodes[0].vars.pos.cidrs[0]").field == ("nodes", 0, "vars", "pos", "cidrs")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("pos.tsl", 's has no vars.pos.tsl; did you mean "tls"?'),
        ("pos.zzz.a", "s has no vars.pos.zzz; there is: cidrs, empty, image, tls"),
        ("pos.cidrs[3]", "s has no vars.pos.cidrs[3]"),
        ("pos.cidrs.x", "s has no vars.pos.cidrs.x"),
        ("pos.tls.minVersion.x", "s has no vars.pos.tls.minVersion.x"),
        ("labels.state", "s has no labels.state; there is: env"),
        ("nodes[1]", "s has no nodes[1]"),
        ("access.ssh.prot", 's has no access.ssh.prot; did you mean "port"?'),
    ],
)
def test_what_is_not_there(path: str, message: str) -> None:
    """The nearest key is guessed, or those that there are are named."""
    with pytest.raises(errors.UsageError) as caught:
        _explained(path)
    assert (caught.value.code, caught.value.message) == (codes.Code.USAGE, message)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("pos.tls", ("vars", "pos", "tls")),
        ("vars.pos", ("vars", "pos")),
        ("access.ssh", ("access", "ssh")),
        ('labels["example.com/tier"]', ("labels", "example.com/tier")),
        ("list[0]", ("vars", "list", 0)),
        ("", ("vars",)),
    ],
)
def test_paths_start_at_vars_unless_they_name_a_key_of_a_site(path: str, field: problems.Field) -> None:
    """Most questions are about vars."""
    assert explaining.field_of(path) == field


@pytest.mark.parametrize("path", ["a..b", ".a", "a[", "a[x]", 'a["b]', "a]"])
def test_what_is_no_path(path: str) -> None:
    """The message shows how one looks."""
    with pytest.raises(errors.UsageError, match="is not a path such as"):
        explaining.field_of(path)


def _bundle(bundle_values: dict[str, Any]) -> entries.Layer:
    (document,), _ = yaml12.read(writing.document("Bundle", {"values": bundle_values}), "templates/app/bundle.yaml")
    return entries.Layer("bundle app", {"vars": {"pos": bundle_values}}, document, ("values",), lifted=2)


BELOW = (_bundle({"retries": 3, "cidrs": ["bundle"], "key": 7, "tls": {"minVersion": "1.0"}}),)


@pytest.mark.parametrize(
    ("path", "value", "layers"),
    [
        ("pos.retries", 3, [("bundle app", True)]),
        (
            "pos.tls.minVersion",
            "1.2",
            [("group high (priority 2)", True), ("defaults", False), ("bundle app", False)],
        ),
        (
            "pos.cidrs",
            ["a", "b", "c"],
            [("site s", True), ("group low (priority 1)", True), ("defaults", True), ("bundle app", False)],
        ),
        ("pos.key", 7, [("bundle app", True), ("group low (priority 1)", False), ("defaults", False)]),
    ],
)
def test_values_of_bundles_lie_below_all_layers(path: str, value: object, layers: list[tuple[str, bool]]) -> None:
    """They count where the merged site has no value of its own."""
    one = _explained(path, below=BELOW)
    assert one.value == value
    assert [(part.layer, part.counts) for part in one.contributions] == layers


def test_places_in_a_bundle_are_those_of_its_file() -> None:
    """Though its values stand below ``vars`` in a site."""
    (part,) = _explained("pos.retries", below=BELOW).contributions
    assert str(part.mark) == "templates/app/bundle.yaml:3:21"


def test_a_bundle_without_values_is_not_mentioned() -> None:
    """Its empty map is no value of the site."""
    loaded = writing.loaded(_files({**DATA, "defaults": {}, "groups": [], "sites": [{"name": "s"}]}))
    found = explaining.explain(loaded, "s", ("vars",), (_bundle({}),))
    assert [one.field for one in found if one.field != ("vars",)] == []
