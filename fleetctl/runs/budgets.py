"""When a run has to stop: a pure function of how its sites fared, so that a resumed run decides alike."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.model import outcomes, plans
from fleetctl.state import claims

__all__ = ["decider"]


def decider(plan: plans.Plan) -> claims.Decide:
    """Return the rule of a plan: its budgets for each wave and for the whole run."""
    total = sum(wave.members for wave in plan.waves)
    run_failed = plan.strategy.max_failed.of(total)
    run_unreachable = plan.strategy.max_unreachable.of(total)
    run_unauthorized = plan.strategy.max_unauthorized.of(total)

    def decide(tallies: Iterable[claims.Tally]) -> str:
        rows = list(tallies)
        for number, wave in enumerate(plan.waves, 1):
            counts = _counts(row for row in rows if row.wave == number)
            limits = (wave.max_failed, wave.max_unreachable, wave.max_unauthorized)
            if why := _over(counts, limits, plans.place(plan, number), wave.members):
                return why
        return _over(_counts(rows), (run_failed, run_unreachable, run_unauthorized), "the run", total)

    return decide


def _counts(rows: Iterable[claims.Tally]) -> tuple[int, int, int]:
    failed = unreachable = unauthorized = 0
    for row in rows:
        if row.outcome is outcomes.Outcome.UNREACHABLE:
            unreachable += row.sites
        elif row.outcome is outcomes.Outcome.FAILED and row.reason is outcomes.Reason.CREDENTIALS:
            unauthorized += row.sites
        elif row.outcome is outcomes.Outcome.FAILED:
            failed += row.sites
    return failed, unreachable, unauthorized


_WORDS = ("failed", "did not answer", "refused our credentials")


def _over(counts: tuple[int, int, int], limits: tuple[int, int, int], place: str, members: int) -> str:
    for count, limit, words in zip(counts, limits, _WORDS, strict=True):
        if count > limit:
            sites = "site" if members == 1 else "sites"
            return f"{count:,} of {members:,} {sites} in {place} {words} (budget {limit:,})"
    return ""
