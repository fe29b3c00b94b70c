"""One visit's conversation with one cluster: verbs with deadlines, repetition, and a fence before every change.

Whatever may be repeated is repeated with growing pauses until the visit's own deadline; what is final is raised at once
as ``answers.Failure``. Every mutating request asks the fence first, and the effect of one that got no answer is unknown
until an answer to its repetition tells.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol, Self

import msgspec

from fleetctl.kube import answers, discovery, kinds, lists, managers, refusals, transport, writes

__all__ = ["Client", "Fenced", "Guard", "Pace", "Writing"]

_JSON: Final = "application/json"
_ONE: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_MANY: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_LEAST: Final = 0.001
_UNTOLD: Final = frozenset({"credentials", "forbidden", "terminating"})
"""Refusals that say nothing about what an earlier try of the same request has done; nor does 429."""
_JITTER: Final = random.Random()  # noqa: S311  # no secret; one for all, as seeding one costs what decoding an answer does


Writing = Literal["POST", "PUT"]
"""How an object is written that is not applied."""


class Fenced(Exception):
    """The lease ends too soon for another change: nothing was sent, and nothing more may be."""


class Guard(Protocol):
    """Something that a visit must hold while it changes anything, beside the lease that its fence is asked about."""

    async def keep(self) -> float:
        """See to it that it is still held, and return for how many seconds; raises ``Fenced`` when it is lost."""
        ...


class Pace(msgspec.Struct, frozen=True):
    """How long to wait; seconds."""

    request: float = 30.0
    """For one request, all in all."""
    first_pause: float = 0.5
    longest_pause: float = 15.0
    unreachable: float = 5.0
    """How long silence is met with another try."""
    undated: float = 60.0
    """How long anything is, where the visit has no deadline."""


def _always(_: float) -> bool:
    return True


class Client:
    """Speaks to one cluster for one visit; ``with`` closes its connection."""

    def __init__(
        self,
        session: transport.Session,
        *,
        fence: Callable[[float], bool] = _always,
        deadline: float | None = None,
        pace: Pace = Pace(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        source: random.Random | None = None,
        known: discovery.Known | None = None,
    ) -> None:
        """Take a session; ``deadline`` is on ``clock``, and ``fence`` tells whether so many seconds are left to us."""
        self.requests = 0
        """Sent so far, repetitions included."""
        self.mutated = 0
        """Mutating requests that the server took, or may have taken."""
        self.resources = kinds.Resources(self, known)
        """How this cluster serves kinds."""
        self.guard: Guard | None = None
        """Asked before every request but those that are ``aside``."""
        self._heard: tuple[bytes, float, float] = (b"", 0.0, 0.0)
        self._open: set[str] = set()  # paths of changes whose effect nobody told
        self._session = session
        self._fence = fence
        self._deadline = deadline
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._random = source or _JITTER

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._session.close()

    def rest(self) -> None:
        """Give the connection up until something is asked again."""
        self._session.close()

    @property
    def unknown(self) -> bool:
        """Whether some mutating request was never answered, nor its repetition."""
        return bool(self._open)

    @property
    def server_time(self) -> tuple[float, float] | None:
        """Return between which times the server's own clock is now, from its last answer; None where it did not say."""
        date, sent, received = self._heard
        told = answers.date(date)
        if told is None:
            return None
        now = self._clock()
        return told + now - received, told + 1 + now - sent  # a header has whole seconds

    async def get(self, path: str, *, metadata_only: bool = False) -> answers.Partial:
        """Return an object's metadata; ``metadata_only`` lets the server send no more than that."""
        answer = await self._send("GET", path, accept=_ONE if metadata_only else _JSON)
        return answers.decode(answer.body, answers.Partial)

    async def get_raw(self, path: str, *, aside: bool = False) -> bytes:
        """Return an object, or whatever stands at a path, as it was sent."""
        return (await self._send("GET", path, accept="*/*" if "/log?" in path else _JSON, aside=aside)).body

    async def conditional(self, path: str, accept: str, etag: str = "") -> transport.Answer:
        """Return what stands at a path in the form asked for; a 304 without it where it still bears the mark given."""
        return await self._send("GET", path, accept=accept, if_none_match=etag)

    async def page(self, path: str, *, metadata_only: bool = False) -> bytes:
        """Return one page of a collection, or all of it, as it was sent."""
        return (await self._send("GET", path, accept=_MANY if metadata_only else _JSON)).body

    async def items(
        self, path: str, *, label_selector: str = "", field_selector: str = "", metadata_only: bool = False
    ) -> list[bytes]:
        """Return the items of a collection, each as it was sent, over as many pages as there are."""
        query = lists.selection(label_selector, field_selector)
        return (await lists.whole(self, path, query, metadata_only=metadata_only)).items

    async def stream(self, path: str, take: Callable[[bytes], bool], seconds: float, *, metadata_only: bool) -> None:
        """Have what comes given to ``take`` for so long, once: who watches goes on where it ended by itself."""
        if self.guard is not None:
            await self.guard.keep()
        if self._deadline is not None:
            seconds = min(seconds, self._deadline - self._clock())
        if seconds <= _LEAST:
            raise TimeoutError
        self.requests += 1
        accept = _ONE if metadata_only else _JSON
        request = transport.Request("GET", path, seconds, accept=accept, take=take)
        try:
            answer = await self._session.send(request)
        except transport.Broken as broken:
            raise refusals.silent(broken) from None
        if answer.status != 200:
            raise refusals.refused(answer)

    async def apply(
        self, path: str, body: bytes, *, manager: str, force: bool = False
    ) -> answers.Applied | answers.Conflict:
        """Apply an object, strictly; fields of other managers are a value, not an error."""
        query = writes.applying(manager, force=force)
        try:
            answer = await self._send("PATCH", path, body=body, content_type=writes.APPLY, query=query)
        except answers.Failure as failure:
            causes = tuple(cause for cause in failure.causes if cause.reason == "FieldManagerConflict")
            if failure.kind != "conflict" or not causes:
                raise
            return await self._conflict(path, causes, manager)
        return answers.Applied(answers.decode(answer.body, answers.Partial).metadata, created=answer.status == 201)

    async def rehearse(self, path: str, body: bytes, *, manager: str) -> bytes:
        """Return what an object would be after an apply that takes its fields from everybody; nothing is changed."""
        query = f"{writes.applying(manager, force=True)}dryRun=All&"
        return (await self._send("PATCH", path, body=body, content_type=writes.APPLY, query=query, aside=True)).body

    async def patch(self, path: str, body: bytes, *, manager: str) -> None:
        """Change an object by a JSON patch, which names the version it is made for: a second try cannot do it twice."""
        await self._send("PATCH", path, body=body, content_type=writes.PATCH, query=writes.patching(manager))

    async def write_aside(self, method: Writing, path: str, body: bytes) -> bytes:
        """Send an object that is of no set: it counts as no change, and its effect is never in doubt."""
        return (await self._send(method, path, body=body, content_type=_JSON, aside=True)).body

    async def delete(self, path: str, *, uid: str, resource_version: str = "", aside: bool = False) -> bool:
        """Delete exactly the object of a UID (and version); False when it was gone."""
        body = writes.deletion(uid, resource_version)
        request = self._send("DELETE", path, body=body, content_type=_JSON, aside=aside)
        return await answers.optional(request) is not None

    async def _conflict(self, path: str, causes: tuple[answers.FieldCause, ...], ours: str) -> answers.Conflict:
        """Find out from the object itself who has the fields; the message of the conflict is not parsed."""
        try:
            body = await self.get_raw(path)
        except answers.Failure:
            return answers.Conflict(causes)
        fields = tuple(cause.field for cause in causes)
        return answers.Conflict(causes, managers.owners_of(managers.entries(body), fields, ours))

    async def _send(
        self,
        method: Any,  # noqa: ANN401  # one of transport.Request's
        path: str,
        *,
        accept: str = _JSON,
        body: bytes | None = None,
        content_type: str = "",
        query: str = "",
        if_none_match: str = "",
        aside: bool = False,
    ) -> transport.Answer:
        """Send, and send again while that may help; returns a success."""
        mutating, began, tries = method != "GET", self._clock(), 0
        failure: answers.Failure | None = None
        while True:
            held = await self.guard.keep() if self.guard is not None and not aside else math.inf
            seconds = self._left(failure)
            if mutating:
                seconds = min(seconds, held)
            url = self._mutating_url(path, query, seconds) if mutating else path
            request = transport.Request(method, url, seconds, body, content_type, accept, if_none_match)
            self.requests += 1
            tries, sent = tries + 1, self._clock()
            try:
                answer = await self._session.send(request)
            except asyncio.CancelledError:
                self._doubt(path, mutating and not aside)
                raise
            except transport.Broken as broken:
                failure, doubtful = refusals.silent(broken), mutating and broken.sent
            else:
                self._heard = (answer.date, sent, self._clock())
                if 200 <= answer.status < 300 or (answer.status == 304 and if_none_match):
                    self.mutated += mutating and not aside
                    self._open.discard(path)
                    answers.bounded(answer.body)
                    return answer
                failure = refusals.refused(answer, applying=method == "PATCH")
                doubtful = mutating and answer.status >= 500 and failure.kind != "rejected"
                if mutating and not doubtful and answer.status != 429 and failure.kind not in _UNTOLD:
                    self._open.discard(path)
            self._doubt(path, doubtful and not aside)
            # A change that may have been made is worth one more try, however long the silence was.
            patient = doubtful and tries == 1
            await self._pause(failure, tries, self._ends(failure, began, patient=patient))

    def _mutating_url(self, path: str, query: str, seconds: float) -> str:
        """Ask the fence, and let the server give up no later than we do."""
        if not self._fence(seconds):
            raise Fenced
        return f"{path}?{query}timeout={max(1, int(seconds))}s"

    def _doubt(self, path: str, doubtful: bool) -> None:  # noqa: FBT001  # private
        """Keep in mind that a change may have been made."""
        if doubtful:
            self.mutated += 1
            self._open.add(path)

    def _left(self, failure: answers.Failure | None) -> float:
        """Return how long the next request may take; raises what went wrong last when the visit has no time left."""
        if self._deadline is None:
            return self._pace.request
        left = self._deadline - self._clock()
        if left <= _LEAST:
            raise failure or TimeoutError
        return min(self._pace.request, left)

    def _ends(self, failure: answers.Failure, began: float, *, patient: bool) -> float:
        """Return when no further try may begin."""
        ends = began + self._pace.undated if self._deadline is None else self._deadline
        if failure.kind == "unreachable" and not patient:
            return min(ends, began + self._pace.unreachable)
        return ends

    async def _pause(self, failure: answers.Failure, tries: int, ends: float) -> None:
        """Wait before the next try; raises the failure when there shall be none."""
        if failure.repeat == "never" or (failure.repeat == "once" and tries > 1):
            raise failure
        least = self._pace.first_pause
        pause = min(self._pace.longest_pause, least * 2 ** min(tries, 16)) * self._random.uniform(0.5, 1.0)
        if failure.retry_after is not None:
            pause = max(least, failure.retry_after)
        if self._clock() + pause >= ends:
            raise failure
        await self._sleep(pause)
