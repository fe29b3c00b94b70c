"""What each filter makes of values, and what it refuses."""

import base64
import hashlib
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import labels
from fleetctl.rendering import filters

_TEXT = st.text(st.characters(codec="utf-8"))
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_DATA: st.SearchStrategy[Any] = st.recursive(
    _SCALARS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(_DATA)
def test_k_and_toyaml_are_read_back_as_the_same_value(value: object) -> None:
    """Whatever the value: by PyYAML, which follows YAML 1.1, too."""
    assert yaml.load(filters.k(value), Loader=yaml.CSafeLoader) == value
    assert yaml.load(f"a:{filters.nindent(filters.toyaml(value), 2)}\n", Loader=yaml.CSafeLoader) == {"a": value}


@given(_DATA)
def test_k_stands_on_one_line(value: object) -> None:
    """So it fits behind any key, at any indentation."""
    assert len(filters.k(value).splitlines()) == 1


def test_k_sorts_keys() -> None:
    """Equal maps are equal text."""
    assert filters.k({"b": 1, "a": {"d": 2, "c": 3}}) == filters.k({"a": {"c": 3, "d": 2}, "b": 1})


@pytest.mark.parametrize("value", [{1: 2}, {1: 2, "a": 3}, object(), float("inf"), float("nan"), {"a": b"x"}, {1}])
@pytest.mark.parametrize("name", ["k", "tojson", "toyaml"])
def test_only_data_is_written(name: str, value: object) -> None:
    """Functions, sets and numbers as keys have no place in YAML core; the message holds no address of memory."""
    with pytest.raises(filters.FilterError, match=r"^only data can be written: ") as caught:
        filters.FILTERS[name](value)
    assert "0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "indented"), [("a", "\n  a"), ("a\n\nb\n", "\n  a\n\n  b\n"), ("", "\n"), (8080, "\n  8080")]
)
def test_nindent(text: object, indented: str) -> None:
    """A line feed in front, and no blanks on empty lines."""
    assert filters.nindent(text, 2) == indented


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], {}])
def test_nindent_of_data_names_the_filter_that_is_missing(value: object) -> None:
    """A map is made text by toyaml."""
    with pytest.raises(filters.FilterError, match=r"make it text first: \| toyaml \| nindent\(4\)"):
        filters.nindent(value, 4)


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("a", '"a"'), ('say "x"', '"say \\"x\\""'), (True, '"true"'), (1.5, '"1.5"'), (8080, '"8080"'), ("\n", '"\\n"')],
)
def test_quote(value: object, quoted: str) -> None:
    """Scalars become text between double quotes, spelled as YAML spells them."""
    assert filters.quote(value) == quoted


@pytest.mark.parametrize("name", ["quote", "b64enc", "dns1123"])
@pytest.mark.parametrize("value", [None, {"a": 1}, ["a"]])
def test_filters_of_text_refuse_data(name: str, value: object) -> None:
    """What has no one spelling as text is refused, with the filter's name."""
    with pytest.raises(filters.FilterError, match=rf"^{name} takes text, a number or a boolean, not "):
        filters.FILTERS[name](value)


@given(_TEXT)
def test_b64enc(text: str) -> None:
    """Text is encoded as UTF-8."""
    assert base64.b64decode(filters.b64enc(text)).decode() == text


def test_sha256() -> None:
    """Text is hashed as it is, data as k writes it."""
    assert filters.sha256("å") == hashlib.sha256("å".encode()).hexdigest()
    assert filters.sha256({"b": 1, "a": 2}) == hashlib.sha256(b'{"a": 2, "b": 1}').hexdigest()


@pytest.mark.parametrize("value", [None, "", jinja2.Undefined(name="x")])
def test_required_refuses_what_is_not_there(value: object) -> None:
    """Undefined, null and empty text fail with the words of the template."""
    with pytest.raises(filters.FilterError, match=r"^set it$"):
        filters.required(value, "set it")


@pytest.mark.parametrize("value", [0, False, "x", [], {}])
def test_required_lets_values_pass(value: object) -> None:
    """Zero, false and empty collections are values."""
    assert filters.required(value, "set it") is value


@pytest.mark.parametrize(
    ("text", "name"), [("Store 12", "store-12"), ("--a--", "a"), ("ÅS", "s"), ("a_b.c", "a-b-c"), (12, "12")]
)
def test_dns1123(text: object, name: str) -> None:
    """What a name cannot hold becomes a dash."""
    assert filters.dns1123(text) == name


@pytest.mark.parametrize("text", ["", "---", "ÅÄÖ"])
def test_dns1123_of_nothing(text: str) -> None:
    """A text of which nothing is left has no name."""
    with pytest.raises(filters.FilterError, match="nothing of"):
        filters.dns1123(text)


@given(st.text(alphabet="ab-_.", min_size=64, max_size=90).filter(lambda text: text.strip("-_.")))
def test_dns1123_is_a_label(text: str) -> None:
    """Long texts become labels that end in a hash of the whole."""
    assert labels.dns_label_fault(filters.dns1123(text)) == ""


def test_long_names_stay_different() -> None:
    """Two texts that differ only at the end give two names."""
    one, two = filters.dns1123("a" * 70 + "b"), filters.dns1123("a" * 70 + "c")
    assert one != two


@pytest.mark.parametrize("name", sorted(set(filters.FILTERS) - {"required"}))
def test_undefined_is_an_error_in_every_filter(name: str) -> None:
    """A misspelled value does not become empty text on the way."""
    arguments = {"nindent": (2,), "ipnet": ("prefix",), "ternary": (1, 2)}.get(name, ())
    with pytest.raises(jinja2.UndefinedError):
        filters.FILTERS[name](jinja2.StrictUndefined(name="x"), *arguments)
