"""Errors on screen, laid out for a stream: a terminal of some width, or a pipe."""

import io
import pathlib

import pytest

from fleetctl.console import failures, terminals
from fleetctl.model import codes, errors, problems


class _Terminal(io.StringIO):
    """A terminal without a size of its own: ``COLUMNS`` says how wide it is."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    """A terminal 60 columns wide."""
    monkeypatch.setenv("COLUMNS", "60")
    return _Terminal()


def _problem(number: int = 1, **changes: object) -> problems.Problem:
    given: dict[str, object] = {"field": ("sites", number, "name"), "notes": (), **changes}
    mark = problems.Mark(f"inventory/{number:03}.yaml", 3, 7)
    return problems.Problem(codes.Code.INVENTORY_BAD_VALUE, "this is wrong", mark, **given)  # type: ignore[arg-type]


def _shown(error: errors.FleetctlError, stream: io.StringIO | None = None) -> list[str]:
    stream = io.StringIO() if stream is None else stream
    failures.show(error, stream)
    return stream.getvalue().splitlines()


def test_a_problem_is_place_field_sentence_code() -> None:
    """In this order, as compilers write it, notes below."""
    lines = _shown(errors.InvalidInput([_problem(notes=("name: x", "at 3 sites"))], files=9))
    assert lines == [
        "inventory/001.yaml:3:7  sites[1].name: this is wrong  [inventory/bad-value]",
        "    name: x",
        "    at 3 sites",
        "",
        "1 error in 1 of 9 files. Nothing was contacted.",
        "Explain any code: fleetctl explain inventory/bad-value",
    ]


def test_a_problem_without_a_place_has_none() -> None:
    """Neither file nor field: the sentence alone, and no count of files."""
    lines = _shown(errors.InvalidInput([problems.Problem(codes.Code.YAML_SYNTAX, "this is wrong")]))
    assert lines[0] == "this is wrong  [yaml/syntax]"
    assert lines[2] == "1 error. Nothing was contacted."


def test_only_so_many_are_shown_and_all_are_counted() -> None:
    """The count stands at the end, where it is seen."""
    lines = _shown(errors.InvalidInput([_problem(number) for number in range(1200)], files=2000))
    assert [line for line in lines if line.startswith("inventory/")] == lines[:50]
    assert lines[50:53] == ["... and 1,150 more", "", "1,200 errors in 1,200 of 2,000 files. Nothing was contacted."]


def test_a_narrow_terminal_wraps_below_the_sentence(terminal: _Terminal) -> None:
    """Words are kept whole and further lines stand below the first one's text."""
    lines = _shown(errors.InvalidInput([_problem(notes=("name: x",))], files=1), terminal)
    assert lines[:4] == [
        "inventory/001.yaml:3:7  sites[1].name: this is wrong",
        "                        [inventory/bad-value]",
        "                        name: x",
        "",
    ]


def test_a_word_that_is_too_long_is_not_cut(terminal: _Terminal) -> None:
    """A path can be selected with the mouse, whatever it costs in looks."""
    path = "/" + "x" * 80
    lines = _shown(errors.NotConfigured(codes.Code.PROJECT_NOT_FOUND, f"{path} is not a folder"), terminal)
    assert lines == [path, "is not a folder  [project/not-found]"]


def test_a_hint_wraps_and_a_drawing_does_not(terminal: _Terminal) -> None:
    """One line of hint is a sentence; several are a drawing whose columns mean something."""
    sentence, drawing = "word " * 20, f"{'x' * 70}\n{' ' * 69}^"
    assert max(map(len, _shown(errors.Refused(codes.Code.USAGE, "no", sentence), terminal))) <= 60
    assert _shown(errors.Refused(codes.Code.USAGE, "no", drawing))[1:] == drawing.split("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb\nc\x00", "a\\rb\\nc\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edef", "abc\\u202edef"),
        ("Tromsø\t☃ 店", "Tromsø\t☃ 店"),
    ],
    ids=["escape", "line ends", "C1", "direction", "text"],
)
def test_text_from_files_cannot_steer_a_terminal(text: str, expected: str) -> None:
    """Controls are written as escapes; every other sign of every script stays."""
    assert terminals.visible(text) == expected
    lines = _shown(errors.InvalidInput([_problem(notes=(text,), field=(text,))], files=1))
    assert lines[1] == f"    {expected}"
    assert all(line.replace("\t", "").isprintable() for line in lines)


@pytest.mark.parametrize(("said", "expected"), [("40", 60), ("60", 60), ("99", 99), ("300", 100), ("0", 80), ("x", 80)])
def test_a_terminal_is_60_to_100_wide(monkeypatch: pytest.MonkeyPatch, said: str, expected: int) -> None:
    """Less is not worth wrapping for, more is not read; what cannot be known is 80."""
    monkeypatch.setenv("COLUMNS", said)
    assert terminals.width(_Terminal()) == expected


def test_a_file_has_no_width(tmp_path: pathlib.Path) -> None:
    """What goes into a file or pipe is not wrapped."""
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        assert terminals.width(file) is None
