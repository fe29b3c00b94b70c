"""The commands of ``fleetctl rollout`` that stop, resume and look at runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleetctl.cli import commands, completing, opening, options, running
from fleetctl.console import gates as gate_screens
from fleetctl.console import runs as run_screens
from fleetctl.reports import envelopes
from fleetctl.reports import runs as run_reports
from fleetctl.rollout import looking, provenance
from fleetctl.state import gating, runs

__all__ = ["abort", "add_to", "approve", "history", "pause", "resume", "status"]

_RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="The run; by default the latest.")]


def status(
    ctx: typer.Context,
    run: _RunName = None,
    failed: Annotated[bool, typer.Option("--failed", help="List the failed sites, one a line.")] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Say how a run stands, from the journal alone."""
    opened = opening.of(ctx)
    with opened.store(opened.project()) as store:
        summary = looking.summary(store, looking.find(store, run).id, simulated=opened.simulated)
        lines = looking.sites(store, summary.run, failed=failed) if failed else []
    if output in envelopes.FORMATS:
        envelopes.write(run_reports.sites(lines) if failed else run_reports.summary(summary), output, sys.stdout)
    elif failed:
        run_screens.sites(lines, sys.stdout)
    else:
        run_screens.show(summary, sys.stdout)
    raise typer.Exit(int(running.exit_of(summary)))


def history(
    ctx: typer.Context,
    bundle: Annotated[
        str | None,
        typer.Argument(metavar="BUNDLE", help="Only runs of this bundle.", autocompletion=completing.bundles),
    ] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """List the runs of this project, newest first."""
    opened = opening.of(ctx)
    with opened.store(opened.project()) as store:
        lines = looking.history(store, bundle)
    if output in envelopes.FORMATS:
        envelopes.write(run_reports.history(lines), output, sys.stdout)
    else:
        run_screens.history(lines, sys.stdout)


def pause(ctx: typer.Context, run: _RunName = None) -> None:
    """Start no more sites of a run; visits under way end as they would. Works from another terminal."""
    opened = opening.of(ctx)
    with opened.store(opened.project()) as store:
        found = looking.find(store, run)
        store.write_now(lambda conn: runs.pause(conn, found.id, "by hand", store.now()))
    run_screens.paused(found.id, sys.stdout, simulated=opened.simulated)


def approve(
    ctx: typer.Context,
    plan: Annotated[
        str, typer.Option("--plan", metavar="DIGEST", help="The plan that is approved, as screens show it.")
    ],
    run: _RunName = None,
) -> None:
    """Let a run go on that waits for an approval; works from another terminal."""
    opened = opening.of(ctx)
    with opened.store(opened.project()) as store:
        found = looking.find(store, run)
        who, now = provenance.author(), store.now()
        given = store.write_now(lambda conn: gating.approve(conn, found.id, plan, who, now))
    gate_screens.approved(given, sys.stdout, simulated=opened.simulated)


def abort(ctx: typer.Context, run: _RunName = None) -> None:
    """End a run for good: sites that were not started stay as they are, and nothing of it is owed any more."""
    opened = opening.of(ctx)
    with opened.store(opened.project()) as store:
        found = looking.find(store, run)
        store.write_now(lambda conn: runs.abort(conn, found.id, "by hand", store.now()))
        summary = looking.summary(store, found.id, simulated=opened.simulated)
    run_screens.show(summary, sys.stdout)


def resume(
    ctx: typer.Context,
    run: _RunName = None,
    accept_failed: Annotated[
        bool, typer.Option("--accept-failed", help="Go on past a halt; budgets count from here on.")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Go on with a run that was paused, halted or killed; sites that have their outcome are left alone."""
    opened = opening.of(ctx)
    loaded = opened.fleet()
    with opened.store(loaded.project) as store:
        found = looking.find(store, run)
        strategy = looking.plan_of(store, found).strategy
        # A gate may want to look again at sites that have their outcome.
        again = any(gate.health is not None for gate in strategy.gates)
        names = sorted(looking.members(store, found.id)) if again else looking.unfinished(store, found.id)
        members = [loaded.fleet.sites[name] for name in names if name in loaded.fleet.sites]
        ready = running.Opened.of(opened, loaded.project, store, members)

        def go() -> runs.Run:
            who, now = provenance.author(), store.now()
            return store.write_now(lambda conn: gating.resume(conn, found.id, who, now, accept_failed=accept_failed))

        code = running.go_on(ready, strategy, looking.goals(store, found.id), go, output)
    raise typer.Exit(code)


def add_to(app: typer.Typer) -> None:
    """Hang these commands on a group."""
    for command in (status, history, pause, resume, approve, abort):
        app.command(cls=commands.Command)(command)
