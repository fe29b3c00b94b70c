"""What became of a run, as records that screens and reports show."""

from __future__ import annotations

import msgspec

from fleetctl.model import events, gates, outcomes

__all__ = ["CauseGroup", "Explanation", "GateLine", "RunLine", "SiteLine", "Summary", "WaveLine"]


class CauseGroup(msgspec.Struct, frozen=True):
    """Sites that share a cause; ``outcome`` is theirs, ``shared`` what only they have in common, in words or ""."""

    cause: outcomes.Cause
    outcome: outcomes.Outcome
    sites: tuple[str, ...]
    shared: str = ""


class WaveLine(msgspec.Struct, frozen=True):
    """One wave in numbers; ``counts`` by outcome, without those that have none yet."""

    number: int
    name: str
    members: int
    counts: dict[outcomes.Outcome, int]
    skipped: dict[outcomes.Reason, int]
    budget_failed: int
    budget_unreachable: int


class GateLine(msgspec.Struct, frozen=True):
    """How the gate after a wave stands; ``place`` is that wave in words, ``seen`` what the gate said last."""

    gate: str
    kind: str
    wave: int
    place: str
    state: gates.State
    seen: str
    who: str
    since: float


class SiteLine(msgspec.Struct, frozen=True):
    """One site of a run."""

    site: str
    wave: int
    phase: events.Phase
    outcome: outcomes.Outcome | None
    effect: outcomes.Effect | None
    reason: outcomes.Reason
    cause: outcomes.Cause | None
    started: float | None
    ended: float | None


class Summary(msgspec.Struct, frozen=True):
    """A run as it stands; times are seconds since the epoch."""

    run: str
    kind: str
    bundle: str
    version: str
    plan: str
    state: events.RunState
    why: str
    who: str
    created: float
    ended: float | None
    waves: tuple[WaveLine, ...]
    causes: tuple[CauseGroup, ...]
    """Failed first, then unreachable, most sites first."""
    owed: int
    """Sites with an open debt of this run."""
    not_started: int
    in_flight: int
    broken: int
    """Failed sites whose cluster was touched (effect other than none)."""
    restorable: int
    """Sites that an undo of this run would visit."""
    fresh: int
    """Sites that had nothing before: undo leaves them out unless it is told to remove."""
    going_back_to: tuple[str, ...]
    """Versions that an undo would bring back."""
    undoes: str | None = None
    simulated: bool = False
    accepted: int = 0
    """Failures that were accepted with --accept-failed."""
    unguarded: int = 0
    """Sites that were changed without a Lease in their cluster."""
    waiting: dict[outcomes.Reason, int] = {}
    """Members that were not visited at all, by reason."""
    gates: tuple[GateLine, ...] = ()
    """The gates that the run came to, in their order."""

    @property
    def gate(self) -> GateLine | None:
        """Return the gate at which the run stands still, if it does."""
        halted = {events.RunState.HALTED: gates.State.FAILED, events.RunState.PAUSED: gates.State.WAITING}
        wanted = halted.get(self.state)
        return next((one for one in self.gates if wanted is not None and one.state is wanted), None)

    def count(self, outcome: outcomes.Outcome) -> int:
        """Return how many sites ended so, in all waves."""
        return sum(wave.counts.get(outcome, 0) for wave in self.waves)


class RunLine(msgspec.Struct, frozen=True):
    """One run of the history."""

    run: str
    kind: str
    bundle: str
    version: str
    state: events.RunState
    created: float
    counts: dict[outcomes.Outcome, int]
    who: str
    owed: int
    """Sites with an open debt of this run."""


class Explanation(msgspec.Struct, frozen=True):
    """Why a site is as it is, as stored at failure time."""

    site: str
    place: str
    """Distribution, version, architectures and region, as far as the inventory knows them."""
    run: str
    kind: str
    bundle: str
    version: str
    wave: int
    wave_name: str
    outcome: outcomes.Outcome | None
    """None while the visit is under way, or was cut off."""
    effect: outcomes.Effect | None
    reason: outcomes.Reason
    cause: outcomes.Cause | None
    ended: float | None
    took: float | None
    evidence: dict[str, object] | None
    """What ``kube.evidence`` made of the cluster at that time."""
    template: str
    """The template that made the object, as ``path``; "" when it is not known."""
    same_cause: int
    """How many more sites of the run have the same cause."""
    owed: bool
    simulated: bool = False
