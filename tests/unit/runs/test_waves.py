"""Members divided into waves."""

import hypothesis
import hypothesis.strategies as st

from fleetctl.model import plans
from fleetctl.runs import waves


def _candidates(count: int, kinds: int = 1) -> list[waves.Candidate]:
    return [
        waves.Candidate(f"store-{number:05}", answered=True, kind=(str(number % kinds),)) for number in range(count)
    ]


def _sizes(division: waves.Division) -> list[int]:
    return [wave.members for wave in division.waves]


def test_shipped_strategy_on_a_large_fleet() -> None:
    """1,212 sites of three kinds: one canary of each kind, 5 %, 25 %, the rest; percentages are of all members."""
    division = waves.divide(_candidates(1212, kinds=3), plans.Strategy())
    assert _sizes(division) == [3, 60, 303, 846]
    assert (division.covered, division.kinds) == (3, 3)
    assert [wave.max_failed for wave in division.waves] == [0, 1, 6, 16]
    assert [wave.max_unreachable for wave in division.waves] == [2, 12, 60, 169]


def test_no_more_members_than_the_canary_takes_are_one_wave() -> None:
    """Three sites of three kinds are one wave, and none of them may fail."""
    division = waves.divide(_candidates(3, kinds=3), plans.Strategy())
    assert _sizes(division) == [3]
    assert division.waves[0].max_failed == 0


def test_a_single_canary_must_answer() -> None:
    """With one canary, silence halts: nothing would have been tried."""
    division = waves.divide(_candidates(1), plans.Strategy())
    assert division.waves[0].max_unreachable == 0


def test_canaries_are_drawn_from_sites_that_answered() -> None:
    """A kind whose sites all are dark has no canary, and a kind with one site that answered has that one."""
    candidates = [
        waves.Candidate("a-dark", answered=False, kind=("a",)),
        waves.Candidate("a-light", answered=True, kind=("a",)),
        waves.Candidate("b-dark", answered=False, kind=("b",)),
    ]
    division = waves.divide(candidates, plans.Strategy())
    assert [site for site, wave in division.wave_of.items() if wave == 1] == ["a-light"]
    assert (division.covered, division.kinds) == (1, 2)


def test_a_fleet_in_the_dark_still_has_a_canary() -> None:
    """When nobody answered, one site is tried first all the same."""
    dark = [waves.Candidate(f"s{number}", answered=False) for number in range(10)]
    assert _sizes(waves.divide(dark, plans.Strategy()))[0] == 1


def test_the_commonest_kinds_are_covered_first() -> None:
    """More kinds than canaries: the kinds with most sites have one."""
    candidates = [
        *_candidates(10, kinds=1),
        *(waves.Candidate(f"odd-{number}", answered=True, kind=(f"odd{number}",)) for number in range(8)),
    ]
    strategy = plans.Strategy(waves=(plans.WaveRule(name="canary", count=2, canary=True), plans.WaveRule()))
    division = waves.divide(candidates, strategy)
    first = {site for site, wave in division.wave_of.items() if wave == 1}
    assert any(site.startswith("store-") for site in first)
    assert (len(first), division.covered, division.kinds) == (2, 2, 9)


@hypothesis.given(
    st.lists(
        st.tuples(st.integers(0, 500), st.booleans(), st.integers(0, 4)), min_size=1, unique_by=lambda one: one[0]
    ),
    st.randoms(use_true_random=False),
)
def test_every_member_has_exactly_one_wave(found: list[tuple[int, bool, int]], random: object) -> None:
    """Nobody is lost and nobody goes twice, whatever the order; equal members give equal waves."""
    candidates = [waves.Candidate(f"s{name}", answered=answered, kind=(str(kind),)) for name, answered, kind in found]
    division = waves.divide(candidates, plans.Strategy())
    assert set(division.wave_of) == {one.site for one in candidates}
    for number, wave in enumerate(division.waves, 1):
        assert wave.members == sum(of == number for of in division.wave_of.values()) > 0
    random.shuffle(candidates)  # type: ignore[attr-defined]
    assert waves.divide(candidates, plans.Strategy()) == division
