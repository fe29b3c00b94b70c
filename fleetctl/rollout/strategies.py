"""A strategy file: how a run spreads and when it stops."""

from __future__ import annotations

import pathlib

from fleetctl.model import codes, errors, plans, problems
from fleetctl.reading import disk, yaml12
from fleetctl.schema import checking, fields, shapes

__all__ = ["load"]


def load(path: pathlib.Path) -> plans.Strategy:
    """Read a file of kind Strategy; what it leaves out stays as shipped. Raises ``InvalidInput`` with all faults."""
    shown = str(path)
    text, found = disk.read(path, shown)
    document, faults = (None, []) if found else checking.only(text, shown, "strategy", "Strategy")
    if document is None:
        raise errors.InvalidInput(found + faults, files=1)
    said = shapes.Strategy.model_validate(document.data)
    found = _waves_that_never_come(said, document)
    if found:
        raise errors.InvalidInput(found, files=1)
    return _strategy(said)


def _waves_that_never_come(said: shapes.Strategy, document: yaml12.Document) -> list[problems.Problem]:
    """A wave takes a count or a percentage; one with neither takes the rest, so it must be the last."""
    found = []
    last = len(said.waves or []) - 1
    for index, rule in enumerate(said.waves or []):
        field = ("waves", index)
        if rule.count is not None and rule.percent is not None:
            message = "a wave takes a count or a percentage, not both"
        elif rule.canary and index == last:
            message = "a canary is followed by other waves: one site of each kind is not all of them"
        elif rule.count is None and rule.percent is None and index != last and not rule.canary:
            message = (
                "without count or percent this wave takes all that are left, so nothing remains for those after it"
            )
        elif index == last and (rule.count is not None or rule.percent is not None):
            message = "the last wave takes the rest: leave out its count and percent"
        else:
            continue
        found.append(problems.Problem(codes.Code.STRATEGY_BAD_VALUE, message, document.mark(field), field))
    return found


def _strategy(said: shapes.Strategy) -> plans.Strategy:
    shipped = plans.Strategy()
    waves = shipped.waves
    if said.waves is not None:
        waves = tuple(
            plans.WaveRule(name=rule.name, count=rule.count, percent=rule.percent, canary=rule.canary)
            for rule in said.waves
        )
    return plans.Strategy(
        waves=waves,
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
