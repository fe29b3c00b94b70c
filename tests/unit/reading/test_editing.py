"""Values changed in place: what is written where, what stays, and what is refused."""

import pathlib
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import problems, values
from fleetctl.reading import editing, yaml12

TAGS = {"!unset": values.UNSET}
CASES = yaml.load(pathlib.Path(__file__).with_name("edits.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _edited(text: str | bytes, *changes: tuple[str, object], document: int = 0) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    wanted = [editing.Change(document, problems.parse_field(field), value) for field, value in changes]
    return editing.changed(raw, "f.yaml", wanted, TAGS)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_cases(case: dict[str, Any]) -> None:
    """Each case of edits.yaml: a text and what is set, and the text that comes out, or why none does."""
    changes = [(field, values.UNSET if value == "!unset" else value) for field, value in case["set"].items()]
    if "refused" in case:
        with pytest.raises(editing.Obstacle) as caught:
            _edited(case["text"], *changes)
        assert f"{caught.value.mark}: {caught.value}" == f"f.yaml:{case['refused']}"
        return
    assert _edited(case["text"], *changes).decode() == case["becomes"]


def test_line_ends_and_byte_order_marks_stay() -> None:
    """A file of Windows keeps its line ends, in what is added too, and its byte order mark."""
    text = "\ufeffa:\r\n  b: 1  # one\r\nc: 2\r\n"
    assert _edited(text, ("a.b", 5)).decode() == "\ufeffa:\r\n  b: 5  # one\r\nc: 2\r\n"
    assert _edited(text, ("a.d", 5)).decode() == "\ufeffa:\r\n  b: 1  # one\r\n  d: 5\r\nc: 2\r\n"


def test_a_document_of_several() -> None:
    """Documents before and after stay as they are."""
    assert _edited("a: 1\n---\na: 1\n---\na: 1\n", ("a", 2), document=1) == b"a: 1\n---\na: 2\n---\na: 1\n"


def test_no_change_needs_no_reading() -> None:
    """Without a change the very bytes come back."""
    assert editing.changed(b"a: [", "f.yaml", [], TAGS) == b"a: ["


def test_two_changes_of_one_value_are_a_mistake() -> None:
    """Who asks for two values at one place has a bug."""
    with pytest.raises(ValueError, match="one place"):
        _edited("a: 1\n", ("a", 2), ("a", 3))


_SCALARS = [
    "1",
    "word",
    "two words",
    "'it''s'",
    '"a: b"',
    "null",
    "~",
    "",
    "!unset",
    "&x here",
    "[1, 2]",
    "{k: v, l: {}}",
    "{}",
    "[]",
]
_ALONE = [
    *_SCALARS,
    "*x",
    "|\n{indent}  lines\n{indent}  of text",
    ">-\n{indent}  folded",
    "plain\n{indent}  goes on",
    "[1,\n{indent}  2]",
]


@st.composite
def _maps(draw: st.DrawFn, indent: str = "", depth: int = 0) -> str:
    """Write a block map as people do: comments, empty lines, anchors, all styles."""
    lines = []
    for key in draw(st.lists(st.sampled_from(["a", "b", "c+", '"d e"', "f"]), min_size=1, unique=True)):
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(["", f"{indent}# c", "# c", f"{indent}    # c"])))
        if depth < 2 and draw(st.booleans()):
            anchor = draw(st.sampled_from(["", "", " &m", "  # c"]))
            inner = draw(_maps(f"{indent}  ", depth + 1))
            item = f"{indent}- "
            if draw(st.booleans()):
                lines += [f"{indent}{key}:{anchor}", inner]
            else:
                lines += [f"{indent}{key}:{anchor}", item + draw(_maps(f"{indent}  ", 2)).lstrip(" ")]
        else:
            text = draw(st.sampled_from(_ALONE)).replace("{indent}", indent)
            comment = draw(st.sampled_from(["", "  # c"])) if "\n" not in text else ""
            lines.append(f"{indent}{key}: {text}{comment}")
    return "\n".join(lines)


@hypothesis.settings(max_examples=150)
@given(_maps(), st.sampled_from(["", "\n", "\n# c\n", "\n---\nb: 1\n"]), st.data())
def test_a_change_is_made_exactly_or_refused(body: str, end: str, data: st.DataObject) -> None:
    """Whatever the text is like: either the one value differs afterwards and comments are there, or nothing is done."""
    text = body + end
    documents, faults = yaml12.read(text, "f.yaml", tags=TAGS)
    if faults or not documents or not isinstance(documents[0].data, dict):
        return
    fields = sorted(_fields(documents[0].data), key=problems.field_text)
    field = data.draw(st.sampled_from([*fields, ("new",), *((*field, "new") for field in fields)]))
    value = data.draw(st.sampled_from([7, "word", "two words", "a, b: #c", True, None, ["x", 1], {"k": "v"}, "NO", ""]))
    try:
        made = editing.changed(text.encode(), "f.yaml", [editing.Change(0, field, value)], TAGS)
    except editing.Obstacle as error:
        hypothesis.event("refused: " + error.message)
        return
    hypothesis.event("made")
    after, faults = yaml12.read(made, "f.yaml", tags=TAGS)
    assert faults == []
    assert values.same(problems.value_at(after[0].data, field), value)
    assert made.count(b"# c") == text.encode().count(b"# c")


def _fields(
    data: Any,  # noqa: ANN401  # what a document holds
    field: problems.Field = (),
) -> Iterator[problems.Field]:
    steps = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for step in steps:
        yield (*field, step)
        yield from _fields(data[step], (*field, step))
