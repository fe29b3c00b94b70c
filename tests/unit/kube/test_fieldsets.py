"""Sets of fields: what of an object is in one, what differs in it, and what an applied object has lost."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from fleetctl.kube import fieldsets
from fleetctl.model import problems

_PORTS: dict[str, Any] = {
    'k:{"containerPort":53,"protocol":"TCP"}': {"f:name": {}},
    'k:{"containerPort":53,"protocol":"UDP"}': {},
}

_JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(0, 3) | strategies.sampled_from("ab"),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.sampled_from(["a", "b", "name"]), inner, max_size=3)
    ),
)
_STEPS = strategies.sampled_from(
    ["f:a", "f:b", "f:name", "k:{}", 'k:{"name":"a"}', "k:[", 'v:"a"', "v:1", "i:0", "i:9", "i:x", ".", "", "x:y", "f:"]
)
_TREES: strategies.SearchStrategy[dict[str, Any]] = strategies.recursive(
    strategies.just({}), lambda inner: strategies.dictionaries(_STEPS, inner, max_size=3), max_leaves=12
)


@pytest.mark.parametrize(
    ("one", "other", "tree", "found"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"f:a": {}}, [(".a", 1, 2)]),
        ({"a": {"x": 1, "theirs": 2}}, {"a": {"x": 1}}, {"f:a": {"f:x": {}}}, []),
        ({"a": ["1"]}, {"a": ["1", "2"]}, {"f:a": {}}, [(".a", ["1"], ["1", "2"])]),
        ({}, {"a": {"x": 1, "y": 2}}, {"f:a": {".": {}, "f:x": {}}}, [(".a.x", problems.NOTHING, 1)]),
        ({"a": {}}, {}, {"f:a": {}}, [(".a", {}, problems.NOTHING)]),
        (
            {"p": [{"containerPort": 53, "protocol": "UDP", "name": "x"}]},
            {"p": [{"containerPort": 53, "name": "a"}, {"containerPort": 53, "protocol": "UDP"}]},
            {"f:p": _PORTS},
            [
                ('.p[containerPort=53,protocol="TCP"]', problems.NOTHING, {"name": "a"}),
                (
                    '.p[containerPort=53,protocol="UDP"]',
                    {"containerPort": 53, "protocol": "UDP", "name": "x"},
                    {"containerPort": 53, "protocol": "UDP"},
                ),
            ],
        ),
        ({"f": ["a"]}, {"f": ["b", "a"]}, {"f:f": {'v:"a"': {}, 'v:"b"': {}}}, [('.f[="b"]', problems.NOTHING, "b")]),
        ({"a": "text"}, {"a": {"x": 1}}, {"f:a": {"f:x": {}}}, [(".a", "text", {"x": 1})]),
    ],
    ids=["ours", "beside", "atomic", "map", "empty", "default key", "set", "types"],
)
def test_differences(one: object, other: object, tree: dict[str, Any], found: list[fieldsets.Difference]) -> None:
    """Only fields of the set differ; an item that is gone is one field, with what of it is in the set."""
    assert list(fieldsets.differences(one, other, tree)) == found


@pytest.mark.parametrize(
    ("applied", "tree", "lost"),
    [
        ({"a": 1, "b": {"c": 2}}, {"f:a": {}, "f:b": {"f:c": {}}}, []),
        ({"a": 1, "b": {"c": 2, "d.e": 3}}, {"f:b": {"f:c": {}}}, [".a", ".b.d.e"]),
        ({"b": {"c": 2}}, {"f:b": {}}, []),
        ({"p": [{"containerPort": 53, "name": "a"}]}, {"f:p": _PORTS}, []),
        (
            {"c": [{"name": "a", "image": "x"}, {"name": "b"}]},
            {"f:c": {'k:{"name":"a"}': {".": {}, "f:name": {}}}},
            ['.c[name="a"].image', '.c[name="b"]'],
        ),
        ({"f": ["a", "b"]}, {"f:f": {'v:"a"': {}}}, ['.f[="b"]']),
    ],
    ids=["all", "fields", "atomic", "default key", "items", "set"],
)
def test_what_an_applied_object_has_lost(applied: object, tree: dict[str, Any], lost: list[str]) -> None:
    """A field that is applied and not in the set is lost, and so is an item of a list."""
    assert list(fieldsets.unowned(applied, tree)) == lost


@hypothesis.given(_JSON, _JSON, _TREES)
def test_no_set_is_too_strange(one: object, other: object, tree: dict[str, Any]) -> None:
    """Whatever a server writes, nothing is raised; equal values never differ, and differences are symmetric."""
    there = [path for path, _, _ in fieldsets.differences(one, other, tree)]
    assert there == [path for path, _, _ in fieldsets.differences(other, one, tree)]
    assert not list(fieldsets.differences(one, one, tree))
    list(fieldsets.unowned(one, tree))
    fieldsets.part(one, tree)


@hypothesis.given(_TREES, _TREES)
def test_sets_merge_either_way(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The union of two sets does not depend on their order, and that of one with itself is itself."""
    assert fieldsets.merged(one, other) == fieldsets.merged(other, one)
    assert fieldsets.merged(one, one) == one


@pytest.mark.parametrize(
    ("value", "tree", "left"),
    [
        ({"a": 1, "b": 2}, {"f:a": {}}, {"b": 2}),
        ({"a": 1}, {"f:a": {}}, problems.NOTHING),
        ({"a": {"x": 1, "y": 2}}, {"f:a": {".": {}, "f:x": {}}}, {"a": {"y": 2}}),
        ({"a": {"x": 1}}, {"f:a": {"f:x": {}}, "f:gone": {}}, problems.NOTHING),
        (
            [{"containerPort": 53, "protocol": "UDP", "name": "dns"}, {"containerPort": 80, "protocol": "TCP"}],
            {'k:{"containerPort":53,"protocol":"UDP"}': {"f:name": {}}},
            [{"containerPort": 80, "protocol": "TCP"}],
        ),
        (
            [{"name": "web", "image": "app:1", "tty": True}],
            {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}}},
            [{"name": "web", "tty": True}],
        ),
        (["a", "b"], {'v:"a"': {}}, ["b"]),
    ],
)
def test_what_is_not_in_a_set(value: Any, tree: dict[str, Any], left: object) -> None:  # noqa: ANN401 - JSON
    """Items keep the keys that tell them apart, and go when nothing else is left of them."""
    assert fieldsets.without(value, tree) == left
