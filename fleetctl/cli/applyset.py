"""``fleetctl applyset``: hand a bundle's objects at one site over to kubectl, or adopt what kubectl applied."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options, running
from fleetctl.console import applysets as screens
from fleetctl.inventory import selecting
from fleetctl.kube import answers
from fleetctl.model import exits, outcomes
from fleetctl.rendering import bundles
from fleetctl.reports import applysets as reports
from fleetctl.reports import envelopes
from fleetctl.rollout import failing, handing
from fleetctl.runs import loops
from fleetctl.state import databases, installed

__all__ = ["adopt", "app", "handover"]

app = commands.application("Hand a bundle's objects at one site over to kubectl, or adopt what kubectl applied.")

_LIMIT = 60.0
"""Seconds for looking at the site, and for changing it."""
_Site = Annotated[str, typer.Argument(metavar="SITE", help="The name of a site.", autocompletion=completing.site)]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(cls=commands.Command)
def handover(
    ctx: typer.Context,
    site: _Site,
    bundle: options.Bundle,
    yes: _Yes = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Let kubectl manage a bundle's objects at a site; fleetctl leaves them alone from then on."""
    raise typer.Exit(_change(opening.of(ctx), "handover", site, bundle, output, yes=yes))


@app.command(cls=commands.Command)
def adopt(
    ctx: typer.Context,
    site: _Site,
    bundle: options.Bundle,
    yes: _Yes = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Take a set that kubectl manages as a bundle's; the next rollout applies all of it, and prunes the rest."""
    raise typer.Exit(_change(opening.of(ctx), "adopt", site, bundle, output, yes=yes))


def _change(
    opened: opening.Opening, does: handing.Direction, name: str, wanted: str, output: options.Output, *, yes: bool
) -> int:
    loaded = opened.fleet()
    site = selecting.one(loaded.fleet, name)
    bundle = bundles.load(loaded.project.templates, wanted, loaded.project.shown)
    with running.open_for(opened, loaded.project, [site]) as ready:
        known = _identity(ready.store, site.name, bundle.name)
        asked = handing.Handing(does, loaded.project.name, site.name, bundle.name, bundle.namespace, known)
        seen = loops.run(_look(ready, asked))
        if seen.cause is None:
            handing.decide(asked, seen)
            if not yes:
                screens.before(asked, seen, sys.stderr, simulated=opened.simulated)
                running.confirm(screens.question(asked))
            seen = loops.run(_carry_out(ready, asked, seen))
    if output in envelopes.FORMATS:
        envelopes.write(reports.applyset(asked, seen), output, sys.stdout)
    else:
        screens.show(asked, seen, sys.stdout, simulated=opened.simulated)
    return int(_EXITS.get(seen.outcome, exits.Exit.OK))


_EXITS = {outcomes.Outcome.FAILED: exits.Exit.FAILED, outcomes.Outcome.UNREACHABLE: exits.Exit.OWED}


def _identity(store: databases.Store, site: str, bundle: str) -> str | None:
    found = store.read(lambda conn: installed.get(conn, site, bundle))
    return found.identity if found else None


async def _look(ready: running.Opened, asked: handing.Handing) -> handing.Seen:
    async with ready.engine() as engine:
        with engine.connect(asked.site, limit=_LIMIT) as api:
            try:
                return await handing.look(api, asked)
            except failing.Stopped as stopped:
                return handing.Seen(outcome=stopped.outcome, cause=stopped.cause)
            except answers.Failure as failure:
                return handing.failed(handing.Seen(), failure)


async def _carry_out(ready: running.Opened, asked: handing.Handing, seen: handing.Seen) -> handing.Seen:
    async with ready.engine() as engine:
        with engine.connect(asked.site, limit=_LIMIT) as api:
            try:
                return await (handing.hand_over if asked.does == "handover" else handing.adopt)(api, asked, seen)
            except answers.Failure as failure:
                return handing.failed(seen, failure)
