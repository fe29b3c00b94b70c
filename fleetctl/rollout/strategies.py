"""A strategy, of a file or of a bundle: how a run spreads and when it stops."""

from __future__ import annotations

import pathlib

from fleetctl.model import errors, plans
from fleetctl.reading import disk
from fleetctl.schema import checking, fields, shapes, waves

__all__ = ["load", "of"]


def load(path: pathlib.Path) -> plans.Strategy:
    """Read a file of kind Strategy; what it leaves out stays as shipped. Raises ``InvalidInput`` with all faults."""
    shown = str(path)
    text, found = disk.read(path, shown)
    document, faults = (None, []) if found else checking.only(text, shown, "strategy", "Strategy")
    if document is None:
        raise errors.InvalidInput(found + faults, files=1)
    said = shapes.Strategy.model_validate(document.data)
    found = list(waves.faults(said, document))
    if found:
        raise errors.InvalidInput(found, files=1)
    return of(said)


def of(said: shapes.Spread) -> plans.Strategy:
    """Return what a strategy says, and what is shipped where it says nothing."""
    shipped = plans.Strategy()
    rules = shipped.waves
    if said.waves is not None:
        rules = tuple(
            plans.WaveRule(name=rule.name, count=rule.count, percent=rule.percent, canary=rule.canary)
            for rule in said.waves
        )
    return plans.Strategy(
        waves=rules,
        max_failed=_limit(said.max_failed, shipped.max_failed),
        max_unreachable=_limit(said.max_unreachable, shipped.max_unreachable),
        max_unauthorized=_limit(said.max_unauthorized, shipped.max_unauthorized),
        site_timeout=fields.seconds_of(said.site_timeout),
        soak=fields.seconds_of(said.soak),
        concurrency=said.concurrency,
        patience=plans.Patience(
            image_pull=fields.seconds_of(said.patience.image_pull),
            config_error=fields.seconds_of(said.patience.config_error),
            unschedulable=fields.seconds_of(said.patience.unschedulable),
            crash_restarts=said.patience.crash_restarts,
        ),
    )


def _limit(given: int | str | None, shipped: plans.Limit) -> plans.Limit:
    """Return a limit; a percentage keeps the floor that is shipped with it."""
    if given is None:
        return shipped
    if isinstance(given, int):
        return plans.Limit(count=given)
    return plans.Limit(percent=fields.percent_of(given), floor=shipped.floor)
