"""Objects of somebody else in the course of a visit: taken over, brought back by an undo, or let go of.

What an object was is in the journal before anything of it changes; then it is marked, in one request with the change
of its managed fields; then it is applied with the set's label, which changes what it holds. A visit that is cut off
anywhere in between is repeated from the beginning: what was kept first stays, as long as the object still has its mark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from fleetctl.kube import adoptions, answers, applysets, client
from fleetctl.model import objects, outcomes
from fleetctl.rollout import orders
from fleetctl.state import databases, snapshots

__all__ = ["Shelf", "release", "restore", "take"]

_POLL: Final = 0.5
_TRIES: Final = 5


class Shelf:
    """What a visit keeps of objects that it takes over, and what the run that it takes back has kept."""

    def __init__(self, store: databases.Store, order: orders.Order, manager: str) -> None:
        self.run = order.run
        self.manager = manager
        """The bundle's field manager."""
        self.set_id = applysets.set_id(order.bundle, order.namespace)
        self._undoes = order.undoes
        self._store = store
        self._site = order.site

    async def keep(self, identity: objects.ObjectId, kept: adoptions.Kept) -> None:
        """Write down what an object was; done when it is on disk."""
        data = msgspec.json.encode(kept, order="sorted")
        await self._store.write(lambda conn: snapshots.put(conn, self.run, self._site, identity, data))

    def kept(self, identity: objects.ObjectId, run: str) -> adoptions.Kept | None:
        """Return what a run has kept of an object."""
        data = self._store.read(lambda conn: snapshots.get(conn, run, self._site, identity))
        return None if data is None else msgspec.json.decode(data, type=adoptions.Kept)

    def undone(self) -> Mapping[objects.ObjectId, adoptions.Kept]:
        """Return all that the undone run has kept at the site."""
        run = self._undoes
        if run is None:
            return {}
        found = self._store.read(lambda conn: snapshots.of(conn, run, self._site))
        return {one: msgspec.json.decode(data, type=adoptions.Kept) for one, data in found.items()}


async def take(
    api: client.Client, shelf: Shelf, identity: objects.ObjectId, path: str, body: bytes
) -> outcomes.Cause | None:
    """Keep what an object is and mark it as adopted, so that it can be applied; returns why it must not be.

    Nothing is done about one that is gone, is going, or belongs to a set by now.
    """
    for attempt in range(_TRIES):
        live = await _read(api, path)
        if live is None or live.going or live.set_id is not None:
            return None
        fault = adoptions.secret_fault(live, body)
        if fault:
            message = f"{fault}, and no journal keeps what Secrets hold: an undo could not bring it back"
            return outcomes.Cause("SecretNotAdopted", str(identity), message)
        kept = shelf.kept(identity, live.adopted) if live.adopted is not None else None
        if kept is None or kept.uid != live.uid:
            kept = adoptions.keep(live)
        await shelf.keep(identity, kept)
        if await _patched(api, path, adoptions.take(live, shelf.manager, shelf.run), last=attempt == _TRIES - 1):
            return None
    return None


async def restore(api: client.Client, shelf: Shelf, staying: Collection[objects.ObjectId]) -> list[str]:
    """Bring back what the undone run took over, save objects that stay in the set; returns in words what came of it."""
    found = shelf.undone()
    going = sorted(found.keys() - set(staying), key=lambda one: (objects.rank(one), one), reverse=True)
    told = [await _restore(api, shelf, one, found[one]) for one in going]
    return [words for words in told if words]


async def _restore(api: client.Client, shelf: Shelf, identity: objects.ObjectId, kept: adoptions.Kept) -> str:
    manager = shelf.manager
    path = await api.resources.path(identity, kept.object["apiVersion"])
    for attempt in range(_TRIES):
        last = attempt == _TRIES - 1
        live = await _read(api, path)
        if live is None or live.going or live.uid != kept.uid:
            return f"{identity} could not be brought back: it was deleted since it was adopted"
        if live.set_id not in {None, shelf.set_id}:
            return f"{identity} was not brought back: it belongs to another set by now"
        if live.set_id is None and live.adopted is None:
            return ""  # never taken, or given back already
        try:
            answer = await api.apply(path, adoptions.give_back(kept, live, manager), manager=manager)
        except answers.Failure as failure:
            await _again(failure, last=last)
            continue
        if isinstance(answer, answers.Conflict):  # somebody took a field after it was read
            if last:
                raise answers.Failure("conflict", "FieldConflict", f"{identity}: {answer.words()}")
            continue
        live = await _read(api, path)
        if live is None or await _patched(api, path, adoptions.let_go(live, manager, back=kept.managers), last=last):
            return f"{identity} is again what it was before it was adopted"
    return ""


async def release(api: client.Client, one: applysets.Member, manager: str, run: str) -> None:
    """Let an adopted object go: it stays as it is, and leaves the set."""
    for attempt in range(_TRIES):
        live = await _read(api, one.path)
        if live is None or live.uid != one.meta.uid or live.set_id is None:
            return
        if await _patched(api, one.path, adoptions.let_go(live, manager, run=run), last=attempt == _TRIES - 1):
            return


async def _read(api: client.Client, path: str) -> adoptions.Live | None:
    body = await answers.optional(api.get_raw(path))
    return None if body is None else adoptions.read(body)


async def _patched(api: client.Client, path: str, body: bytes, *, last: bool) -> bool:
    """Patch; False when somebody changed the object meanwhile, and it must be looked at again."""
    try:
        await api.patch(path, body, manager=applysets.MANAGER)
    except answers.Failure as failure:
        await _again(failure, last=last)
        return False
    return True


async def _again(failure: answers.Failure, *, last: bool) -> None:
    if failure.kind != "conflict" or last:
        raise failure
    await asyncio.sleep(_POLL)
