"""Bundles on the screen: nothing is cut, lines fit, and long lists are counted."""

import io

from fleetctl.console import bundles
from fleetctl.model import problems
from fleetctl.rendering import describing
from tests.unit.rendering import making


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def _value(name: str, default: object, description: str = "") -> describing.Described:
    return describing.Described((name,), "text", default, False, description, ())  # noqa: FBT003


def _shown(*found: describing.Described) -> describing.Shown:
    return describing.Shown(making.bundle({}), "templates/app", 1, ("one", "two"), found)


def test_lines_fit_and_no_word_is_lost() -> None:
    """What a value means stands below it, wrapped; a default is never shortened."""
    text = " ".join(f"word{number}" for number in range(40))
    out = _Screen()
    bundles.show(_shown(_value("a", "x" * 70, text), _value("longer", problems.NOTHING)), out, wide=False)
    lines = out.getvalue().splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert text in " ".join(line.strip() for line in lines)
    assert "x" * 70 in out.getvalue()
    assert lines[-1] == "longer  text  -"


def test_long_lists_are_counted() -> None:
    """A short list is shown, a long one is counted."""
    out = io.StringIO()
    found = (_value("a", ["b"]), _value("c", [f"item {number}" for number in range(20)]), _value("d", {"e" * 70: 1}))
    bundles.show(_shown(*found), out, wide=False)
    assert [line.split("text  ")[1] for line in out.getvalue().splitlines()[-3:]] == ['["b"]', "20 items", "1 key"]


def test_a_file_cannot_steer_the_terminal() -> None:
    """Descriptions and values come from files of others."""
    out = io.StringIO()
    bundles.show(_shown(_value("a", "\x1b[2J", "see \x1b[31mred")), out, wide=True)
    assert "\x1b" not in out.getvalue()
