"""The quick way to data: it says what the whole reader says, or nothing."""

import pathlib
from typing import Any
from unittest import mock

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import values
from fleetctl.reading import quick, yaml12

TAGS = {"!unset": values.UNSET}
DEPTH = yaml12.LIMITS.depth


def _wholly(text: str) -> tuple[list[object], list[Any]]:
    """Read with nodes, whatever the text."""
    with mock.patch.object(quick, "documents", return_value=None):
        documents, found = yaml12.read(text, "f.yaml", tags=TAGS)
    return [document.data for document in documents], found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n---\na: 1\n",
        "a: [1, 2.5, {b: null, c: 'NO'}]\nd: |\n  text\n",
        "a: !unset\nb+: [x]\n",
        "? a\n: - b\n  - - c\n",
        "[" * DEPTH + "]" * DEPTH,
    ],
)
def test_says_what_the_whole_reader_says(text: str) -> None:
    """Plain text needs no second look, known tags and several documents included."""
    made = quick.documents(text, TAGS, DEPTH)
    assert made is not None
    assert (repr(made), []) == (repr(_wholly(text)[0]), _wholly(text)[1])


@pytest.mark.parametrize(
    "text",
    [
        "a: NO",
        "a: 1.10",
        "NO: a",
        "1: a",
        "a: 1\na: 2",
        "[a]: 1",
        "{a: 1}: 1",
        "a: *b",
        "a: &b 1",
        "<<: {a: 1}",
        "a: !unset 1",
        "a: !other",
        "a: !!str 1",
        "!unset a: 1",
        "!!map {a: 1}",
        "a: !!seq []",
        "a: !unset []",
        "a: 'x",
        "a: 1\n--- [",
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1),
    ],
)
def test_leaves_to_the_whole_reader(text: str) -> None:
    """What may be wrong or needs places is not its business, wherever it stands."""
    assert quick.documents(text, TAGS, DEPTH) is None


PIECES = [
    *("a", "b", "&a ", "*a", "<<", ": ", "- ", "? ", "[", "]", "{", "}", ",", "\n", "\n  ", "\n---\n", "..."),
    *("'", '"', "|\n", ">", "!unset ", "!!str ", "! ", "#", "%", "~", "1", "NO", "0x", "\t", "\r\n", "\ufeff"),
]


@hypothesis.settings(max_examples=600)
@hypothesis.given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_never_says_anything_else(text: str) -> None:
    """Of any text it says the same as the whole reader, which then has nothing to complain about; or nothing."""
    made = quick.documents(text, TAGS, DEPTH)
    if made is not None:
        data, found = _wholly(text)
        assert (repr(made), found) == (repr(data), [])


def test_reads_all_that_we_ship() -> None:
    """The files of the example fleets and bundles are plain: were they not, reading them would cost twice as much."""
    root = pathlib.Path(__file__).parents[3]
    files = [path for folder in ("inventories", "templates") for path in sorted((root / folder).rglob("*.yaml"))]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        if "{{" not in text and "{%" not in text:
            made = quick.documents(text, TAGS, DEPTH)
            assert repr(made) == repr(_wholly(text)[0]), path
