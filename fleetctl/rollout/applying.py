"""Sending a release's objects, in order; one bad object holds back only what depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from fleetctl.kube import adoptions, answers, applysets, client, conditions, kinds
from fleetctl.model import objects, outcomes, plans, releases
from fleetctl.rollout import adopting, orders

__all__ = ["Applied", "apply", "apply_namespace", "check_foreign", "manager", "path_of", "resource_of", "scope"]

_WORKLOADS: Final = frozenset(
    {("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("batch", "Job")}
)
_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_POLL: Final = 0.5
_TRIES: Final = 5


class Applied:
    """What has been sent of a release, and what the cluster said to it."""

    def __init__(self, release: releases.Release, set_id: str, shelf: adopting.Shelf | None = None) -> None:
        self.release = release
        self.set_id = set_id
        self.shelf = shelf
        self.foreign: set[objects.ObjectId] = set()
        """What belongs to somebody else and may be taken over."""
        self.metas: dict[objects.ObjectId, answers.Meta] = {}
        """As the applies were answered: generation and UID of this run."""
        self.troubles: list[outcomes.Cause] = []
        self.reason = outcomes.Reason.NONE

    @property
    def uids(self) -> frozenset[str]:
        """Return the UIDs of the objects that this visit applied."""
        return frozenset(meta.uid for meta in self.metas.values())

    @property
    def has_pods(self) -> bool:
        """Tell whether anything in the release makes pods."""
        return any((one.id.group, one.id.kind) in _WORKLOADS for one in self.release.objects)

    def found(self, members: Iterable[applysets.Member]) -> None:
        """Take objects that are there already for applied."""
        wanted = {one.id for one in self.release.objects}
        self.metas |= {one.id: one.meta for one in members if one.id in wanted}

    def trouble(self, cause: outcomes.Cause, reason: outcomes.Reason = outcomes.Reason.NONE) -> None:
        """Note why an object could not be sent; the first one decides the kind of failure."""
        if not self.troubles:
            self.reason = reason
        self.troubles.append(cause)


def manager(bundle: str) -> str:
    """Return the field manager of a bundle; it never changes, or its fields would be orphaned."""
    return f"fleetctl:{bundle}"


def scope(release: releases.Release, home: str) -> applysets.Scope:
    """Return the kinds and namespaces in which a release has objects."""
    return applysets.Scope.of((one.id for one in release.objects), home)


async def check_foreign(
    api: client.Client, order: orders.Order, applied: Applied, old: frozenset[objects.ObjectId] | None
) -> None:
    """Look at every object that is new in this release: one that exists and is not of our set is not ours to change.

    Unless the run may adopt it, or takes back the run that let it go; what belongs to another set is never taken.
    Source: cluster-contract, "Adoption is explicit". Objects in a namespace that does not exist cannot exist either.
    """
    empty: set[str] = set()
    for one in applied.release.objects:
        if (old is not None and one.id in old) or one.id.namespace in empty:
            continue
        found = await answers.optional(_meta(api, one))
        if found is None:
            if (one.id.group, one.id.kind) == ("", "Namespace"):
                empty.add(one.id.name)
        elif applysets.PART_OF not in found.labels and _adoptable(order, found):
            applied.foreign.add(one.id)
        elif found.labels.get(applysets.PART_OF) != applied.set_id:
            owner = "another set" if applysets.PART_OF in found.labels else "somebody else"
            message = f"exists already and belongs to {owner}; it was neither adopted nor changed"
            applied.trouble(outcomes.Cause("ForeignObject", str(one.id), message), outcomes.Reason.FOREIGN)


def _adoptable(order: orders.Order, found: answers.Meta) -> bool:
    return order.options.adopt or (
        order.undoes is not None and found.annotations.get(adoptions.RELEASED) == order.undoes
    )


async def apply_namespace(api: client.Client, order: orders.Order, applied: Applied) -> None:
    """Make the home namespace, where the parent will stand: as the release has it, or bare where it has none."""
    for one in applied.release.objects:
        if (one.id.group, one.id.kind, one.id.name) == ("", "Namespace", order.namespace):
            await _apply_one(api, order, applied, one)
            return
    path = f"/api/v1/namespaces/{order.namespace}"
    if await answers.optional(api.get(path)) is None:
        bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": order.namespace}}
        await api.apply(path, msgspec.json.encode(bare), manager=applysets.MANAGER)


async def apply(api: client.Client, order: orders.Order, applied: Applied) -> None:
    """Send every object that is not there yet; what failed is in ``applied.troubles``."""
    lost: set[str] = set()
    for one in applied.release.objects:
        if one.id in applied.metas or one.id.namespace in lost:
            continue
        before = len(applied.troubles)
        await _apply_one(api, order, applied, one)
        key = (one.id.group, one.id.kind)
        if len(applied.troubles) > before:
            if key == ("", "Namespace"):
                lost.add(one.id.name)  # nothing in it can be made
        elif key == _DEFINITION:
            await _established(api, one)


async def _apply_one(api: client.Client, order: orders.Order, applied: Applied, one: releases.RenderedObject) -> None:
    subject = str(one.id)
    try:
        path = await path_of(api, one)
        if one.id in applied.foreign and applied.shelf is not None:
            refused = await adopting.take(api, applied.shelf, one.id, path, one.body)
            if refused is not None:
                applied.trouble(refused, outcomes.Reason.FOREIGN)
                return
        answer = await _forced(api, order, path, applysets.member(one.body, applied.set_id))
        while not isinstance(answer, answers.Conflict) and answer.meta.deletionTimestamp is not None:
            await _gone(api, path, answer.meta.uid)
            answer = await _forced(api, order, path, applysets.member(one.body, applied.set_id))
    except answers.Failure as failure:
        if failure.kind in {"unreachable", "tls"}:
            raise
        applied.trouble(failure.cause(subject))
        return
    if isinstance(answer, answers.Conflict):
        applied.trouble(outcomes.Cause("FieldConflict", subject, answer.words()), outcomes.Reason.FOREIGN)
        return
    applied.metas[one.id] = answer.meta


async def _forced(
    api: client.Client, order: orders.Order, path: str, body: bytes
) -> answers.Applied | answers.Conflict:
    """Apply; take fields over only from the managers that the run may force, and never the set's label."""
    name = manager(order.bundle)
    answer = await _persistently(api, path, body, name)
    if not isinstance(answer, answers.Conflict):
        return answer
    if not _may_force(answer, order.options.force):
        return answer
    return await api.apply(path, body, manager=name, force=True)


async def _persistently(api: client.Client, path: str, body: bytes, name: str) -> answers.Applied | answers.Conflict:
    """Apply; where others change the object at the same moment, five times at most."""
    for _ in range(_TRIES - 1):
        try:
            return await api.apply(path, body, manager=name)
        except answers.Failure as failure:
            if failure.kind != "conflict":
                raise
        await asyncio.sleep(_POLL)
    return await api.apply(path, body, manager=name)


def _may_force(conflict: answers.Conflict, force: plans.Force) -> bool:
    if not force.everybody and not force.managers:
        return False
    if any(applysets.PART_OF in cause.field for cause in conflict.causes):
        return False
    return force.everybody or conflict.managers <= set(force.managers)


async def resource_of(api: client.Client, one: releases.RenderedObject) -> kinds.Resource | None:
    """Return how the kind of an object of a release is served; None when it is not."""
    return await api.resources.of(one.id.group, one.id.kind, _version_of(one.body))


async def path_of(api: client.Client, one: releases.RenderedObject) -> str:
    """Return where an object of a release stands; raises ``Failure`` when the cluster does not serve its kind."""
    return await api.resources.path(one.id, _version_of(one.body))


def _version_of(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Head).apiVersion


class _Head(msgspec.Struct):
    apiVersion: str  # noqa: N815  # as Kubernetes spells it


async def _meta(api: client.Client, one: releases.RenderedObject) -> answers.Meta:
    return (await api.get(await path_of(api, one), metadata_only=True)).metadata


async def _gone(api: client.Client, path: str, uid: str) -> None:
    """Wait until an object that is being deleted is gone; the visit's deadline bounds it."""

    async def gone() -> bool:
        found = await answers.optional(api.get(path, metadata_only=True))
        return found is None or found.metadata.uid != uid

    await _until(gone)


async def _established(api: client.Client, one: releases.RenderedObject) -> None:
    """Wait until objects of a new kind can be made."""
    path = await path_of(api, one)

    async def established() -> bool:
        return conditions.verdict(one.id, await api.get_raw(path)).state is outcomes.State.CURRENT

    await _until(established)


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; the visit's deadline bounds it."""
    while not await true():  # noqa: ASYNC110  # the other end is a cluster
        await asyncio.sleep(_POLL)
