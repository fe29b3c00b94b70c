"""Unquoted words: accepted only where readers of YAML 1.1, of YAML 1.2 and Kubernetes itself agree.

The oracles are PyYAML (YAML 1.1) and the expressions of YAML 1.2.2 section 10.3.2, with strict JSON numbers. That
Kubernetes (sigs.k8s.io/yaml v1.6) reads the words below «some readers» as numbers was seen with that library.
"""

import math
import re
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from fleetctl.reading import scalars


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", 0),
        ("-1", -1),
        ("8080", 8080),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0.5", 0.5),
        ("-0.0", -0.0),
        ("1.36", 1.36),
        ("1.0e+22", 1e22),
        ("2.5e-07", 2.5e-07),
    ],
)
def test_values(word: str, value: object) -> None:
    """A word that means one thing to everybody, and would be written the same way again, has that value."""
    found = scalars.resolve(word)
    assert (type(found), found) == (type(value), value)
    assert not scalars.is_plain_text(word)


@pytest.mark.parametrize(
    "word",
    [
        "a",
        "NOT",
        "nO",
        "oN",
        "yess",
        "nULL",
        "tRUE",
        "v1.36.3+k3s1",
        "1.2.3",
        "10.0.0.1",
        "10.0.0.1:6443",
        "192:168",
        "3h",
        "500m",
        "1Gi",
        "64Mi",
        "0b2acf1",
        "0xg",
        "0x",
        "0b",
        "0o8",
        "e3",
        "1e",
        "1e+",
        "-",
        "+",
        ".",
        "..",
        "--level",
        "-a",
        ".hidden",
        "2026-01",
        "2026-01-01-rc1",
        "0.0.0.0/0",
        "_1",
        "12a4567",
        "deadbeef",
        "~x",
        "==",
        "<<<",
        "Infinity",
        "NaN",
        ".infinity",
        "a: b",
        "x #y",
        "Å",
        "\u0663",
    ],
)
def test_plain_text(word: str) -> None:
    """Names, versions, addresses and quantities need no quotes."""
    assert scalars.resolve(word) == word
    assert scalars.is_plain_text(word)


BOOLEAN = "is a boolean in YAML 1.1 and text in 1.2"
BASE_60 = "is a number in base 60 in YAML 1.1 and text in 1.2"
DATE = "is a date in YAML 1.1 and text in 1.2"
SOME = "is a number for some readers of YAML and text for others"
HUGE = "is a number too large for 64 bits"
INFINITE = "is not a number that JSON can carry"
OWN = "has a meaning of its own in YAML 1.1 and is text in 1.2"


@pytest.mark.parametrize(
    ("word", "why", "fixes"),
    [
        *((word, BOOLEAN, f'"{word}"') for word in ("NO", "no", "No", "n", "N", "y", "Y", "yes", "Yes", "YES")),
        *((word, BOOLEAN, f'"{word}"') for word in ("on", "On", "ON", "off", "Off", "OFF")),
        ("0777", "is the octal number 511 in YAML 1.1 and 777 in 1.2", '511 or "0777" for text'),
        ("00", "is the number 0", '0 or "00" for text'),
        ("-07", "is the number -7", '-7 or "-07" for text'),
        ("0o17", "is text in YAML 1.1 and the number 15 in 1.2", '15 or "0o17" for text'),
        ("0x1F", "is the number 31", '31 or "0x1F" for text'),
        ("08", "is the number 8", '8 or "08" for text'),
        ("00412", "is the octal number 266 in YAML 1.1 and 412 in 1.2", '266 or "00412" for text'),
        ("+1", "is the number 1", '1 or "+1" for text'),
        ("-0", "is the number 0", '0 or "-0" for text'),
        ("1.10", "is the number 1.1", '1.1 or "1.10" for text'),
        ("1.", "is the number 1.0", '1.0 or "1." for text'),
        (".5", "is the number 0.5", '0.5 or ".5" for text'),
        ("1.0e+3", "is the number 1000.0", '1000.0 or "1.0e+3" for text'),
        ("1e3", "is text in YAML 1.1 and the number 1000.0 in 1.2", '1000.0 or "1e3" for text'),
        ("12345e7", "is text in YAML 1.1 and the number 123450000000.0 in 1.2", '123450000000.0 or "12345e7" for text'),
        ("1.5e3", "is text in YAML 1.1 and the number 1500.0 in 1.2", '1500.0 or "1.5e3" for text'),
        ("9223372036854775808", HUGE, '"9223372036854775808" for text'),
        ("1e999", HUGE, '"1e999" for text'),
        ("1" * 5000, HUGE, f'"{"1" * 5000}" for text'),
        ("0x" + "f" * 5000, HUGE, f'"0x{"f" * 5000}" for text'),
        ("0" + "7" * 5000, HUGE, f'"0{"7" * 5000}" for text'),
        ("0o" + "7" * 5000, HUGE, f'"0o{"7" * 5000}" for text'),
        ("0x10000000000000000", HUGE, '"0x10000000000000000" for text'),
        (".inf", INFINITE, '".inf" for text'),
        ("-.INF", INFINITE, '"-.INF" for text'),
        (".NaN", INFINITE, '".NaN" for text'),
        ("1:30", BASE_60, '"1:30"'),
        ("22:22", BASE_60, '"22:22"'),
        ("12:30:45.6", BASE_60, '"12:30:45.6"'),
        ("2026-01-31", DATE, '"2026-01-31"'),
        ("2026-1-1", DATE, '"2026-1-1"'),
        ("2026-01-31T08:00:00Z", DATE, '"2026-01-31T08:00:00Z"'),
        ("2026-01-31 08:00", DATE, '"2026-01-31 08:00"'),
        ("0b101", SOME, '"0b101"'),
        ("0b-1", SOME, '"0b-1"'),
        ("-0x1F", SOME, '"-0x1F"'),
        ("0X1F", SOME, '"0X1F"'),
        ("-0o17", SOME, '"-0o17"'),
        ("0x1_F", SOME, '"0x1_F"'),
        ("1_000", SOME, '1000 or "1_000" for text'),
        ("-_1", SOME, '-1 or "-_1" for text'),
        ("1_0.5", SOME, '10.5 or "1_0.5" for text'),
        (".5_0", SOME, '".5_0"'),
        ("1_0.5e+3", SOME, '"1_0.5e+3"'),
        ("0_7", SOME, '"0_7"'),
        ("=", OWN, '"="'),
        ("<<", OWN, '"<<"'),
    ],
)
def test_refused(word: str, why: str, fixes: str) -> None:
    """What readers disagree about is refused, with the reason and what to write instead."""
    found = scalars.resolve(word)
    assert isinstance(found, scalars.Ambiguous)
    assert found.message(word) == f"unquoted {word} {why}; write {fixes}"
    assert not scalars.is_plain_text(word)


CORE_12: list[tuple[str, object]] = [
    (r"null|Null|NULL|~|", None),
    (r"true|True|TRUE", True),
    (r"false|False|FALSE", False),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda word: int(word, 0)),
    (r"0x[0-9a-fA-F]+", lambda word: int(word, 0)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?(\.inf|\.Inf|\.INF)", lambda word: -math.inf if word.startswith("-") else math.inf),
    (r"\.nan|\.NaN|\.NAN", lambda _: math.nan),
]
"""The core schema as YAML 1.2.2 prints it."""


def _by_core_12(word: str) -> object:
    for pattern, value in CORE_12:
        if re.fullmatch(pattern, word):
            return value(word) if callable(value) else value
    return word


RESOLVER: Any = yaml.resolver.Resolver()


def _by_11(word: str) -> object:
    """Take the unquoted word as PyYAML does, without the syntax around it."""
    tag: Any = RESOLVER.resolve(yaml.ScalarNode, word, (True, False))
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, word))


PARTS = st.sampled_from(
    [
        *"0123456789+-._:eExXoObBaAfFnNyYtT=<",
        "0x",
        "0o",
        "0b",
        "10",
        "e+",
        "on",
        "no",
        "yes",
        "true",
        "null",
        ".inf",
        "2026",
    ]
)
WORDS = st.one_of(
    st.lists(PARTS, min_size=1, max_size=6).map("".join),
    st.text(alphabet="0123456789abcdefxeE+-._:", min_size=1, max_size=12),
    st.integers().map(str),
    st.floats().map(repr),
    st.datetimes().map(str),
    st.dates().map(str),
    *(st.from_regex(pattern, fullmatch=True) for pattern, _ in CORE_12),
)


@hypothesis.settings(max_examples=1500)
@hypothesis.given(WORDS)
def test_readers_agree(word: str) -> None:
    """Whatever is accepted has the same value, of the same type, for readers of YAML 1.1 and 1.2."""
    value = scalars.resolve(word)
    if isinstance(value, scalars.Ambiguous):
        assert f'"{word}"' in " ".join(value.fixes)
        return
    assert (type(value), value) == (type(_by_core_12(word)), _by_core_12(word))
    by_11 = _by_11(word)
    assert (type(value), value) == (type(by_11), by_11)


@hypothesis.settings(max_examples=500)
@hypothesis.given(WORDS)
def test_fixes_are_safe(word: str) -> None:
    """What a message tells people to write is accepted, and never refused again with another message."""
    value = scalars.resolve(word)
    if isinstance(value, scalars.Ambiguous):
        for fix in value.fixes:
            offered = fix.removesuffix(" for text")
            assert offered.startswith('"') or not isinstance(scalars.resolve(offered), scalars.Ambiguous)


@hypothesis.given(st.text())
def test_any_text_is_resolved(text: str) -> None:
    """No word, however odd, ends in an exception, and text stands for itself."""
    value = scalars.resolve(text)
    if isinstance(value, str):
        assert value == text


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("acess", ["access", "nodes"], '; did you mean "access"?'),
        ("lables", ["labels", "label"], '; did you mean "labels"?'),
        ("xyz", ["access"], ""),
        ("x", [], ""),
    ],
)
def test_did_you_mean(word: str, known: list[str], said: str) -> None:
    """A near word is offered, a far one is not; the order of known words does not matter."""
    assert scalars.did_you_mean(word, known) == scalars.did_you_mean(word, reversed(known)) == said
