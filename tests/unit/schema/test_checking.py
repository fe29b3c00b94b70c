"""Documents against shapes: whatever a document holds, its faults come back as problems at places inside it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import codes, problems, values
from fleetctl.reading import yaml12
from fleetctl.schema import checking, shapes

API = {"apiVersion": "fleetctl.dev/v1alpha1"}
LAYER: dict[str, Any] = {
    "location": {"lat": 59.91, "lon": 10.75, "timezone": "Europe/Oslo"},
    "access": {"ssh": {"user": "edge", "port": 22, "jump": "bastion"}, "kube": {"via": "ssh", "kubeconfig": "a#b"}},
    "cluster": {"distribution": "k3s", "version": "v1.36.3+k3s1", "config": {"disable": ["traefik"]}},
    "bundles": {"app": {}, "old": values.UNSET},
    "window": {"cron": "0 2 * * *", "duration": "3h"},
    "vars": {"pos": {"terminals": 6, "cidrs+": ["10.0.0.0/8"], "gone": values.UNSET}},
}
NODE: dict[str, Any] = {
    "name": "n0",
    "address": "10.0.0.1",
    "role": "server",
    "arch": "arm64",
    "labels": {"a": "b"},
    "taints": [{"key": "a", "effect": "NoSchedule", "value": ""}],
    "vars": {"a": 1},
}
SITE: dict[str, Any] = {
    "name": "s1",
    "labels": {"env": "prod"},
    "state": "active",
    **copy.deepcopy(LAYER),  # copies of a document keep what it shares with itself
    "nodes": [NODE],
}
VALID: list[dict[str, Any]] = [
    {**API, "kind": "SiteList", "defaults": {**LAYER, "labels": {"a": "b"}}, "sites": [SITE, {"name": "s2"}]},
    {**API, "kind": "Defaults", **LAYER, "labels": {"env": "prod"}, "state": "planned"},
    {**API, "kind": "Group", "name": "g", "match": "env=prod", "priority": 1, **LAYER},
    {**API, "kind": "Project", "name": "demo", "paths": {"inventory": "inventory"}},
    {**API, "kind": "Bundle", "name": "app", "version": "1.0.0", "namespace": "app", "values": {"a": [1]}},
]
AREAS: dict[str, checking.Area] = {"Project": "project", "Bundle": "bundle"}

_KEYS = st.sampled_from(["[key]", "", "name", "state", "vars+", "+", "a.b", "0", "ssh", "kind", "!unset"])
_SCALARS = (
    st.none() | st.booleans() | st.integers(-9, 70_000) | st.sampled_from([0.5, -181.0, values.UNSET])
) | st.sampled_from(["", "x", "Not Valid", "!unset", "10.0.0.1", "æøå", "a\nb", "-", "1.0.0"])
JUNK = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
)


def flow(value: object) -> str:
    """Write a value as flow YAML on one line; JSON, but for ``!unset``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    return "!unset " if value is values.UNSET else json.dumps(value, ensure_ascii=False)


def lines(data: dict[str, Any]) -> str:
    """Write a document with one line for each top-level key, so that places differ."""
    return "".join(f"{json.dumps(key)}: {flow(value)}\n" for key, value in data.items())


def read(text: str) -> tuple[yaml12.Document, list[problems.Problem]]:
    """Read text that holds one document."""
    documents, found = yaml12.read(text, "a.yaml", tags={"!unset": values.UNSET})
    return documents[0], found


def check(data: dict[str, Any]) -> list[problems.Problem]:
    """Hold a document against the shape of its kind."""
    document, _ = read(lines(data))
    return checking.check(document, AREAS.get(data["kind"], "inventory"), shapes.KINDS[data["kind"]])


def places(value: object, field: problems.Field = ()) -> list[problems.Field]:
    """Return every field that a value has, however deep."""
    below: list[problems.Field] = []
    if isinstance(value, dict):
        below = [place for key, inner in value.items() for place in places(inner, (*field, key))]
    elif isinstance(value, list):
        below = [place for index, inner in enumerate(value) for place in places(inner, (*field, index))]
    return [field, *below] if field else below


@pytest.mark.parametrize("data", [pytest.param(one, id=one["kind"]) for one in VALID])
def test_the_valid_documents_are_valid(data: dict[str, Any]) -> None:
    """Without a fault there is no problem; the mangled ones below are compared with these."""
    assert check(data) == []


@given(st.data())
def test_any_mangled_document_gives_problems_inside_the_file(data: st.DataObject) -> None:
    """One subtree replaced by junk: nothing is raised, and every problem has a code of its area and a real place."""
    mangled = copy.deepcopy(data.draw(st.sampled_from(VALID)))
    *way, last = data.draw(st.sampled_from([place for place in places(mangled) if place != ("kind",)]))
    parent = problems.value_at(mangled, way)
    assert isinstance(parent, dict | list)
    parent[last] = data.draw(JUNK)  # type: ignore[index]  # a step of the very value
    text = lines(mangled)
    found = check(mangled)
    written = text.split("\n")
    area = AREAS.get(mangled["kind"], "inventory")
    for problem in found:
        assert problem.code.startswith((f"{area}/", "selection/bad-selector"))
        assert problem.message
        assert problem.mark is not None
        assert 1 <= problem.mark.line < len(written)
        assert 1 <= problem.mark.column <= len(written[problem.mark.line - 1])


@given(st.sampled_from([data for data in VALID if data["kind"] != "Project"]), JUNK)
def test_an_unknown_key_is_always_found(data: dict[str, Any], junk: object) -> None:
    """Whatever it holds, a key that nobody knows is one problem, at the key."""
    (problem,) = check({**data, "zzzz": junk})
    assert str(problem.code).endswith("/unknown-key")
    assert problem.field == ("zzzz",)
    assert problem.mark == problems.Mark("a.yaml", len(data) + 1, 1)


@pytest.mark.parametrize(
    ("field", "key", "meant"),
    [
        ((), "stes", "sites"),
        (("defaults",), "lables", "labels"),
        (("sites", 0), "acess", "access"),
        (("sites", 0, "access"), "shh", "ssh"),
        (("sites", 0, "access", "ssh"), "hostkey", "hostKey"),
        (("sites", 0, "access", "kube"), "kubeConfig", "kubeconfig"),
        (("sites", 0, "cluster"), "versoin", "version"),
        (("sites", 0, "location"), "timezome", "timezone"),
        (("sites", 0, "window"), "corn", "cron"),
        (("sites", 0, "nodes", 0), "adress", "address"),
        (("sites", 0, "nodes", 0, "taints", 0), "efect", "effect"),
    ],
)
def test_a_misspelt_key_is_guessed_at_every_depth(field: problems.Field, key: str, meant: str) -> None:
    """The guess comes from the keys of that very place."""
    data = copy.deepcopy(VALID[0])
    parent = problems.value_at(data, field)
    assert isinstance(parent, dict)
    parent[key] = 1
    (problem,) = check(data)
    assert problem.field == (*field, key)
    assert problem.message == f'unknown key; did you mean "{meant}"?'


def test_all_faults_of_a_document_come_in_one_pass() -> None:
    """Faults in different places do not hide each other."""
    found = check(
        {**API, "kind": "SiteList", "sites": [{"name": "A"}, {}, {"name": "s", "state": "x", "labels": {"state": "y"}}]}
    )
    assert [(str(one.code), one.field) for one in found] == [
        ("inventory/bad-value", ("sites", 0, "name")),
        ("inventory/missing-key", ("sites", 1, "name")),
        ("inventory/reserved-label", ("sites", 2, "labels", "state")),
        ("inventory/bad-value", ("sites", 2, "state")),
    ]


def test_a_key_called_like_pydantics_own_mark_is_a_key() -> None:
    """``[key]`` in a file is not mistaken for the word by which pydantic says that a key is at fault."""
    (problem,) = check({**VALID[1], "[key]": 1})
    assert (problem.code, problem.field) == (codes.Code.INVENTORY_UNKNOWN_KEY, ("[key]",))


@pytest.mark.parametrize(("given_value", "fix"), [(2, "2"), (True, "true"), (1.5, "1.5"), (False, "false")])
def test_a_word_where_text_is_expected_is_shown_quoted(given_value: object, fix: str) -> None:
    """The fix is what to write, as YAML spells it."""
    (problem,) = check({**API, "kind": "Defaults", "labels": {"ring": given_value}})
    assert problem.message.endswith(f'; write "{fix}"')


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("[a]", "inventory/wrong-type", "expected a map with apiVersion and kind, got a list"),
        ("just text", "inventory/wrong-type", 'expected a map with apiVersion and kind, got the text "just text"'),
        ("{a: 1}", "inventory/missing-key", "this key is required; known here: Defaults, Group"),
        ("{kind: null}", "inventory/missing-key", "this key is required; known here: Defaults, Group"),
        ("{kind: 1}", "inventory/wrong-type", "expected one of Defaults, Group, got the number 1"),
        ("{kind: Gruop}", "inventory/unknown-kind", 'unknown kind "Gruop"; did you mean "Group"?'),
        ("{kind: Bundle}", "inventory/unknown-kind", 'unknown kind "Bundle"; known here: Defaults, Group'),
    ],
)
def test_a_document_says_what_it_is(text: str, code: str, message: str) -> None:
    """Without a kind that belongs here there is nothing to check, only that to say."""
    document, _ = read(text)
    problem = checking.kind(document, "inventory", ("Defaults", "Group"))
    assert isinstance(problem, problems.Problem)
    assert (str(problem.code), problem.message) == (code, message)


@pytest.mark.parametrize("area", ["project", "bundle"])
def test_other_areas_have_no_code_for_kinds(area: checking.Area) -> None:
    """Where only one kind is possible, another one is a bad value."""
    document, _ = read("{kind: SiteList}")
    problem = checking.kind(document, area, ("Project",))
    assert isinstance(problem, problems.Problem)
    assert str(problem.code) == f"{area}/bad-value"


def test_a_known_kind_is_returned() -> None:
    """The name, ready to look its shape up."""
    document, _ = read("{kind: Group}")
    assert checking.kind(document, "inventory", ("Defaults", "Group")) == "Group"
