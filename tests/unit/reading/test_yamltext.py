"""Values to YAML text: read alike by our reader, by PyYAML and, as JSON, by everybody."""

import json
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from fleetctl.model import codes
from fleetctl.reading import yaml12, yamltext

TRICKY = [
    *(
        "NO",
        "on",
        "y",
        "0777",
        "1e3",
        "1.10",
        "1:30",
        "2026-01-31",
        "0x1F",
        "-0o17",
        "1_000",
        "12345e7",
        "~",
        "",
        "null",
    ),
    *(
        "=",
        "<<",
        "-",
        "- a",
        "---",
        "--- a",
        "...",
        "?",
        "? a",
        ":",
        "a: b",
        "a:",
        "x #y",
        "#x",
        "a ",
        " a",
        "\ta",
        "a\tb",
    ),
    *(
        "!x",
        "&a",
        "*a",
        ">",
        "|",
        "'",
        '"',
        ",",
        "a,b",
        "[",
        "{x",
        "@x",
        "%a",
        "`x",
        "a#b",
        "a:b",
        "10.0.0.1:80",
        "C:\\x",
    ),
    *(
        "a\nb",
        "a\n\nb\n",
        " a\nb",
        "\na",
        "a\n\n",
        "a\nb \nc",
        "a\tb\nc",
        "a\r\nb",
        "a\n---\nb",
        "\n",
        "\x85",
        "\u2028",
    ),
    *("\ufeff", "\x00", "\x1b[31m", "\x7f", "\ufffe", "😀", "å", "true", "{{ x }}", "${vars.x}"),
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.text(alphabet="ab \n\t:#-'\"\\", max_size=12),
    st.sampled_from(TRICKY),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.sampled_from(TRICKY), inner, max_size=4)
    ),
    max_leaves=12,
)


def _same(text: str, value: object) -> None:
    documents, found = yaml12.read(text, "f.yaml")
    assert found == []
    assert repr([document.data for document in documents]) == repr([value])
    assert repr(yaml.load(text, Loader=yaml.CSafeLoader)) == repr(value)


@hypothesis.settings(max_examples=300)
@hypothesis.given(VALUES)
def test_documents_are_read_back(value: Any) -> None:  # noqa: ANN401  # any value
    """Block style and KYAML give every value back, of the same type, in the order of keys, whoever reads them."""
    _same(yamltext.block(value), value)
    _same(yamltext.kyaml(value), value)
    assert json.loads(yamltext.FORMATS["json"](value)) == value


@hypothesis.settings(max_examples=200)
@hypothesis.given(VALUES)
def test_inline_is_read_back_anywhere(value: Any) -> None:  # noqa: ANN401  # any value
    """One line that can stand after a key, in a list and in flow style; it is JSON too."""
    text = yamltext.inline(value)
    assert "\n" not in text
    for document in (f"a: {text}\n", f"- a: {text}\n", f"[{text}]\n"):
        documents, found = yaml12.read(document, "f.yaml")
        read: Any = documents[0].data
        assert found == []
        inner = read["a"] if isinstance(read, dict) else read[0]
        assert (inner["a"] if document.startswith("- ") else inner) == value
    assert json.loads(text) == value


@pytest.mark.parametrize("text", TRICKY)
def test_tricky_text(text: str) -> None:
    """Text that YAML would take for something else stays that text, as a value, an item and a key."""
    for value in ([text], {"k": text}, {text: text}, {"k": [{text: [text]}]}, text):
        _same(yamltext.block(value), value)
        _same(yamltext.kyaml(value), value)


VALUE: dict[str, Any] = {
    "apiVersion": "v1",
    "data": {"a.conf": "x: 1\n\ny: 2\n", "b": "one\ntwo", "c": "trailing \nblank"},
    "empty": {"list": [], "map": {}, "text": "", "nothing": None},
    "list": [1, [2, [3]], {"a": "NO", "b": ["x", {"c": True}]}, []],
    "1": 1.5,
}


def test_block_style() -> None:
    """Two spaces, lists at their key's indent, literal blocks where they fit, quotes only where needed."""
    assert yamltext.block(VALUE) == (
        "apiVersion: v1\n"
        "data:\n"
        "  a.conf: |\n"
        "    x: 1\n"
        "\n"
        "    y: 2\n"
        "  b: |-\n"
        "    one\n"
        "    two\n"
        '  c: "trailing \\nblank"\n'
        "empty:\n"
        "  list: []\n"
        "  map: {}\n"
        '  text: ""\n'
        "  nothing: null\n"
        "list:\n"
        "- 1\n"
        "- - 2\n"
        "  - - 3\n"
        '- a: "NO"\n'
        "  b:\n"
        "  - x\n"
        "  - c: true\n"
        "- []\n"
        '"1": 1.5\n'
    )


def test_kyaml_style() -> None:
    """KYAML: braces, a comma after each item, every text quoted, keys bare where they can be."""
    value = {"kind": "List", "on": "x", "a-b": 1, "items": [{"m": None}, []], "e": {}}
    assert yamltext.kyaml(value) == (
        "---\n"
        "{\n"
        '  kind: "List",\n'
        '  "on": "x",\n'
        '  "a-b": 1,\n'
        "  items: [\n"
        "    {\n"
        "      m: null,\n"
        "    },\n"
        "    [],\n"
        "  ],\n"
        "  e: {},\n"
        "}\n"
    )


def test_inline_style() -> None:
    """Keys are sorted, so that equal values give equal text."""
    assert yamltext.inline({"b": [1, "NO", None], "a": {"x": 1e22}, "c": (True,)}) == (
        '{"a": {"x": 1.0e+22}, "b": [1, "NO", null], "c": [true]}'
    )


def test_text_is_never_wrapped() -> None:
    """A long line stays one line: a wrapped one reads badly in a diff, and some readers join it differently."""
    text = "word " * 500 + "end"
    assert yamltext.block({"a": text}) == f"a: {text}\n"


@pytest.mark.parametrize("write", [yamltext.block, yamltext.kyaml, yamltext.inline])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "nan has no place in YAML core"),
        (float("inf"), "inf has no place in YAML core"),
        ({1: "a"}, "a key must be text, not int"),
        ({"a": {None: "a"}}, "a key must be text, not NoneType"),
        ({"a": {1, 2}}, "{1, 2} has no place in YAML core"),
        ([b"x"], "b'x' has no place in YAML core"),
        (object, "<class 'object'> has no place in YAML core"),
    ],
)
def test_what_yaml_cannot_hold(write: Any, value: object, message: str) -> None:  # noqa: ANN401  # any writer
    """A value without a place in YAML is refused, never written as something else."""
    with pytest.raises(TypeError, match=message.replace("{", r"\{")):
        write({"x": value})


def test_quoted_text_is_printable() -> None:
    """A control character is escaped, so that no terminal obeys it; what a file holds stays readable otherwise."""
    assert yamltext.quoted("å\x1b[31m\u2028\x7f😀\t") == '"å\\u001b[31m\\u2028\\u007f😀\\t"'
    assert yaml12.read("a: \x1b", "f")[1][0].code is codes.Code.YAML_SYNTAX
