"""What is said about text that cannot be read: the sentence, the place to look at, and the line itself."""

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, problems
from fleetctl.reading import complaints, yaml12

COLON = 'a ": " stands inside an unquoted text, or indentation is wrong; quote the text'
TAB = "a tab stands where only spaces may; indent with spaces"
FOLLOWS = "nothing may follow here; is a quote or bracket closed too early?"
CONTROL = "the control character {} is not allowed; write it as an escape in double quotes"


@pytest.mark.parametrize(
    ("text", "place", "message", "line"),
    [
        ("a: b: c\n", "1:5", COLON, "a: b: c"),
        ("image: pos\nargs: --level: 3\n", "2:14", COLON, "args: --level: 3"),
        ("a: 1\n b: 2\n", "2:3", COLON, " b: 2"),
        ("a: 1\nb\n", "2:1", 'a key without ":" (or indentation that ends a text too early)', "b"),
        ("a:\n  b: 1\n c: 2\n", "3:2", "indentation does not fit the lines above", " c: 2"),
        ("- a\nb: 1\n", "2:1", "indentation does not fit the list above", "b: 1"),
        ("a: - b\n", "1:4", "a list begins on the line after its key", "a: - b"),
        ("a:\n\t- b\n", "2:1", TAB, "\t- b"),
        ("\ta: 1\n", "1:1", TAB, "\ta: 1"),
        ("a: |\n\tx\n", "2:1", TAB, "\tx"),
        ("a:\n  b:\n    - c\n  \td: 1\n", "4:3", TAB, "  \td: 1"),
        ("a: 1\nb: 'x\nc: 2\n", "2:4", "the text in quotes that begins here never ends", "b: 'x"),
        ('b: "x\n---\nc: 2\n', "1:4", "the text in quotes that begins here never ends", 'b: "x'),
        ("a: 'b' c\n", "1:8", FOLLOWS, "a: 'b' c"),
        ("a: 'it's'\n", "1:8", FOLLOWS, "a: 'it's'"),
        ("a: {{ b }}/c\n", "1:11", "a text that begins with {{ must be quoted", "a: {{ b }}/c"),
        ("a: [b]]\n", "1:7", FOLLOWS, "a: [b]]"),
        ("a: 1\rb: 'x' y\r", "2:8", FOLLOWS, "b: 'x' y"),
        ("x: 1\na: [1,\n  2\n", "2:4", "the list that begins here never ends", "a: [1,"),
        ("a: {b: 1\n\n", "1:4", "the map that begins here never ends", "a: {b: 1"),
        ("a: [1\nb: 2\n", "2:2", '"," or "]" is missing in the list that begins in line 1', "b: 2"),
        ("a: {b: 1 c: 2}\n", "1:11", '"," or "}" is missing in the map that begins in line 1', "a: {b: 1 c: 2}"),
        ("{a: !unset}\n", "1:11", "a blank is missing after the tag (as in `!unset }`)", "{a: !unset}"),
        ("a: @x\n", "1:4", "an unquoted text cannot begin with this character; quote the text", "a: @x"),
        ("a: `x`\n", "1:4", "an unquoted text cannot begin with this character; quote the text", "a: `x`"),
        ("a: %x\n", "1:4", "an unquoted text cannot begin with this character; quote the text", "a: %x"),
        ("cron: * * * * *\n", "1:8", "& and * begin anchors and aliases; quote the text", "cron: * * * * *"),
        ("a: *x\n", "1:4", "the alias stands for no anchor above it", "a: *x"),
        ("a: &x 1\nb: &x 2\n", "2:4", "the anchor is given twice in one document", "b: &x 2"),
        ("a: 1\n...\nb: 2\n", "3:1", 'a new document begins here; put "---" on a line above it', "b: 2"),
        ("%YAML 1.3\n---\na: 1\n", "1:1", "the %YAML line asks for another version than 1.2; remove it", "%YAML 1.3"),
        ("a: !x!y z\n", "1:4", "the tag's handle is declared nowhere; remove the tag", "a: !x!y z"),
        (
            'a: "C:\\pos"\n',
            "1:7",
            "no such escape; in double quotes write \\\\ for \\, or use single quotes",
            'a: "C:\\pos"',
        ),
        ('a: "\\ud800"\n', "1:7", "found invalid Unicode character escape code", 'a: "\\ud800"'),
        ("a: > x\n", "1:6", "the text of a block begins on the line after its | or >", "a: > x"),
        ("...\n", "1:1", "a value is missing here", "..."),
        ("a: \x1b[31mred\n", "1:4", CONTROL.format("U+001B"), "a: \\x1b[31mred"),
        ("a: b\x00c\n", "1:5", CONTROL.format("U+0000"), "a: b\\x00c"),
        ("å: 1\nb: å\x7f\n", "2:5", CONTROL.format("U+007F"), "b: å\\x7f"),
        ("a: \ufffe\n", "1:4", CONTROL.format("U+FFFE"), "a: \\ufffe"),
    ],
)
def test_syntax(text: str, place: str, message: str, line: str) -> None:
    """Each common mistake is named in our words where it was made, and shown without what a terminal would obey."""
    _, found = yaml12.read(text, "f.yaml")
    assert [(str(one.mark), one.message, one.notes) for one in found] == [(f"f.yaml:{place}", message, (line,))]
    assert found[0].code is codes.Code.YAML_SYNTAX
    assert found[0].field == ()


@pytest.mark.parametrize("text", ["a: [1,\n  2,\n", "a: {b: 1,\n  c: 2,\n"])
def test_open_at_the_end(text: str) -> None:
    """After a trailing comma libyaml no longer knows where the list began; then at least it is said what is missing."""
    _, found = yaml12.read(text, "f.yaml")
    assert [(str(one.mark), one.message, one.notes) for one in found] == [
        ("f.yaml:3:1", 'the file ends inside a list or map: "]" or "}" is missing', ())
    ]


def test_windows_line_ends() -> None:
    """A file with CRLF has the same places, and the shown line has no carriage return."""
    _, found = yaml12.read("a: 1\r\nb: 'x' y\r\n", "f.yaml")
    assert [(str(one.mark), one.notes) for one in found] == [("f.yaml:2:8", ("b: 'x' y",))]


def test_lines_are_counted_in_the_larger_text() -> None:
    """Text that was cut out of a larger one is placed there, in the sentence too."""
    _, found = yaml12.read("a: [1\nb: 2\n", "f.yaml", first_line=40)
    assert [(str(one.mark), one.message) for one in found] == [
        ("f.yaml:41:2", '"," or "]" is missing in the list that begins in line 40')
    ]


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000, "{a: " * 5000, "? " * 5000])
def test_hostile_nesting(text: str) -> None:
    """Nesting that would exhaust a stack is refused by libyaml itself, and is too deep like any other."""
    _, found = yaml12.read(text, "f.yaml")
    assert [(one.code, one.message) for one in found] == [(codes.Code.YAML_TOO_DEEP, "nested too deeply to be read")]
    assert found[0].notes == ()


@pytest.mark.parametrize(
    ("text", "place", "code", "message"),
    [
        (
            "a: 1\nb: x\x85c: 2\n",
            "2:5",
            codes.Code.YAML_SYNTAX,
            "the character U+0085 ends a line in YAML 1.1 and is text in 1.2; write \\x85 in double quotes",
        ),
        (
            "# a comment\u2028evil: 1\n",
            "1:12",
            codes.Code.YAML_SYNTAX,
            "the character U+2028 ends a line in YAML 1.1 and is text in 1.2; write \\u2028 in double quotes",
        ),
        (
            "\u2029",
            "1:1",
            codes.Code.YAML_SYNTAX,
            "the character U+2029 ends a line in YAML 1.1 and is text in 1.2; write \\u2029 in double quotes",
        ),
        (
            "a: \u2028\ud83d\n",
            "1:5",
            codes.Code.YAML_ENCODING,
            "the character U+D83D is half a character; it has no place in UTF-8",
        ),
    ],
)
def test_characters(text: str, place: str, code: codes.Code, message: str) -> None:
    """What ends a line for some readers only could hide a key in a comment; half a character cannot be written."""
    found = complaints.characters(text, "f.yaml", 1)
    assert found == problems.Problem(code, message, found.mark if found else None)
    assert str(found.mark) == f"f.yaml:{place}"
    assert yaml12.read(text, "f.yaml") == ([], [found])


def test_most_characters_are_fine() -> None:
    """Letters of any script, emoji and a byte order mark are nothing to complain about."""
    assert complaints.characters("å 店 😀 \ufeff \xa0", "f.yaml", 1) is None
    assert yaml12.read("å 店 😀 \ufeff \xa0x", "f.yaml")[1] == []


@hypothesis.given(st.text(alphabet="ab:-[]{}'\"|>&*!%@#?,. \t\r\n\x00\x1b\x85\u2028é\ud800", max_size=40))
def test_whatever_is_wrong_has_a_place(text: str) -> None:
    """A problem stands on a line of the text, one line below it at most, and its note is printable."""
    _, found = yaml12.read(text, "f.yaml")
    lines = len(text.splitlines()) + 1
    for one in found:
        assert one.mark is not None
        assert 1 <= one.mark.line <= lines
        assert 1 <= one.mark.column <= len(text) + 1
        assert all(note.replace("\t", "").isprintable() for note in one.notes)
