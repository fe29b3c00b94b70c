"""A strategy, of a file or of a bundle: how a run spreads and when it stops."""

from __future__ import annotations

import pathlib

from fleetctl.model import errors, gates, plans, secretrefs, sites
from fleetctl.reading import disk
from fleetctl.schema import checking, fields, gateparts, shapes, waves

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
        gates=tuple(_gate(one) for one in said.gates),
        windows=tuple(sites.Window(one.cron, one.duration) for one in said.windows),
    )


def _gate(said: gateparts.Gate) -> gates.Gate:
    """Return a gate; what its shape has checked is taken as it is."""
    return gates.Gate(
        name=said.name,
        after=tuple(said.after or ()),
        health=gates.Health(said.health.percent) if said.health else None,
        http=_ask(said.http, tuple(said.http.status or ())) if said.http else None,
        promql=_promql(said.promql) if said.promql else None,
        exec=gates.Exec(tuple(said.exec.command), fields.seconds_of(said.exec.timeout)) if said.exec else None,
        approval=said.approval is not None,
        hold=fields.seconds_of(said.hold),
        interval=fields.seconds_of(said.interval),
        failures=said.failures,
    )


def _promql(said: gateparts.PromqlGate) -> gates.Promql:
    match = gates.CONDITION.fullmatch(said.condition)
    if match is None:
        raise ValueError(said.condition)
    return gates.Promql(_ask(said), said.query, gates.Condition(match["sign"], float(match["number"])))


def _ask(said: gateparts.HttpGate | gateparts.PromqlGate, statuses: tuple[int, ...] = ()) -> gates.Ask:
    headers = [
        gates.Header(name, secret=secretrefs.of(value)) if isinstance(value, dict) else gates.Header(name, value)
        for name, value in said.headers.items()
    ]
    if said.bearer is not None:
        headers.append(gates.Header("Authorization", secret=secretrefs.of(said.bearer), prefix="Bearer "))
    return gates.Ask(said.url, tuple(headers), statuses, fields.seconds_of(said.timeout))


def _limit(given: int | str | None, shipped: plans.Limit) -> plans.Limit:
    """Return a limit; a percentage keeps the floor that is shipped with it."""
    if given is None:
        return shipped
    if isinstance(given, int):
        return plans.Limit(count=given)
    return plans.Limit(percent=fields.percent_of(given), floor=shipped.floor)
