"""What all journeys of a rollout share while they run: clients, releases by digest, and visits as a handler of runs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from fleetctl.kube import client, discoverycache, transport
from fleetctl.model import events, outcomes, plans, releases, sites
from fleetctl.openapi import learned
from fleetctl.rollout import (
    adopting,
    applying,
    learning,
    leasing,
    orders,
    planning,
    probing,
    rechecking,
    saving,
    surveying,
    visiting,
)
from fleetctl.runs import gatekeeping, loops, stopping, tickets, windows, working
from fleetctl.secrets import providers
from fleetctl.state import blobs, claims, databases, installed, runs
from fleetctl.state import releases as stored

__all__ = ["FRESH", "Engine"]

FRESH = 60.0
"""Seconds for which a plan's reading of a parent may stand in for the visit's own."""

_KEPT = 256
_MARGIN = 6.0
_READ = 30.0


class Engine:
    """The open store, the wire and the fleet of one command."""

    def __init__(
        self,
        store: databases.Store,
        wire: transport.Transport,
        endpoints: Mapping[str, transport.Endpoint],
        *,
        project: str,
        simulated: bool = False,
        secrets: orders.Secrets = orders.PLAIN,
        served: discoverycache.Cache | None = None,
        defined: learned.Learned | None = None,
        around: providers.Surroundings | None = None,
        waits: bool = False,
        fleet: Mapping[str, sites.Site] | None = None,
    ) -> None:
        """Take what a command has open.

        ``served`` is what clusters said before about the kinds that they serve, ``defined`` about the fields of these.
        """
        self.defined = defined
        self.store = store
        self.secrets = secrets
        self.project = project
        self.simulated = simulated
        self.around = around
        self._waits = waits
        self._fleet = fleet or {}
        self._wire = wire
        self._endpoints = endpoints
        self._served = served
        self._met: leasing.Memory = {}
        self.known = functools.lru_cache(_KEPT)(self._known)
        self._owed = functools.lru_cache(_KEPT)(self._plan)

    def connect(
        self,
        site: str,
        fence: Callable[[float], bool] = lambda _: True,
        *,
        limit: float,
        pace: client.Pace = client.Pace(),  # noqa: B008  # frozen
    ) -> client.Client:
        """Return a client for a site whose requests all end within ``limit`` seconds from now."""
        endpoint = self._endpoints[site]
        session, deadline = self._wire.session(endpoint), time.monotonic() + limit
        known = self._served.of(endpoint) if self._served is not None else None
        return client.Client(session, fence=fence, deadline=deadline, pace=pace, known=known)

    def ends(self, site: str) -> float | None:
        """Return when the credentials of a site end, by the clock on the wall, as far as that can be seen."""
        endpoint = self._endpoints.get(site)
        return endpoint.ends if endpoint is not None else None

    def windows(self, strategy: plans.Strategy) -> windows.Windows:
        """Return when the sites of this command may be changed, by their own windows and those of a strategy.

        Nobody works at a simulated site: its own window is not held.
        """
        fleet = self._fleet
        if self.simulated:
            fleet = {name: msgspec.structs.replace(site, window=None) for name, site in fleet.items()}
        return windows.Windows(fleet, strategy.windows)

    def _known(self, digest: str) -> releases.Release | None:
        return self.store.read(lambda conn: stored.get(conn, digest))

    def _plan(self, run: str) -> plans.Plan:
        return self.plan_of(self.store.read(lambda conn: runs.get(conn, run)))

    def plan_of(self, run: runs.Run) -> plans.Plan:
        """Return the plan of a run in the journal."""
        text = self.store.read(lambda conn: blobs.get(conn, run.plan_blob))
        return saving.decode(text, f"the plan of {run.id}")

    async def survey(
        self,
        members: list[sites.Site],
        bundle: str,
        namespace: str,
        concurrency: int,
        told: Callable[[planning.Reading], None],
        *,
        also: surveying.Also | None = None,
    ) -> dict[str, planning.Reading]:
        """Read the bundle's parent at every member, and what ``also`` asks for."""
        return await surveying.survey(
            members,
            functools.partial(self.connect, limit=_READ, pace=client.Pace(unreachable=0.0)),
            bundle,
            namespace,
            concurrency=concurrency,
            told=told,
            also=also,
        )

    async def check(
        self,
        wanted: Sequence[planning.Wanted],
        limits: releases.Limits,
        readings: Mapping[str, planning.Reading],
        concurrency: int,
    ) -> releases.Limits:
        """Hold what no file defines against what the members' clusters serve; see ``learning``."""
        if self.defined is None:
            return limits
        connect = functools.partial(self.connect, limit=_READ, pace=client.Pace(unreachable=0.0))
        left = await learning.check(wanted, limits.unchecked, readings, connect, self.defined, concurrency=concurrency)
        return msgspec.structs.replace(limits, unchecked=left)

    async def work(
        self,
        run: runs.Run,
        plan: plans.Plan,
        observe: events.Observe,
        stop: stopping.Stop,
        *,
        readings: Mapping[str, planning.Reading] | None = None,
        settings: working.Settings | None = None,
    ) -> events.RunState:
        """Work on a run that is in the journal; ``readings`` were made just now and spare the unchanged a request."""
        began = time.monotonic()

        async def handle(ticket: tickets.Ticket) -> outcomes.Result | None:
            reading = (readings or {}).get(ticket.claim.site)
            if (
                reading is not None
                and time.monotonic() - began < FRESH
                and _unchanged(reading, ticket.claim.goal, plan)
            ):
                return surveying.unchanged(reading)
            if ticket.claim.site not in self._endpoints:
                return outcomes.Result(outcomes.Outcome.SKIPPED, outcomes.Effect.NONE, reason=outcomes.Reason.REMOVED)
            order = self._order(ticket.claim, run, plan)
            limit = plan.strategy.site_timeout + plan.strategy.soak + _MARGIN
            with self.connect(ticket.claim.site, ticket.fence, limit=limit) as api:
                shelf = adopting.Shelf(self.store, order, applying.manager(order.bundle))
                return await visiting.visit(
                    order,
                    api,
                    ticket.tell,
                    self.known,
                    self._met,
                    shelf=shelf,
                    secrets=self.secrets,
                    rest=ticket.rest,
                )

        settings = settings or working.Settings(
            concurrency=plan.strategy.concurrency, simulated=self.simulated, waits=self._waits
        )
        look = functools.partial(self._recheck, run=run, plan=plan)
        ask = gatekeeping.nobody if self.around is None else probing.Prober(self.store, self.around, look).ask
        job = working.Work(self.store, run, plan, handle, observe, stop, settings, ask, self.windows(plan.strategy))
        return await working.work(job)

    async def _recheck(self, rows: Iterable[runs.Row], run: runs.Run, plan: plans.Plan) -> dict[str, str]:
        """Look again at sites of a run; returns what is the matter with those that are not as it wants them."""
        found: dict[str, str] = {}

        async def look(row: runs.Row) -> None:
            if row.site not in self._endpoints:
                found[row.site] = "it left the inventory"
                return
            # A client that may not change anything: every such request is fenced off.
            with self.connect(row.site, lambda _: False, limit=_READ) as api:
                order = self._order(row, run, plan)
                if words := await rechecking.trouble(order, api, self.known, _READ):
                    found[row.site] = words

        await loops.each(list(rows), look, at_once=plan.strategy.concurrency)
        return found

    def _order(self, claim: claims.Claim | runs.Row, run: runs.Run, plan: plans.Plan) -> orders.Order:
        there = self.store.read(lambda conn: installed.get(conn, claim.site, plan.bundle))
        options, undoes = plan.options, plan.undoes
        if claim.origin is not None:
            owed = self._owed(claim.origin)
            undoes, allowed = owed.undoes, owed.options
            options = msgspec.structs.replace(options, adopt=allowed.adopt, prune_adopted=allowed.prune_adopted)
        return orders.Order(
            site=claim.site,
            run=run.id,
            attempt=claim.attempt,
            project=self.project,
            bundle=plan.bundle,
            namespace=plan.namespace,
            kind=plan.kind,
            wanted=claim.goal,
            expected=claim.base,
            checked=claim.checked,
            ours=frozenset(one for one in (run.id, claim.origin, plan.undoes) if one),
            installed=there.release if there else None,
            identity=claim.identity,
            strategy=plan.strategy,
            options=options,
            commit=plan.commit,
            undoes=undoes,
        )


def _unchanged(reading: planning.Reading, goal: str | None, plan: plans.Plan) -> bool:
    thorough = plan.options.verify or plan.options.reapply or plan.kind is not plans.Kind.ROLLOUT
    return reading.answered and not reading.applying and goal is not None and reading.release == goal and not thorough
