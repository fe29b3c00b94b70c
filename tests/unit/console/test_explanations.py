"""Why a value is what it is, on a screen."""

import io

import pytest

from fleetctl.console import explanations
from fleetctl.inventory import explaining
from fleetctl.model import problems, values

FIELD = ("vars", "pos", "tls")


def _part(value: object, line: int, layer: str, verb: str = "sets", *, counts: bool = True) -> explaining.Contribution:
    return explaining.Contribution(verb, value, problems.Mark("inventory/a.yaml", line, 5), layer, counts)


def _shown(*found: explaining.Explanation, used: tuple[problems.Mark, ...] = ()) -> list[str]:
    out = io.StringIO()
    explanations.show(found, {FIELD: used}, out)
    return out.getvalue().splitlines()


def test_the_winner_stands_above_what_it_shadows() -> None:
    """Value, place and layer, in columns."""
    parts = (_part("1.3", 17, "site store-00412"), _part("1.2", 6, "group pos (priority 50)", counts=False))
    assert _shown(explaining.Explanation(FIELD, "1.3", parts)) == [
        '"1.3"            inventory/a.yaml:17:5  site store-00412',
        '  shadows "1.2"  inventory/a.yaml:6:5   group pos (priority 50)',
    ]


def test_a_list_that_grew_shows_where_its_parts_are_from() -> None:
    """The whole first, then each layer's share."""
    parts = (_part(["b"], 9, "site a", "appends"), _part(["a"], 2, "defaults"))
    assert _shown(explaining.Explanation(FIELD, ["a", "b"], parts)) == [
        '["a", "b"]',
        '  from appended ["b"]  inventory/a.yaml:9:5  site a',
        '  from ["a"]           inventory/a.yaml:2:5  defaults',
    ]


def test_a_value_that_was_taken_away_says_so() -> None:
    """``!unset`` is an answer too."""
    parts = (_part(values.UNSET, 9, "site a", "removes"), _part("x", 2, "defaults", counts=False))
    lines = _shown(explaining.Explanation(FIELD, values.UNSET, parts))
    assert lines[0].startswith("removed ")
    assert lines[1].startswith('  shadows "x"')


def test_a_value_nobody_set_is_built_in() -> None:
    """No file, no line: fleetctl's own default."""
    assert _shown(explaining.Explanation(("cluster", "distribution"), "k3s", ())) == ['"k3s"  built in']


def test_templates_that_use_it_are_named_once_each() -> None:
    """Several lines of one file share its name."""
    marks = tuple(problems.Mark(f"templates/{name}", line) for name, line in (("a.j2", 18), ("a.j2", 31), ("b.j2", 4)))
    lines = _shown(explaining.Explanation(FIELD, 1, (_part(1, 1, "defaults"),)), used=marks)
    assert lines[-1] == "used by templates/a.j2:18, :31; templates/b.j2:4"


def test_many_values_are_a_list() -> None:
    """Name, value, place and layer of the winner; a long value is shown whole and does not push the others away."""
    long = "x" * 100
    found = [
        explaining.Explanation(("vars", "a"), long, (_part(long, 3, "site s"),)),
        explaining.Explanation(("vars", "bb"), True, ()),  # noqa: FBT003  # a value
    ]
    assert _shown(*found) == [
        f'vars.a   "{long}"  inventory/a.yaml:3:5  site s',
        f"vars.bb  {'true':42}  built in",
    ]


@pytest.mark.parametrize("value", ["\x1b[31mred", {"\x1b[31m": 1}], ids=["text", "key"])
def test_values_cannot_steer_a_terminal(value: object) -> None:
    """Text is quoted as JSON, which escapes controls."""
    assert all(line.isprintable() for line in _shown(explaining.Explanation(FIELD, value, (_part(value, 1, "x"),))))
