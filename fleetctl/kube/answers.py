"""What an API server says, decoded no further than needed, and the failure that every request may end in."""

from __future__ import annotations

import calendar
import email.utils
from collections.abc import Awaitable
from typing import Final, Literal, TypeVar

import msgspec

from fleetctl.model import outcomes

__all__ = [
    "LONGEST",
    "Applied",
    "Conflict",
    "Failure",
    "FieldCause",
    "Kind",
    "Listing",
    "Meta",
    "Owner",
    "Partial",
    "bounded",
    "date",
    "decode",
    "line",
    "optional",
]

_T = TypeVar("_T")

Kind = Literal[
    "unreachable", "tls", "credentials", "forbidden", "missing", "conflict", "terminating", "rejected", "busy", "broken"
]
"""Silence or a broken link; then what each refusal is about; ``busy`` is worth another try, ``broken`` is no answer."""


class Owner(msgspec.Struct, frozen=True):
    """Who an object belongs to."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Meta(msgspec.Struct, frozen=True):
    """An object's metadata, without its managed fields."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815  # as Kubernetes spells it
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    deletionTimestamp: str | None = None  # noqa: N815
    ownerReferences: tuple[Owner, ...] = ()  # noqa: N815


class Partial(msgspec.Struct, frozen=True):
    """Any object, as far as its metadata."""

    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    metadata: Meta = Meta()


class _ListMeta(msgspec.Struct):
    resourceVersion: str = ""  # noqa: N815
    continue_: str = msgspec.field(default="", name="continue")


class Listing(msgspec.Struct):
    """One page of a list."""

    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None
    """None where a server writes an empty list as Go does."""


class FieldCause(msgspec.Struct, frozen=True):
    """One cause of a refusal."""

    reason: str = ""
    message: str = ""
    field: str = ""


class Applied(msgspec.Struct, frozen=True):
    """An apply that was taken."""

    meta: Meta
    created: bool


class Conflict(msgspec.Struct, frozen=True):
    """An apply that would take fields from other managers: the causes, and who has the fields where that is known."""

    causes: tuple[FieldCause, ...]
    owners: dict[str, tuple[str, ...]] = {}
    """Managers by field, from the object's managed fields; ours is not among them."""

    @property
    def managers(self) -> frozenset[str]:
        """Return who would lose fields; a field whose manager is not known counts as everybody's."""
        return frozenset(name for cause in self.causes for name in self.owners.get(cause.field, ("?",)))

    def words(self) -> str:
        """Say which fields belong to whom."""
        by_manager: dict[str, list[str]] = {}
        for field in dict.fromkeys(cause.field for cause in self.causes):
            for name in self.owners.get(field, ("another manager",)):
                by_manager.setdefault(name, []).append(field)
        parts = [
            f"{', '.join(fields[:3])}{', ...' if len(fields) > 3 else ''} of {name}"
            for name, fields in by_manager.items()
        ]
        return line(f"would take {'; '.join(parts)}")


class Failure(Exception):
    """An answer that says no, or none at all."""

    def __init__(
        self,
        kind: Kind,
        reason: str,
        message: str,
        *,
        status: int | None = None,
        causes: tuple[FieldCause, ...] = (),
        about: str = "",
        retry_after: float | None = None,
        repeat: Literal["always", "once", "never"] = "never",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.status = status
        self.causes = causes
        self.about = about
        """Which resource the refusal names, such as ``namespaces``."""
        self.retry_after = retry_after
        self.repeat = repeat
        """Whether the same request may be answered otherwise later."""

    def cause(self, subject: str = "") -> outcomes.Cause:
        """Return the failure as the cause of an outcome."""
        return outcomes.Cause(self.reason, subject, self.message)


LONGEST: Final = 400
"""Letters of a foreign text that are shown."""
_LARGE: Final = 1 << 20
_MOST_PARTS: Final = 1_500_000
"""In 16 MiB of what API servers say there are fewer: a part has 13 to 20 bytes there."""


def bounded(body: bytes) -> bytes:
    """Return a body that does not grow out of bounds when it is decoded; raises ``Failure`` (broken) for another.

    Two bytes on the wire (``0,``, ``[]``) may be a hundred in memory. Between two values stands a comma or a bracket.
    """
    if len(body) > _LARGE and body.count(b",") + body.count(b"[") + body.count(b"{") > _MOST_PARTS:
        raise Failure("broken", "AnswerTooLarge", "the answer has more parts than any that is taken")
    return body


def decode(body: bytes, into: type[_T]) -> _T:
    """Return the wanted part of an answer; raises ``Failure`` (broken) when it is not what the API documents."""
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message = "the answer is not what the Kubernetes API documents"
        raise Failure("broken", "UnreadableAnswer", message) from None


async def optional(request: Awaitable[_T]) -> _T | None:
    """Wait for a request; None when what it asks for is not there: the object, its namespace, or its kind."""
    try:
        return await request
    except Failure as failure:
        if failure.kind == "missing":
            return None
        raise


def date(header: bytes) -> float | None:
    """Return the time of a Date header, which is GMT always (RFC 9110), in seconds since the epoch; None for none."""
    try:
        found = email.utils.parsedate(header.decode("latin-1"))
        return None if found is None else float(calendar.timegm(found))
    except (IndexError, OverflowError, ValueError):
        return None


def line(text: str) -> str:
    """Return a foreign text as one line of bounded length."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * LONGEST])
    one = " ".join(shown.split())
    return one if len(one) <= LONGEST else f"{one[: LONGEST - 4]} ..."
