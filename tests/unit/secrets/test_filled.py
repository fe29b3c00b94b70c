"""Values taken out of what is told: whole, quoted, encoded, and cut off."""

import base64
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.secrets import filled, masking

_VALUE = 'pa"ss\\wörd-of-the-till'


def _hidden(said: str, *values: str) -> str:
    return filled.Hiding(masking.Secret(one.encode()) for one in values).text(said)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(_VALUE, id="as it is"),
        pytest.param(json.dumps(_VALUE)[1:-1], id="in JSON, escaped"),
        pytest.param(json.dumps(_VALUE, ensure_ascii=False)[1:-1], id="in JSON or as Go quotes it"),
        pytest.param(base64.b64encode(_VALUE.encode()).decode(), id="in base64"),
        pytest.param(base64.b64encode(_VALUE.encode()).decode().rstrip("="), id="in base64 without padding"),
    ],
)
def test_forms_of_a_value(form: str) -> None:
    """Each is replaced, wherever it stands."""
    assert _hidden(f"denied: {form}, so there", _VALUE).rstrip("=").startswith("denied: (secret)")
    assert form.rstrip("=") not in _hidden(form, _VALUE)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('denied: pa"ss\\wörd-of...', "denied: (secret)..."),
        ('denied: pa"ss\\wörd-of…', "denied: (secret)…"),
        ('denied: pa"ss\\wörd-of-the', "denied: (secret)"),
        ("d-of-the-till was denied", "(secret) was denied"),
        ("the till was denied", "the till was denied"),
    ],
)
def test_a_value_that_was_cut(said: str, shown: str) -> None:
    """What a bound left of it at an edge is replaced, if it is long enough to be told from other words."""
    assert _hidden(said, _VALUE) == shown


def test_short_values_are_left() -> None:
    """Or words would vanish by chance."""
    assert _hidden("1 of 3 pods", "1", "of") == "1 of 3 pods"


def test_nothing_is_done_without_values() -> None:
    """Releases without secrets are told as they were."""
    assert not filled.Hiding()
    assert filled.Hiding().text("as it was") == "as it was"


@hypothesis.given(
    st.lists(st.text(min_size=4, max_size=40), min_size=1, max_size=3),
    st.text(max_size=30),
    st.text(max_size=30),
    st.data(),
)
def test_no_value_is_left(values: list[str], before: str, after: str, data: st.DataObject) -> None:
    """In no place, beside whatever other values and texts."""
    value = data.draw(st.sampled_from(values))
    hiding = filled.Hiding(masking.Secret(one.encode()) for one in values)
    made = hiding.all({"chain": [f"{before}{value}{after}", 3], "more": {"log": value}})
    assert isinstance(made, dict)
    told = [made["chain"][0], made["more"]["log"]]
    assert [text for one in told for text in one.split(masking.SHOWN) if value in text] == []
