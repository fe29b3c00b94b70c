"""Writing a run into the journal, before anything is touched: plan, releases and one row per member."""

from __future__ import annotations

import random

import msgspec

from fleetctl.model import events, outcomes, plans
from fleetctl.rollout import proposing, provenance
from fleetctl.state import blobs, databases, runs
from fleetctl.state import releases as stored

__all__ = ["begin"]


async def begin(store: databases.Store, proposal: proposing.Proposal, *, supersedes: str | None = None) -> runs.Run:
    """Record a run with all it needs to be resumed; raises ``Refused`` when another run is in its way."""
    plan, now = proposal.plan, store.now()

    def create(conn: databases.Connection) -> runs.Run:
        for release in proposal.goals:
            stored.put(conn, release)
        run = runs.Run(
            id=runs.new_id(now, random.SystemRandom()),
            kind=plan.kind,
            plan=proposal.preview.digest,
            plan_blob=blobs.put(conn, msgspec.json.encode(plan)),
            who=provenance.author(),
            commit=plan.commit,
            dirty=plan.dirty,
            project=plan.project,
            bundle=plan.bundle,
            namespace=plan.namespace,
            version=plan.version,
            state=events.RunState.RUNNING,
            created=now,
            supersedes=supersedes,
            undoes=plan.undoes,
        )
        runs.create(conn, run, [_seed(member, proposal.origins.get(member.site)) for member in plan.members])
        return run

    return await store.write(create)


def _seed(member: plans.Member, origin: str | None) -> runs.RowSeed:
    return runs.RowSeed(
        site=member.site,
        wave=member.wave,
        goal=member.release,
        base=member.base,
        checked=member.read,
        identity=member.identity,
        skip=outcomes.Reason(member.skip),
        origin=origin,
    )
