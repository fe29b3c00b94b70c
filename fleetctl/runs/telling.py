"""What is told of a run: the events that say what it is, and how its sites ended."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.model import events, outcomes, plans
from fleetctl.state import runs

__all__ = ["ended", "started"]


def started(run: runs.Run, plan: plans.Plan, rows: Iterable[runs.Row], *, simulated: bool) -> events.RunStarted:
    """Return the event that says what the run is, and whether it was begun before."""
    total = sum(wave.members for wave in plan.waves)
    return events.RunStarted(
        run=run.id,
        kind=run.kind,
        bundle=run.bundle,
        version=run.version,
        plan=run.plan,
        waves=tuple((wave.name, wave.members) for wave in plan.waves),
        budgets=tuple((wave.max_failed, wave.max_unreachable) for wave in plan.waves),
        total_failed=plan.strategy.max_failed.of(total),
        total_unreachable=plan.strategy.max_unreachable.of(total),
        simulated=simulated,
        resumed=any(row.attempt for row in rows),
    )


def ended(site: str, wave: int, result: outcomes.Result | runs.Row, *, earlier: bool = False) -> events.SiteEnded:
    """Return the event that says how a site ended."""
    return events.SiteEnded(
        site=site,
        wave=wave,
        outcome=result.outcome or outcomes.Outcome.SKIPPED,
        effect=result.effect or outcomes.Effect.NONE,
        reason=result.reason,
        cause=result.cause,
        owed=result.owed,
        earlier=earlier,
    )
