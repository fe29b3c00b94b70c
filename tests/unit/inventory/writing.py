"""Inventories for tests: values written as YAML, projects laid out in a folder, and small random fleets."""

import contextlib
import json
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from fleetctl.inventory import fleets
from fleetctl.model import projects, values

__all__ = ["SELECTORS", "document", "flow", "inventories", "loaded", "project"]

SELECTORS = ("", "env", "env=prod", "!env", "ring in (0,1)", "ring>0", "env!=prod,ring")


def flow(value: object) -> str:
    """Write a value as flow YAML on one line: JSON, but for ``!unset``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    return "!unset " if value is values.UNSET else json.dumps(value, ensure_ascii=False)


def document(kind: str, data: Mapping[str, object]) -> str:
    """Write a document, one line for each key."""
    keys = {"apiVersion": "fleetctl.dev/v1alpha1", "kind": kind, **data}
    return "".join(f"{key}: {flow(value)}\n" for key, value in keys.items())


@contextlib.contextmanager
def project(files: Mapping[str, str]) -> Iterator[projects.Project]:
    """Lay files out in a folder of their own, with one bundle called app; yield the project."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in {"inventory/.keep": "", "templates/app/bundle.yaml": "", **files}.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        yield projects.Project("demo", root, root / "inventory", root / "templates")


def loaded(files: Mapping[str, str]) -> fleets.Loaded:
    """Load the fleet that files describe."""
    with project(files) as made:
        return fleets.load(made)


_SCALARS = st.sampled_from([None, True, False, 0, 1, 7, "", "NO", "text", "1.10"])
_REFERENCES = st.sampled_from(["${vars.a}", "x ${vars.b}", "${vars.c.a}", "$${vars.a}"])


def _vars(scalars: st.SearchStrategy[Any], lists: list[str]) -> st.SearchStrategy[Any]:
    """Maps of a few names, so that layers meet; ``lists`` are the keys under which lists stand or grow."""
    names = st.sampled_from("abc")
    leaves = scalars | st.just(values.UNSET) | st.lists(scalars, max_size=2)
    grown = st.dictionaries(st.sampled_from(lists), st.lists(scalars, max_size=2), max_size=1)
    trees = st.recursive(
        leaves,
        lambda inner: st.builds(lambda one, two: {**one, **two}, st.dictionaries(names, inner, max_size=3), grown),
        max_leaves=6,
    )
    return st.dictionaries(names, trees, max_size=3) | st.just(values.UNSET)


def _layers(optional: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


_LABELS = _layers({"env": st.sampled_from(["prod", "lab", values.UNSET]), "ring": st.sampled_from(["0", "1", "2"])})
_GROUP_LAYER: dict[str, st.SearchStrategy[Any]] = {
    "vars": _vars(_SCALARS, ["d", "d+"]),
    "bundles": st.sampled_from([{"app": {}}, {"app": values.UNSET}, {}, values.UNSET]),
    "access": st.sampled_from([{"ssh": {"port": 2222}}, {"ssh": {"user": "edge"}}, {"ssh": values.UNSET}]),
    "cluster": st.sampled_from([{"distribution": "microk8s"}, {"config": {"a": [1]}}, {"config": {"a+": [2]}}]),
}
_FAULTY_LAYER: dict[str, st.SearchStrategy[Any]] = {
    "vars": _vars(_SCALARS | _REFERENCES, ["a+", "d", "d+"]),
    "bundles": st.sampled_from([{"ap": {}}, {"app": {}}]),
    "window": st.sampled_from([{"cron": "0 2 * * *"}, {"duration": "3h"}, values.UNSET]),
    "access": st.sampled_from([{"kube": {"via": "proxy"}}, {"kube": {"proxy": "http://10.0.0.1"}}]),
}


@st.composite
def inventories(draw: st.DrawFn, *, faulty: bool = False) -> dict[str, Any]:
    """Return defaults, file defaults, groups and sites as data.

    They make a fleet; ``faulty`` ones may contradict each other in any way that valid documents can.
    """
    optional = _FAULTY_LAYER if faulty else _GROUP_LAYER
    group, layer = _layers(optional), _layers({**optional, "labels": _LABELS | st.just(values.UNSET)})
    priorities = draw(st.lists(st.integers(0, 1) if faulty else st.integers(-3, 9), unique=not faulty, max_size=3))
    groups = [
        {"name": f"g{index}", "match": draw(st.sampled_from(SELECTORS)), "priority": priority, **draw(group)}
        for index, priority in enumerate(priorities)
    ]
    sites = [{"name": f"s{index}", **draw(layer)} for index in range(draw(st.integers(1, 3)))]
    return {"defaults": draw(layer), "file": draw(layer), "groups": groups, "sites": sites}
