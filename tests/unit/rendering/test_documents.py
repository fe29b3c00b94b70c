"""Rendered text to objects: where documents begin, what an object must be, that equal text is read once."""

import string

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetctl.model import codes, objects
from fleetctl.rendering import documents
from tests.unit.rendering import making


def _parsed(text: str, files: dict[str, str] | None = None) -> documents.Parsed:
    (piece,) = documents.split(text)
    return documents.Parser(making.bundle(files or {})).parse(piece, "app/a.yaml.j2")


def _said(text: str) -> list[tuple[str, str]]:
    return [(str(problem.code), str(problem.mark)) for problem in _parsed(text).problems]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("\n\n", []),
        ("# only\n  # comments\n", []),
        ("a: b\n", [("a: b\n", 1)]),
        ("---\na: b\n", [("---\na: b\n", 1)]),
        ("a: b\n---\nc: d\n", [("a: b\n", 1), ("---\nc: d\n", 2)]),
        ("a: b\n--- # x\nc: d\n", [("a: b\n", 1), ("--- # x\nc: d\n", 2)]),
        ("---\n---\n# x\n---\na: b", [("---\na: b", 4)]),
        ("--- {a: b}\n--- [c]", [("--- {a: b}\n", 1), ("--- [c]", 2)]),
        ("a: |\n  ---\n  b\n", [("a: |\n  ---\n  b\n", 1)]),
        ("a: |\n  b\n---\n  c\n", [("a: |\n  b\n", 1), ("---\n  c\n", 3)]),
        ("a: b\n----\n", [("a: b\n----\n", 1)]),
        ("a: b\n---c\n", [("a: b\n---c\n", 1)]),
        ("a: b\r\n---\r\nc: d\r\n", [("a: b\r\n", 1), ("---\r\nc: d\r\n", 2)]),
        ("a: b\n...\n", [("a: b\n...\n", 1)]),
        ("...\n---\n... # x\n", []),
    ],
)
def test_split(text: str, pieces: list[tuple[str, int]]) -> None:
    """At three dashes at the margin that end a word, wherever they stand; documents of nothing are left out."""
    assert [(piece.text, piece.first_line) for piece in documents.split(text)] == pieces


def test_a_long_comment_costs_its_length() -> None:
    """One reading of each line, or thirty lines would take minutes."""
    header = "# licence\n" * 1000
    assert [piece.first_line for piece in documents.split(header + "---\n" + header + "a: 1\n" + header)] == [1001]


def test_pieces_are_numbered() -> None:
    """Documents of nothing do not count."""
    assert [piece.number for piece in documents.split("# x\n---\na\n---\n---\nb\n")] == [1, 2]


_LINES = st.sampled_from(
    [
        *("a: b", "c: |", "  text", "  ---", "  ...", "  # no comment", "d: >-", "- x", "- - y", "# comment", "", "  "),
        *(
            'e: "f',
            '  g"',
            "h: [i,",
            "  j]",
            "k: 'l --- m'",
            "---",
            "--- # comment",
            "--- n: o",
            "--- |",
            "----",
            "---p",
        ),
        *("--- {q: r}", "--- >", "-- -", " ---", "\t---", "---\t", "s: t ---"),
    ]
)


@settings(max_examples=500)
@given(st.lists(_LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_split_is_what_yaml_says(lines: list[str], ending: str) -> None:
    """Wherever PyYAML reads a text at all, the pieces hold its documents, but those that are null."""
    text = ending.join(lines)
    try:
        whole = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return
    cut = [yaml.load(piece.text, Loader=yaml.CSafeLoader) for piece in documents.split(text)]
    assert [one for one in cut if one is not None] == [one for one in whole if one is not None]


@given(st.lists(st.lists(st.text(string.ascii_letters + " -#:.", max_size=8), min_size=1, max_size=4), max_size=5))
def test_split_finds_every_document_that_was_joined(texts: list[list[str]]) -> None:
    """Documents of block scalars with any text in them, joined by three dashes, come apart again."""
    wanted = ["\n".join(lines) for lines in texts]
    joined = "---\n".join(f"t: |1-\n {text.replace(chr(10), chr(10) + ' ')}\n" for text in wanted)
    cut = [yaml.load(piece.text, Loader=yaml.CSafeLoader)["t"] for piece in documents.split(joined)]
    assert [text.rstrip("\n") for text in cut] == [text.rstrip("\n") for text in wanted]


def test_an_object_gets_its_home_namespace() -> None:
    """If its kind lives in one; a namespace of its own stays, and the order of keys is no difference."""
    home = _parsed("kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n").made
    own = _parsed("apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: zoo, name: a}\n").made
    none = _parsed("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n").made
    assert home is not None
    assert own is not None
    assert none is not None
    assert home.id == objects.ObjectId("", "ConfigMap", "home", "a")
    assert home.body == b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"home"}}'
    assert (own.id.namespace, none.id.namespace) == ("zoo", "")
    assert b"namespace" not in none.body
    assert home.template == "app/a.yaml.j2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", [("object/no-identity", "app/a.yaml.j2:1:1")]),
        ("kind: A\nmetadata: {name: a}\n", [("object/no-identity", "app/a.yaml.j2:1:1")]),
        ("apiVersion: v1\nkind: 1\n", [("object/no-identity", "app/a.yaml.j2:2:7")]),
        ("apiVersion: v1\nkind: A\nmetadata: {}\n", [("object/no-identity", "app/a.yaml.j2:3:11")]),
        ("apiVersion: v1\nkind: A\nmetadata: []\n", [("object/no-identity", "app/a.yaml.j2:3:11")]),
        ("apiVersion: v1\nkind: List\nitems: []\n", [("object/kind-list", "app/a.yaml.j2:2:7")]),
        ("apiVersion: v1\nkind: PodList\nitems: []\n", [("object/kind-list", "app/a.yaml.j2:2:7")]),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a/b}\n", [("object/bad-name", "app/a.yaml.j2:3:18")]),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: A}\n", [("object/bad-name", "app/a.yaml.j2:3:32")]),
        ("a: b\n...\nc: d\n", [("yaml/syntax", "app/a.yaml.j2:2:1")]),
        (making.config_map() + "\r---\r" + making.config_map("b"), [("yaml/syntax", "app/a.yaml.j2:1:1")]),
        ("\ufeff\ufeff# a\n", [("yaml/syntax", "app/a.yaml.j2:1:1")]),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n",
            [("object/bad-name", "app/a.yaml.j2:3:32")],
        ),
        ("a: off\nb: on\n", [("yaml/ambiguous-scalar", f"app/a.yaml.j2:{n}:4") for n in (1, 2)]),
        (making.config_map() + "status: {}\n", [("object/server-field", "app/a.yaml.j2:5:9")]),
    ],
)
def test_what_is_no_object(text: str, said: list[tuple[str, str]]) -> None:
    """Each fault has its code and stands at its line and column."""
    assert _said(text) == said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "../../x"),
        ("kind", "A/B"),
        ("kind", "A.b"),
        ("kind", "Ä"),
        ("kind", "A" * 64),
        ("apiVersion", "../x/v1"),
        ("apiVersion", "/v1"),
        ("apiVersion", "a/b/v1"),
        ("apiVersion", "v1/"),
        ("apiVersion", "A/v1"),
        ("apiVersion", "apps/.."),
    ],
)
def test_kind_and_version_cannot_be_paths(key: str, value: str) -> None:
    """They become parts of file names and URLs, so they are held to what Kubernetes knows."""
    parts = {"apiVersion": "v1", "kind": "ConfigMap", key: value}
    text = "".join(f'{name}: "{part}"\n' for name, part in parts.items())
    (problem,) = _parsed(f"{text}metadata: {{name: a}}\n").problems
    assert (problem.code, problem.field) == (codes.Code.OBJECT_BAD_NAME, (key,))


@pytest.mark.parametrize("name", [".", "..", "a/b", "a%2fb", "a b", "a\\n", "a" * 254, "\\u200b"])
def test_names_must_fit_into_a_url(name: str) -> None:
    """As the API server has it for every kind."""
    assert [code for code, _ in _said(f'apiVersion: v1\nkind: A\nmetadata: {{name: "{name}"}}\n')] == [
        "object/bad-name"
    ]


@pytest.mark.parametrize("name", ["a", "system:node", "A.b_c", "a" * 253, "é", "...", "~"])
def test_names_that_some_kinds_have(name: str) -> None:
    """RBAC allows nearly anything; narrower rules are the API server's."""
    assert _parsed(f'apiVersion: v1\nkind: A\nmetadata: {{name: "{name}"}}\n').made is not None


def test_equal_text_is_read_once() -> None:
    """The same document at another site is the same object, not an equal one."""
    parser = documents.Parser(making.bundle({}))
    one, two = documents.split(f"{making.config_map()}---\n{making.config_map('b')}---\n{making.config_map('b')}")[1:]
    assert one.text == two.text
    assert parser.parse(one, "x").made is parser.parse(two, "x").made
    assert parser.parse(one, "y").made is not parser.parse(two, "x").made


def test_equal_faults_keep_their_own_lines() -> None:
    """A fault that was seen before is told at the line it stands on this time, whichever came first."""
    parser = documents.Parser(making.bundle({}))
    pieces = [documents.Piece("\na: off\n", line, 1) for line in (5, 1, 9)]
    marks = [str(parser.parse(piece, "x").problems[0].mark) for piece in pieces]
    assert marks == ["x:6:4", "x:2:4", "x:10:4"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (making.config_map("a"), "ConfigMap a"),
        ("kind: A\n", "document 1"),
        ("a: [\n", "document 1"),
        ("kind: [A]\nmetadata: {name: a}\n", "document 1"),
        ("- a\n", "document 1"),
    ],
)
def test_title(text: str, title: str) -> None:
    """A document is called by its object where that can be read."""
    (piece,) = documents.split(text)
    assert documents.title(piece) == title


def test_mark_of_name() -> None:
    """The place of the name, in lines of the whole text."""
    piece = documents.split(f"# x\n---\n{making.config_map('a')}")[-1]
    assert str(documents.mark_of_name(piece, "x")) == "x:6:9"
