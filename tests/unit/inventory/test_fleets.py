"""The fleet from its layers: what must not matter does not, and every value leads back to its line."""

import collections
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetctl.inventory import layers
from fleetctl.model import codes, errors, problems, values
from tests.unit.inventory import writing

_Outcome = dict[str, Any]


def _outcome(files: dict[str, str]) -> _Outcome:
    """Return the sites and groups of a fleet, or the codes of what is wrong with it: all that places do not change."""
    try:
        fleet = writing.loaded(files).fleet
    except errors.InvalidInput as error:
        return {"codes": sorted({str(problem.code) for problem in error.problems})}
    groups = {name: (str(group.match), group.priority, group.layer) for name, group in fleet.groups.items()}
    return {"sites": fleet.sites, "groups": groups}


def _documents(data: dict[str, Any]) -> list[str]:
    """Write an inventory as documents, each site in a list of its own with the same file defaults."""
    return [
        writing.document("Defaults", data["defaults"]),
        *(writing.document("Group", group) for group in data["groups"]),
        *(writing.document("SiteList", {"defaults": data["file"], "sites": [site]}) for site in data["sites"]),
    ]


def _usual(data: dict[str, Any]) -> dict[str, str]:
    """Write an inventory into the files that people would choose."""
    return {
        "inventory/defaults.yaml": writing.document("Defaults", data["defaults"]),
        "inventory/sites/all.yaml": writing.document("SiteList", {"defaults": data["file"], "sites": data["sites"]}),
        **{f"inventory/groups/{group['name']}.yaml": writing.document("Group", group) for group in data["groups"]},
    }


@settings(max_examples=60)
@given(writing.inventories() | writing.inventories(faulty=True), st.randoms(use_true_random=False))
def test_files_and_their_order_mean_nothing(data: dict[str, Any], random: Any) -> None:  # noqa: ANN401
    """One file or many, whatever they are called, in any order: the fleet is the same."""
    usual = _outcome(_usual(data))
    documents = _documents(data)
    random.shuffle(documents)
    assert _outcome({"inventory/all.yaml": "---\n".join(documents)}) == usual
    spread = {f"inventory/{random.choice('abc')}/{index}.yml": text for index, text in enumerate(documents)}
    assert _outcome(spread) == usual


@settings(max_examples=60)
@given(st.lists(st.integers(-3, 9), unique=True, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_priorities_decide_wherever_groups_stand(priorities: list[int], random: Any) -> None:  # noqa: ANN401
    """Groups that meet and set one leaf: the highest priority wins and appends last, in any order of files."""
    groups = [
        {"name": f"g{index}", "match": "env", "priority": priority, "vars": {"a": priority, "l+": [priority]}}
        for index, priority in enumerate(priorities)
    ]
    defaults, file = {"vars": {"l": ["defaults"]}}, {"labels": {"env": "prod"}, "vars": {"a": 0, "l+": ["file"]}}
    members = [{"name": "one"}, {"name": "two", "vars": {"a": "site"}}]
    documents = _documents({"defaults": defaults, "file": file, "groups": groups, "sites": members})
    random.shuffle(documents)
    lists = ["defaults", "file", *sorted(priorities)]
    wanted = {"one": {"a": max(priorities), "l": lists}, "two": {"a": "site", "l": lists}}
    spread = {f"inventory/{random.choice('abc')}/{index}.yml": text for index, text in enumerate(documents)}
    for files in ({"inventory/all.yaml": "---\n".join(documents)}, spread):
        assert {name: site.vars for name, site in writing.loaded(files).fleet.sites.items()} == wanted


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_a_conflict_reads_the_same_wherever_groups_stand(order: str) -> None:
    """Which group is named first, and blamed, follows from the names of groups, not of files."""
    files = {"inventory/sites.yaml": writing.document("SiteList", {"sites": [{"name": "one"}]})}
    for at, name in enumerate(order):
        group = {"name": name, "match": "", "priority": 1, "vars": {"a": name}}
        files[f"inventory/{at}.yaml"] = writing.document("Group", group)
    assert sorted(re.findall(r'groups "(.)" and "(.)"', str(_problems(files)))) == [("a", "b"), ("a", "c"), ("b", "c")]


@settings(max_examples=60)
@given(writing.inventories(faulty=True))
def test_a_fleet_loads_or_says_why(data: dict[str, Any]) -> None:
    """No inventory whose parts are valid leads out of the error tree; problems stand in files that there are."""
    files = _usual(data)
    try:
        fleet = writing.loaded(files).fleet
    except errors.InvalidInput as error:
        for problem in error.problems:
            assert problem.mark is not None
            assert 1 <= problem.mark.line <= files[problem.mark.path].count("\n")
    else:
        assert list(fleet.sites) == sorted(site["name"] for site in data["sites"])


@settings(max_examples=60)
@given(writing.inventories())
def test_layers_of_a_site_merge_to_the_site(data: dict[str, Any]) -> None:
    """Laying on one layer after the other, by the simplest rules there are, gives what the fleet has."""
    loaded = writing.loaded(_usual(data))
    for name, site in loaded.fleet.sites.items():
        merged: dict[str, Any] = {}
        for layer in layers.layers_of(loaded.files, name):
            merged = _laid_over(merged, layer.data)
        assert site.vars == merged.get("vars", {})
        assert site.labels == merged.get("labels", {})
        assert site.bundles == merged.get("bundles", {})


def _laid_over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    result = {**lower}
    for key, value in upper.items():
        name = key.removesuffix("+")
        below = result.pop(name, None)
        if key != name:
            result[name] = [*(below or []), *value]
        elif isinstance(value, dict):
            result[name] = _laid_over(below if isinstance(below, dict) else {}, value)
        elif value is not values.UNSET:
            result[name] = value
    return result


_ITEMS = st.integers(1, 3)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["sets", "appends", "removes", "replaces", "is silent"]), _ITEMS), max_size=4)
)
def test_an_item_of_a_list_leads_to_its_own_line(said: list[tuple[str, int]]) -> None:
    """Through any layers that set, append to or remove a list, each item is found where it is written."""
    written, serial = [], iter(range(100))
    for verb, count in said:
        items = [f"item-{next(serial)}" for _ in range(count)]
        written.append(
            {
                "sets": {"pos": {"list": items}},
                "appends": {"pos": {"list+": items}},
                "removes": {"pos": values.UNSET},
                "replaces": {"pos": 1},
                "is silent": {"pos": {"other": items}},
            }[verb]
        )
    groups = [{"name": f"g{i}", "match": "", "priority": i, "vars": layer} for i, layer in enumerate(written)]
    files = _usual({"defaults": {}, "file": {}, "groups": groups, "sites": [{"name": "s"}]})
    loaded = writing.loaded(files)
    found = problems.value_at(loaded.fleet.sites["s"].vars, ("pos", "list"))
    for index, item in enumerate(found if isinstance(found, list) else []):
        mark = layers.origin(layers.layers_of(loaded.files, "s"), ("vars", "pos", "list", index), exact=True)
        assert mark is not None
        line = files[mark.path].split("\n")[mark.line - 1]
        assert line[mark.column - 1 :].startswith(json.dumps(item))


ORIGINS = {
    "inventory/defaults.yaml": writing.document("Defaults", {"vars": {"a": {"b": 1, "c": 2}, "gone": {"x": 1}}}),
    "inventory/g.yaml": writing.document(
        "Group", {"name": "g", "match": "", "priority": 1, "vars": {"a": {"b": 3}, "gone": values.UNSET, "list+": [1]}}
    ),
    "inventory/s.yaml": writing.document(
        "SiteList", {"sites": [{"name": "s", "vars": {"gone": {"y": 2}, "a": {"c": values.UNSET}}}]}
    ),
}


@pytest.mark.parametrize(
    ("path", "place", "exact"),
    [
        ("vars.a.b", "inventory/g.yaml 3", True),
        ("vars.a.c", "inventory/s.yaml !unset", False),
        ("vars.gone.y", "inventory/s.yaml 2", True),
        ("vars.gone.x", 'inventory/s.yaml "gone"', False),
        ("vars.a.zzz", 'inventory/s.yaml "a"', False),
        ("vars.list", "inventory/g.yaml [1]", True),
        ("vars.list[0]", "inventory/g.yaml 1]", True),
        ("vars.list[7]", 'inventory/s.yaml "vars"', False),
        ("access.ssh.port", "None", False),
    ],
)
def test_origins(path: str, place: str, *, exact: bool) -> None:
    """A value leads to its line, what is missing to the nearest thing; ``exact`` wants the value itself."""
    loaded = writing.loaded(ORIGINS)
    known = layers.layers_of(loaded.files, "s")
    mark = layers.origin(known, problems.parse_field(path))
    name, _, begins = place.partition(" ")
    if not begins:
        assert mark is None
        return
    assert mark is not None
    assert mark.path == name
    assert ORIGINS[name].split("\n")[mark.line - 1][mark.column - 1 :].startswith(begins)
    assert (layers.origin(known, problems.parse_field(path), exact=True) == mark) is exact


def test_layers_stand_in_their_fixed_order() -> None:
    """Defaults, file defaults, groups by priority and then name, the site."""
    loaded = writing.loaded(
        {
            "inventory/a.yaml": writing.document("Group", {"name": "z", "match": "", "priority": 1}),
            "inventory/b.yaml": writing.document("Group", {"name": "b", "match": "", "priority": 2}),
            "inventory/c.yaml": writing.document("Group", {"name": "a", "match": "", "priority": 2}),
            "inventory/d.yaml": writing.document("Group", {"name": "other", "match": "env", "priority": 0}),
            "inventory/e.yaml": writing.document("SiteList", {"defaults": {"vars": {}}, "sites": [{"name": "s"}]}),
            "inventory/f.yaml": writing.document("Defaults", {}),
        }
    )
    titles = [layer.title for layer in layers.layers_of(loaded.files, "s")]
    assert titles == [
        "defaults",
        "file defaults",
        "group z (priority 1)",
        "group a (priority 2)",
        "group b (priority 2)",
        "site s",
    ]


def _problems(files: dict[str, str]) -> list[problems.Problem]:
    with pytest.raises(errors.InvalidInput) as caught:
        writing.loaded(files)
    return caught.value.problems


def test_what_many_sites_inherit_is_one_problem() -> None:
    """It names three of them and counts all."""
    sites = [{"name": f"s{number}"} for number in range(2000)]
    (problem,) = _problems(
        _usual({"defaults": {"window": {"duration": "1h"}}, "file": {}, "groups": [], "sites": sites})
    )
    assert problem.code is codes.Code.INVENTORY_MISSING_KEY
    assert problem.notes == ("2,000 sites, e.g. s0, s1, s10",)


def test_conflicts_of_groups_name_both_places_once() -> None:
    """However many sites are in both groups; a third group conflicts with each of the two."""
    groups = [{"name": name, "match": "", "priority": 5, "vars": {"a": name}} for name in "xyz"]
    found = _problems(
        _usual({"defaults": {}, "file": {}, "groups": groups, "sites": [{"name": f"s{n}"} for n in range(9)]})
    )
    pairs = [re.findall('"([xyz])"', problem.message)[:2] for problem in found]
    assert sorted(pairs) == [["x", "y"], ["x", "z"], ["y", "z"]]
    assert all(f"inventory/groups/{pair[1]}.yaml:" in one.message for pair, one in zip(pairs, found, strict=True))


def test_a_lost_layer_is_not_missed_a_second_time() -> None:
    """References, windows and vars.schema.json wait until every layer could be read; other checks do not."""
    site = {"name": "s", "window": {"cron": "0 2 * * *"}, "vars": {"a": "${vars.b}"}, "bundles": {"ap": {}}}
    files = _usual({"defaults": {"stat": "x"}, "file": {}, "groups": [], "sites": [site, {"name": "s"}]})
    found = _problems({**files, "inventory/vars.schema.json": '{"required": ["c"]}'})
    assert collections.Counter(str(problem.code) for problem in found) == {
        "inventory/unknown-key": 1,
        "inventory/unknown-bundle": 1,
        "inventory/duplicate-site": 1,
    }


@pytest.mark.parametrize("lost", ["a: [", "kind: Nothing\n", writing.document("Group", {"name": "g"})])
@pytest.mark.parametrize("window", [{"cron": "0 2 * * *"}, {"duration": "1h"}, {}])
def test_no_lost_layer_makes_a_half_site_a_bug(lost: str, window: dict[str, str]) -> None:
    """A site that is incomplete only because a layer is lost ends in that layer's problem alone."""
    site = writing.document("SiteList", {"sites": [{"name": "s", "window": window}]})
    assert {
        problem.mark.path for problem in _problems({"inventory/a.yaml": lost, "inventory/s.yaml": site}) if problem.mark
    } == {"inventory/a.yaml"}


def test_nodes_have_the_vars_of_their_site() -> None:
    """With their own over them, before references are resolved; nodes without any share the site's map."""
    nodes: list[dict[str, Any]] = [
        {"name": "n0", "address": "10.0.0.1"},
        {"name": "n1", "address": "10.0.0.2", "vars": {"level": "debug", "sinks+": ["net"]}},
    ]
    data = {"level": "info", "sinks": ["disk"], "text": "${vars.level}!"}
    fleet = writing.loaded(
        _usual({"defaults": {"vars": data}, "file": {}, "groups": [], "sites": [{"name": "s", "nodes": nodes}]})
    ).fleet
    plain, own = fleet.sites["s"].nodes
    assert plain.vars == fleet.sites["s"].vars == {"level": "info", "sinks": ["disk"], "text": "info!"}
    assert own.vars == {"level": "debug", "sinks": ["disk", "net"], "text": "debug!"}


def test_labels_may_be_taken_away_as_a_whole() -> None:
    """``labels: !unset`` leaves a site with none, and in no group that wants one."""
    data = {
        "defaults": {"labels": {"env": "prod"}},
        "file": {"labels": {"ring": "1"}},
        "groups": [{"name": "g", "match": "env", "priority": 1, "vars": {"a": 1}}],
        "sites": [{"name": "s", "labels": values.UNSET}, {"name": "t"}],
    }
    fleet = writing.loaded(_usual(data)).fleet
    assert (fleet.sites["s"].labels, fleet.sites["s"].vars) == ({}, {})
    assert (fleet.sites["t"].labels, fleet.sites["t"].vars) == ({"env": "prod", "ring": "1"}, {"a": 1})
