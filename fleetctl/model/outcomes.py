"""What became of a site in a run, what was done to it, how its objects fare, and why.

Outcome and effect are two columns on purpose: a site may have failed with nothing sent, or be out of reach with half a
release applied. A failure of a site is one of these values, never an exception.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable

import msgspec

from fleetctl.model import objects

__all__ = ["OWED_SKIPS", "Cause", "Effect", "Outcome", "Reason", "Result", "State", "Verdict", "worst"]


class Outcome(enum.StrEnum):
    """How a site ends a run; exactly one per site and run."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    """Ended by the link or by silence, whatever had been sent; the site is owed the release."""
    SKIPPED = "skipped"


class Effect(enum.StrEnum):
    """What the visit did to the cluster, as far as its answers tell."""

    NONE = "none"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    """A mutating request never got its answer; wins over ``partial``."""
    APPLIED_UNVERIFIED = "applied-unverified"
    APPLIED = "applied"


class Reason(enum.StrEnum):
    """Why a site was skipped, or which kind of failure it was; ``NONE`` where the cause says it all."""

    NONE = ""
    CREDENTIALS = "credentials"
    """401 or 403 on the first read: counted against ``max_unauthorized``."""
    IDENTITY = "identity"
    """Another certificate or another cluster than the one we know; never owed."""
    FOREIGN = "foreign"
    """Objects or fields that belong to somebody else."""
    HOLD = "hold"
    LOCKED = "locked"
    MAINTENANCE = "maintenance"
    MOVED = "moved"
    """The cluster was changed since the plan, or since the debt, by another run; or a secret has another value now."""
    REMOVED = "removed"
    """The site left the inventory since the run was planned."""
    WINDOW = "window"
    """The site may not be changed at this time of day."""
    HALTED = "halted"
    ABORTED = "aborted"


OWED_SKIPS = frozenset({Reason.HOLD, Reason.LOCKED, Reason.MAINTENANCE, Reason.WINDOW})
"""Skips that leave a debt behind; the others do not."""


class State(enum.StrEnum):
    """Health of an object, bundle or site, in the words of kstatus."""

    CURRENT = "current"
    PROGRESSING = "progressing"
    FAILED = "failed"
    TERMINATING = "terminating"
    MISSING = "missing"
    UNKNOWN = "unknown"


_WORST_FIRST = (State.FAILED, State.MISSING, State.UNKNOWN, State.TERMINATING, State.PROGRESSING, State.CURRENT)

# What differs between two sites that suffer the same: ids, addresses, counters, generated names, durations.
_NOISE = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"(?:r1:)?\b(?:sha256:)?[0-9a-f]{32,}\b"), "<digest>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "-<pod>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:ms|s|m|h)(?:\d+(?:ms|s|m|h))*\b"), "<time>"),
    (re.compile(r"(?<![\w.:/-])\d+(?![\w.:/-])"), "<n>"),
)


class Cause(msgspec.Struct, frozen=True):
    """Why something is not well: a machine's word for it, what it is about, and the rest in words."""

    reason: str
    """As Kubernetes writes it (``ImagePullBackOff``) or one of ours in the same style (``ConnectionRefused``)."""
    subject: str = ""
    """What it happened to, alike at every site: an image, an object as ``Kind namespace/name``, an operation."""
    message: str = ""
    """The details, in words of the API server or ours; may name pods, addresses and times of one site."""

    @property
    def fingerprint(self) -> str:
        """Return what two sites with the same trouble have in common: everything save ids, addresses and counts."""
        message = self.message
        for pattern, name in _NOISE:
            message = pattern.sub(name, message)
        return " ".join(part for part in (self.reason, self.subject, message) if part)

    def __str__(self) -> str:
        """Return ``reason subject: message`` as far as there is any."""
        head = f"{self.reason} {self.subject}".strip()
        return f"{head}: {self.message}" if self.message else head


class Verdict(msgspec.Struct, frozen=True):
    """Health of one object, with the reason in words; ``cause`` is set as soon as one is seen, failed or not."""

    id: objects.ObjectId
    state: State
    message: str = ""
    cause: Cause | None = None

    @property
    def final(self) -> bool:
        """Tell whether waiting longer is of no use."""
        return self.state in (State.CURRENT, State.FAILED)


def worst(verdicts: Iterable[Verdict]) -> State:
    """Return the state that stands for several objects."""
    return min((verdict.state for verdict in verdicts), key=_WORST_FIRST.index, default=State.CURRENT)


class Result(msgspec.Struct, frozen=True):
    """What one visit came to."""

    outcome: Outcome
    effect: Effect
    reason: Reason = Reason.NONE
    cause: Cause | None = None
    before: str | None = None
    """Digest of the release that the parent named when the visit began; None when there was none or it is not known."""
    after: str | None = None
    """Digest that the parent names now."""
    previous: str | None = None
    """The parent's release that an undo of this visit goes back to, as read in the visit itself."""
    identity: str | None = None
    """UID of the namespace kube-system, when the visit read it."""
    evidence: bytes | None = None
    """Canonical JSON of what was seen at failure time, for ``why``."""
    requests: int = 0
    notes: tuple[str, ...] = ()

    @property
    def owed(self) -> bool:
        """Tell whether the site is to get the release later."""
        return self.outcome is Outcome.UNREACHABLE or (self.outcome is Outcome.SKIPPED and self.reason in OWED_SKIPS)
