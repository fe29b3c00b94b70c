"""What a simulated API server says to one request."""

from __future__ import annotations

from typing import NamedTuple

from fleetctl.sim import objects, watching

__all__ = ["Reply", "refused"]


class Reply(NamedTuple):
    """An answer: its status, its body, and what its headers say beside that."""

    code: int
    body: bytes
    content_type: str = ""
    """What the body is, where its first byte does not tell."""
    etag: str = ""
    """The mark of this content, in quotes."""
    watch: watching.Watch | None = None
    """What the body comes from, line by line."""


def refused(refusal: objects.Refusal) -> Reply:
    """Return the answer that says no."""
    return Reply(refusal.code, refusal.status())
