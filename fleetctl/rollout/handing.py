"""Handing a bundle's set at one site over to kubectl, and adopting one from it.

What the parent and the set are is read first, and decided upon without a request; then two writings change the
parent, bound to what was read. Whoever is stopped between them repeats the command: each writing is idempotent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fleetctl.kube import answers, applysets, client, handovers
from fleetctl.model import codes, errors, objects, outcomes
from fleetctl.rollout import failing, pruning

__all__ = ["Direction", "Handing", "Seen", "adopt", "decide", "failed", "hand_over", "look"]

Direction = Literal["handover", "adopt"]


class Handing(msgspec.Struct, frozen=True):
    """Which set is meant, and who asks."""

    does: Direction
    project: str
    site: str
    bundle: str
    namespace: str
    identity: str | None = None
    """UID of kube-system as known from earlier visits."""

    @property
    def path(self) -> str:
        """Return where the parent stands."""
        return applysets.path(self.bundle, self.namespace)


class Seen(msgspec.Struct, frozen=True):
    """A set as it was found, or left; ``cause`` when the site did not answer as it should."""

    parent: applysets.Parent = applysets.ABSENT
    kinds: frozenset[str] = frozenset()
    """Kinds of the parent that the cluster still serves."""
    members: tuple[objects.ObjectId, ...] = ()
    outcome: outcomes.Outcome = outcomes.Outcome.UNCHANGED
    cause: outcomes.Cause | None = None

    @property
    def protected(self) -> list[objects.ObjectId]:
        """Return members that fleetctl never deletes, and kubectl does."""
        return [one for one in self.members if (one.group, one.kind) in applysets.PROTECTED]


async def look(api: client.Client, asked: Handing) -> Seen:
    """Read the parent and list its set; raises ``answers.Failure``, and ``failing.Stopped`` for another cluster."""
    there = await answers.optional(api.get(asked.path))
    if there is None:
        return Seen()
    await failing.identity(api, asked.identity)
    parent = applysets.read(there)
    namespaces = parent.namespaces | {asked.namespace}
    served = {name for name in parent.kinds if await api.resources.collections(name, namespaces)}
    where = applysets.Scope(frozenset(served), namespaces)
    members = await pruning.listed(api, where, applysets.set_id(asked.bundle, asked.namespace))
    return Seen(parent, where.kinds, tuple(sorted(one.id for one in members)))


def decide(asked: Handing, seen: Seen) -> None:
    """Raise ``Refused`` where the set is not one to hand over, or to adopt."""
    parent, secret = seen.parent, f"Secret {asked.namespace}/{asked.bundle}"
    if not parent.exists:
        hint = f"Bring it there: fleetctl rollout start {asked.bundle} --site {asked.site}"
        message = f"{asked.site} has no set of {asked.bundle}: there is no {secret}"
        raise errors.Refused(codes.Code.APPLYSET_MISSING, message, hint)
    elsewhere = codes.Code.APPLYSET_MANAGED_ELSEWHERE
    if not parent.ours and not handovers.by_kubectl(parent):
        message = f"{secret} at {asked.site} is managed by {parent.tooling or 'no tool that says so'}"
        raise errors.Refused(elsewhere, message, "Only a set of fleetctl's or kubectl's can change hands.")
    if parent.ours and (parent.project, parent.site) not in {("", ""), (asked.project, asked.site)}:
        message = f"{secret} at {asked.site} belongs to site {parent.site} of project {parent.project}"
        raise errors.Refused(elsewhere, message, "Hand it over to kubectl in that project, then adopt it in this one.")
    if asked.does == "handover":
        _decide_to_give(asked, parent)


def _decide_to_give(asked: Handing, parent: applysets.Parent) -> None:
    if parent.ours and parent.applying is not None:
        message = f"a change of {asked.bundle} at {asked.site} is half done, by {parent.applying.run or 'some run'}"
        hint = f"Bring it to its end first: fleetctl rollout start {asked.bundle} --site {asked.site}"
        raise errors.Refused(codes.Code.APPLYSET_HALF_DONE, message, hint)
    others = sorted(parent.namespaces - {asked.namespace})
    if others:
        message = f"{asked.bundle} has objects outside of namespace {asked.namespace}: {', '.join(others)}"
        hint = "kubectl keeps a set whose parent is a Secret in one namespace: split the bundle first."
        raise errors.Refused(codes.Code.APPLYSET_TOO_WIDE, message, hint)


async def hand_over(api: client.Client, asked: Handing, seen: Seen) -> Seen:
    """Make kubectl the set's manager; raises ``answers.Failure``."""
    bundle, namespace, parent = asked.bundle, asked.namespace, seen.parent
    body = handovers.given(bundle, namespace, parent, seen.kinds)
    now = await _write(api, asked, body, parent, manager=handovers.KUBECTL_MANAGER, force=True)
    body = handovers.kept(bundle, namespace, now)
    return _after(seen, await _write(api, asked, body, now, manager=applysets.MANAGER))


async def adopt(api: client.Client, asked: Handing, seen: Seen) -> Seen:
    """Make fleetctl the set's manager, that has never seen what is in it; raises ``answers.Failure``."""
    bundle, namespace, now = asked.bundle, asked.namespace, seen.parent
    if not now.ours:  # or only the second writing is left to do, if that
        body = handovers.taken(bundle, namespace, now, asked.project, asked.site)
        now = await _write(api, asked, body, now, manager=applysets.MANAGER, force=True)
    body = handovers.let_go(bundle, namespace, now)
    return _after(seen, await _write(api, asked, body, now, manager=handovers.KUBECTL_MANAGER))


async def _write(
    api: client.Client, asked: Handing, body: bytes, parent: applysets.Parent, *, manager: str, force: bool = False
) -> applysets.Parent:
    """Apply a part of the parent, and return the parent as it is then."""
    answer = await api.apply(asked.path, body, manager=manager, force=force)
    if isinstance(answer, answers.Conflict):
        raise answers.Failure("conflict", "FieldConflict", answer.words())
    if answer.meta.resourceVersion == parent.resource_version:
        return parent
    return applysets.read(answers.Partial("v1", "Secret", answer.meta))


def _after(seen: Seen, now: applysets.Parent) -> Seen:
    same = now.resource_version == seen.parent.resource_version
    outcome = outcomes.Outcome.UNCHANGED if same else outcomes.Outcome.CHANGED
    return msgspec.structs.replace(seen, parent=now, outcome=outcome)


def failed(seen: Seen, failure: answers.Failure) -> Seen:
    """Return the set of a site that did not answer, or said no."""
    return msgspec.structs.replace(seen, outcome=failing.outcome_of(failure), cause=failure.cause("the parent"))
