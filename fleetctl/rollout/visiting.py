"""One visit to one cluster, from reading the parent to writing it: the order of steps that lets nothing leak.

The parent (a Secret, see ``kube.applysets``) is read first. If it names the wanted release, with nothing half done, the
visit ends there. Otherwise it is written with the union of the kinds that were and will be there and with the mark
``applying``, before any other object changes; objects follow in order, then health, then the prune, and last the
parent with the release's digest. A crash anywhere leaves a parent from which the next visit can list everything.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from fleetctl.kube import answers, applysets, client
from fleetctl.model import events, objects, outcomes, plans, releases
from fleetctl.rollout import adopting, applying, failing, hiding, leasing, marking, observing, orders, pruning
from fleetctl.secrets import filled

__all__ = ["visit"]

_MARGIN = 5.0
"""Seconds to gather evidence when a site's time is over."""


async def visit(
    order: orders.Order,
    api: client.Client,
    watch: orders.Watch,
    known: orders.Known,
    memory: leasing.Memory,
    *,
    shelf: adopting.Shelf,
    secrets: orders.Secrets = orders.PLAIN,
    rest: orders.Rest = asyncio.sleep,
) -> outcomes.Result | None:
    """Carry out an order; None when the lease ran out and nothing more may be said or done."""
    lease = leasing.Lease(order, api, memory)
    work = _Visit(order, api, watch, known, lease, shelf=shelf, secrets=secrets, rest=rest)
    result = await _carried_out(work, order)
    if result is None or result.outcome is outcomes.Outcome.UNREACHABLE:
        return result
    await work.lease.release()
    return msgspec.structs.replace(result, requests=api.requests)


async def _carried_out(work: _Visit, order: orders.Order) -> outcomes.Result | None:
    try:
        async with asyncio.timeout(order.strategy.site_timeout + order.strategy.soak + _MARGIN):
            return await work.run()
    except client.Fenced:
        return None
    except failing.Stopped as stopped:
        return work.result(stopped.outcome, stopped.cause, stopped.reason)
    except answers.Failure as failure:
        cause, reason = failure.cause(work.doing), failing.reason_of(failure, first=work.first)
        return work.result(failing.outcome_of(failure), cause, reason)
    except TimeoutError:
        cause = outcomes.Cause("SiteTimeout", work.doing, f"not done after {order.strategy.site_timeout:g}s")
        return work.result(outcomes.Outcome.FAILED, cause)


class _Visit:
    """A visit under way: what was read, and what has been done."""

    def __init__(
        self,
        order: orders.Order,
        api: client.Client,
        watch: orders.Watch,
        known: orders.Known,
        lease: leasing.Lease,
        *,
        secrets: orders.Secrets,
        rest: orders.Rest,
        shelf: adopting.Shelf,
    ) -> None:
        self.first = True
        """Whether nothing was read yet: refused credentials mean something else then."""
        self.doing = "reading the parent"
        self.lease = lease
        self._order = order
        self._api = api
        self._tell = watch
        self._known = known
        self._secrets = secrets
        self._rest = rest
        self._hiding = filled.Hiding()
        self._shelf = shelf
        self._parent = marking.Parent(order, api, known)
        self._identity: str | None = None
        self._complete = self._verified = False
        self._until = time.monotonic() + order.strategy.site_timeout
        self._evidence: bytes | None = None
        self._notes: list[str] = []

    async def run(self) -> outcomes.Result:
        """Take the steps in order."""
        await self._read_parent()
        if await self._nothing_to_do():
            return self.result(outcomes.Outcome.UNCHANGED)
        await self._check_identity()
        if await self._done_by_another():
            return self.result(outcomes.Outcome.UNCHANGED)
        if self._order.wanted is None:
            await self._remove()
        else:
            await self._bring(self._goal(self._order.wanted))
        return self.result(outcomes.Outcome.CHANGED)

    def result(
        self,
        outcome: outcomes.Outcome,
        cause: outcomes.Cause | None = None,
        reason: outcomes.Reason = outcomes.Reason.NONE,
    ) -> outcomes.Result:
        """Return what the visit came to, with the effect that its requests had."""
        return outcomes.Result(
            outcome,
            self._effect(),
            reason=reason,
            cause=hiding.cause(cause, self._hiding),
            before=self._parent.before,
            after=self._parent.after,
            previous=self._parent.previous,
            identity=self._identity,
            evidence=hiding.evidence(self._evidence, self._hiding),
            requests=self._api.requests,
            notes=tuple(self._hiding.text(note) for note in self._notes),
        )

    def _watch(self, phase: events.Phase, detail: str = "") -> None:
        self._tell(phase, self._hiding.text(detail))

    def _effect(self) -> outcomes.Effect:
        if self._api.unknown:
            return outcomes.Effect.UNKNOWN
        if not self._api.mutated:
            return outcomes.Effect.NONE
        if not self._complete:
            return outcomes.Effect.PARTIAL
        return outcomes.Effect.APPLIED if self._verified else outcomes.Effect.APPLIED_UNVERIFIED

    # --- before anything changes

    async def _read_parent(self) -> None:
        await self._parent.read()
        self.first = False

    async def _nothing_to_do(self) -> bool:
        """Tell whether the cluster is as wanted; stops the visit when somebody changed it meanwhile."""
        parent, order = self._parent.now, self._order
        if order.wanted is None and not parent.exists and not self._shelf.undone():
            return True
        clean = parent.exists and parent.applying is None and parent.release == order.wanted
        if clean and order.wanted is not None and not order.options.reapply:
            return not order.thorough or await self._as_it_should_be(self._goal(order.wanted))
        half_done_by_us = parent.applying is not None and parent.applying.run in order.ours
        as_expected = parent.applying is None and parent.release == order.expected
        if order.checked and not (clean or half_done_by_us or as_expected):
            self._parent.moved()
        return False

    def _goal(self, digest: str) -> releases.Release:
        release = self._known(digest)
        if release is None:
            cause = outcomes.Cause("ReleaseUnknown", plans.short(digest), "this store does not hold it")
            raise failing.Stopped(outcomes.Outcome.FAILED, cause)
        return release

    async def _as_it_should_be(self, goal: releases.Release) -> bool:
        """Look whether every object of the release is there and well; then nothing needs to be sent."""
        self.doing = "verifying"
        found = await pruning.members(self._api, self._order, self._parent.now, self._known)
        if {one.id for one in goal.objects} - {one.id for one in found}:
            return False
        applied = applying.Applied(goal, self._shelf.set_id)
        applied.found(found)
        seen = await observing.look(self._api, applied, self._order)
        return seen.state is outcomes.State.CURRENT

    async def _check_identity(self) -> None:
        self.doing = "reading the cluster's identity"
        self._identity = await failing.identity(self._api, self._order.identity)

    async def _done_by_another(self) -> bool:
        """Keep other operators away, where the cluster has a place for that; tell whether one was there just before."""
        self.doing = "claiming the lease"
        before = self._parent.now
        if not await self.lease.claim():
            self._notes.append(leasing.UNGUARDED)
            return False
        await self._read_parent()
        now = self._parent.now
        return (now.uid, now.resource_version) != (before.uid, before.resource_version) and await self._nothing_to_do()

    # --- bringing a release

    async def _bring(self, goal: releases.Release) -> None:
        order = self._order
        self._watch(events.Phase.APPLYING)
        self.doing = "applying"
        old = self._clean_members()
        applied = applying.Applied(self._filled(goal), self._shelf.set_id, self._shelf)
        await applying.check_foreign(self._api, order, applied, old)
        self._stop_on(applied)
        await applying.apply_namespace(self._api, order, applied)
        self._stop_on(applied)
        await self._parent.mark(applying.scope(goal, order.namespace))
        await applying.apply(self._api, order, applied)
        self._stop_on(applied)
        self._notes += [f"{one} was adopted" for one in sorted(applied.foreign)]
        await self._restore(frozenset(one.id for one in goal.objects))
        self._complete = True
        await self._observe(applied)
        await self._prune(applied, old)
        await self._soak(applied)
        self.doing = "writing the release down"
        await self._parent.write(applying.scope(goal, order.namespace), goal.digest)

    def _filled(self, goal: releases.Release) -> releases.Release:
        """Return the release with the values of its secrets; one that moved since the plan ends the visit."""
        found = self._secrets.filled(goal)
        self._hiding = found.hiding
        if found.digest != goal.digest:
            cause = hiding.moved(goal)
            raise failing.Stopped(outcomes.Outcome.SKIPPED, cause, outcomes.Reason.MOVED)
        return found.release

    def _clean_members(self) -> frozenset[objects.ObjectId] | None:
        """Return what the set holds, if its parent is clean and we know its release; None means: ask the cluster."""
        if self._parent.now.applying is not None or self._parent.now.release is None:
            return None
        release = self._known(self._parent.now.release)
        return None if release is None else frozenset(one.id for one in release.objects)

    def _stop_on(self, applied: applying.Applied) -> None:
        if applied.troubles:
            first = applied.troubles[0]
            self._notes += [str(cause) for cause in applied.troubles[1:]]
            raise failing.Stopped(outcomes.Outcome.FAILED, first, applied.reason)

    async def _observe(self, applied: applying.Applied) -> None:
        self._watch(events.Phase.OBSERVING)
        self.doing = "waiting for health"
        seen = await observing.wait(self._api, applied, self._order, self._watch, self._until)
        self._verified = seen.final
        self._notes += seen.notes
        self._evidence = seen.evidence
        if seen.cause is not None:
            raise failing.Stopped(outcomes.Outcome.FAILED, seen.cause)

    async def _prune(self, applied: applying.Applied, old: frozenset[objects.ObjectId] | None) -> None:
        if old is not None and old <= {one.id for one in applied.release.objects}:
            return
        self._watch(events.Phase.PRUNING)
        self.doing = "pruning"
        found = await pruning.members(self._api, self._order, self._parent.now, self._known)
        pruned = await pruning.prune(self._api, self._order, found, applied.uids)
        self._notes += pruned.notes
        if pruned.cause is not None:
            raise failing.Stopped(outcomes.Outcome.FAILED, pruned.cause)

    async def _soak(self, applied: applying.Applied) -> None:
        if self._order.strategy.soak <= 0 or not applied.has_pods:
            return
        self._watch(events.Phase.SOAKING)
        self.doing = "soaking"
        before = await observing.stand(self._api, applied, self._order)
        await self.lease.release()
        self._api.rest()
        await self._rest(self._order.strategy.soak)
        await self._parent.still_ours()
        cause = await observing.fallen(self._api, applied, self._order, before)
        if cause is not None:
            raise failing.Stopped(outcomes.Outcome.FAILED, cause)

    async def _restore(self, staying: frozenset[objects.ObjectId]) -> None:
        """Bring back what the undone run took over from others."""
        self.doing = "bringing back what was adopted"
        self._notes += await adopting.restore(self._api, self._shelf, staying)

    # --- taking a bundle off

    async def _remove(self) -> None:
        self._watch(events.Phase.PRUNING)
        self.doing = "removing"
        await self._parent.mark(applysets.Scope())
        await self._restore(frozenset())
        self.doing = "removing"
        found = await pruning.members(self._api, self._order, self._parent.now, self._known)
        pruned = await pruning.prune(self._api, self._order, found, frozenset())
        self._notes += pruned.notes
        if pruned.cause is not None:
            raise failing.Stopped(outcomes.Outcome.FAILED, pruned.cause)
        await self._parent.delete()
        self._complete = self._verified = True
