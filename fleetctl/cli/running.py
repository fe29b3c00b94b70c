"""From a command to a run and its ending: opens what a run needs, shows what it does, says how it went."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Self

from fleetctl.cli import asking, opening, options
from fleetctl.console import plans as plan_screens
from fleetctl.console import runs as run_screens
from fleetctl.kube import curl, discoverycache, transport
from fleetctl.model import codes, errors, events, exits, outcomes, plans, projects, releases, sites
from fleetctl.openapi import learned
from fleetctl.reports import envelopes
from fleetctl.reports import runs as run_reports
from fleetctl.rollout import (
    accounts,
    engine,
    looking,
    planning,
    probing,
    proposing,
    starting,
    versions,
)
from fleetctl.runs import loops, stopping
from fleetctl.secrets import providers
from fleetctl.state import databases, runs

__all__ = [
    "Make",
    "Manner",
    "Opened",
    "carry_out",
    "carry_out_in",
    "confirm",
    "exit_of",
    "go_on",
    "open_for",
    "propose",
    "show",
]

Make = Callable[[engine.Engine], asking.Proposed]


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a run works with: the open journal, and how its members are reached."""

    opened: opening.Opening
    project: projects.Project
    store: databases.Store
    endpoints: Mapping[str, transport.Endpoint]
    around: providers.Surroundings
    fleet: Mapping[str, sites.Site]

    @classmethod
    def of(
        cls,
        opened: opening.Opening,
        project: projects.Project,
        store: databases.Store,
        members: Iterable[sites.Site],
    ) -> Self:
        """Look up how the members of a run are reached; raises before anything is contacted."""
        fleet = {one.name: one for one in members}
        endpoints = opened.directory(project).require(fleet.values())
        return cls(opened, project, store, endpoints, opened.surroundings(project), fleet)

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[engine.Engine]:
        """Give the engine of a command, inside its event loop."""
        async with curl.CurlTransport() as wire:
            yield engine.Engine(
                self.store,
                wire,
                self.endpoints,
                project=self.project.name,
                simulated=self.opened.simulated,
                secrets=self.opened.secrets(self.project),
                served=discoverycache.Cache(self.project.root),
                defined=learned.Learned(self.project.root),
                around=self.around,
                waits=_attended(),
                fleet=self.fleet,
            )


@dataclasses.dataclass(frozen=True)
class Manner:
    """How a run is begun and told."""

    yes: bool = False
    question: str = ""
    supersedes: str | None = None
    output: options.Output = options.Output.TABLE


@contextlib.contextmanager
def open_for(opened: opening.Opening, project: projects.Project, members: Iterable[sites.Site]) -> Iterator[Opened]:
    """Open the journal, and look up how the members are reached; raises before anything is contacted."""
    fleet = {one.name: one for one in members}
    endpoints = opened.directory(project).require(fleet.values())
    with opened.store(project) as store:
        yield Opened(opened, project, store, endpoints, opened.surroundings(project), fleet)


def propose(asked: asking.Asked, make: Make) -> proposing.Proposal:
    """Read the clusters and make the plan; nothing is begun."""
    with open_for(asked.opened, asked.loaded.project, (one.site for one in asked.prepared.wanted)) as ready:
        versions.refuse_reused(ready.store, asked.prepared)

        async def work() -> proposing.Proposal:
            async with ready.engine() as running:
                return await make(running)

        return loops.run(work())


def carry_out(asked: asking.Asked, make: Make, manner: Manner) -> int:
    """Make a run, ask, work on it, and say how it ended; returns the exit code."""
    with open_for(asked.opened, asked.loaded.project, (one.site for one in asked.prepared.wanted)) as ready:
        versions.refuse_reused(ready.store, asked.prepared)
        return carry_out_in(ready, make, manner)


def carry_out_in(ready: Opened, make: Make, manner: Manner) -> int:
    """Do what ``carry_out`` does, with a journal that is open already."""
    return loops.run(_carry_out(ready, make, manner))


def go_on(
    ready: Opened,
    strategy: plans.Strategy,
    needed: list[releases.Release],
    resume: Callable[[], runs.Run],
    output: options.Output,
) -> int:
    """Work on a run that is in the journal already, once ``resume`` has let it go on; ``needed`` may hold secrets."""

    async def work() -> int:
        async with ready.engine() as running:
            probing.require(strategy, ready.around)
            running.secrets.keyed(needed)  # raises for what cannot be had, before anything goes on
            with ready.opened.observer() as observe:
                run = resume()
                number = await _work(running, run, running.plan_of(run), {}, observe)
            return _ended(ready, run.id, number, output)

    return loops.run(work())


async def _carry_out(ready: Opened, make: Make, manner: Manner) -> int:
    async with ready.engine() as running:
        proposal = await make(running)
        if not proposal.plan.members:
            if manner.output in envelopes.FORMATS:
                envelopes.write(run_reports.preview(proposal.preview, releases.Limits()), manner.output, sys.stdout)
            else:
                plan_screens.nobody(proposal.preview, sys.stdout)
            owed = any(one.owed for one in proposal.preview.left_out)
            return int(exits.Exit.OWED if owed else exits.Exit.OK)
        if proposal.preview.folds or proposal.preview.left_out:  # a saved plan was looked at before
            plan_screens.show(proposal.preview, sys.stderr)
            sys.stderr.write("\n")
        probing.require(proposal.plan.strategy, ready.around)
        if not manner.yes:
            confirm(manner.question, "Give --yes, or start a plan: --plan FILE.")
        # Whatever is to be written besides must be writable before anything is begun.
        with ready.opened.observer() as observe:
            run = await starting.begin(ready.store, proposal, supersedes=manner.supersedes)
            number = await _work(running, run, proposal.plan, proposal.readings, observe)
        return _ended(ready, run.id, number, manner.output)


async def _work(
    running: engine.Engine,
    run: runs.Run,
    plan: plans.Plan,
    readings: Mapping[str, planning.Reading],
    observe: events.Observe,
) -> signal.Signals | None:
    """Work on a run; returns the signal that asked it to stop, if one did."""
    stop = stopping.Stop()
    with stopping.listening(stop):
        await running.work(run, plan, observe, stop, readings=readings)
    return stop.signal


def _ended(ready: Opened, run: str, number: signal.Signals | None, output: options.Output) -> int:
    summary = looking.summary(ready.store, run, simulated=ready.opened.simulated)
    show(summary, output)
    return int(exit_of(summary, number))


def show(summary: accounts.Summary, output: options.Output) -> None:
    """Write how a run stands to standard output."""
    if output in envelopes.FORMATS:
        envelopes.write(run_reports.summary(summary), output, sys.stdout)
    else:
        run_screens.show(summary, sys.stdout)


def exit_of(summary: accounts.Summary, number: signal.Signals | None = None) -> exits.Exit:
    """Return the exit code that says how a run stands."""
    found = {exits.Exit.OK}
    if number is not None:
        found.add(exits.Exit.INTERRUPTED if number == signal.SIGINT else exits.Exit.TERMINATED)
    if summary.state is events.RunState.HALTED:
        found.add(exits.Exit.HALTED)
    if summary.state in {events.RunState.PAUSED, events.RunState.ABORTED}:
        found.add(exits.Exit.WAITING)
    if summary.count(outcomes.Outcome.FAILED):
        found.add(exits.Exit.FAILED)
    if summary.waiting or summary.count(outcomes.Outcome.UNREACHABLE) or summary.count(outcomes.Outcome.SKIPPED):
        found.add(exits.Exit.OWED)
    return exits.worst(found)


def _attended() -> bool:
    """Tell whether somebody sits before this command, who could be asked and waited for."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()) and not opening.in_ci()


def confirm(question: str, otherwise: str = "Give --yes.") -> None:
    """Ask on the terminal; raises ``Refused`` for any answer but yes, and where nobody can be asked."""
    if not _attended():
        message = "this needs a yes, and there is no terminal to ask on"
        raise errors.Refused(codes.Code.RUN_NEEDS_CONFIRMATION, message, otherwise)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise errors.Refused(codes.Code.RUN_NEEDS_CONFIRMATION, "not confirmed; nothing was changed")
