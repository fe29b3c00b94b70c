"""How one layer is laid over another, and when two layers need an order between them."""

import copy
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, layering, values

UNSET = values.UNSET
CONFLICT, NON_LIST = codes.Code.INVENTORY_APPEND_CONFLICT, codes.Code.INVENTORY_APPEND_TO_NON_LIST


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": None}, {"a": 2, "b": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": {}}}, {"a": {"b": 1, "c": 3, "d": {}}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": []}, {"a": []}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": [{"b": 1}]}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        # !unset
        ({"a": 1, "b": 2}, {"a": UNSET}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": UNSET}}, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, {"a": {"b": UNSET}}, {"a": {}}),
        ({}, {"a": UNSET}, {}),
        ({}, {"a": {"b": UNSET, "c": 1}}, {"a": {"c": 1}}),
        ({"a": 1}, {"a": {"b": {"c": UNSET}}}, {"a": {"b": {}}}),
        # append
        ({"a": [1]}, {"a+": [2, 3]}, {"a": [1, 2, 3]}),
        ({}, {"a+": [1]}, {"a": [1]}),
        ({"a": [1]}, {"a+": []}, {"a": [1]}),
        ({"x": {"a": [1]}}, {"x": {"a+": [{"b": 1}]}}, {"x": {"a": [1, {"b": 1}]}}),
        ({}, {"x": {"a+": [1]}}, {"x": {"a": [1]}}),
        # a key that is nothing but the sign is a key like any other
        ({"": 0, "+": 1}, {"+": 2}, {"": 0, "+": 2}),
        ({"": 0, "+": 1}, {"+": UNSET}, {"": 0}),
        ({"a+": [1]}, {"a++": [2]}, {"a+": [1, 2]}),
    ],
)
def test_merge(lower: values.Vars, upper: values.Written, merged: values.Vars) -> None:
    """Maps merge deeply, scalars and lists replace, ``key+`` appends, ``!unset`` takes away."""
    before = copy.deepcopy((lower, upper))
    faults: list[layering.Fault] = []
    assert layering.merge(lower, upper, faults) == merged
    assert faults == []
    assert (lower, upper) == before


@pytest.mark.parametrize(
    ("lower", "upper", "merged", "code", "message"),
    [
        (
            {"a": [1]},
            {"a": [2], "a+": [3]},
            {"a": [2]},
            CONFLICT,
            '"a" and "a+" stand in one map; give the whole list, or only what is appended',
        ),
        ({"a": [1]}, {"a+": 2}, {"a": [1]}, NON_LIST, '"a+" appends, so it takes a list, not the number 2'),
        ({"a": [1]}, {"a+": {"b": 1}}, {"a": [1]}, NON_LIST, '"a+" appends, so it takes a list, not a map'),
        ({"a": [1]}, {"a+": UNSET}, {"a": [1]}, NON_LIST, '"a+" appends, so it takes a list, not !unset'),
        (
            {"a": "x"},
            {"a+": [1]},
            {"a": "x"},
            NON_LIST,
            '"a+" appends to a list, and a lower layer sets "a" to the text "x"',
        ),
        (
            {"a": None},
            {"a+": [1]},
            {"a": None},
            NON_LIST,
            '"a+" appends to a list, and a lower layer sets "a" to nothing (null)',
        ),
    ],
)
def test_faults(lower: values.Vars, upper: values.Written, merged: values.Vars, code: codes.Code, message: str) -> None:
    """What cannot be appended is said with its field, at any depth, and leaves the lower value in place."""
    faults: list[layering.Fault] = []
    assert layering.merge({"x": lower}, {"x": upper}, faults) == {"x": merged}
    assert faults == [layering.Fault(code, ("x", "a+"), message)]


def test_untouched_parts_are_shared() -> None:
    """Ten thousand sites over one base do not copy the base ten thousand times."""
    lower: values.Vars = {"big": {"list": [1, 2]}, "small": {"x": 1}}
    merged = layering.merge(lower, {"small": {"x": 2}}, [])
    assert merged["big"] is lower["big"]
    assert lower == {"big": {"list": [1, 2]}, "small": {"x": 1}}


def test_settings() -> None:
    """Every leaf is named, with and without its sign; an empty map is a leaf, since it claims its place."""
    layer = {"a": {"b": 1, "c+": [2], "d": {}}, "e": UNSET, "+": 3, "f+": {"g": 4}}
    found = [(setting.field, setting.written, setting.value, setting.appends) for setting in layering.settings(layer)]
    assert found == [
        (("a", "b"), ("a", "b"), 1, False),
        (("a", "c"), ("a", "c+"), [2], True),
        (("a", "d"), ("a", "d"), {}, False),
        (("e",), ("e",), UNSET, False),
        (("+",), ("+",), 3, False),
        (("f", "g"), ("f+", "g"), 4, False),
    ]


@pytest.mark.parametrize(
    ("mine", "theirs", "fields"),
    [
        ({"a": 1}, {"b": 1}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2}]}}, []),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, []),
        ({"a": {}}, {"a": {"c": 1}}, []),
        ({"a": {}}, {"a": {}}, []),
        ({"a": UNSET}, {"a": UNSET}, []),
        ({"a": 1}, {"a": 2}, [("a",)]),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, [("a", "b"), ("a", "c")]),
        ({"a": 1}, {"a": True}, [("a",)]),
        ({"a": 1}, {"a": 1.0}, [("a",)]),
        ({"a": [1]}, {"a": [True]}, [("a",)]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1.0}]}, [("a",)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a",)]),
        ({"a": None}, {"a": UNSET}, [("a",)]),
        ({"a": UNSET}, {"a": {}}, [("a",)]),
        ({"a": {}}, {"a": 1}, [("a",)]),
        ({"a": 1}, {"a": {"b": 1}}, [("a",)]),
        ({"a": UNSET}, {"a": {"b": {"c": 1}}}, [("a",)]),
        ({"a+": [1]}, {"a+": [1]}, [("a",)]),
        ({"a+": [1]}, {"a": [1]}, [("a",)]),
        ({"a+": [1]}, {"b+": [1]}, []),
        ({"x": {"a+": [1]}}, {"x": {"a": UNSET}}, [("x", "a")]),
    ],
)
def test_conflicts(mine: values.Written, theirs: values.Written, fields: list[tuple[str, ...]]) -> None:
    """Two layers contradict each other where a leaf would depend on which one is laid on last."""
    assert [conflict.mine.field for conflict in layering.conflicts(mine, theirs)] == fields


KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.sampled_from(["x"]), st.just(UNSET))
LISTS = st.lists(st.integers(0, 1), max_size=2)


def _layers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.dictionaries(KEYS, inner | LEAVES | LISTS, max_size=3)
    appended = st.dictionaries(KEYS.map("{}+".format), LISTS, max_size=1)
    return st.tuples(plain, appended).map(
        lambda both: {**{key: value for key, value in both[0].items() if f"{key}+" not in both[1]}, **both[1]}
    )


LAYERS = _layers(_layers(_layers(LEAVES)))
BASES = st.recursive(
    st.none() | st.integers(0, 1) | LISTS, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
).map(lambda value: value if isinstance(value, dict) else {"a": value})


def _stacked(*layers: Any) -> tuple[values.Vars, set[layering.Fault]]:  # noqa: ANN401  # maps as written
    merged: values.Vars = {}
    faults: list[layering.Fault] = []
    for layer in layers:
        merged = layering.merge(merged, layer, faults)
    return merged, set(faults)


@hypothesis.given(LAYERS, LAYERS)
def test_conflicts_are_symmetric(mine: values.Written, theirs: values.Written) -> None:
    """Whichever of two groups is looked at first, they contradict each other, and at the same leaves of both."""
    one, two = layering.conflicts(mine, theirs), layering.conflicts(theirs, mine)
    assert bool(one) is bool(two)
    same = {(found.mine.written, found.theirs.written) for found in one if found.mine.field == found.theirs.field}
    assert same == {
        (found.theirs.written, found.mine.written) for found in two if found.mine.field == found.theirs.field
    }


@hypothesis.settings(max_examples=300)
@hypothesis.given(BASES, LAYERS, LAYERS)
def test_without_conflicts_order_does_not_matter(
    base: values.Vars, mine: values.Written, theirs: values.Written
) -> None:
    """Two groups of equal priority that do not contradict each other may be laid on in either order."""
    before = copy.deepcopy((base, mine, theirs))
    one, two = _stacked(base, mine, theirs), _stacked(base, theirs, mine)
    assert (base, mine, theirs) == before
    hypothesis.assume(not _stacked({}, mine)[1] and not _stacked({}, theirs)[1])  # each is sound by itself
    if not layering.conflicts(mine, theirs):
        assert repr(sorted_deeply(one[0])) == repr(sorted_deeply(two[0]))


def sorted_deeply(value: object) -> object:
    """Return a value with sorted keys, so that its repr tells 1 from true and nothing about insertion order."""
    if isinstance(value, dict):
        return {key: sorted_deeply(value[key]) for key in sorted(value)}
    return value


@hypothesis.given(BASES, LAYERS)
def test_laying_on_twice_changes_nothing(base: values.Vars, layer: values.Written) -> None:
    """Without appended lists a layer says what is, so saying it again is the same."""
    if any(setting.appends for setting in layering.settings(layer)):
        return
    once, _ = _stacked(base, layer)
    assert _stacked(once, layer)[0] == once


# Layers whose keys keep their kind: "a" and "b" are always maps, the others always leaves.
_INNER = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 3) | LISTS, max_size=2)
_MAPS: dict[str, st.SearchStrategy[Any]] = {"a": _INNER, "b": st.fixed_dictionaries({}, optional={"a": _INNER})}
SHAPED = st.fixed_dictionaries({}, optional={**_MAPS, "x": LISTS})


@hypothesis.given(SHAPED, SHAPED, SHAPED)
def test_merging_is_associative(low: values.Vars, middle: values.Vars, high: values.Vars) -> None:
    """Where every key keeps its kind and nothing is taken away, groups may be merged before the base is known."""
    left = layering.merge(layering.merge(low, middle, []), high, [])
    right = layering.merge(low, layering.merge(middle, high, []), [])
    assert left == right
