"""What is in a set and should not be: listed by label, deleted in reverse order, within a limit."""

from __future__ import annotations

import msgspec

from fleetctl.kube import adoptions, answers, applysets, client, kinds
from fleetctl.model import outcomes, plans
from fleetctl.rollout import adopting, applying, orders

__all__ = ["Pruned", "listed", "members", "prune", "scope", "scope_of"]

_TRIES = 5


class Pruned(msgspec.Struct, frozen=True):
    """What was left standing and why, in words; ``cause`` when the set could not be made right."""

    notes: tuple[str, ...] = ()
    cause: outcomes.Cause | None = None


def scope(order: orders.Order, parent: applysets.Parent, known: orders.Known) -> applysets.Scope:
    """Return where objects of the set may stand: what the parent says, and where it may have forgotten, the journal."""
    return scope_of(order.namespace, order.installed, parent, known)


def scope_of(home: str, installed: str | None, parent: applysets.Parent, known: orders.Known) -> applysets.Scope:
    """Return the same outside of a visit; ``installed`` is the release that the journal has of the site."""
    found = applysets.Scope(parent.kinds, parent.namespaces | {home})
    if parent.exists and parent.applying is None:
        return found
    for digest in (installed, parent.previous):
        release = known(digest) if digest else None
        if release is not None:
            found |= applying.scope(release, home)
    return found


async def members(
    api: client.Client, order: orders.Order, parent: applysets.Parent, known: orders.Known
) -> list[applysets.Member]:
    """List the set's objects, wherever they may stand."""
    return await listed(api, scope(order, parent, known), applysets.set_id(order.bundle, order.namespace))


async def listed(api: client.Client, where: applysets.Scope, set_id: str) -> list[applysets.Member]:
    """List a set's objects, metadata only: one request for each kind and namespace."""
    label = f"{applysets.PART_OF}={set_id}"
    found: list[applysets.Member] = []
    for name in sorted(where.kinds):
        for collection in await api.resources.collections(name, where.namespaces):
            items = await answers.optional(api.items(collection.path, label_selector=label, metadata_only=True))
            found += [_member(collection, item) for item in items or ()]  # None when the kind is no longer served
    return found


def _member(collection: kinds.Collection, item: bytes) -> applysets.Member:
    meta = answers.decode(item, answers.Partial).metadata
    resource = collection.resource
    path = resource.path(meta.namespace, meta.name)
    return applysets.Member(collection.id_of(meta), meta, path, resource.api_version, item)


async def prune(
    api: client.Client, order: orders.Order, found: list[applysets.Member], applied: frozenset[str]
) -> Pruned:
    """Delete what this visit did not apply; a set that would lose more than a limit is left as it is.

    What was somebody else's once is let go instead, unless the run deletes such objects, too.
    """
    # An undo takes away what its run added, however much; so does a removal, which takes everything.
    rollout = order.kind is plans.Kind.ROLLOUT and order.wanted is not None
    limit = order.options.prune if rollout else None
    released = [] if order.options.prune_adopted else [one for one in found if _lets_go(one, applied)]
    rest = [one for one in found if one not in released]
    doomed, kept = applysets.prunable(rest, applied)
    kept += [f"{one.id} was let go, not deleted: {_origin(order, one)}" for one in released]
    if limit is not None and len(doomed) > limit.of(len(found)):
        message = f"{len(doomed):,} of {len(found):,} objects would go, more than {limit}; none was deleted"
        return Pruned(tuple(kept), outcomes.Cause("PruneLimit", "the set", message))
    about = ""
    try:
        for one in released:
            about = f"releasing {one.id}"
            await adopting.release(api, one, applying.manager(order.bundle), order.run)
        for one in applysets.protected(rest, applied):
            about = f"labelling {one.id}"
            body = applysets.retained(one, one.api_version, order.bundle)
            await api.apply(one.path, body, manager=applysets.MANAGER, force=True)
        for one in doomed:
            about = f"deleting {one.id}"
            await _delete(api, one)
    except answers.Failure as failure:
        if failure.kind in {"unreachable", "tls"}:
            raise
        return Pruned(tuple(kept), failure.cause(about))
    return Pruned(tuple(kept))


def _lets_go(one: applysets.Member, applied: frozenset[str]) -> bool:
    meta = one.meta
    return adoptions.ADOPTED in meta.annotations and meta.uid not in applied and meta.deletionTimestamp is None


def _origin(order: orders.Order, one: applysets.Member) -> str:
    run = one.meta.annotations[adoptions.ADOPTED]
    if run == order.undoes:
        return f"{run} adopted it, and this store does not hold what it was"
    return f"{run} adopted it (--prune-adopted deletes such objects)"


async def _delete(api: client.Client, one: applysets.Member) -> None:
    """Delete exactly the object that was listed; one that changed is looked at again, five times at most."""
    meta: answers.Meta | None = one.meta
    for attempt in range(_TRIES):
        if meta is None or meta.uid != one.meta.uid or applysets.PART_OF not in meta.labels:
            return  # gone, another object by now, or no longer of the set
        try:
            await api.delete(one.path, uid=meta.uid, resource_version=meta.resourceVersion)
        except answers.Failure as failure:
            if failure.kind != "conflict" or attempt == _TRIES - 1:
                raise
            now = await answers.optional(api.get(one.path, metadata_only=True))
            meta = now.metadata if now else None
        else:
            return
