"""From a command line and the files to what is asked of a rollout; contacts nothing."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Awaitable

import msgspec

from fleetctl.cli import opening, options
from fleetctl.console import checks
from fleetctl.inventory import fleets, selecting
from fleetctl.model import codes, errors, plans, releases
from fleetctl.openapi import learned
from fleetctl.rendering import bundles
from fleetctl.rollout import engine, preparing, proposing, saving, strategies
from fleetctl.schema import fields

__all__ = ["Asked", "Proposed", "ask", "ask_saved", "strategy_of"]

Proposed = Awaitable[proposing.Proposal]


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a command line and the files amount to; nothing was contacted."""

    opened: opening.Opening
    loaded: fleets.Loaded
    prepared: preparing.Prepared
    described: plans.Plan

    async def rollout(self, ready: engine.Engine, *, contact: bool = True) -> proposing.Proposal:
        """Propose what was asked, and say what could not be checked, even by asking clusters where they are asked."""
        proposal = await proposing.rollout(ready, self.prepared, self.described, contact=contact)
        checks.notes(releases.Limits(proposal.limits.unchecked), sys.stderr)
        return proposal


def ask(
    opened: opening.Opening,
    selection: selecting.Selection,
    making: options.Making,
    wanted: str,
    chosen: plans.Options,
    *,
    kind: plans.Kind = plans.Kind.ROLLOUT,
) -> Asked:
    """Read files: the fleet, the bundle, its releases for the selected sites, the strategy."""
    loaded = opened.fleet()
    selected = selecting.select(loaded.fleet, selection, opening.read_stdin)
    selecting.require_narrowing(selection, len(selected))
    bundle = bundles.load(loaded.project.templates, wanted, loaded.project.shown)
    secrets = opened.secrets(loaded.project)
    prepared = preparing.prepare(loaded, selected, bundle, secrets, remove=kind is plans.Kind.REMOVE)
    checks.notes(releases.Limits(nearest=prepared.limits.nearest), sys.stderr)
    strategy = strategy_of(opened, making, bundle)
    described = preparing.described(prepared, kind, loaded.project, strategy, chosen)
    described = msgspec.structs.replace(described, overrides=opened.overrides)
    opening.require_clean_in_ci(described)
    return Asked(opened, loaded, prepared, described)


def ask_saved(opened: opening.Opening, file: pathlib.Path) -> Asked:
    """Read a saved plan, and render again what it is about."""
    plan = saving.load(file)
    opened = opened.overriding(plan.overrides)
    loaded = opened.fleet()
    names = {member.site for member in plan.members}
    selected = [site for site in loaded.fleet.sites.values() if site.name in names]
    bundle = bundles.load(loaded.project.templates, plan.bundle, loaded.project.shown)
    secrets = opened.secrets(loaded.project)
    remove, known = plan.kind is plans.Kind.REMOVE, learned.Learned(loaded.project.root)
    prepared = preparing.prepare(loaded, selected, bundle, secrets, remove=remove, known=known)
    checks.notes(prepared.limits, sys.stderr)
    now = preparing.described(prepared, plan.kind, loaded.project, plan.strategy, plan.options)
    opening.require_clean_in_ci(plan, now)
    return Asked(opened, loaded, prepared, plan)


def strategy_of(
    opened: opening.Opening, making: options.Making, bundle: bundles.Bundle | None = None
) -> plans.Strategy:
    """Return the strategy of the command line, or else the bundle's, or else that of the settings.

    Raises ``InvalidInput`` or ``UsageError``.
    """
    usual = opened.settings().running
    strategy = plans.Strategy()
    if making.strategy is not None:
        strategy = strategies.load(pathlib.Path(making.strategy))
    elif bundle is not None and bundle.strategy is not None:
        strategy = strategies.of(bundle.strategy)
    elif usual.strategy is not None:
        strategy = strategies.load(pathlib.Path(usual.strategy))
    changed: dict[str, float] = {}
    if (concurrency := making.concurrency or usual.concurrency) is not None:
        changed["concurrency"] = concurrency
    timeout = usual.timeout if making.timeout is None else making.timeout
    if timeout is not None:
        try:
            changed["site_timeout"] = fields.seconds_of(timeout)
        except ValueError:
            message = f'--timeout "{timeout}" is no time such as 90s, 10m or 1h30m'
            raise errors.UsageError(codes.Code.USAGE, message) from None
    return msgspec.structs.replace(strategy, **changed)
