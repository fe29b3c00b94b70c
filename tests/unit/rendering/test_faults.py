"""Faults folded by what they are."""

from fleetctl.model import codes, problems
from fleetctl.rendering import faults


def _problem(line: int, message: str = "wrong") -> problems.Problem:
    return problems.Problem(codes.Code.OBJECT_NULL, message, problems.Mark("a", line))


def test_a_fault_is_made_once_and_counts_its_sites() -> None:
    """The first site's words stand; a site counts once, however often it shows the fault."""
    found = faults.Faults()
    for site in ("s2", "s2", "s1", "s3", "s2"):
        found.note(("a",), site, lambda site=site: _problem(1, site))  # type: ignore[misc]
    assert [(problem.message, problem.notes) for problem in found.found()] == [("s2", ("at 3 sites, e.g. s1",))]


def test_faults_at_one_place_are_one() -> None:
    """Different lines of rendered text may come from one line of a template."""
    found = faults.Faults()
    for key in range(4):
        found.note((key,), f"s{key}", lambda key=key: _problem(key // 2))  # type: ignore[misc]
    assert [problem.notes for problem in found.found()] == [("at 2 sites, e.g. s0",), ("at 2 sites, e.g. s2",)]


def test_one_site_is_named_and_thousands_are_counted() -> None:
    """As people write numbers."""
    one, many = faults.Faults(), faults.Faults()
    one.note((), "s1", lambda: _problem(1))
    for number in range(1234):
        many.note((), f"s{number:04}", lambda: _problem(1))
    assert next(one.found()).notes == ("at s1",)
    assert next(many.found()).notes == ("at 1,234 sites, e.g. s0000",)


def test_after_fifty_no_new_fault_is_looked_into() -> None:
    """Those that are known go on counting."""
    found = faults.Faults()
    for number in range(60):
        found.note((number,), "s1", lambda number=number: _problem(number))  # type: ignore[misc]
    found.note((0,), "s2", lambda: _problem(0))
    said = list(found.found())
    assert len(said) == 50
    assert said[0].notes == ("at 2 sites, e.g. s1",)
    assert said[-1].notes == ("at s1", "10 more faults of this bundle are told when these are mended")
