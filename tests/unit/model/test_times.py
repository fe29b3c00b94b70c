"""Times as operators write them."""

import contextlib
import datetime as dt

import hypothesis
import hypothesis.strategies as st
import pytest

from fleetctl.model import times

_NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("36h", 129_600), ("2d", 172_800), ("2d12h", 216_000), (" 1d1h1m ", 90_060)]
)
def test_spans_count_from_now(text: str, seconds: float) -> None:
    """Days, hours and minutes, in this order."""
    assert times.moment_of(text, _NOW) == _NOW + seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-24T18:00:00Z", dt.datetime(2026, 12, 24, 18, tzinfo=dt.UTC)),
        ("2026-12-24T18:00+01:00", dt.datetime(2026, 12, 24, 17, tzinfo=dt.UTC)),
        ("2026-12-24 18:00Z", dt.datetime(2026, 12, 24, 18, tzinfo=dt.UTC)),
    ],
)
def test_moments_with_an_offset(text: str, moment: dt.datetime) -> None:
    """They are the same everywhere."""
    assert times.moment_of(text, _NOW) == moment.timestamp()


@pytest.mark.parametrize("text", ["2026-12-24", "2026-12-24T18:00", "2026-12-24 18:00:30"])
def test_moments_without_one_are_local(text: str) -> None:
    """As the clock on the operator's wall; a date is its first moment."""
    assert times.moment_of(text, _NOW) == dt.datetime.fromisoformat(text).astimezone().timestamp()


@pytest.mark.parametrize(
    "text",
    ["", " ", "tomorrow", "5", "5s", "12h2d", "-1h", "2026-13-01", "18:00", "9999999d", "1.5h", "0001-01-01", "٣h"],
)
def test_anything_else_is_no_time(text: str) -> None:
    """A slip of the keys holds nothing for ever, or not at all."""
    with pytest.raises(ValueError, match="no time"):
        times.moment_of(text, _NOW)


@hypothesis.given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    """A number, or ``ValueError``."""
    with contextlib.suppress(ValueError):
        assert isinstance(times.moment_of(text, _NOW), float)
