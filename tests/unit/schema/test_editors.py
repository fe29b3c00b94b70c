"""The JSON Schemas for editors say what the reader says: over a list of documents, and over generated ones."""

import copy
import json
import pathlib
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.inventory import fleets, locating, settings
from fleetctl.model import codes, errors, problems, values
from fleetctl.reading import yaml12
from fleetctl.rendering import bundles
from fleetctl.rollout import strategies
from fleetctl.schema import bundleparts, descriptions, editors, shapes, sources
from tests.architecture import sources as trees

CASES: list[dict[str, Any]] = yaml.load(
    (pathlib.Path(__file__).parent / "documents.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)
GOOD = [case for case in CASES if "line" not in case]
BAD = [case for case in CASES if "line" in case]
SCHEMAS = {kind: editors.of(kind) for kind in editors.KINDS}
CHECKERS = {kind: jsonschema_rs.validator_for(schema) for kind, schema in SCHEMAS.items()}
COMBINED = jsonschema_rs.validator_for(editors.combined())
KNOWN_AFTERWARDS = {
    codes.Code.INVENTORY_APPEND_CONFLICT,
    codes.Code.INVENTORY_DUPLICATE_DEFAULTS,
    codes.Code.INVENTORY_DUPLICATE_GROUP,
    codes.Code.INVENTORY_DUPLICATE_NODE,
    codes.Code.INVENTORY_DUPLICATE_SITE,
    codes.Code.INVENTORY_GROUP_CONFLICT,
    codes.Code.INVENTORY_GROUP_SELECTS_RESERVED,
    codes.Code.INVENTORY_REFERENCE_CYCLE,
    codes.Code.INVENTORY_REFERENCE_MISSING,
    codes.Code.INVENTORY_UNKNOWN_BUNDLE,
    codes.Code.LOCK_MISSING,
    codes.Code.SELECTION_BAD_SELECTOR,
    codes.Code.BUNDLE_NAME_MISMATCH,
    codes.Code.PROJECT_MISSING_FOLDER,
}
"""What only the whole of a project can show, or a grammar."""


def _plain(value: object) -> object:
    """Return a value as a schema gets it: the mark of ``!unset`` is empty text in JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return "" if value is values.UNSET else value


def _documents(text: str) -> list[Any]:
    found, faults = yaml12.read(text, "a.yaml", tags={"!unset": values.UNSET})
    assert faults == []
    return [document.data for document in found]


def _read(text: str) -> list[problems.Problem]:
    """Let the reader that belongs to a text's kind read it, in a project of its own; returns what it finds wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kind = next(
            iter(re.findall(r'^"?kind"?: "?(Bundle|Project|Settings|Strategy)"?$', text, re.MULTILINE)), "inventory"
        )
        project = "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n"
        places = {
            "Bundle": "templates/retail-pos/bundle.yaml",
            "Project": "fleetctl.yaml",
            "Strategy": "strategy.yaml",
            "Settings": "fleetctl/config.yaml",
        }
        files = {
            "fleetctl.yaml": project,
            "templates/retail-pos/bundle.yaml": project.replace("Project", "Bundle"),
            places.get(kind, "inventory/sites.yaml"): text,
        }
        (folder / "inventory").mkdir()
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        try:
            if kind == "Strategy":
                strategies.load(folder / "strategy.yaml")
            elif kind == "Settings":
                settings.load({"XDG_CONFIG_HOME": name}, None)
            elif kind == "Bundle":
                bundles.load(folder / "templates", "retail-pos", str)
            elif kind == "Project":
                locating.find(folder)
            else:
                fleets.load(locating.find(folder))
        except errors.InvalidInput as error:
            return error.problems
        return []


def _fits(document: object) -> bool:
    """Hold a document against the schema of all kinds, and see that the one of its kind says the same."""
    plain = _plain(document)
    fits = COMBINED.is_valid(plain)
    own = CHECKERS.get(str(plain["kind"])) if isinstance(plain, dict) and "kind" in plain else None
    assert own is None or own.is_valid(plain) == fits
    return fits


def _named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _named(GOOD))
def test_what_is_right_is_right_for_both(case: dict[str, Any]) -> None:
    """The reader takes the text, and so do the schemas."""
    found = [one for one in _read(case["text"]) if one.code not in KNOWN_AFTERWARDS]
    assert found == []
    assert all(map(_fits, _documents(case["text"])))


@pytest.mark.parametrize("case", _named(BAD))
def test_what_is_wrong_is_wrong_for_both(case: dict[str, Any]) -> None:
    """The reader finds the fault at its line; a schema finds it, unless the case says that it cannot."""
    assert case["line"] in {one.mark.line for one in _read(case["text"]) if one.mark}
    assert all(map(_fits, _documents(case["text"]))) is not case.get("schema", True)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path)
        for path in trees.tracked_files()
        if re.fullmatch(r"inventories/.*\.yaml|templates/[^/]*/bundle\.yaml", path)
    ],
)
def test_what_we_ship_fits(path: str) -> None:
    """Every shipped file of our kinds passes."""
    assert all(map(_fits, _documents((trees.ROOT / path).read_text(encoding="utf-8"))))


_JUNK_KEYS = st.sampled_from(["", "name", "vars+", "+", "a.b", "kind", "state", "labels", "-", "Ä"])
_JUNK_TEXT = st.sampled_from(
    [
        "",
        "x",
        "Not Valid",
        "10.0.0.1",
        "æøå",
        "a\nb",
        "-",
        "1.0.0",
        "2%",
        "90s",
        "0 2 * * *",
        "https://a:1",
        "Oslo",
        "a/b",
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers(-9, 70_000) | st.sampled_from([0.5, 22.0, values.UNSET]) | _JUNK_TEXT
_JUNK = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_JUNK_KEYS, inner, max_size=3), max_leaves=5
)


def _places(value: object, field: problems.Field = ()) -> Iterator[problems.Field]:
    if field:
        yield field
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield from _places(one, (*field, step))


_GOOD_DOCUMENTS = st.sampled_from([document for case in GOOD for document in _documents(case["text"])])


@st.composite
def _mangled(draw: st.DrawFn) -> dict[str, Any]:
    """Make a good document in which one or two places were replaced, taken away or added to."""
    mangled: dict[str, Any] = copy.deepcopy(draw(_GOOD_DOCUMENTS))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([place for place in _places(mangled) if place != ("kind",)]))
        parent: Any = problems.value_at(mangled, way)
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[last] = draw(_JUNK)
            case "remove":
                del parent[last]
            case _ if isinstance(parent, dict):
                parent[draw(_JUNK_KEYS)] = draw(_JUNK)
            case _:
                parent.append(draw(_JUNK))
    return mangled


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return "!unset " if value is values.UNSET else json.dumps(value, ensure_ascii=False)


def _beyond_schemas(problem: problems.Problem, document: dict[str, Any]) -> bool:
    """Tell whether a fault is one that a schema cannot see, as documents.yaml and the how-to list them."""
    given_value = problems.value_at(document, problem.field)
    return (
        problem.code in KNOWN_AFTERWARDS
        or given_value in ("", values.UNSET)  # the same to a schema
        or (isinstance(given_value, float) and given_value.is_integer())  # whole, to a schema
        or problem.field[-2:] == ("location", "timezone")
        or "window" in problem.field  # both keys are needed once layers are merged
        or problem.field[-3:] == ("access", "kube", "via")
        or problem.field[:1] == ("waves",)
    )


@given(_mangled())
def test_reader_and_schema_agree_on_generated_documents(document: dict[str, Any]) -> None:
    """What the reader takes the schema takes; what it refuses the schema refuses, but for faults it cannot see."""
    text = "".join(f"{json.dumps(key)}: {_flow(value)}\n" for key, value in document.items())
    found, fits = _read(text), _fits(document)
    if fits:
        assert [one for one in found if not _beyond_schemas(one, document)] == []
    else:
        assert found


def test_every_key_is_described() -> None:
    """No key of any shape goes without a sentence, and no sentence is left of a key that is gone."""
    every = {*shapes.Shape.__subclasses__(), *bundleparts.Part.__subclasses__()}
    while below := {inner for one in every for inner in one.__subclasses__()} - every:
        every |= below
    every -= {sources.Lock, sources.LockSource}  # which nobody writes by hand
    ours = [one for one in every if one.__module__.startswith("fleetctl.")]  # other tests have shapes of their own
    keys = {(one, info.alias or name) for one in ours for name, info in one.model_fields.items()}
    assert all(descriptions.of(*key).endswith(".") for key in keys)
    here = {(one.__name__, key) for one, key in keys}
    assert {(name, key) for name, of in descriptions.OF_KEYS.items() for key in of} <= here


def _schemas_in(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _schemas_in(inner)


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), editors.combined()], ids=[*SCHEMAS, "combined"])
def test_a_schema_is_draft_7_and_closed(schema: dict[str, Any]) -> None:
    """It fits its own meta-schema, leads nowhere outside, and no map of ours takes unknown keys."""
    jsonschema_rs.Draft7Validator(schema)
    assert jsonschema_rs.meta.is_valid(schema)
    inner = list(_schemas_in(schema))
    names = {one["$ref"] for one in inner if "$ref" in one}
    assert names == {f"#/definitions/{name}" for name in schema["definitions"]}
    shapes_in_it = [one for one in inner if "properties" in one and "title" in one and one["title"] != editors.COMBINED]
    assert shapes_in_it
    assert all(one["additionalProperties"] is False for one in shapes_in_it)
