"""Which exit code stands for several results."""

import itertools

import pytest

from fleetctl.model import exits

ORDER = (70, 143, 130, 8, 9, 7, 10, 6, 4, 1, 0)
ALONE = (2, 3, 5, 141)
"""Codes that end a command before there are several results, or after its reader has gone."""


def test_every_code_has_its_place() -> None:
    """A new exit code is put into the order, or among those that never meet another."""
    assert sorted((*ORDER, *ALONE)) == sorted(exits.Exit)


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations_with_replacement(ORDER, 2)))
def test_the_worse_wins(worse: int, better: int) -> None:
    """70 > 143 > 130 > 8 > 9 > 7 > 10 > 6 > 4 > 1 > 0, in whichever order results come in."""
    pair = [exits.Exit(worse), exits.Exit(better)]
    assert exits.worst(pair) is exits.worst(reversed(pair)) is exits.Exit(worse)


def test_nothing_is_fine() -> None:
    """A run without results has nothing to complain about."""
    assert exits.worst([]) is exits.Exit.OK


@pytest.mark.parametrize("alone", ALONE)
def test_some_codes_never_meet_another(alone: int) -> None:
    """Combining a code that ends a command at once is a bug in the caller."""
    with pytest.raises(ValueError, match="not in tuple"):
        exits.worst([exits.Exit.OK, exits.Exit(alone)])
