"""What a bundle's schema and defaults tell about its values."""

import json
import pathlib

import pytest

from fleetctl.model import codes, errors, problems
from fleetctl.rendering import describing
from tests.unit.rendering import making


def _described(schema: object, values: str = "", template: str = "") -> dict[str, describing.Described]:
    files = {"bundle.yaml": making.BUNDLE + values, "values.schema.json": json.dumps(schema), "a.yaml.j2": template}
    return {one.name: one for one in describing.describe(making.bundle(files))}


def _of(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "whole number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": ["string", "number"]}, "text or number"),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole number"),
        ({"type": "array"}, "list"),
        ({"enum": ["a", 1, True]}, "a|1|true"),
        ({"type": "object"}, "map"),
        ({}, "any"),
        (True, "any"),
        ({"$ref": "#/$defs/port"}, "whole number"),
        ({"$ref": "#/$defs/same"}, "whole number"),
        ({"$ref": "#/$defs/nowhere"}, "any"),
        ({"$ref": "#/$defs/a~1b"}, "text"),
    ],
)
def test_types(schema: object, kind: str) -> None:
    """Types are told in words, through references within the schema."""
    port = {"type": "integer", "description": "A port."}
    text = {"type": "string"}
    names = {"port": port, "same": {"$ref": "#/$defs/port"}, "a/b": text, "nowhere": {}}
    assert _described({**_of(x=schema), "$defs": names})["x"].type == kind


def test_what_stands_beside_a_reference_wins() -> None:
    """A description of the value's own is better than that of its type."""
    schema = {**_of(x={"$ref": "#/$defs/port", "description": "Where."}), "$defs": {"port": {"description": "A port."}}}
    assert _described(schema)["x"].description == "Where."


def test_maps_with_free_keys() -> None:
    """They are told themselves, and what is below any of their keys; keys that are known are told one by one."""
    entry = _of(level={"type": "string"}, deep=_of(on={"type": "boolean"}))
    schema = _of(spaces={"type": "object", "additionalProperties": entry}, fixed=_of(a={}))
    found = _described(schema, "values: {spaces: {one: {}}}\n", "{{ values.spaces.one | k }}")
    assert list(found) == ["spaces", "spaces.*.level", "spaces.*.deep.on", "fixed.a"]
    assert found["spaces"].default == {"one": {}}
    assert found["spaces.*.level"].default is problems.NOTHING
    assert [str(mark) for mark in found["spaces.*.level"].used] == ["app/a.yaml.j2:1"]
    assert found["fixed.a"].used == ()


def test_a_schema_without_an_end_has_one_here() -> None:
    """A schema that refers to itself is followed down for a while."""
    node = {**_of(below={"$ref": "#/$defs/node"}), "additionalProperties": False}
    found = _described({**_of(tree={"$ref": "#/$defs/node"}), "$defs": {"node": node}})
    assert len(found) < 100


def test_what_sites_must_give() -> None:
    """A default that the schema refuses is none."""
    schema = _of(url={"type": "string", "minLength": 1}, net=_of(cidrs={"type": "array", "minItems": 1}), size={})
    schema["required"] = ["missing"]
    found = _described(schema, 'values: {url: "", net: {cidrs: []}, size: 1}\n')
    assert {name: one.must for name, one in found.items()} == {"url": True, "net.cidrs": True, "size": False}


def test_without_a_schema() -> None:
    """The values that bundle.yaml sets are all that is known."""
    files = {
        "bundle.yaml": f"{making.BUNDLE}values: {{a: {{b: 1, c: {{}}}}, d: [x], e: 'y', f: 1.5, g: true, h: null}}\n"
    }
    found = {one.name: one.type for one in describing.describe(making.bundle(files))}
    kinds = ["whole number", "map", "list", "text", "number", "boolean", "any"]
    assert list(found.items()) == list(zip(["a.b", "a.c", "d", "e", "f", "g", "h"], kinds, strict=True))
    assert describing.describe(making.bundle({})) == []


def test_all_that_is_wrong_with_any_bundle_is_told(tmp_path: pathlib.Path) -> None:
    """Each bundle is loaded once, and the problems of all come together."""
    making.loaded(tmp_path, {})
    assert [one.name for one in describing.load_all(tmp_path, ["app", "app@1.0.0"], str)] == ["app"]
    with pytest.raises(errors.InvalidInput) as raised:
        describing.load_all(tmp_path, ["apq", "zebra", "app"], str)
    assert [one.code for one in raised.value.problems] == [codes.Code.BUNDLE_NOT_FOUND] * 2
