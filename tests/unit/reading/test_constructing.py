"""Nodes to values: keys, tags, anchors and merge keys, and what one file may cost."""

import re
from typing import Any

import pytest
import yaml

from fleetctl.model import codes, problems, values
from fleetctl.reading import constructing, yaml12

TAGS = {"!unset": values.UNSET}
SMALL = constructing.Limits(bytes=10_000, depth=4, aliased=20)

Said = list[tuple[str, str, str, codes.Code]]


def _read(text: str, limits: constructing.Limits = yaml12.LIMITS, first_line: int = 1) -> tuple[Any, Said]:
    documents, found = yaml12.read(text, "f", tags=TAGS, limits=limits, first_line=first_line)
    said = [(str(one.mark), problems.field_text(one.field), one.message, one.code) for one in found]
    return (documents[0].data if documents else None), said


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 'NO'\nb: \"0777\"\nc: |\n  no\nd: >-\n  1:30\n", {"a": "NO", "b": "0777", "c": "no\n", "d": "1:30"}),
        ("a: !!str NO\nb: !!str 0777\n", {"a": "NO", "b": "0777"}),
        ("a: !!int 5\nb: !!bool true\nc: !!null ~\nd: !!float 1.5\n", {"a": 5, "b": True, "c": None, "d": 1.5}),
        ("a: !!map {b: 1}\nc: !!seq [1]\n", {"a": {"b": 1}, "c": [1]}),
        (
            "a: !unset\nb: {c: !unset }\nd: !unset ''\n",
            {"a": values.UNSET, "b": {"c": values.UNSET}, "d": values.UNSET},
        ),
        ("{}", {}),
        ("[]", []),
        ("a:\nb: {}\nc: []\n", {"a": None, "b": {}, "c": []}),
        ("'<<': 1\n\"\": 2\n", {"<<": 1, "": 2}),
        ("'1': a\n\"true\": b\n", {"1": "a", "true": "b"}),
        ("? a\n: 1\n? b\n", {"a": 1, "b": None}),
        ("x: &x [1]\nw: *x\n", {"x": [1], "w": [1]}),
        ("&k a: *k\n", {"a": "a"}),
        ("x: &x k\nw: {*x : 2}\n", {"x": "k", "w": {"k": 2}}),
    ],
)
def test_values(text: str, data: object) -> None:
    """Structure and quotes are read as written."""
    assert _read(text) == (data, [])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("x: &x {a: 1, b: 2}\nw: {<<: *x, b: 3}\n", {"x": {"a": 1, "b": 2}, "w": {"a": 1, "b": 3}}),
        ("x: &x {a: 1}\nw: {a: 0, <<: *x}\n", {"x": {"a": 1}, "w": {"a": 0}}),
        (
            "x: &x {a: 1}\nw: &w {a: 2, b: 2}\nz: {<<: [*x, *w]}\n",
            {"x": {"a": 1}, "w": {"a": 2, "b": 2}, "z": {"a": 1, "b": 2}},
        ),
        (
            "x: &x {a: 1}\nw: &w {<<: *x, b: 2}\nz: {<<: *w}\n",
            {"x": {"a": 1}, "w": {"a": 1, "b": 2}, "z": {"a": 1, "b": 2}},
        ),
        ("<<: {a: 1}\n<<: {a: 2, b: 2}\n", {"a": 1, "b": 2}),
        ("<<: []\na: 1\n", {"a": 1}),
    ],
)
def test_merge_keys(text: str, data: object) -> None:
    """``<<`` fills in what is not given: own keys win, then the first source that has the key."""
    assert _read(text) == (data, [])


def test_merged_values_are_not_aliased_into_each_other() -> None:
    """Filling in one map leaves the map it came from as it was."""
    data, found = _read("x: &x {a: 1}\nw: {<<: *x, b: 2}\nz: *x\n")
    assert (data["x"], data["z"], found) == ({"a": 1}, {"a": 1}, [])


KEY = codes.Code.YAML_KEY_NOT_TEXT
TWICE = codes.Code.YAML_DUPLICATE_KEY
TAG = codes.Code.YAML_UNKNOWN_TAG
MERGE = codes.Code.YAML_MERGE_KEY
ALIAS = codes.Code.YAML_ALIAS_LIMIT
DEEP = codes.Code.YAML_TOO_DEEP
STRUCTURE = "a key must be text, not a map or a list; is a template expression unquoted here?"


@pytest.mark.parametrize(
    ("text", "data", "said"),
    [
        ("1: a\nb: 2\n", {"b": 2}, ("f:1:1", "1", 'the key 1 is not text; write "1"', KEY)),
        ("a: {true: b}\n", {"a": {}}, ("f:1:5", "a.true", 'the key true is not text; write "true"', KEY)),
        ("~: a\n", {}, ("f:1:1", '["~"]', 'the key ~ is not text; write "~"', KEY)),
        ("? \n: a\n", {}, ("f:1:2", '[""]', 'the key (empty) is not text; write ""', KEY)),
        ("a: {{ x }}\n", {"a": {}}, ("f:1:5", 'a["?"]', STRUCTURE, KEY)),
        ("? [a]\n: 1\n", {}, ("f:1:3", '["?"]', STRUCTURE, KEY)),
        ("a: 1\nb: 2\na: 3\n", {"a": 1, "b": 2}, ("f:3:1", "a", 'the key "a" is given twice, first in line 1', TWICE)),
        ("a: 1\n'a': 2\n", {"a": 1}, ("f:2:1", "a", 'the key "a" is given twice, first in line 1', TWICE)),
        ("x: {a: 1, a: 2}\n", {"x": {"a": 1}}, ("f:1:11", "x.a", 'the key "a" is given twice in one map', TWICE)),
        (
            '"a\\nb": 1\n"a\\nb": 2\n',
            {"a\nb": 1},
            ("f:2:1", '["a\nb"]', 'the key "a\\nb" is given twice, first in line 1', TWICE),
        ),
        ("a: !foo 1\n", {"a": "1"}, ("f:1:4", "a", "the tag !foo is not used here; known: !unset", TAG)),
        ("a: !foo {b: 1}\n", {"a": {"b": 1}}, ("f:1:4", "a", "the tag !foo is not used here; known: !unset", TAG)),
        (
            "a: !!python/object/apply:os.system [id]\n",
            {"a": ["id"]},
            ("f:1:4", "a", "the tag !!python/object/apply:os.system is not used here; known: !unset", TAG),
        ),
        ("a: !!binary eA==\n", {"a": "eA=="}, ("f:1:4", "a", "the tag !!binary is not used here; known: !unset", TAG)),
        ("a: !!int x\n", {"a": "x"}, ("f:1:4", "a", "the value is not what the tag !!int says; remove the tag", TAG)),
        (
            "a: !!bool yes\n",
            {"a": "yes"},
            ("f:1:4", "a", "the value is not what the tag !!bool says; remove the tag", TAG),
        ),
        (
            "a: !!seq {b: 1}\n",
            {"a": {"b": 1}},
            ("f:1:4", "a", "the value is not what the tag !!seq says; remove the tag", TAG),
        ),
        ("a: !unset x\n", {"a": values.UNSET}, ("f:1:4", "a", "!unset stands alone, without a value", TAG)),
        ("a: !unset {b: 1}\n", {"a": {"b": 1}}, ("f:1:4", "a", "!unset stands alone, without a value", TAG)),
        ("a: !unset [1]\n", {"a": [1]}, ("f:1:4", "a", "!unset stands alone, without a value", TAG)),
        ("a: !UNSET\n", {"a": ""}, ("f:1:4", "a", "the tag !UNSET is not used here; known: !unset", TAG)),
        ("<<: 1\na: 2\n", {"a": 2}, ("f:1:5", '["<<"]', "<< takes a map or a list of maps", MERGE)),
        ("x: {<<: [{a: 1}, 2]}\n", {"x": {"a": 1}}, ("f:1:9", 'x["<<"]', "<< takes a map or a list of maps", MERGE)),
        ("x: {<<: !unset }\n", {"x": {}}, ("f:1:9", 'x["<<"]', "<< takes a map or a list of maps", MERGE)),
        ("a: &a [*a]\n", {"a": [None]}, ("f:1:4", "a", "this value contains itself through an alias", ALIAS)),
        ("a: &a {<<: *a}\n", {"a": {}}, ("f:1:4", "a", "this value contains itself through an alias", ALIAS)),
        (
            "a: &a {b: {c: *a}}\n",
            {"a": {"b": {"c": None}}},
            ("f:1:4", "a", "this value contains itself through an alias", ALIAS),
        ),
    ],
)
def test_faults(text: str, data: object, said: tuple[str, str, str, codes.Code]) -> None:
    """Each fault is said once, at its key or value; what can be read of the rest is there all the same."""
    assert _read(text) == (data, [said])


def test_tags_are_named_where_none_is_known() -> None:
    """Without known tags the cure is to take the tag away."""
    _, found = yaml12.read("a: !unset\n", "f")
    assert [one.message for one in found] == ["the tag !unset is not used here; remove it"]


def test_lines_are_counted_in_the_larger_text() -> None:
    """Places and the first of two keys are counted from where the text was cut out."""
    _, found = _read("a: 1\na: NO\nb: NO\n", first_line=100)
    assert [(place, message.partition(";")[0]) for place, _, message, _ in found] == [
        ("f:101:1", 'the key "a" is given twice, first in line 100'),
        ("f:102:4", "unquoted NO is a boolean in YAML 1.1 and text in 1.2"),
    ]


def test_a_fault_is_named_where_it_is_written() -> None:
    """An alias or a merge key that brings a fault along is not the place to mend it."""
    text = "a: &a [NO]\nb: *a\nc: {d: &d {e: 0777, f: &f on}}\ng: {<<: *d, h: *f}\n"
    _, found = _read(text)
    assert [(place, field) for place, field, _, _ in found] == [
        ("f:1:8", "a[0]"),
        ("f:3:15", "c.d.e"),
        ("f:3:24", "c.d.f"),
        ("f:3:24", "c.d.f"),
    ]


def test_all_faults_are_found_in_one_pass() -> None:
    """One fault never hides another, wherever they stand."""
    text = "a: NO\nb: [0777, {on: 1}]\n2: x\nc: !foo y\na: again\n"
    _, found = _read(text)
    assert [(place, code) for place, _, _, code in found] == [
        ("f:1:4", codes.Code.YAML_AMBIGUOUS_SCALAR),
        ("f:2:5", codes.Code.YAML_AMBIGUOUS_SCALAR),
        ("f:2:12", codes.Code.YAML_AMBIGUOUS_SCALAR),
        ("f:3:1", KEY),
        ("f:4:4", TAG),
        ("f:5:1", TWICE),
    ]


@pytest.mark.parametrize("text", ["[[[[1]]]]", "a: {b: {c: {d: 1}}}", "a:\n- b:\n  - 1\n"])
def test_as_deep_as_allowed(text: str) -> None:
    """The limit counts maps and lists, not the scalars inside them."""
    assert _read(text, SMALL)[1] == []


def test_too_deep() -> None:
    """What is nested deeper is cut off where it begins; its neighbours are read."""
    data, found = _read("[[[[[1], 2]]], 3]", SMALL)
    assert data == [[[[None, 2]]], 3]
    assert found == [("f:1:5", "", "nested deeper than 4 levels", DEEP)]
    assert len(_read("[" * 900 + "]" * 900)[1]) == 1


def test_many_laughs() -> None:
    """Aliases that unfold to more than a file may hold are cut off, said once, and cost nothing."""
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    data, found = _read("\n".join(lines))
    assert len(data) == 40
    assert len(found) == 1
    place, _, message, code = found[0]
    assert (message, code) == ("with the aliases of this value the file unfolds to more than 100,000 values", ALIAS)
    assert re.fullmatch(r"f:\d+:\d+", place)


def test_many_merged_laughs() -> None:
    """The same through merge keys: the cut-off is not blamed on the merge key as well."""
    lines = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 40)]
    _, found = _read("\n".join(lines))
    assert [code for *_, code in found] == [ALIAS]


def test_aliases_are_counted_by_use() -> None:
    """Many uses of a small value are as dear as few uses of a large one; up to the limit both are fine."""
    within = "x: &x [1, 2, 3]\nw: [*x, *x]\n"
    assert _read(within, SMALL) == ({"x": [1, 2, 3], "w": [[1, 2, 3], [1, 2, 3]]}, [])
    _, found = _read("x: &x [1, 2, 3]\nw: [*x, *x, *x, *x]\n", SMALL)
    assert [(message, code) for _, _, message, code in found] == [
        ("with the aliases of this value the file unfolds to more than 20 values", ALIAS)
    ]


def test_the_first_of_many_keys_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map in which every key is given twice is gone through once more, not once for each of them."""
    calls: list[yaml.MappingNode] = []
    first_keys = constructing._first_keys  # noqa: SLF001  # counted, not replaced: time is no measure on a busy machine

    def counted(node: yaml.MappingNode) -> dict[str, yaml.Node]:
        calls.append(node)
        return first_keys(node)

    monkeypatch.setattr(constructing, "_first_keys", counted)
    lines = [f"k{index}: 1\n" for index in range(1000)]
    _, found = _read("".join(lines + lines))
    assert [(place, message) for place, _, message, _ in found] == [
        (f"f:{index + 1001}:1", f'the key "k{index}" is given twice, first in line {index + 1}')
        for index in range(1000)
    ]
    assert len(calls) == 1
