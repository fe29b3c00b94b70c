"""The reader as a whole: documents, encodings, limits, places, and that no input whatever makes it raise."""

from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from fleetctl.model import codes, problems, values
from fleetctl.reading import constructing, scalars, yaml12

TEXT = """\
# the fleet
apiVersion: v1
sites:
- name: a
  labels: {ring: "2", hw: rpi4}
- &b
  name: b
  vars:
    args: [x,
      z]
- <<: *b
  name: c
"""


def _read(text: str | bytes, **options: Any) -> yaml12.Document:  # noqa: ANN401  # passed on
    documents, found = yaml12.read(text, "f.yaml", **options)
    assert found == []
    assert len(documents) == 1
    return documents[0]


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ((), "2:1", "2:1"),
        (("apiVersion",), "2:13", "2:1"),
        (("sites",), "4:1", "3:1"),
        (("sites", 0), "4:3", "4:3"),
        (("sites", 0, "name"), "4:9", "4:3"),
        (("sites", 0, "labels"), "5:11", "5:3"),
        (("sites", 0, "labels", "hw"), "5:27", "5:23"),
        (("sites", 1, "vars", "args", 1), "10:7", "10:7"),
        (("sites", 2, "name"), "12:9", "12:3"),
        # merged in: where it was written
        (("sites", 2, "vars"), "9:5", "8:3"),
        (("sites", 2, "vars", "args", 0), "9:12", "9:12"),
        # not there: the nearest parent
        (("nope",), "2:1", "2:1"),
        (("sites", 0, "nope", "deeper"), "4:3", "4:3"),
        (("sites", 7), "4:1", "3:1"),
        (("sites", "name"), "4:1", "3:1"),
        (("apiVersion", "x"), "2:13", "2:1"),
        (("apiVersion", 0), "2:13", "2:1"),
    ],
)
def test_marks(field: problems.Field, value: str, key: str) -> None:
    """A value, or its key, is found where it was written; for what is missing the nearest parent stands."""
    document = _read(TEXT)
    assert str(document.mark(field)) == f"f.yaml:{value}"
    assert str(document.mark(field, key=True)) == f"f.yaml:{key}"


def test_marks_count_in_the_larger_text() -> None:
    """The first line's number shifts every place."""
    document = _read(TEXT, first_line=11)
    assert str(document.mark(("sites", 0, "name"))) == "f.yaml:14:9"


def test_marks_of_later_documents() -> None:
    """Each document finds its own places, counted in the whole file."""
    documents, found = yaml12.read("a: 1\n---\n# empty\n---\nb: 2\n...\n---\na: 3\n", "f.yaml")
    assert found == []
    assert [document.data for document in documents] == [{"a": 1}, None, {"b": 2}, {"a": 3}]
    assert [str(document.mark(("a",))) for document in documents] == [
        "f.yaml:1:4",
        "f.yaml:4:1",
        "f.yaml:5:1",
        "f.yaml:8:4",
    ]


@pytest.mark.parametrize(
    ("text", "field", "place"),
    [
        # what a merge key offers: own keys first, then the sources in their order
        ("x: &x {a: 1}\nw: &w {a: 2, b: 2}\nz: {<<: [*x, *w]}\n", ("z", "a"), "1:11"),
        ("x: &x {a: 1}\nw: &w {a: 2, b: 2}\nz: {<<: [*x, *w]}\n", ("z", "b"), "2:17"),
        ("x: &x {a: 1}\nz: {<<: *x, a: 2}\n", ("z", "a"), "2:16"),
        ("x: &x {a: 1}\nw: &w {<<: *x}\nz: {<<: *w}\n", ("z", "a"), "1:11"),
        # a quoted << is a key like any other
        ("x: {'<<': {a: 1}}\n", ("x", "a"), "1:4"),
        ("x: {'<<': {a: 1}}\n", ("x", "<<", "a"), "1:15"),
        # the first of two equal keys is the one that counts
        ("a: 1\na: 2\n", ("a",), "1:4"),
    ],
)
def test_marks_of_merged_keys(text: str, field: problems.Field, place: str) -> None:
    """A merged key stands where its value was taken from."""
    documents, _ = yaml12.read(text, "f.yaml")
    assert str(documents[0].mark(field)) == f"f.yaml:{place}"


def test_marks_survive_cycles_and_bombs() -> None:
    """Looking for a key that is nowhere ends, even where maps are merged into themselves or by the billion."""
    cycle = yaml12.read("a: &a {<<: *a}\n", "f.yaml")[0][0]
    assert str(cycle.mark(("a", "nope"))) == "f.yaml:1:4"
    lines = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 40)]
    bomb = yaml12.read("\n".join(lines), "f.yaml")[0][0]
    assert str(bomb.mark(("a39", "nope"))) == "f.yaml:40:6"


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\ufeff", b"# nothing", b"\xef\xbb\xbf", "%YAML 1.2\n"])
def test_nothing(text: str | bytes) -> None:
    """A file without content has no documents; a lone directive is the only fault among these."""
    documents, found = yaml12.read(text, "f.yaml")
    assert documents == []
    assert bool(found) is (text == "%YAML 1.2\n")


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (b"\xef\xbb\xbfa: \xc3\xa5\n", {"a": "å"}),
        ("\ufeffa: å\n", {"a": "å"}),
        ("a: 1\r\nb:\r\n- x\r\nc: |\r\n  y\r\n  z\r\n", {"a": 1, "b": ["x"], "c": "y\nz\n"}),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("--- {a: 1}\n", {"a": 1}),
        (
            "a: http://x/#y\nb: a:b\nc: '# no comment'\nd: x # comment\n",
            {"a": "http://x/#y", "b": "a:b", "c": "# no comment", "d": "x"},
        ),
        ("a: |\n  x: y # z\n   --- \n", {"a": "x: y # z\n --- \n"}),
        ("a: x\n  y\n\n  z\n", {"a": "x y\nz"}),
        ("NULL", None),
    ],
)
def test_text(text: str | bytes, data: object) -> None:
    """Byte order marks, CRLF, directives, comments and block text are read as everybody reads them."""
    assert _read(text).data == data


@pytest.mark.parametrize(
    ("raw", "place", "message"),
    [
        (b"a: 1\nb: \xe9\n", "2:4", "byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1", "byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a: \xed\xa0\x80\n", "1:4", "byte 0xed is not UTF-8; save the file as UTF-8"),
        (b"\xef\xbb\xbfa: 1\nb: \xc3\xa5\xe9\n", "2:5", "byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xff", "1:1", "byte 0xff is not UTF-8; save the file as UTF-8"),
    ],
)
def test_encoding(raw: bytes, place: str, message: str) -> None:
    """Bytes that are not UTF-8 are found at their line; nothing of such a file is read."""
    documents, found = yaml12.read(raw, "f.yaml")
    assert documents == []
    assert found == [problems.Problem(codes.Code.YAML_ENCODING, message, found[0].mark)]
    assert str(found[0].mark) == f"f.yaml:{place}"


def test_too_large() -> None:
    """A file above the limit is not looked at; one of just that size is."""
    limits = constructing.Limits(bytes=1000)
    _, found = yaml12.read("#" * 1001, "f.yaml", limits=limits)
    assert found == [
        problems.Problem(
            codes.Code.YAML_TOO_LARGE,
            "the file has 1,001 bytes; at most 1,000 are read; split it",
            problems.Mark("f.yaml"),
        )
    ]
    assert yaml12.read("#" * 1000, "f.yaml", limits=limits) == ([], [])


def test_documents_before_a_fault_are_kept() -> None:
    """What could be read stands, so that later checks can go on."""
    documents, found = yaml12.read("a: 1\n---\nb: NO\n---\nc: [\n", "f.yaml")
    assert [document.data for document in documents] == [{"a": 1}, {"b": "NO"}]
    assert [(str(one.mark), one.code) for one in found] == [
        ("f.yaml:3:4", codes.Code.YAML_AMBIGUOUS_SCALAR),
        ("f.yaml:6:1", codes.Code.YAML_SYNTAX),
    ]


HOSTILE = st.lists(
    st.sampled_from(
        [
            *("a", "b", "&a ", "*a", "<<", ": ", "- ", "? ", "[", "]", "{", "}", ",", "\n", "\n  ", "\n---\n", "..."),
            *("'", '"', "|\n", ">", "!unset ", "!!", "#", "%", "@", "`", "\\", "~", "1", "NO", "0x", "\t", "\r\n"),
            *("\ufeff", "\x85", "\0"),
        ]
    ),
    max_size=25,
).map("".join)


@hypothesis.settings(max_examples=400)
@hypothesis.given(st.one_of(HOSTILE, HOSTILE.map(str.encode), st.text(), st.binary()))
def test_nothing_makes_it_raise(text: str | bytes) -> None:
    """Whatever a file holds, reading it and asking for places ends in values and problems."""
    documents, found = yaml12.read(text, "f.yaml", tags={"!unset": values.UNSET})
    for one in found:
        assert one.mark is not None
        assert one.mark.path == "f.yaml"
        assert one.message
    for document in documents:
        for field in ((), ("a",), ("a", "b"), ("b", 0), (0, "a"), ("<<", "a")):
            assert document.mark(field, key=True).line >= 1


def _scalars(node: Any) -> list[str]:  # noqa: ANN401  # nodes have no common type
    if isinstance(node, yaml.MappingNode):
        return [word for pair in node.value for one in pair for word in _scalars(one)]
    if isinstance(node, yaml.SequenceNode):
        return [word for one in node.value for word in _scalars(one)]
    return [] if node.style else [node.value]


@hypothesis.settings(max_examples=400)
@hypothesis.given(HOSTILE)
def test_values_are_those_of_other_readers(text: str) -> None:
    """A file without problems means the same to PyYAML: whatever that reads differently is a problem here."""
    documents, found = yaml12.read(text, "f.yaml")
    if found:
        return
    theirs = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    assert repr([document.data for document in documents]) == repr(theirs)
    words = [word for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) for word in _scalars(node)]
    assert not any(isinstance(scalars.resolve(word), scalars.Ambiguous) for word in words if word != "<<")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.text(max_size=6)
    | st.sampled_from(["NO", "0777", "1e3", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@hypothesis.given(value=PLAIN, flow=st.booleans())
def test_what_others_write_is_read(*, value: object, flow: bool) -> None:
    """PyYAML's own output is read back as written, save that it leaves some text unquoted (08), which is refused."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=flow, allow_unicode=False)
    documents, found = yaml12.read(text, "f.yaml")
    assert [document.data for document in documents] == [value]
    assert {one.code for one in found} <= {codes.Code.YAML_AMBIGUOUS_SCALAR}
