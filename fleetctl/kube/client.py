"""One visit's conversation with one cluster: verbs with deadlines, repetition, and a fence before every change.

Whatever may be repeated is repeated with growing pauses until the visit's own deadline; what is final is raised at once
as ``answers.Failure``. Every mutating request asks the fence first, and the effect of one that got no answer is unknown
until the same request is answered.
"""

from __future__ import annotations

import asyncio
import random
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import msgspec

from fleetctl.kube import answers, kinds, managers, transport

__all__ = ["Client", "Fenced", "Pace"]

_APPLY: Final = "application/apply-patch+yaml"
_JSON: Final = "application/json"
_ONE: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_MANY: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_PAGE: Final = 500
_LEAST: Final = 0.001


class Fenced(Exception):
    """The lease ends too soon for another change: nothing was sent, and nothing more may be."""


class Pace(msgspec.Struct, frozen=True):
    """How long to wait; seconds."""

    request: float = 30.0
    """For one request, all in all."""
    first_pause: float = 0.5
    longest_pause: float = 15.0
    unreachable: float = 5.0
    """How long silence is met with another try."""


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
    ) -> None:
        """Take a session; ``deadline`` is on ``clock``, and ``fence`` tells whether so many seconds are left to us."""
        self.requests = 0
        """Sent so far, repetitions included."""
        self.mutated = 0
        """Mutating requests that may have reached the server."""
        self.unknown = False
        """Whether some mutating request was never answered."""
        self.resources = kinds.Resources(self)
        """How this cluster serves kinds."""
        self._session = session
        self._fence = fence
        self._deadline = deadline
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._random = source or random.Random()  # noqa: S311  # jitter is no secret

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._session.close()

    async def get(self, path: str, *, metadata_only: bool = False) -> answers.Partial:
        """Return an object's metadata; ``metadata_only`` lets the server send no more than that."""
        body = await self._send("GET", path, accept=_ONE if metadata_only else _JSON)
        return answers.decode(body, answers.Partial)

    async def get_raw(self, path: str) -> bytes:
        """Return an object, or whatever stands at a path, as it was sent."""
        return await self._send("GET", path, accept="*/*" if "/log?" in path else _JSON)

    async def items(
        self, path: str, *, label_selector: str = "", field_selector: str = "", metadata_only: bool = False
    ) -> list[bytes]:
        """Return the items of a collection, each as it was sent, over as many pages as there are."""
        found: list[bytes] = []
        query = {"limit": str(_PAGE)}
        if label_selector:
            query["labelSelector"] = label_selector
        if field_selector:
            query["fieldSelector"] = field_selector
        while True:
            url = f"{path}?{urllib.parse.urlencode(query)}"
            try:
                page = answers.decode(
                    await self._send("GET", url, accept=_MANY if metadata_only else _JSON), answers.Listing
                )
            except answers.Failure as failure:
                if failure.status == 410 and "continue" in query:  # the snapshot is gone: begin again
                    found = []
                    del query["continue"]
                    continue
                raise
            found += [bytes(item) for item in page.items]
            if not page.metadata.continue_:
                return found
            query["continue"] = page.metadata.continue_

    async def list_metadata(self, path: str, *, label_selector: str = "") -> list[answers.Partial]:
        """Return the metadata of the items of a collection."""
        found = await self.items(path, label_selector=label_selector, metadata_only=True)
        return [answers.decode(item, answers.Partial) for item in found]

    async def apply(
        self, path: str, body: bytes, *, manager: str, force: bool = False
    ) -> answers.Applied | answers.Conflict:
        """Apply an object, strictly; fields of other managers are a value, not an error."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if force:
            query["force"] = "true"
        created: list[int] = []
        try:
            answer = await self._send("PATCH", path, body=body, content_type=_APPLY, query=query, statuses=created)
        except answers.Failure as failure:
            causes = tuple(cause for cause in failure.causes if cause.reason == "FieldManagerConflict")
            if failure.kind != "conflict" or not causes:
                raise
            return await self._conflict(path, causes)
        return answers.Applied(answers.decode(answer, answers.Partial).metadata, created=created[-1] == 201)

    async def delete(self, path: str, *, uid: str, resource_version: str = "", propagation: str = "Background") -> bool:
        """Delete exactly the object of a UID (and version); False when it was gone."""
        preconditions = {"uid": uid, **({"resourceVersion": resource_version} if resource_version else {})}
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": preconditions,
            "propagationPolicy": propagation,
        }
        try:
            await self._send("DELETE", path, body=msgspec.json.encode(options), content_type=_JSON)
        except answers.Failure as failure:
            if failure.kind == "missing":
                return False
            raise
        return True

    async def _conflict(self, path: str, causes: tuple[answers.FieldCause, ...]) -> answers.Conflict:
        """Find out from the object itself who has the fields; the message of the conflict is not parsed."""
        try:
            body = await self.get_raw(path)
        except answers.Failure:
            return answers.Conflict(causes)
        return answers.Conflict(causes, managers.owners_of(body, tuple(cause.field for cause in causes)))

    async def _send(
        self,
        method: Any,  # noqa: ANN401  # one of transport.Request's
        path: str,
        *,
        accept: str = _JSON,
        body: bytes | None = None,
        content_type: str = "",
        query: dict[str, str] | None = None,
        statuses: list[int] | None = None,
    ) -> bytes:
        """Send, and send again while that may help; returns the body of a success."""
        mutating, began, tries = method != "GET", self._clock(), 0
        while True:
            seconds = self._left()
            url = self._mutating_url(path, query, seconds) if mutating else path
            request = transport.Request(method, url, seconds, body, content_type, accept)
            self.requests += 1
            tries += 1
            try:
                answer = await self._session.send(request)
            except transport.Broken as broken:
                failure, answered = answers.silent(broken), not broken.sent
            else:
                if answer.status < 300:
                    self._note(mutating, answered=True, changed=True)
                    if statuses is not None:
                        statuses.append(answer.status)
                    return answer.body
                failure, answered = answers.refused(answer, applying=method == "PATCH"), answer.status < 500
            self._note(mutating, answered=answered, changed=not answered)
            await self._pause(failure, tries, began)

    def _mutating_url(self, path: str, query: dict[str, str] | None, seconds: float) -> str:
        """Ask the fence, and let the server give up no later than we do."""
        if not self._fence(seconds):
            raise Fenced
        return f"{path}?{urllib.parse.urlencode({**(query or {}), 'timeout': f'{max(1, int(seconds))}s'})}"

    def _note(self, mutating: bool, *, answered: bool, changed: bool) -> None:  # noqa: FBT001  # private
        """Keep account of changes: one without an answer is an open question until the next answer to it."""
        if mutating:
            self.mutated += changed
            self.unknown = not answered

    def _left(self) -> float:
        """Return how long the next request may take; raises when the visit has no time left."""
        if self._deadline is None:
            return self._pace.request
        left = self._deadline - self._clock()
        if left <= _LEAST:
            raise TimeoutError
        return min(self._pace.request, left)

    async def _pause(self, failure: answers.Failure, tries: int, began: float) -> None:
        """Wait before the next try; raises the failure when there shall be none."""
        if failure.repeat == "never" or (failure.repeat == "once" and tries > 1):
            raise failure
        if failure.kind == "unreachable" and self._clock() - began >= self._pace.unreachable:
            raise failure
        longest = min(self._pace.longest_pause, self._pace.first_pause * 2 ** (tries - 1))
        pause = failure.retry_after or longest * self._random.uniform(0.5, 1.0)
        if self._deadline is not None and self._clock() + pause >= self._deadline:
            raise failure
        if failure.kind == "unreachable" and self._clock() + pause - began >= self._pace.unreachable:
            raise failure
        await self._sleep(pause)
