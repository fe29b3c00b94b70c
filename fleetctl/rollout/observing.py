"""Waiting until a release is well, or until it is clear that it will not be; and what was seen then.

Health itself is a pure function of what the cluster shows (``kube.workloads``); here is only the asking: every object
that is not well yet, and what stands around it, at growing intervals.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fleetctl.kube import (
    answers,
    causes,
    client,
    conditions,
    evidence,
    observed,
    standing,
    surroundings,
    views,
    workloads,
)
from fleetctl.model import events, objects, outcomes, plans, releases
from fleetctl.rollout import applying, orders, resting, unsticking

__all__ = ["Seen", "Stand", "fallen", "look", "stand", "wait"]

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_SLOWER: Final = 1.5


class Seen(msgspec.Struct, frozen=True):
    """What came of looking: ``cause`` when the release is not well, ``final`` when every verdict was reached."""

    state: outcomes.State
    final: bool
    cause: outcomes.Cause | None = None
    evidence: bytes | None = None
    notes: tuple[str, ...] = ()
    waiting: str = ""
    """What is not well, in words, where that is no failure."""


class _Watched:
    """The objects of a release that are looked at, and what was seen of them."""

    def __init__(self, api: client.Client, applied: applying.Applied, order: orders.Order) -> None:
        self._api = api
        self._applied = applied
        self._order = order
        self._began = time.monotonic()
        self._memory = causes.Memory()
        self._pending = [
            one for one in applied.release.objects if (one.id.group, one.id.kind) not in conditions.APPLIED_IS_ENOUGH
        ]
        self._rounds = 0
        self._rest = resting.Rest(api)
        self.verdicts: dict[objects.ObjectId, outcomes.Verdict] = {}
        self.views: dict[objects.ObjectId, views.View] = {}
        self.freed: list[str] = []
        """Pods that were deleted because they held up their StatefulSet, in words."""

    async def look(self) -> None:
        """Ask once about everything that is not well yet."""
        around = await self._surroundings()
        lasted = self._memory.at(time.monotonic())
        for one in list(self._pending):
            body = await answers.optional(self._body(one))
            if body is None:
                self.verdicts[one.id] = outcomes.Verdict(one.id, outcomes.State.MISSING, "gone since it was applied")
                continue
            meta = self._applied.metas.get(one.id)
            view = views.View(
                one.id,
                body,
                generation=meta.generation if meta else 0,
                since=time.monotonic() - self._began,
                around=around,
                patience=self._order.strategy.patience,
                lasted=lasted,
                declares_status=await self._has_status(one),
                load_balancers=self._order.options.load_balancers,
            )
            self.views[one.id] = view
            verdict = self.verdicts[one.id] = workloads.verdict(view)
            if verdict.state is outcomes.State.CURRENT:
                self._pending.remove(one)
        self._rounds += 1

    async def rest(self, pause: float, left: float) -> None:
        """Wait until it is worth looking again: at the first object that is not well, since others may follow it."""
        view = self.views.get(self._pending[0].id)
        await self._rest.take(view, await applying.resource_of(self._api, self._pending[0]), pause, left)

    async def unstick(self) -> None:
        """Free what would never get well by itself."""
        unwell = [view for one, view in self.views.items() if self.verdicts[one].state is not outcomes.State.CURRENT]
        self.freed += await unsticking.unstick(self._api, unwell)

    async def _has_status(self, one: releases.RenderedObject) -> bool:
        """Tell whether anybody will say how an object is; nothing is asked that was not asked before."""
        served = await applying.resource_of(self._api, one)
        return served is None or served.has_status

    async def _body(self, one: releases.RenderedObject) -> bytes:
        return await self._api.get_raw(await applying.path_of(self._api, one))

    async def _surroundings(self) -> surroundings.Surroundings:
        """List what verdicts need: once for each namespace, however many objects need it."""
        wanted: dict[surroundings.List, set[str]] = {}
        for one in self._pending:
            for collection in workloads.needs(one.id, unwell=self._rounds > 0):
                wanted.setdefault(collection, set()).add(one.id.namespace if collection.namespaced else "")
        listed: dict[surroundings.List, list[Any]] = {}
        for collection, namespaces in wanted.items():
            group = objects.group_of(collection.api_version)
            for namespace in sorted(namespaces):
                resource = await self._api.resources.of(group, collection.kind, collection.api_version)
                if resource is None:
                    continue
                found = await self._api.items(resource.collection(namespace))
                listed.setdefault(collection, []).extend(_decoded(found, collection.into))
        return surroundings.Surroundings(listed)

    @property
    def state(self) -> outcomes.State:
        """Return the state of the whole release."""
        return outcomes.worst(self.verdicts.values())

    @property
    def failed(self) -> outcomes.Verdict | None:
        """Return the first verdict that says that waiting is of no use."""
        return next((one for one in self.verdicts.values() if one.state is outcomes.State.FAILED), None)

    @property
    def waiting(self) -> outcomes.Verdict | None:
        """Return the first object that is not well yet; one with a cause goes before others."""
        waiting = [one for one in self.verdicts.values() if one.state is not outcomes.State.CURRENT]
        return min(waiting, key=lambda one: one.cause is None, default=None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is worth knowing about objects that are well."""
        told = [
            f"{one.id}: {one.message}"
            for one in self.verdicts.values()
            if one.state is outcomes.State.CURRENT and one.message
        ]
        return (*self.freed, *told)


async def look(api: client.Client, applied: applying.Applied, order: orders.Order) -> Seen:
    """Look once; what is not well yet is no failure."""
    watched = _Watched(api, applied, order)
    await watched.look()
    waiting = watched.waiting
    words = "" if waiting is None else f"{waiting.id} {waiting.cause or waiting.message or waiting.state}"
    return Seen(watched.state, final=waiting is None, notes=watched.notes, waiting=words)


async def wait(
    api: client.Client, applied: applying.Applied, order: orders.Order, watch: orders.Watch, until: float
) -> Seen:
    """Look until everything is well, something failed, or the site's time is over (``until``, monotonic)."""
    watched = _Watched(api, applied, order)
    pause, told = _FIRST_PAUSE, ""
    while True:
        await watched.look()
        if order.kind is plans.Kind.UNDO and order.options.unstick:
            await watched.unstick()
        waiting, failed = watched.waiting, watched.failed
        if waiting is None:
            return Seen(outcomes.State.CURRENT, final=True, notes=watched.notes)
        if failed is not None:
            return await _failed(
                api, watched, failed, failed.cause or outcomes.Cause("Failed", str(failed.id), failed.message)
            )
        left = until - time.monotonic()
        if left <= pause:
            return await _failed(api, watched, waiting, _late(waiting, order))
        detail = f"{waiting.id} {waiting.message}" + (f", {waiting.cause}" if waiting.cause else "")
        if detail != told:
            watch(events.Phase.OBSERVING, detail)
            told = detail
        await watched.rest(pause, left)
        pause = min(_LONGEST_PAUSE, pause * _SLOWER)


Stand = Mapping[objects.ObjectId, Mapping[str, int]]
"""What objects stand on: their pods by UID, and how often each was restarted."""


async def stand(api: client.Client, applied: applying.Applied, order: orders.Order) -> Stand:
    """Return what a release stands on now."""
    watched = _Watched(api, applied, order)
    await watched.look()
    return {identity: standing.standing(view) for identity, view in watched.views.items()}


async def fallen(
    api: client.Client, applied: applying.Applied, order: orders.Order, before: Stand
) -> outcomes.Cause | None:
    """Look whether a release's pods are the same as before, ready, and did not restart; return what is wrong."""
    watched = _Watched(api, applied, order)
    await watched.look()
    if watched.failed is not None and watched.failed.cause is not None:
        return watched.failed.cause
    for identity, view in watched.views.items():
        cause = standing.fallen(view, before[identity]) if identity in before else None
        if cause is not None:
            return cause
    return None


def _late(waiting: outcomes.Verdict, order: orders.Order) -> outcomes.Cause:
    """Say that time is over: with the trouble that was seen, or with what was waited for."""
    seconds = f"after {order.strategy.site_timeout:g}s"
    if waiting.cause is not None:
        return msgspec.structs.replace(waiting.cause, message=f"{waiting.cause.message} (still so {seconds})".strip())
    return outcomes.Cause("NotHealthyInTime", str(waiting.id), f"{waiting.message} {seconds}")


async def _failed(api: client.Client, watched: _Watched, verdict: outcomes.Verdict, cause: outcomes.Cause) -> Seen:
    view = watched.views.get(verdict.id)
    seen = None
    if view is not None:
        chain = evidence.chain(view, verdict, await _logs(api, view))
        seen = msgspec.json.encode(chain, order="deterministic")
    return Seen(outcomes.State.FAILED, final=verdict.state is outcomes.State.FAILED, cause=cause, evidence=seen)


async def _logs(api: client.Client, view: views.View) -> dict[evidence.Log, bytes]:
    """Fetch the last lines of containers that fail, as far as they can be had: evidence never fails a visit."""
    found: dict[evidence.Log, bytes] = {}
    for log in evidence.logs(view):
        try:
            found[log] = await api.get_raw(log.path)
        except answers.Failure:
            continue
    return found


def _decoded(found: Iterable[bytes], into: type[Any]) -> list[Any]:
    """Decode what can be decoded; one object of a strange form must not hide the others."""
    made = []
    for item in found:
        try:
            made.append(observed.decode(item, into))
        except observed.Unreadable:
            continue
    return made
