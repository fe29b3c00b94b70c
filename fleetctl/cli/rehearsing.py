"""Plans that are only looked at: nothing is contacted (``--dry-run client``), or servers rehearse it (``server``)."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import Any, TextIO

from fleetctl.cli import asking, options, running
from fleetctl.console import plans as plan_screens
from fleetctl.model import exits
from fleetctl.reports import envelopes
from fleetctl.reports import runs as run_reports
from fleetctl.rollout import engine, planning, proposing

__all__ = ["Looked", "Said", "look"]


@dataclasses.dataclass(frozen=True)
class Said:
    """What API servers said: how it stands, and how it is told to machines and people."""

    exit: exits.Exit
    changes: bool
    body: dict[str, Any]
    show: Callable[[TextIO], None]


@dataclasses.dataclass(frozen=True)
class Looked:
    """A plan, and what the API servers said to it where they were asked."""

    proposal: proposing.Proposal
    said: Said | None

    @property
    def preview(self) -> planning.Preview:
        """Return the plan and what it amounts to."""
        return self.proposal.preview

    def exit(self, *, tell_changes: bool = False) -> exits.Exit:
        """Return how it stands; with ``tell_changes``, 1 where something would change and nothing is worse."""
        found = {self.said.exit if self.said is not None else exits.Exit.OK}
        changes = any(fold.changes or not fold.known for fold in self.preview.folds)
        if tell_changes and (changes or (self.said is not None and self.said.changes)):
            found.add(exits.Exit.DIFFERENCES)
        return exits.worst(found)

    def show(self, output: options.Output) -> None:
        """Write the plan and what was said to it to standard output."""
        if output in envelopes.FORMATS:
            body = run_reports.preview(self.preview, self.proposal.limits)
            envelopes.write(body if self.said is None else {**body, "dryRun": self.said.body}, output, sys.stdout)
            return
        plan_screens.show(self.preview, sys.stdout)
        if self.said is not None:
            self.said.show(sys.stdout)


def look(asked: asking.Asked, how: options.DryRun | None) -> Looked:
    """Make the plan of a rollout, and have it rehearsed if that is asked for; nothing is begun."""
    said: list[Said] = []

    async def make(ready: engine.Engine) -> proposing.Proposal:
        proposal = await asked.rollout(ready, contact=how is not options.DryRun.CLIENT)
        if how is options.DryRun.SERVER:
            said.append(await _rehearsed(ready, proposal, asked))
        return proposal

    return Looked(running.propose(asked, make), said[0] if said else None)


async def _rehearsed(ready: engine.Engine, proposal: proposing.Proposal, asked: asking.Asked) -> Said:
    # Differences are held against each other as YAML, whose library a plan without them need not load.
    from fleetctl.console import rehearsals as screens
    from fleetctl.reports import rehearsals as reports
    from fleetctl.rollout import rehearsing

    concurrency = asked.described.strategy.concurrency
    found = await rehearsing.rehearse(ready, proposal, asked.prepared.wanted, concurrency)
    return Said(found.exit, found.changes, reports.rehearsal(found), functools.partial(screens.show, found))
