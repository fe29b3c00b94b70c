"""Texts and times of a cluster, made fit to be shown."""

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.kube import observed


@hypothesis.given(st.text() | st.none())
def test_words_are_one_line(text: str | None) -> None:
    """Nothing that a terminal obeys is left, and nothing is too long."""
    found = observed.words(text)
    assert found.isprintable()
    assert len(found) <= 1000
    assert found == " ".join(found.split())


def test_words_are_cut_in_the_open() -> None:
    """What was left out shows."""
    assert observed.words("x" * 1001) == "x" * 996 + " ..."
    assert observed.words("x" * 1000) == "x" * 1000


@pytest.mark.parametrize(
    ("first", "last", "seconds"),
    [
        ("2026-11-27T10:00:10Z", "2026-11-27T10:00:48Z", 38.0),
        ("2026-11-27T10:00:10.500000Z", "2026-11-27T10:00:11Z", 0.5),
        ("2026-11-27T10:00:48Z", "2026-11-27T10:00:10Z", 0.0),
        (None, "2026-11-27T10:00:48Z", 0.0),
        ("", "", 0.0),
        ("soon", "2026-11-27T10:00:48Z", 0.0),
        ("2026-11-27", "2026-11-27T10:00:48Z", 0.0),
    ],
)
def test_seconds_between(first: str | None, last: str | None, seconds: float) -> None:
    """Timestamps that make no sense are no time apart."""
    assert observed.seconds_between(first, last) == seconds


@hypothesis.given(st.text() | st.none(), st.text() | st.none())
def test_no_timestamp_raises(first: str | None, last: str | None) -> None:
    """Timestamps are anybody's text."""
    assert observed.seconds_between(first, last) >= 0.0


def test_condition_by_type() -> None:
    """The first condition of a type is taken; there may be none at all."""
    told = [observed.Condition("Ready", "True"), observed.Condition("Ready", "False")]
    found = observed.condition(told, "Ready")
    assert found is not None
    assert found.status == "True"
    assert observed.condition(None, "Ready") is None


def test_owner_is_the_controller() -> None:
    """Of several owners, the one that controls the object made it."""
    owners = (observed.Owner("X", "a", "1"), observed.Owner("Y", "b", "2", controller=True))
    assert observed.Meta(owner_references=owners).owner == "2"
    assert observed.Meta().owner == ""
