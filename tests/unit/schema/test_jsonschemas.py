"""People's own JSON Schemas: what they complain about, and that reading one never leaves its file."""

import json
import pathlib
import socket

import pytest

from fleetctl.schema import jsonschemas

POS = {
    "type": "object",
    "required": ["terminals"],
    "additionalProperties": False,
    "properties": {
        "terminals": {"type": "integer", "minimum": 1},
        "tls": {
            "type": "object",
            "additionalProperties": False,
            "required": ["minVersion"],
            "properties": {"minVersion": {"enum": ["1.2", "1.3"]}, "ciphers": {"type": "array", "maxItems": 1}},
        },
        "since": {"type": "string", "format": "date"},
        "cidrs": {"items": {"type": "string"}},
    },
}


def _checker(schema: object) -> jsonschemas.Checker:
    return jsonschemas.Checker(json.dumps(schema))


@pytest.mark.parametrize(
    ("value", "complaints"),
    [
        ({"terminals": 1}, []),
        ({}, [(("terminals",), "this key is required")]),
        ({"terminals": 0}, [(("terminals",), "0 is less than the minimum of 1")]),
        ({"terminals": 1, "termnals": 2}, [(("termnals",), 'unknown key; did you mean "terminals"?')]),
        ({"terminals": 1, "zzz": 2}, [(("zzz",), "unknown key")]),
        ({"terminals": 1, "tls": {}}, [(("tls", "minVersion"), "this key is required")]),
        (
            {"terminals": 1, "tls": {"minVersion": "1.3", "cipers": 1}},
            [(("tls", "cipers"), 'unknown key; did you mean "ciphers"?')],
        ),
        (
            {"terminals": 1, "tls": {"minVersion": "1.1"}},
            [(("tls", "minVersion"), '"1.1" is not one of "1.2" or "1.3"')],
        ),
        ({"terminals": 1, "since": "soon"}, [(("since",), '"soon" is not a "date"')]),
        ({"terminals": 1, "cidrs": ["a", 2]}, [(("cidrs", 1), '2 is not of type "string"')]),
    ],
)
def test_complaints_say_where_and_what(value: object, complaints: list[jsonschemas.Complaint]) -> None:
    """Keys that are missing or unknown are named at their own place, everything else where the value stands."""
    assert _checker(POS).complaints(value) == complaints


def test_all_complaints_come_at_once() -> None:
    """One pass, every fault."""
    found = _checker(POS).complaints({"tls": {"ciphers": [1, 2]}, "a": 1, "b": 2})
    assert {field for field, _ in found} == {("terminals",), ("a",), ("b",), ("tls", "minVersion"), ("tls", "ciphers")}


def test_a_guess_reaches_through_references() -> None:
    """Properties are found beside the keyword that complained, in another part of the schema too."""
    schema = {"properties": {"tls": {"$ref": "#/$defs/tls"}}, "$defs": {"tls": POS["properties"]["tls"]}}  # type: ignore[index]
    found = _checker(schema).complaints({"tls": {"minVersion": "1.3", "cipers": 1}})
    assert [field for field, _ in found] == [("tls", "cipers")]


@pytest.mark.parametrize(("schema", "fits"), [(True, True), ({}, True), (False, False)])
def test_a_schema_may_be_anything_or_nothing(schema: object, *, fits: bool) -> None:
    """``true`` and ``{}`` accept everything, ``false`` accepts nothing."""
    assert (_checker(schema).complaints({"a": 1}) == []) is fits


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"type: object", "not JSON"),
        (b'{"type": "objekt"}', "not a JSON Schema"),
        (b'{"pattern": "("}', "not a JSON Schema"),
        (b'{"minimum": "1"}', "not a JSON Schema"),
        (b"[]", "not a JSON Schema"),
        (b'"text"', "not a JSON Schema"),
        (b'{"$ref": "#/$defs/missing"}', 'a "$ref" may only lead to a place in the same file'),
        (b'{"$ref": "other.json"}', 'a "$ref" may only lead to a place in the same file'),
        (b'{"properties": {"a": ' * 100_000, "nested too deeply"),
    ],
    ids=["empty", "cut", "bytes", "yaml", "type", "pattern", "minimum", "list", "text", "lost", "file", "deep"],
)
def test_what_is_no_schema_is_refused_on_one_line(text: bytes, why: str) -> None:
    """The reason can stand in a problem."""
    with pytest.raises(jsonschemas.SchemaError) as caught:
        jsonschemas.Checker(text)
    assert str(caught.value).startswith(why)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_a_reference_into_the_network_is_never_followed(keyword: str) -> None:
    """A schema that points at a server is refused, and the server never hears of it."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)  # noqa: FBT003  # its only parameter
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        with pytest.raises(jsonschemas.SchemaError, match="may only lead to a place in the same file"):
            _checker({"properties": {"a": {keyword: address}}})
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_reference_to_a_file_is_never_followed(tmp_path: pathlib.Path) -> None:
    """Not even to a file that is there and that says yes."""
    (tmp_path / "other.json").write_text("true", encoding="utf-8")
    with pytest.raises(jsonschemas.SchemaError, match="may only lead to a place in the same file"):
        _checker({"$ref": (tmp_path / "other.json").as_uri()})


def test_an_unknown_dialect_is_not_fetched() -> None:
    """``$schema`` names a dialect; one that nobody knows is refused, not looked up."""
    with pytest.raises(jsonschemas.SchemaError):
        _checker({"$schema": "https://dialects.example/own", "type": "object"})
