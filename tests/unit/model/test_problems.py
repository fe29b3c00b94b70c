"""Places, fields as text, and the order of problems."""

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, problems

STEPS = st.one_of(st.text(), st.integers(0, 10**9), st.sampled_from(["a", "0", "key+", 'q"', "b\\", "[0]", ".", "a.b"]))
FIELDS = st.lists(STEPS, max_size=5).map(tuple)
SYNTAX, DUPLICATE = codes.Code.YAML_SYNTAX, codes.Code.YAML_DUPLICATE_KEY


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ((), ""),
        (("sites", 12, "name"), "sites[12].name"),
        ((0, "a"), "[0].a"),
        (("labels", "app.kubernetes.io/name"), 'labels["app.kubernetes.io/name"]'),
        (("args+", 0), "args+[0]"),
        (("",), '[""]'),
        (('say "hi"\\', "x"), '["say \\"hi\\"\\\\"].x'),
        (("0",), "0"),
    ],
)
def test_fields_as_text(field: problems.Field, text: str) -> None:
    """A field reads like the path that people would type, with quotes only where a key needs them."""
    assert problems.field_text(field) == text
    assert problems.parse_field(text) == field


@hypothesis.given(FIELDS)
def test_any_field_is_read_back(field: problems.Field) -> None:
    """Whatever keys people choose, the text of a field names that field and no other."""
    assert problems.parse_field(problems.field_text(field)) == field


@hypothesis.given(st.text() | st.text(alphabet='ab0.[]"\\+ '))
def test_any_text_is_a_field_or_refused(text: str) -> None:
    """Text that people type names a field or raises ValueError, and nothing else."""
    try:
        field = problems.parse_field(text)
    except ValueError:
        return
    assert problems.parse_field(problems.field_text(field)) == field


@pytest.mark.parametrize("text", [".a", "a.", "a..b", "a[", "a]", "a[x]", 'a["b', 'a["b]', "a[-1]", '"a"'])
def test_what_is_no_field(text: str) -> None:
    """A path with a hole or an open bracket is refused rather than guessed."""
    with pytest.raises(ValueError, match=re.escape(text)):
        problems.parse_field(text)


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        (problems.Mark("a.yaml", 3, 7), "a.yaml:3:7"),
        (problems.Mark("a.yaml", 3), "a.yaml:3"),
        (problems.Mark("a.yaml"), "a.yaml"),
    ],
)
def test_marks_as_text(mark: problems.Mark, text: str) -> None:
    """A place is written as compilers write it, as far as it is known."""
    assert str(mark) == text


def test_order() -> None:
    """Problems stand by path, then line and column as numbers, then code and text; placeless ones come first."""
    wanted = [
        problems.Problem(SYNTAX, "no place"),
        problems.Problem(SYNTAX, "m", problems.Mark("a.yaml")),
        problems.Problem(SYNTAX, "m", problems.Mark("a.yaml", 2, 10)),
        problems.Problem(DUPLICATE, "z", problems.Mark("a.yaml", 10, 1)),
        problems.Problem(SYNTAX, "a", problems.Mark("a.yaml", 10, 1)),
        problems.Problem(SYNTAX, "b", problems.Mark("a.yaml", 10, 1), ("x", 0)),
        problems.Problem(SYNTAX, "b", problems.Mark("a.yaml", 10, 1), ("x", "k")),
        problems.Problem(SYNTAX, "a", problems.Mark("b.yaml", 1, 1)),
    ]
    shuffled = [wanted[i] for i in (5, 2, 7, 0, 4, 6, 1, 3)]
    assert problems.in_order([*shuffled, *wanted]) == problems.in_order(wanted)
    assert [problem.message for problem in problems.in_order(shuffled)] == [problem.message for problem in wanted]


@hypothesis.given(st.lists(st.tuples(st.sampled_from([SYNTAX, DUPLICATE]), st.integers(0, 2), FIELDS)))
def test_order_does_not_depend_on_work_order(found: list[tuple[codes.Code, int, problems.Field]]) -> None:
    """Problems found in another order, some of them twice, make the same list."""
    made = [problems.Problem(code, "m", problems.Mark("f", line), field) for code, line, field in found]
    ordered = problems.in_order(made)
    assert problems.in_order([*reversed(made), *made]) == ordered
    assert len(ordered) == len(set(made))


def test_value_at() -> None:
    """A value is found by its field; what is not there is told apart from null."""
    data = {"a": [1, {"b": None}], "0": "text"}
    assert problems.value_at(data, ()) is data
    assert problems.value_at(data, ("a", 1, "b")) is None
    assert problems.value_at(data, ("0",)) == "text"
    for field in [("x",), ("a", 2), ("a", "0"), ("a", 0, "b"), (0,), ("a", 1, "b", "c")]:
        assert problems.value_at(data, field) is problems.NOTHING
