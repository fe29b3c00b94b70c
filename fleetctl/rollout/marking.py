"""A set's parent in the course of a visit: read first, marked before anything changes, written last."""

from __future__ import annotations

from typing import NoReturn

from fleetctl.kube import answers, applysets, client
from fleetctl.model import outcomes, plans
from fleetctl.rollout import failing, orders, pruning

__all__ = ["Parent"]


class Parent:
    """The parent as it is now, and what it said when the visit began."""

    def __init__(self, order: orders.Order, api: client.Client, known: orders.Known) -> None:
        self.now = applysets.ABSENT
        self.before: str | None = None
        self.after: str | None = None
        self.previous: str | None = None
        """The last whole release before this visit: where an undo of it goes."""
        self._order = order
        self._api = api
        self._known = known
        self._path = applysets.path(order.bundle, order.namespace)
        self._found = applysets.ABSENT

    async def read(self) -> None:
        """Read it; one that is not ours, or another project's, ends the visit."""
        there = await answers.optional(self._api.get(self._path))
        self.now = applysets.ABSENT if there is None else applysets.read(there)
        parent, order = self.now, self._order
        self._found = parent
        self.before = self.after = parent.release
        self.previous = parent.release or parent.previous
        if parent.exists and not parent.ours:
            self._foreign(f"it is managed by {parent.tooling or 'somebody else'}")
        if parent.exists and (parent.project, parent.site) not in {("", ""), (order.project, order.site)}:
            self._foreign(f"it belongs to site {parent.site} of project {parent.project}")

    async def mark(self, goal: applysets.Scope) -> None:
        """Write it as the union of what was and will be, before anything else changes."""
        await self.write(goal | pruning.scope(self._order, self.now, self._known), None)

    async def still_ours(self) -> None:
        """Read it again after a while in which nobody was kept away: another visit's mark ends this one."""
        order = self._order
        there = await answers.optional(self._api.get(self._path))
        self.now = applysets.ABSENT if there is None else applysets.read(there)
        applying = self.now.applying
        if applying is None or (applying.run, applying.attempt) != (order.run, order.attempt):
            self.moved()

    async def write(self, scope: applysets.Scope, release: str | None) -> None:
        """Write it: with a release when all is done, as half done with None."""
        order = self._order
        under_way = None
        if release is None:
            under_way = applysets.Applying(order.wanted or "", order.run, order.attempt)
        previous = self.previous
        if release is not None and previous == release:
            previous = self._found.previous if self._found.release == release else None
        written = applysets.Written(
            scope=scope,
            release=release,
            previous=previous,
            applying=under_way,
            run=order.run,
            commit=order.commit,
            project=order.project,
            site=order.site,
        )
        body = applysets.body(order.bundle, order.namespace, self.now, written)
        try:
            answer = await self._api.apply(self._path, body, manager=applysets.MANAGER)
        except answers.Failure as failure:
            if failure.kind != "conflict":
                raise
            answer = await self._our_own(written)
        if isinstance(answer, answers.Conflict):
            self._foreign(answer.words())
        self.now = applysets.after(self.now, written, answer.meta)
        self.after = release

    async def delete(self) -> None:
        """Take it away, last of all."""
        await self._api.delete(self._path, uid=self.now.uid)
        self.after = None

    def moved(self) -> NoReturn:
        """End the visit because somebody else changed the cluster."""
        now = plans.short(self.now.release) if self.now.release else "no whole release"
        words = f"changed by another run since it was read; it names {now} now"
        raise failing.Stopped(outcomes.Outcome.SKIPPED, self._cause("Moved", words), outcomes.Reason.MOVED)

    async def _our_own(self, written: applysets.Written) -> answers.Applied:
        """Find out whether a lost first try of ours changed it; anybody else's change ends the visit."""
        found = await self._api.get(self._path)
        now = applysets.read(found)
        if (now.run, now.release, now.applying) != (written.run, written.release, written.applying):
            self.now = now
            self.moved()
        return answers.Applied(found.metadata, created=False)

    def _foreign(self, why: str) -> NoReturn:
        raise failing.Stopped(outcomes.Outcome.FAILED, self._cause("ForeignParent", why), outcomes.Reason.FOREIGN)

    def _cause(self, reason: str, words: str) -> outcomes.Cause:
        return outcomes.Cause(reason, f"Secret {self._order.namespace}/{self._order.bundle}", words)
