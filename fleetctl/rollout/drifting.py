"""What live clusters have otherwise than a release: each site is asked, nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from fleetctl.kube import adoptions, answers, applysets, client, drift, managers, masking
from fleetctl.model import objects, outcomes, releases
from fleetctl.rollout import applying, comparing, engine, failing, folding, orders, planning, pruning
from fleetctl.runs import loops
from fleetctl.state import installed

__all__ = ["LIMIT", "Answers", "Question", "ask"]

LIMIT: Final = 120.0
"""Seconds for one site, all in all: two requests for each object that is looked at."""
_PACE: Final = client.Pace(unreachable=2.0)
_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_FOREIGN: Final = "exists and is not of this set: a rollout refuses it"
_MOST_FIELDS: Final = 3


class Question(msgspec.Struct, frozen=True):
    """What is asked of every site."""

    bundle: str
    namespace: str
    concurrency: int
    pace: client.Pace = _PACE
    adopt: bool = False
    """Whether objects of somebody else would be taken over."""


class Answers(msgspec.Struct, frozen=True):
    """What differs at the sites that answered, and why the others did not."""

    found: Mapping[str, tuple[comparing.Difference, ...]]
    silent: tuple[comparing.Silence, ...]


async def ask(ready: engine.Engine, wanted: Sequence[planning.Wanted], question: Question) -> Answers:
    """Ask every site what a rollout would change there; one that does not answer costs its own time only."""
    found: dict[str, tuple[comparing.Difference, ...]] = {}
    silent: dict[tuple[str, bool], list[tuple[str, outcomes.Cause]]] = defaultdict(list)
    asked = [(one.site.name, one.release) for one in wanted if one.release is not None]

    async def look_at(one: tuple[str, releases.Release]) -> None:
        site, release = one
        there = ready.store.read(lambda conn: installed.get(conn, site, question.bundle))
        with ready.connect(site, limit=LIMIT, pace=question.pace) as api:
            look = _Look(api, question, ready.known, there.release if there else None, secrets=ready.secrets)
            try:
                found[site] = await look.at(release)
            except answers.Failure as failure:
                unreachable = failing.outcome_of(failure) is outcomes.Outcome.UNREACHABLE
                cause = failure.cause(look.doing)
            except TimeoutError:
                unreachable = False
                cause = outcomes.Cause("SiteTimeout", look.doing, f"not done after {LIMIT:g}s")
            else:
                return
            silent[cause.fingerprint, unreachable].append((site, cause))

    await loops.each(asked, look_at, at_once=question.concurrency)
    dark = [
        comparing.Silence(min(told)[1], tuple(sorted(site for site, _ in told)), unreachable)
        for (_, unreachable), told in silent.items()
    ]
    return Answers(found, tuple(sorted(dark, key=lambda one: (-len(one.sites), one.sites))))


class _Look:
    """One site: its parent, the set as it is listed, and each object that may be otherwise."""

    def __init__(
        self,
        api: client.Client,
        question: Question,
        known: orders.Known,
        had: str | None,
        *,
        secrets: orders.Secrets,
    ) -> None:
        self.doing = "reading the parent"
        self._api = api
        self._question = question
        self._known = known
        self._had = had
        self._secrets = secrets
        self._manager = applying.manager(question.bundle)

    async def at(self, release: releases.Release) -> tuple[comparing.Difference, ...]:
        """Return what a rollout of the release would change."""
        asked = self._question
        there = await answers.optional(self._api.get_raw(applysets.path(asked.bundle, asked.namespace)))
        parent = applysets.ABSENT if there is None else applysets.read(answers.decode(there, answers.Partial))
        if parent.exists and not parent.ours:
            about, who = f"Secret {asked.namespace}/{asked.bundle}", parent.tooling or "somebody else"
            raise answers.Failure("rejected", "ForeignParent", f"{about} is managed by {who}")
        self.doing = "listing the set"
        set_id = applysets.set_id(asked.bundle, asked.namespace)
        scope = pruning.scope_of(asked.namespace, self._had, parent, self._known)
        listed = await pruning.listed(self._api, scope | applying.scope(release, asked.namespace), set_id)
        filled = self._secrets.filled(release).release
        bodies = {one.id: applysets.member(one.body, set_id) for one in filled.objects}
        glance = drift.glance(bodies, listed, self._manager, _written(there))
        settled = parent.applying is None and parent.release == release.digest
        doubtful = {*glance.missing, *glance.suspect} if settled else set(bodies)
        self.doing = "looking at objects"
        found = [await self._object(one, bodies[one.id], release) for one in release.objects if one.id in doubtful]
        return (*(one for one in found if one is not None), *_pruned(glance.extra))

    async def _object(
        self, one: releases.RenderedObject, body: bytes, release: releases.Release
    ) -> comparing.Difference | None:
        try:
            seen = await drift.look(self._api, await applying.path_of(self._api, one), body, self._manager)
        except answers.Failure as failure:
            if failure.reason != "KindNotServed":
                raise
            comes = any(_defines(other.id, one.id.group) for other in release.objects)
            seen = drift.Seen("missing", judged=False) if comes else drift.Seen("refused", cause=failure.cause())
        else:
            if not seen.judged and one.id.namespace and not self._comes(one.id.namespace, release):
                cause = outcomes.Cause("NotFound", "", f"there is no namespace {one.id.namespace}, and none comes")
                seen = drift.Seen("refused", cause=cause)
        return _told(one, seen, adopt=self._question.adopt)

    def _comes(self, namespace: str, release: releases.Release) -> bool:
        """Tell whether a visit makes a namespace: the home of the set, or one that the release holds."""
        held = any(
            (other.id.group, other.id.kind, other.id.name) == ("", "Namespace", namespace) for other in release.objects
        )
        return held or namespace == self._question.namespace


def _written(parent: bytes | None) -> str:
    """Return when the parent was written last, by the server's own time."""
    entry = managers.applied(managers.entries(parent), applysets.MANAGER) if parent is not None else None
    return entry.time if entry is not None else ""


def _defines(identity: objects.ObjectId, group: str) -> bool:
    return (identity.group, identity.kind) == _DEFINITION and identity.name.endswith(f".{group}")


def _told(one: releases.RenderedObject, seen: drift.Seen, *, adopt: bool = False) -> comparing.Difference | None:
    if seen.found == "same":
        return None
    if seen.found == "missing":
        _, new = masking.masked(None, msgspec.json.decode(one.body))
        change = folding.Change(folding.CREATED, one.id)
        return comparing.Difference(change, None, new, one.template, judged=seen.judged)
    if seen.found == "refused":
        change = folding.Change(folding.REFUSED, one.id, str(seen.cause))
        return comparing.Difference(change, None, None, one.template)
    refused, fields = seen.foreign and not (adopt and not seen.elsewhere), seen.fields
    if seen.foreign and not refused:
        fields = tuple(msgspec.structs.replace(field, managers=_left(field.managers)) for field in fields)
    verb, details = (folding.REFUSED, _FOREIGN) if refused else (folding.CONFIGURED, _taken(fields))
    return comparing.Difference(folding.Change(verb, one.id, details), seen.live, seen.wanted, one.template, fields)


def _left(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the managers whose fields an adoption does not take over."""
    return tuple(name for name in names if name != adoptions.CLIENT)


def _taken(fields: tuple[drift.Field, ...]) -> str:
    """Say which fields others have: a rollout meets a conflict with each of them."""
    by_manager: dict[str, list[str]] = defaultdict(list)
    for field in fields:
        for name in field.managers:
            by_manager[name].append(field.path)
    parts = []
    for name, paths in sorted(by_manager.items()):
        more = f" and {len(paths) - _MOST_FIELDS} more" if len(paths) > _MOST_FIELDS else ""
        parts.append(f"{name} has {', '.join(paths[:_MOST_FIELDS])}{more}")
    return "; ".join(parts)


def _pruned(extra: Sequence[applysets.Member]) -> Iterator[comparing.Difference]:
    """Tell what of the set a rollout would delete, or leave where its kind is never deleted."""
    doomed, _ = applysets.prunable(extra, ())
    for one in doomed:
        yield comparing.Difference(folding.Change(folding.PRUNED, one.id), None, None, "")
    for one in applysets.protected(extra, ()):
        yield comparing.Difference(folding.Change(folding.PRUNED, one.id, comparing.STAYS), None, None, "")
