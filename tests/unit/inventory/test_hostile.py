"""Whatever stands in the files of an inventory, loading gives a fleet or the problems of these files."""

import copy
import pathlib
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetctl.inventory import fleets
from fleetctl.model import errors, values
from tests.unit.inventory import writing

_PLACES = st.sampled_from(
    ["defaults.yaml", "groups/one.yaml", "sites/one.yaml", "sources/one.yaml", "vars.schema.json"]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=6),
    st.just(values.UNSET),
    st.sampled_from(
        ["${vars.a}", "${vars.a.b}${vars.c}", "${", "${}", "${vars.}", "${vars.a[0]}", "$${x}", "${site.name}"]
    ),
    st.sampled_from(
        ["0 2 * * *", "3h", "1e9999h", "NO", "Europe/Oslo", "../..", "/", "\x00", "a=b,", "\U0001f600", "\ufeff"]
    ),
    st.sampled_from([{"secretRef": {"provider": "env", "key": "A"}}, {"secretRef": {}}, {"secretRef": [None]}]),
)
_KEYS = st.sampled_from(
    [
        "name", "match", "priority", "vars", "labels", "state", "location", "lat", "lon", "timezone", "nodes",
        "address", "role", "arch", "taints", "access", "ssh", "user", "port", "jump", "hostKey", "kube", "via",
        "proxy", "kubeconfig", "cluster", "distribution", "version", "hardening", "config", "endpoint", "bundles",
        "app", "window", "cron", "duration", "defaults", "sites", "vars+", "labels+", "nodes+", "a", "a+", "b",
        "secretRef", "provider", "key", "<<",
    ]
) | st.text(max_size=4)  # fmt: skip
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_SNIPPETS = st.sampled_from(
    ["&a ", "*a", "<<: *a\n", "!unset ", "!!binary ", "? ", "- ", ": ", "---\n", "...\n", "%YAML 1.1\n", "{", "}", "[",
     "]", "|\n", ">-\n", "\t", "\r", "\x00", "\x85", "=\xd8", "'", '"', "#",
     "a+: [1]\n", "0777", "1:30", "2026-01-01", ".inf", "${vars.a}", "[" * 200, "{a: " * 200, "9" * 5000]
)  # fmt: skip


def _loads_or_says_why(files: dict[str, bytes]) -> None:
    """Load a project of these files below its inventory; only typed errors may come out."""
    with writing.project({}) as project:
        for name, data in files.items():
            path = pathlib.Path(project.inventory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        try:
            fleets.load(project)
        except errors.InvalidInput as error:
            found = error.problems
        else:
            return
    assert [str(problem) for problem in found]


@st.composite
def _mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Return an inventory of which one part, at any depth, is something else."""
    data = copy.deepcopy(draw(writing.inventories(faulty=True)))
    parts: list[tuple[Any, Any]] = []
    waiting: list[Any] = [data]
    while waiting:
        part = waiting.pop()
        items = list(part.items()) if isinstance(part, dict) else list(enumerate(part))
        for key, value in items:
            if part is not data:
                parts.append((part, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    for part, key in draw(st.lists(st.sampled_from(parts), max_size=3)):
        part[key] = draw(_TREES)
        if isinstance(part, dict):
            part[draw(_KEYS)] = draw(_TREES)
    return data


@settings(max_examples=200)
@given(_mutated())
def test_a_value_of_any_type_at_any_place(data: dict[str, Any]) -> None:
    """Sound documents with a few parts replaced: wrong types, huge numbers, references, unknown and growing keys."""
    texts = {
        "defaults.yaml": writing.document("Defaults", data["defaults"]),
        "sites/all.yaml": writing.document("SiteList", {"defaults": data["file"], "sites": data["sites"]}),
        **{
            f"groups/{index}.yaml": writing.document("Group", group if isinstance(group, dict) else {"name": group})
            for index, group in enumerate(data["groups"])
        },
    }
    _loads_or_says_why({name: text.encode("utf-8", "surrogatepass") for name, text in texts.items()})


@settings(max_examples=150)
@given(st.sampled_from(["Defaults", "Group", "SiteList", "Source"]), st.dictionaries(_KEYS, _TREES, max_size=5), _TREES)
def test_a_document_of_any_content(kind: str, data: dict[str, Any], schema: object) -> None:
    """Documents of a known kind with any keys, beside a schema of any form."""
    text = writing.document(kind, {key: value for key, value in data.items() if key != "kind"})
    site = writing.document("SiteList", {"sites": [{"name": "s", "vars": {"a": "${vars.b}"}}]})
    _loads_or_says_why(
        {
            "one.yaml": text.encode("utf-8", "surrogatepass"),
            "sites.yaml": site.encode(),
            "vars.schema.json": writing.flow(schema).encode("utf-8", "surrogatepass"),
        }
    )


@settings(max_examples=200)
@given(_PLACES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 8), _SNIPPETS), max_size=4))
def test_a_text_cut_and_patched_anywhere(place: str, patches: list[tuple[int, int, str]]) -> None:
    """A sound file with signs of YAML put in, and others taken out, where nobody would."""
    text = (
        "apiVersion: fleetctl.dev/v1alpha1\nkind: SiteList\n"
        "defaults: {labels: &a {env: prod}, vars: {a: [1], b: '${vars.a}'}}\n"
        "sites:\n- name: one\n  labels: {<<: *a}\n  vars: {a+: [2], b: !unset }\n- name: two\n"
        "  nodes: [{name: n0, address: 10.0.0.1, role: server}]\n"
    )
    for at, gone, put in patches:
        at %= len(text) + 1  # noqa: PLW2901  # the text grows
        text = text[:at] + put + text[at + gone :]
    _loads_or_says_why({place: text.encode("utf-8", "surrogatepass")})


@settings(max_examples=100)
@given(_PLACES, st.binary(max_size=60))
@example("sites/one.yaml", b"\xff\xfe\x00")
def test_any_bytes(place: str, data: bytes) -> None:
    """Files that hold no text, or no YAML."""
    _loads_or_says_why({place: data})
