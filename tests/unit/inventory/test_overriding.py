"""Values that a command line sets: what the words mean, and that they lie over every other layer."""

import pathlib

import pytest

from fleetctl.inventory import fleets, locating, overriding
from fleetctl.model import codes, errors, sites, values

_VERSION = "apiVersion: fleetctl.dev/v1alpha1\n"
FILES = {
    "fleetctl.yaml": f"{_VERSION}kind: Project\nname: shop\n",
    "templates/.keep": "",
    "inventory/a.yaml": (
        f"{_VERSION}kind: SiteList\nsites:\n"
        '- name: s1\n  vars: {pos: {size: 1, tags: [a]}, url: "https://${vars.pos.host}/"}\n'
        "  nodes: [{name: n0, address: 10.0.0.1, vars: {pos: {size: 2}}}]\n"
        "- {name: s2, vars: {url: plain}}\n"
    ),
    "inventory/vars.schema.json": '{"properties": {"pos": {"properties": {"size": {"maximum": 9}}}}}',
}


def _fleet(folder: pathlib.Path, *words: str) -> sites.Fleet:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return fleets.load(locating.find(folder), highest=overriding.layer(words)).fleet


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a=1"], {"a": 1}),
        (["vars.a=1"], {"a": 1}),
        (["a.b=x y", "a.c=true"], {"a": {"b": "x y", "c": True}}),
        (["a=1", "a=2"], {"a": 2}),
        (["a={b: 1}", "a.c=[1, two]"], {"a": {"b": 1, "c": [1, "two"]}}),
        (['a["x.y/z"]="1"'], {"a": {"x.y/z": "1"}}),
        (["a="], {"a": None}),
        (["a=b=c"], {"a": "b=c"}),
        (["a=!unset"], {"a": values.UNSET}),
        (["a+=[1]"], {"a+": [1]}),
    ],
)
def test_words(words: list[str], expected: values.Vars) -> None:
    """A path and a value, as files say them; the later of two counts."""
    assert overriding.layer(words).data.get("vars", {}) == expected


@pytest.mark.parametrize("word", ["", "a", "=1", "vars=1", "a[0]=1", "a..b=1", "a=1\nb: 2"])
def test_words_that_set_nothing(word: str) -> None:
    """Each is a usage error that says how it is written."""
    with pytest.raises(errors.UsageError):
        overriding.layer([word])


def test_all_that_no_file_may_say_is_told_at_once() -> None:
    """Values are as strict as those of files; the place is the word."""
    with pytest.raises(errors.InvalidInput) as caught:
        overriding.layer(["a=NO", "b=[1", "c=1"])
    assert [(str(one.mark), one.code) for one in caught.value.problems] == [
        ("--set a:1:1", codes.Code.YAML_AMBIGUOUS_SCALAR),
        ("--set b:1:1", codes.Code.YAML_SYNTAX),
    ]


def test_it_lies_over_sites_and_nodes_before_references(tmp_path: pathlib.Path) -> None:
    """Maps merge, scalars and lists replace, and what refers to a value that is set gets it."""
    fleet = _fleet(tmp_path, "pos.size=3", "pos.host=till", "pos.tags=[b]")
    one = fleet.sites["s1"]
    assert one.vars == {"pos": {"size": 3, "tags": ["b"], "host": "till"}, "url": "https://till/"}
    assert one.nodes[0].vars["pos"] == {"size": 3, "tags": ["b"], "host": "till"}
    assert fleet.sites["s2"].vars["pos"] == {"size": 3, "host": "till", "tags": ["b"]}


def test_what_the_schema_of_vars_refuses_stands_at_the_word(tmp_path: pathlib.Path) -> None:
    """One problem for all sites, and the place is the command line."""
    with pytest.raises(errors.InvalidInput) as caught:
        _fleet(tmp_path, "pos.size=10", "pos.host=till")
    found = caught.value.problems
    assert [(str(one.mark), one.code) for one in found] == [("--set pos.size", codes.Code.INVENTORY_VARS_SCHEMA)]


def test_appending_and_taking_away(tmp_path: pathlib.Path) -> None:
    """``key+`` and ``!unset`` work as in files."""
    fleet = _fleet(tmp_path, "pos.tags+=[b]", "pos.host=till", "pos.size=!unset")
    assert fleet.sites["s1"].vars["pos"] == {"tags": ["a", "b"], "host": "till"}
