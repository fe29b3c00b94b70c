"""The error tree: its shape, its exit codes, and what an error carries."""

import inspect

import pytest

from fleetctl.model import codes, errors, exits, problems

EXITS = {
    errors.UsageError: 2,
    errors.InvalidInput: 3,
    errors.EmptySelection: 5,
    errors.NotConfigured: 8,
    errors.Unresolved: 8,
    errors.Refused: 9,
}


def _tree() -> set[type]:
    return {one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, BaseException)}


def test_the_tree_has_one_root() -> None:
    """Every error stands right below the root, is exported, and has the exit code of the docstring's drawing."""
    assert _tree() == {errors.FleetctlError, *EXITS}
    assert sorted(one.__name__ for one in _tree()) == sorted(errors.__all__)
    assert all(one.__bases__ == (errors.FleetctlError,) for one in EXITS)
    assert errors.FleetctlError.exit == exits.Exit.INTERNAL


@pytest.mark.parametrize(("error", "code"), list(EXITS.items()))
def test_exit_codes_are_drawn(error: type[errors.FleetctlError], code: int) -> None:
    """The docstring's drawing and the classes agree."""
    assert error.exit == code
    assert any(line.split()[1:3] == [error.__name__, str(code)] for line in (errors.__doc__ or "").splitlines())


def test_an_error_says_what_and_what_next() -> None:
    """Message, code and hint are kept apart; the exception's text is the message."""
    error = errors.Refused(codes.Code.RENDER_FOREIGN_FOLDER, "out/ is not ours", "Give an empty folder.")
    assert (str(error), error.code) == ("out/ is not ours", codes.Code.RENDER_FOREIGN_FOLDER)
    assert error.hint == "Give an empty folder."
    assert errors.UsageError(codes.Code.USAGE, "no").hint == ""


def test_invalid_input_carries_all_problems_in_order() -> None:
    """All problems are kept, sorted and without repeats; the first one speaks for the error."""
    second = problems.Problem(codes.Code.YAML_SYNTAX, "second", problems.Mark("b.yaml", 1, 1))
    first = problems.Problem(codes.Code.YAML_ENCODING, "first", problems.Mark("a.yaml", 1, 1))
    error = errors.InvalidInput(iter([second, first, second]), files=7)
    assert error.problems == [first, second]
    assert (str(error), error.code, error.files) == ("first", codes.Code.YAML_ENCODING, 7)
