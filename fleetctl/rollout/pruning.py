"""What is in a set and should not be: listed by label, deleted in reverse order, within a limit."""

from __future__ import annotations

import msgspec

from fleetctl.kube import answers, applysets, client
from fleetctl.model import outcomes, plans
from fleetctl.rollout import applying, orders

__all__ = ["Pruned", "listed", "members", "prune", "scope"]

_TRIES = 5


class Pruned(msgspec.Struct, frozen=True):
    """What was left standing and why, in words; ``cause`` when the set could not be made right."""

    notes: tuple[str, ...] = ()
    cause: outcomes.Cause | None = None


def scope(order: orders.Order, parent: applysets.Parent, known: orders.Known) -> applysets.Scope:
    """Return where objects of the set may stand: what the parent says, and where it may have forgotten, the journal."""
    found = applysets.Scope(parent.kinds, parent.namespaces | {order.namespace})
    if parent.exists and parent.applying is None:
        return found
    for digest in (order.installed, parent.previous):
        release = known(digest) if digest else None
        if release is not None:
            found |= applying.scope(release, order.namespace)
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
            metas = await answers.optional(api.list_metadata(collection.path, label_selector=label))
            found += [
                applysets.Member(
                    collection.id_of(one.metadata),
                    one.metadata,
                    collection.resource.path(one.metadata.namespace, one.metadata.name),
                    collection.resource.api_version,
                )
                for one in metas or ()  # None when the kind is no longer served
            ]
    return found


async def prune(
    api: client.Client, bundle: str, found: list[applysets.Member], applied: frozenset[str], limit: plans.Prune | None
) -> Pruned:
    """Delete what this visit did not apply; a set that would lose more than a limit is left as it is."""
    doomed, kept = applysets.prunable(found, applied)
    if limit is not None and len(doomed) > limit.of(len(found)):
        message = f"{len(doomed):,} of {len(found):,} objects would go, more than {limit}; none was deleted"
        return Pruned(tuple(kept), outcomes.Cause("PruneLimit", "the set", message))
    about = ""
    try:
        for one in applysets.protected(found, applied):
            about = f"labelling {one.id}"
            body = applysets.retained(one, one.api_version, bundle)
            await api.apply(one.path, body, manager=applysets.MANAGER, force=True)
        for one in doomed:
            about = f"deleting {one.id}"
            await _delete(api, one)
    except answers.Failure as failure:
        if failure.kind in {"unreachable", "tls"}:
            raise
        return Pruned(tuple(kept), failure.cause(about))
    return Pruned(tuple(kept))


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
