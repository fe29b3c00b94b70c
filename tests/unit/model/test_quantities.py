"""Quantities: what is one, and the spelling that an API server gives back."""

import fractions

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import quantities


@pytest.mark.parametrize(
    ("text", "canonical"),
    # From quantity_test.go of apimachinery (TestQuantityString, TestQuantityParseEmit), and the docs of memory units.
    [
        ("0", "0"),
        ("0Mi", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("1.0", "1"),
        ("0.5", "500m"),
        (".001", "1m"),
        ("1.5", "1500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1100", "1100"),
        ("1024", "1024"),
        ("1Ki", "1Ki"),
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("1.1Mi", "1153433600m"),
        ("0.5Ki", "512"),
        ("1023Mi", "1023Mi"),
        ("0.5Mi", "512Ki"),
        ("1e3", "1e3"),
        ("1E6", "1e6"),
        ("1.1e5", "110e3"),
        ("128974848", "128974848"),
        ("129e6", "129e6"),
        ("129M", "129M"),
        ("123Mi", "123Mi"),
        ("-1.5", "-1500m"),
        ("-2Ki", "-2Ki"),
        ("100n", "100n"),
        ("1000u", "1m"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_canonical_spelling(text: str, canonical: str) -> None:
    """As API servers store it."""
    assert str(quantities.parse(text)) == canonical


@pytest.mark.parametrize(
    "text", ["", "m", "1 Gi", "1gi", "1KB", "1K", "1,5", "1_000", "0x1", "\u0661", "1e", "--1", ".", "1.2.3", "1Mim"]
)
def test_what_is_no_quantity(text: str) -> None:
    """Is said to be none."""
    with pytest.raises(quantities.QuantityError, match="is no quantity"):
        quantities.parse(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "8Ei", "1e19", "1e99"])
def test_what_is_too_large(text: str) -> None:
    """API servers would cap it in silence."""
    with pytest.raises(quantities.QuantityError, match="too large"):
        quantities.parse(text)


def test_what_is_too_fine() -> None:
    """API servers would round it up in silence."""
    with pytest.raises(quantities.QuantityError, match="billionth"):
        quantities.parse("0.1n")


@given(st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,3})?(m|k|M|G|Ki|Mi|Gi|e3)?", fullmatch=True))
def test_the_canonical_spelling_is_the_same_number(text: str) -> None:
    """Reading it again gives the number, and the spelling itself."""
    found = quantities.parse(text)
    again = quantities.parse(str(found))
    assert again.number == found.number
    assert str(again) == str(found)


def test_scaling_rounds_up() -> None:
    """To a multiple of the step, never below what was asked for; too much is an error."""
    third = quantities.parse("1").scaled(fractions.Fraction(1, 3), fractions.Fraction(1, 1000))
    assert str(third) == "334m"
    with pytest.raises(quantities.QuantityError, match="too large"):
        quantities.parse("4Ei").scaled(fractions.Fraction(2), fractions.Fraction(1))
