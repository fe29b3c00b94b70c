"""What happens in a run, told to whoever watches it; each is sent after its commit, never before."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from fleetctl.model import gates, outcomes

__all__ = [
    "Event",
    "GateMoved",
    "Observe",
    "Phase",
    "RunEnded",
    "RunStarted",
    "RunState",
    "SiteEnded",
    "SiteMoved",
    "WaveStarted",
]


class RunState(enum.StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    FINISHED = "finished"
    ABORTED = "aborted"


class Phase(enum.StrEnum):
    """Where a visit stands."""

    WAITING = "waiting"
    APPLYING = "applying"
    OBSERVING = "observing"
    PRUNING = "pruning"
    SOAKING = "soaking"
    DONE = "done"


class RunStarted(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """A run began or goes on; ``waves`` are the members of each wave, ``done`` those that had ended before."""

    run: str
    kind: str
    bundle: str
    version: str
    plan: str
    waves: tuple[tuple[str, int], ...]
    budgets: tuple[tuple[int, int], ...] = ()
    """Per wave: how many may fail, and how many may be out of reach."""
    total_failed: int = 0
    total_unreachable: int = 0
    simulated: bool = False
    resumed: bool = False


class WaveStarted(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """A wave was opened; waves are counted from 1."""

    wave: int
    members: int
    budget_failed: int
    budget_unreachable: int


class SiteMoved(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """A visit entered a phase, or its ``detail`` (what it waits for) changed."""

    site: str
    wave: int
    phase: Phase
    detail: str = ""


class SiteEnded(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """A site has its outcome; ``earlier`` marks those that had it before this process began."""

    site: str
    wave: int
    outcome: outcomes.Outcome
    effect: outcomes.Effect
    reason: outcomes.Reason = outcomes.Reason.NONE
    cause: outcomes.Cause | None = None
    owed: bool = False
    earlier: bool = False


class GateMoved(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """The gate after a wave is asked, or has its answer; ``seen`` is what it said last, ``who`` whoever let it pass."""

    gate: str
    wave: int
    kind: str
    state: gates.State
    seen: str = ""
    who: str = ""


class RunEnded(msgspec.Struct, frozen=True, tag_field="event", rename="camel"):
    """The run stands still: finished, halted, paused or aborted; ``why`` in words where it is not finished."""

    run: str
    state: RunState
    why: str = ""


Event = RunStarted | WaveStarted | SiteMoved | SiteEnded | GateMoved | RunEnded
Observe = Callable[[Event], None]
"""Called in order, from the event loop's thread; must not block."""
