"""Words for values, and numbers as text that every reader takes for the same number."""

import math

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from fleetctl.model import values


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing (null)"),
        (True, "the boolean true"),
        (False, "the boolean false"),
        (0, "the number 0"),
        (1.5, "the number 1.5"),
        ("", 'the text ""'),
        ("Å\n", 'the text "Å\\n"'),
        ("x" * 40, f'the text "{"x" * 40}"'),
        ("x" * 41, f'the text "{"x" * 37}..."'),
        ([], "a list"),
        ({}, "a map"),
        (values.UNSET, "!unset"),
    ],
)
def test_kinds(value: object, words: str) -> None:
    """«expected X, got Y» names a value's type and the value, on one line and not too long."""
    assert values.kind_of(value) == words


def test_words_for_what_is_no_value() -> None:
    """Python's own words for a generator hold its address, and would differ from run to run."""
    assert values.kind_of(one for one in "ab") == "a generator"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (0, "0"), (-3, "-3"), (1.0, "1.0"), (1e22, "1.0e+22"), ("NO", "NO")],
)
def test_scalars_in_text(value: str | float, text: str) -> None:
    """A reference inside text is spelled as YAML and JSON spell it, not as Python does."""
    assert values.text_of(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e16, "1.0e+16"), (1.5e-7, "1.5e-07"), (5e-324, "5.0e-324")],
)
def test_floats(value: float, text: str) -> None:
    """A float has a dot in its mantissa and a sign in its exponent."""
    assert values.float_text(value) == text


@hypothesis.given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_floats_for_all(value: float) -> None:
    """A YAML 1.1 reader and Python read a written float as that very float."""
    text = values.float_text(value)
    for read in (float(text), yaml.load(text, Loader=yaml.CSafeLoader)):
        assert isinstance(read, float)
        assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


def test_unset_is_one_thing() -> None:
    """``!unset`` has one value, which prints as it is written."""
    assert values.UNSET is values.Unset("!unset")
    assert str(values.UNSET) == "!unset"


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ("1", 1), ([1], [1, 2]), ({"a": 1}, {"b": 1})])
def test_same_knows_types(one: object, other: object) -> None:
    """Values that YAML tells apart are not the same."""
    assert not values.same(one, other)
    assert values.same(one, one)
