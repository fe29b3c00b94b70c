"""References between vars, against a resolver so simple that one can see that it is right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.inventory import references
from fleetctl.model import codes, problems, values

PATHS = ("a", "b", "c", "m", "m.x", "m.y", "l", "l[0]", "l[1]", "zzz", "m.zzz", "a.x", "l[9]")
_PIECES = st.sampled_from(
    [f"${{vars.{path}}}" for path in PATHS] + ["$${vars.a}", "text", " ", "$", "${HOME}", "{", "}"]
)
_TEXTS = st.lists(_PIECES, min_size=1, max_size=3).map("".join)
_LEAVES = st.sampled_from([None, True, 7, 1.5, ""]) | _TEXTS
VARS = st.fixed_dictionaries(
    {},
    optional={
        "a": _LEAVES,
        "b": _LEAVES,
        "c": _LEAVES,
        "m": st.fixed_dictionaries({}, optional={"x": _LEAVES, "y": _LEAVES}),
        "l": st.lists(_LEAVES, max_size=2),
    },
)


class _BadError(Exception):
    pass


class _Oracle:
    """Follows every reference anew, each time, and remembers only the places on its way."""

    def __init__(self, site_vars: dict[str, Any]) -> None:
        self._vars = site_vars

    def value(self, value: object, place: str, way: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {key: self.value(inner, f"{place}.{key}" if place else key, way) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, f"{place}[{index}]", way) for index, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        if place in way:
            raise _BadError
        pieces = self._pieces(value, (*way, place))
        if len(pieces) == 1:
            return pieces[0]
        if any(piece is None or isinstance(piece, dict | list) for piece in pieces):
            raise _BadError
        return "".join(values.text_of(piece) for piece in pieces)

    def _pieces(self, text: str, way: tuple[str, ...]) -> list[Any]:
        pieces: list[Any] = []
        while text:
            if text.startswith("$${vars."):
                end = text.index("}") + 1
                pieces += [text[1:end], ""]
                text = text[end:]
            elif text.startswith("${vars."):
                end = text.index("}")
                pieces.append(self.value(*self._found(text[7:end]), way))
                text = text[end + 1 :]
            else:
                pieces += [text[0], ""]  # never alone: what is not a reference is text
                text = text[1:]
        return pieces or [""]

    def _found(self, path: str) -> tuple[object, str]:
        found = problems.value_at(self._vars, problems.parse_field(path))
        if found is problems.NOTHING:
            raise _BadError
        return found, path


@given(VARS)
def test_results_are_those_of_the_oracle(site_vars: dict[str, Any]) -> None:
    """Where the oracle finds a value there is the same one and no fault; where it gives up there is a fault."""
    resolved, faults = references.resolve(site_vars)
    try:
        wanted = _Oracle(site_vars).value(site_vars, "")
    except _BadError:
        assert faults
    else:
        assert (resolved, faults) == (wanted, [])


@given(VARS, st.randoms(use_true_random=False))
def test_the_order_of_keys_means_nothing(site_vars: dict[str, Any], random: Any) -> None:  # noqa: ANN401
    """Whoever is resolved first, values are the same, and there are faults or there are none."""
    items = list(site_vars.items())
    random.shuffle(items)
    one, faults = references.resolve(site_vars)
    two, other_faults = references.resolve(dict(items))
    assert bool(faults) == bool(other_faults)
    if not faults:
        assert one == two


@given(VARS)
def test_every_fault_stands_at_a_text_with_a_reference(site_vars: dict[str, Any]) -> None:
    """So that a mark can be found for it."""
    _, faults = references.resolve(site_vars)
    for fault in faults:
        text = problems.value_at(site_vars, fault.field)
        assert isinstance(text, str)
        assert "${vars" in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${vars.number}", 7),
        ("no. ${vars.number}", "no. 7"),
        ("${vars.yes}/${vars.ratio}", "true/1.5"),
        ("${vars.map}", {"dotted.key": [1]}),
        ('${vars.map["dotted.key"][0]}', 1),
        ("$${vars.number}", "${vars.number}"),
        ("$$${vars.number}", "$${vars.number}"),
        ("a $${vars.number} ${vars.number}", "a ${vars.number} 7"),
        ("${vars.nothing}", None),
        ('${vars["number"]}', 7),
        ('is ${vars["map"]["dotted.key"][0]}', "is 1"),
        ("$${vars} $${vars.number", "${vars} ${vars.number"),
        ("${varsity} ${vars_x} ${variable}", "${varsity} ${vars_x} ${variable}"),
        ("${number} $HOME $$", "${number} $HOME $$"),
        ("${vars.escaped}", "${vars.number}"),
    ],
)
def test_what_texts_become(text: str, value: object) -> None:
    """A whole reference keeps its type, text stays text, and what is no reference stays as it is."""
    site_vars: dict[str, Any] = {
        "number": 7,
        "yes": True,
        "ratio": 1.5,
        "nothing": None,
        "map": {"dotted.key": [1]},
        "escaped": "$${vars.number}",
    }
    resolved, faults = references.resolve({**site_vars, "text": text})
    assert (resolved["text"], faults) == (value, [])


@pytest.mark.parametrize(
    ("site_vars", "field", "code", "message"),
    [
        (
            {"a": "${vars.b}", "b": "${vars.a}"},
            ("b",),
            codes.Code.INVENTORY_REFERENCE_CYCLE,
            "the reference leads back to itself: vars.a > vars.b > vars.a",
        ),
        (
            {"start": "${vars.a}", "a": "x${vars.b}", "b": "${vars.a}"},
            ("b",),
            codes.Code.INVENTORY_REFERENCE_CYCLE,
            "the reference leads back to itself: vars.a > vars.b > vars.a",
        ),
        (
            {"a": "${vars.hots}", "host": 1},
            ("a",),
            codes.Code.INVENTORY_REFERENCE_MISSING,
            'vars.hots does not exist; did you mean "host"?',
        ),
        (
            {"a": {"b": ["${vars.list[2]}"]}, "list": [1]},
            ("a", "b", 0),
            codes.Code.INVENTORY_REFERENCE_MISSING,
            "vars.list[2] does not exist",
        ),
        *(
            (
                {"a": f"{before}{text}", "x": {"z": 1}},
                ("a",),
                codes.Code.INVENTORY_REFERENCE_MALFORMED,
                f'"{shown}" is no reference; write ${{vars.path}}, or a second dollar before it for the text itself',
            )
            for before in ("", "in ")
            for text, shown in (
                ("${vars.x..y}", "${vars.x..y}"),
                ("${vars}", "${vars}"),
                ("${vars.}", "${vars.}"),
                ("${vars.x", "${vars.x"),
                ("${vars", "${vars"),
                ("${vars.x ${vars.x.z}", "${vars.x ${vars.x.z}"),
                ("${vars:-none} left", "${vars:-none}"),
                ("${vars[x]}", "${vars[x]}"),
                ("${vars .x}", "${vars .x}"),
            )
        ),
        (
            {"a": "in ${vars.b}", "b": None},
            ("a",),
            codes.Code.INVENTORY_REFERENCE_MISSING,
            "${vars.b} is nothing (null); only text, numbers and booleans can stand inside text",
        ),
    ],
)
def test_faults(site_vars: dict[str, Any], field: problems.Field, code: codes.Code, message: str) -> None:
    """One mistake, one fault, at the text that has to be changed."""
    _, (fault,) = references.resolve(site_vars)
    assert (fault.field, fault.code, fault.message) == (field, code, message)


def test_a_part_of_a_map_may_point_at_its_neighbour() -> None:
    """Taking the whole map while its parts are being resolved is no circle."""
    resolved, faults = references.resolve({"all": "${vars.m}", "m": {"x": "${vars.m.y}", "y": 1}})
    assert (resolved["all"], faults) == ({"x": 1, "y": 1}, [])


def test_a_chain_of_any_length_ends_in_a_fault() -> None:
    """Thousands of references in a row exhaust nobody's stack."""
    chain: dict[str, Any] = {f"a{index}": f"${{vars.a{index + 1}}}" for index in range(3000)}
    _, faults = references.resolve({**chain, "a3000": 1})
    assert {fault.code for fault in faults} == {codes.Code.INVENTORY_REFERENCE_CYCLE}
    assert faults[0].message == "more than 32 references in a row: vars.a0 > vars.a1 > vars.a2 > ..."


def test_text_cannot_unfold_without_end() -> None:
    """References to references multiply; a megabyte is enough."""
    text: dict[str, Any] = {f"a{index}": f"${{vars.a{index - 1}}}" * 16 for index in range(1, 9)}
    _, faults = references.resolve({"a0": "0123456789abcdef", **text})
    assert {fault.message for fault in faults} == {"references unfold to more than 1,048,576 characters"}


def _doubling(levels: int) -> dict[str, Any]:
    """Lists of two references each to the next list: 2 ** levels texts, and the lists around them."""
    lists: dict[str, Any] = {f"v{index}": [f"${{vars.v{index + 1}}}"] * 2 for index in range(levels)}
    return {**lists, f"v{levels}": "x"}


def test_values_cannot_unfold_without_end() -> None:
    """Whole references multiply too, and share what they stand for only until somebody writes it out."""
    _, faults = references.resolve(_doubling(31))
    (fault,) = faults
    assert (fault.code, fault.message) == (
        codes.Code.INVENTORY_REFERENCE_CYCLE,
        "references unfold to more than 100,000 values",
    )
    resolved, faults = references.resolve(_doubling(12))
    assert faults == []
    assert str(resolved["v0"]).count("x") == 2**12


@pytest.mark.parametrize(("uses", "sound"), [(99, True), (100, False)])
def test_values_are_counted_by_use(uses: int, *, sound: bool) -> None:
    """A list of 999 is 1,000 values each time it is used; the list itself, as it is written, is none."""
    _, faults = references.resolve({"big": list(range(999)), "uses": ["${vars.big}"] * uses, "one": "${vars.big[0]}"})
    assert (faults == []) is sound


def test_what_no_reference_stands_for_is_not_counted() -> None:
    """A large site that uses one reference is no larger for it; parts of a text are one text."""
    site_vars: dict[str, Any] = {"big": list(range(150_000)), "a": "x", "b": ["${vars.a}-${vars.a}"] * 60_000}
    resolved, faults = references.resolve(site_vars)
    assert (faults, resolved["b"]) == ([], ["x-x"] * 60_000)
