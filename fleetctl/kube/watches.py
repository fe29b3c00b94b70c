"""What happens to the objects of a collection, as it happens: list once, then watch, and go on after every cut.

After the API concepts of Kubernetes (efficient detection of changes) and client-go's reflector: a watch goes on from
the last version that was told, bookmarks move it on where nothing else does, and what is too old (410) is listed again.
What a server may send is bounded in a line, in what waits to be read, and by the time that was given.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import urllib.parse
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from fleetctl.kube import answers, client, lists, refusals, transport

__all__ = ["Changed", "Listed", "Watch", "Watched", "watching"]

_T = TypeVar("_T")

_LONGEST_LINE: Final = 4 * 1024 * 1024
_MOST_UNREAD: Final = 8 * 1024 * 1024
_LONGEST: Final = 300.0
"""Seconds for one request: a link that died is noticed in the end."""
_GRACE: Final = 5.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0
_KINDS: Final[dict[str, Literal["added", "modified", "deleted"]]] = {
    "ADDED": "added",
    "MODIFIED": "modified",
    "DELETED": "deleted",
}


class Watched(NamedTuple):
    """What is watched: a collection, what of it, and whether metadata is all that shall be sent."""

    path: str
    label_selector: str = ""
    field_selector: str = ""
    metadata_only: bool = False


class Listed(msgspec.Struct, Generic[_T], frozen=True):
    """Everything that is there; what was told before and is not here is gone."""

    items: tuple[_T, ...]


class Changed(msgspec.Struct, Generic[_T], frozen=True):
    """One object that came, changed, or went; one that went is as it was last."""

    kind: Literal["added", "modified", "deleted"]
    object: _T


class _Versioned(msgspec.Struct):
    resourceVersion: str = ""  # noqa: N815  # as Kubernetes spells it


class _Object(msgspec.Struct):
    metadata: _Versioned = msgspec.field(default_factory=_Versioned)


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Code(msgspec.Struct):
    code: int = 500


class _Expired(Exception):
    """The server does not know any more what came after our version."""


class _Lines:
    """The lines of an answer, as they come."""

    def __init__(self) -> None:
        self.failure: answers.Failure | None = None
        self._rest = bytearray()
        self._ready: deque[bytes] = deque()
        self._unread = 0
        self._news = asyncio.Event()
        self._over = False

    def take(self, data: bytes) -> bool:
        self._rest += data
        *lines, rest = self._rest.split(b"\n") if b"\n" in data else (self._rest,)
        self._rest = rest
        for line in lines:
            self._ready.append(bytes(line))
            self._unread += len(line)
        self._news.set()
        return len(rest) <= _LONGEST_LINE and self._unread <= _MOST_UNREAD

    def end(self, failure: answers.Failure | None) -> None:
        self.failure, self._over = failure, True
        self._news.set()

    async def next(self) -> bytes | None:
        """Return the next line; None after the last."""
        while not self._ready:
            if self._over:
                return None
            self._news.clear()
            await self._news.wait()
        line = self._ready.popleft()
        self._unread -= len(line)
        return line


class Watch(Generic[_T]):
    """One collection, watched for a time; iterate over it once."""

    def __init__(
        self, api: client.Client, what: Watched, into: type[_T], group: asyncio.TaskGroup, version: str
    ) -> None:
        self.version = version
        """Up to where everything was told; "" before the first list."""
        self._api = api
        self._what = what
        self._into = into
        self._group = group
        self._task: asyncio.Task[None] | None = None

    async def events(self, seconds: float) -> AsyncGenerator[Listed[_T] | Changed[_T], None]:
        """Tell what happens for so long, a second at least; raises ``answers.Failure`` for what will not pass.

        Where no version was given, everything that is there comes first; it may come again.
        """
        loop = asyncio.get_running_loop()
        ends, fruitless, first = loop.time() + seconds, 0, True
        while first or loop.time() < ends:
            first = False
            if not self.version:
                yield await self._listed()
            began = self.version
            try:
                async for event in self._once(min(_LONGEST, max(1.0, ends - loop.time()))):
                    yield event
            except _Expired:
                self.version = ""
            except answers.Failure as failure:
                if failure.repeat != "always" and failure.reason != "AnswerTooLarge":
                    raise
            fruitless = fruitless + 1 if self.version in {"", began} else 0
            left = ends - loop.time()
            if left > 0 and fruitless:
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(fruitless, 16)) * random.uniform(0.5, 1.0)  # noqa: S311
                await asyncio.sleep(min(left, pause))

    async def _listed(self) -> Listed[_T]:
        query = lists.selection(self._what.label_selector, self._what.field_selector)
        found = await lists.whole(self._api, self._what.path, query, metadata_only=self._what.metadata_only)
        self.version = found.version
        return Listed(tuple(answers.decode(item, self._into) for item in found.items))

    async def _once(self, seconds: float) -> AsyncIterator[Changed[_T]]:
        """Watch with one request, until the server ends it, or the link does."""
        lines = _Lines()
        self._task = self._group.create_task(self._stream(lines, seconds))
        while (line := await lines.next()) is not None:
            if line.strip():
                event = self._read(line)
                if event is not None:
                    yield event
        if lines.failure is not None:
            if lines.failure.status == 410:
                raise _Expired
            raise lines.failure

    async def _stream(self, lines: _Lines, seconds: float) -> None:
        whole = math.ceil(seconds)
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": str(whole),
            **lists.selection(self._what.label_selector, self._what.field_selector),
        }
        url = f"{self._what.path}?{urllib.parse.urlencode(query)}"
        try:
            await self._api.stream(url, lines.take, whole + _GRACE, metadata_only=self._what.metadata_only)
        except answers.Failure as failure:
            lines.end(failure)
        except TimeoutError:  # the visit's time is over
            lines.end(None)
        else:
            lines.end(None)

    def _read(self, line: bytes) -> Changed[_T] | None:
        told = answers.decode(line, _Line)
        if told.type == "ERROR":
            code = answers.decode(told.object, _Code).code
            if code == 410:
                raise _Expired
            raise refusals.refused(transport.Answer(code, bytes(told.object)))
        kind = _KINDS.get(told.type)
        event = Changed(kind, answers.decode(told.object, self._into)) if kind else None
        self.version = answers.decode(told.object, _Object).metadata.resourceVersion or self.version
        return event

    def end(self) -> None:
        """Take what is under way off the wire."""
        if self._task is not None:
            self._task.cancel()


@contextlib.asynccontextmanager
async def watching(
    api: client.Client,
    what: Watched,
    into: type[_T],
    version: str = "",
) -> AsyncIterator[Watch[_T]]:
    """Watch a collection from a version on, or from what is there now; at the end of the block nothing goes on.

    The connection carries nothing else meanwhile. Leaving before the server ended the watch gives it up, so that the
    next request makes a new one.
    """
    failed: Exception | None = None
    async with asyncio.TaskGroup() as group:
        watch: Watch[Any] = Watch(api, what, into, group, version)
        try:
            yield watch
        except Exception as error:  # noqa: BLE001  # raised below: a group would wrap it
            failed = error
        finally:
            watch.end()
    if failed is not None:
        raise failed
