"""``fleetctl rollout``: make runs, stop and resume them, look at them."""

from __future__ import annotations

import pathlib
import sys
from typing import Annotated

import typer

from fleetctl.cli import asking, commands, completing, controlling, opening, options, rehearsing, running
from fleetctl.console import plans as plan_screens
from fleetctl.console import runs as run_screens
from fleetctl.inventory import selecting
from fleetctl.model import codes, errors, exits, plans
from fleetctl.reports import envelopes
from fleetctl.reports import runs as run_reports
from fleetctl.rollout import catchup as catching
from fleetctl.rollout import engine as engines
from fleetctl.rollout import looking, proposing, saving

__all__ = ["app", "catchup", "plan", "remove", "start", "undo"]

app = commands.application("Bring a bundle to many clusters in waves; look at runs, stop them, undo them.")
controlling.add_to(app)

_Reapply = Annotated[bool, typer.Option("--reapply", help="Apply everywhere, also where nothing seems to be missing.")]
_Verify = Annotated[
    bool, typer.Option("--verify", help="Look at every object, also where the parent says all is well.")
]
_Force = Annotated[
    str | None,
    typer.Option("--force-conflicts", metavar="MANAGER,..|all", help="Take fields over from these field managers."),
]
_Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over objects that exist and belong to no set; undo gives them back.")
]
_PruneAdopted = Annotated[
    bool, typer.Option("--prune-adopted", help="Delete adopted objects too, where others leave the set.")
]
_Supersede = Annotated[
    str | None, typer.Option("--supersede", metavar="RUN", help="Abort this unfinished run of the bundle first.")
]


@app.command(cls=commands.Command)
@options.making_flags
@options.selection_flags
def plan(
    ctx: typer.Context,
    selection: selecting.Selection,
    making: options.Making,
    wanted: options.Bundle,
    out: Annotated[str | None, typer.Option("--out", metavar="FILE", help="Where the plan is saved.")] = None,
    reapply: _Reapply = False,
    verify: _Verify = False,
    force: _Force = None,
    adopt: _Adopt = False,
    prune_adopted: _PruneAdopted = False,
    revision: options.Revision = None,
    override: options.Overrides = [],  # noqa: B006  # Typer reads the default, nobody changes it
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when something would change.")] = False,
    dry_run: options.Rehearse = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Say what a rollout would change, and save the plan; reads clusters, changes nothing."""
    given = plans.Options(reapply=reapply, verify=verify, adopt=adopt, prune_adopted=prune_adopted)
    chosen = options.options_of(given, force)
    opened = opening.of(ctx, revision).overriding(override)
    asked = asking.ask(opened, selection, making, wanted, chosen)
    looked = rehearsing.look(asked, dry_run)
    preview, project = looked.preview, asked.loaded.project
    file = pathlib.Path(out) if out else project.root / ".fleetctl" / "plans" / f"{plans.short(preview.digest)}.json"
    saving.save(preview.plan, file)
    looked.show(output)
    if output not in envelopes.FORMATS:
        plan_screens.saved(preview, project.shown(file.absolute()), sys.stdout, project.commit)
    raise typer.Exit(int(looked.exit(tell_changes=exit_code)))


@app.command(cls=commands.Command)
@options.making_flags
@options.selection_flags
def start(
    ctx: typer.Context,
    selection: selecting.Selection,
    making: options.Making,
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="BUNDLE[@VERSION]", help="The bundle; left out with --plan.", autocompletion=completing.bundles
        ),
    ] = None,
    saved: Annotated[
        str | None, typer.Option("--plan", metavar="FILE", help="Run exactly this plan, or refuse.")
    ] = None,
    reapply: _Reapply = False,
    verify: _Verify = False,
    force: _Force = None,
    adopt: _Adopt = False,
    prune_adopted: _PruneAdopted = False,
    supersede: _Supersede = None,
    revision: options.Revision = None,
    override: options.Overrides = [],  # noqa: B006  # Typer reads the default, nobody changes it
    dry_run: options.Rehearse = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Bring a bundle to the selected sites, wave by wave."""
    given = plans.Options(reapply=reapply, verify=verify, adopt=adopt, prune_adopted=prune_adopted)
    opened, chosen = opening.of(ctx, revision).overriding(override), options.options_of(given, force)
    if saved is not None:
        if (
            wanted
            or selection.narrows
            or override
            or dry_run
            or making != options.Making(yes=making.yes)
            or chosen != plans.Options()
        ):
            message = "--plan says which bundle, sites, strategy and options; leave them out"
            raise errors.UsageError(codes.Code.USAGE, message)
        asked = asking.ask_saved(opened, pathlib.Path(saved))
        proposal = proposing.saved(asked.described, asked.prepared, simulated=opened.simulated)
        manner = running.Manner(yes=True, supersedes=supersede, output=output)
        raise typer.Exit(running.carry_out(asked, lambda _: _ready(proposal), manner))
    if wanted is None:
        message = "name a bundle, or a saved plan with --plan FILE"
        raise errors.UsageError(codes.Code.USAGE, message, "See: fleetctl rollout start --help")
    asked = asking.ask(opened, selection, making, wanted, chosen)
    if dry_run is not None:
        looked = rehearsing.look(asked, dry_run)
        looked.show(output)
        raise typer.Exit(int(looked.exit()))
    question = f"Roll out {asked.prepared.bundle} {asked.prepared.version}?"
    manner = running.Manner(yes=making.yes, question=question, supersedes=supersede, output=output)
    raise typer.Exit(running.carry_out(asked, asked.rollout, manner))


async def _ready(proposal: proposing.Proposal) -> proposing.Proposal:
    return proposal


@app.command(cls=commands.Command)
@options.making_flags
@options.selection_flags
def remove(
    ctx: typer.Context,
    selection: selecting.Selection,
    making: options.Making,
    wanted: options.Bundle,
    prune_adopted: _PruneAdopted = False,
    supersede: _Supersede = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Take a bundle off the selected sites, wave by wave; protected kinds such as PersistentVolumeClaims stay."""
    chosen = options.options_of(plans.Options(prune_adopted=prune_adopted), None)
    asked = asking.ask(opening.of(ctx), selection, making, wanted, chosen, kind=plans.Kind.REMOVE)
    question = f"Take {asked.prepared.bundle} off?"
    manner = running.Manner(yes=making.yes, question=question, supersedes=supersede, output=output)
    raise typer.Exit(running.carry_out(asked, asked.rollout, manner))


@app.command(cls=commands.Command)
@options.making_flags
def undo(
    ctx: typer.Context,
    making: options.Making,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run to take back.")],
    remove_new: Annotated[
        bool, typer.Option("--remove-new", help="Take the bundle off sites that had nothing before.")
    ] = False,
    no_unstick: Annotated[
        bool, typer.Option("--no-unstick", help="Leave pods that block a StatefulSet (kubernetes#67250).")
    ] = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Bring every site that a run touched back to what it had, wave by wave."""
    opened = opening.of(ctx)
    loaded = opened.fleet()
    strategy = asking.strategy_of(opened, making)
    with opened.store(loaded.project) as store:
        found = looking.find(store, run)
        touched = [name for name in looking.touched(store, found.id) if name in loaded.fleet.sites]
        ready = running.Opened.of(opened, loaded.project, store, (loaded.fleet.sites[name] for name in touched))

        def make(engine: engines.Engine) -> asking.Proposed:
            chosen = plans.Options(unstick=not no_unstick)
            return proposing.undo(engine, found, strategy, chosen, loaded.fleet.sites, remove_new=remove_new)

        manner = running.Manner(yes=making.yes, question=f"Undo {found.id}?", output=output)
        code = running.carry_out_in(ready, make, manner)
    raise typer.Exit(code)


@app.command(cls=commands.Command)
@options.making_flags
@options.selection_flags
def catchup(
    ctx: typer.Context,
    selection: selecting.Selection,
    making: options.Making,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Pay what sites are owed, where they answer again; never asks, so that cron can run it."""
    opened = opening.of(ctx)
    loaded = opened.fleet()
    chosen = {site.name for site in selecting.select(loaded.fleet, selection, opening.read_stdin)}
    strategy = asking.strategy_of(opened, making)
    with opened.store(loaded.project) as store:
        owed = [debt for debt in looking.payable(store) if debt.site in chosen]
        present = [loaded.fleet.sites[debt.site] for debt in owed]
        ready = running.Opened.of(opened, loaded.project, store, present)
        found = catching.by_bundle(owed, loaded.fleet.sites, looking.knower(store))
        if not found and output in envelopes.FORMATS:
            envelopes.write(run_reports.history([]), output, sys.stdout)
        elif not found:
            run_screens.nothing_owed(sys.stdout)
        results = [exits.Exit(_pay(ready, payable, strategy, output)) for payable in found]
        expired = [debt for debt in looking.expired(store) if debt.site in chosen]
    if expired:
        run_screens.expired(expired, sys.stderr, simulated=opened.simulated)
    # What is still owed is the next call's business; cron is told only of what nobody will pay any more.
    results = [exits.Exit.OK if one is exits.Exit.OWED else one for one in results]
    raise typer.Exit(int(exits.worst([*results, exits.Exit.OWED if expired else exits.Exit.OK])))


def _pay(ready: running.Opened, payable: catching.Payable, strategy: plans.Strategy, output: options.Output) -> int:
    def make(engine: engines.Engine) -> asking.Proposed:
        return proposing.catchup_of(engine, payable, strategy, ready.project.name)

    return running.carry_out_in(ready, make, running.Manner(yes=True, output=output))
