"""When a run has to stop."""

import pytest

from fleetctl.model import outcomes, plans
from fleetctl.runs import budgets
from fleetctl.state import claims

FAILED, SILENT = outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE
CHANGED = outcomes.Outcome.CHANGED


def _plan() -> plans.Plan:
    waves = (
        plans.Wave("canary", 3, max_failed=0, max_unreachable=2, max_unauthorized=0),
        plans.Wave("2", 60, max_failed=1, max_unreachable=12, max_unauthorized=3),
        plans.Wave("3", 237, max_failed=4, max_unreachable=47, max_unauthorized=11),
    )
    return plans.Plan(
        kind=plans.Kind.ROLLOUT,
        project="retail",
        bundle="pos",
        version="1.0.0",
        namespace="pos",
        waves=waves,
        strategy=plans.Strategy(),
        options=plans.Options(),
        members=(),
    )


def _tally(
    wave: int, outcome: outcomes.Outcome, sites: int, reason: outcomes.Reason = outcomes.Reason.NONE
) -> claims.Tally:
    return claims.Tally(wave, outcome, reason, sites)


@pytest.mark.parametrize(
    ("tallies", "why"),
    [
        pytest.param([], "", id="nothing-yet"),
        pytest.param([_tally(1, CHANGED, 3), _tally(2, FAILED, 1)], "", id="within-the-budget"),
        pytest.param([_tally(1, FAILED, 1)], "1 of 3 sites in wave 1 (canary) failed (budget 0)", id="canary"),
        pytest.param([_tally(1, SILENT, 2), _tally(1, CHANGED, 1)], "", id="one-canary-answered"),
        pytest.param(
            [_tally(1, SILENT, 3)], "3 of 3 sites in wave 1 (canary) did not answer (budget 2)", id="dark-canary"
        ),
        pytest.param([_tally(2, FAILED, 2)], "2 of 60 sites in wave 2 failed (budget 1)", id="wave"),
        pytest.param(
            [_tally(2, FAILED, 1), _tally(3, FAILED, 4), _tally(3, SILENT, 40), _tally(2, SILENT, 12)],
            "",
            id="failed-and-silent-are-counted-apart",
        ),
        pytest.param(
            [_tally(2, SILENT, 12), _tally(3, SILENT, 47), _tally(1, SILENT, 2)],
            "61 of 300 sites in the run did not answer (budget 60)",
            id="run",
        ),
        pytest.param(
            [_tally(2, FAILED, 4, outcomes.Reason.CREDENTIALS)],
            "4 of 60 sites in wave 2 refused our credentials (budget 3)",
            id="credentials-are-counted-apart",
        ),
    ],
)
def test_decisions(tallies: list[claims.Tally], why: str) -> None:
    """A budget that is used up is none that is overdrawn; the words name wave, count and budget."""
    assert budgets.decider(_plan())(tallies) == why
