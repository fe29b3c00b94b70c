"""A plan: the frozen description of a run, and its digest."""

from __future__ import annotations

import enum
import hashlib
from typing import Final

import msgspec

from fleetctl.model import gates, sites

__all__ = [
    "Force",
    "Kind",
    "Limit",
    "Member",
    "Options",
    "Patience",
    "Plan",
    "Prune",
    "Strategy",
    "Wave",
    "WaveRule",
    "digest",
    "place",
    "short",
]

_DIGEST_VERSION: Final = "p1"


class Kind(enum.StrEnum):
    """What a run does."""

    ROLLOUT = "rollout"
    REMOVE = "remove"
    UNDO = "undo"
    CATCHUP = "catchup"


class Limit(msgspec.Struct, frozen=True, rename="camel"):
    """How many may go wrong: a count, or a percentage rounded down but never below ``floor``."""

    count: int | None = None
    percent: float | None = None
    floor: int = 1

    def of(self, members: int) -> int:
        """Return the number that this is of so many members."""
        if self.percent is None:
            return self.count or 0
        return max(self.floor, int(members * self.percent / 100 + 1e-9))

    def __str__(self) -> str:
        """Return the limit as people write it: ``2 %`` or ``3``."""
        return f"{self.count or 0}" if self.percent is None else f"{self.percent:g} %"


class WaveRule(msgspec.Struct, frozen=True, rename="camel"):
    """How many of the run's members a wave takes: a count, a percentage of all members, or the rest."""

    name: str = ""
    count: int | None = None
    percent: float | None = None
    canary: bool = False
    """Cover as many combinations of distribution, version, architecture and objects as ``count`` allows."""


class Patience(msgspec.Struct, frozen=True, rename="camel"):
    """How long trouble of a new pod may last before it counts as a failure: seconds, restarts."""

    image_pull: float = 120.0
    config_error: float = 120.0
    unschedulable: float = 60.0
    crash_restarts: int = 3


class Strategy(msgspec.Struct, frozen=True, rename="camel"):
    """How a run spreads and when it stops; times in seconds."""

    waves: tuple[WaveRule, ...] = (
        WaveRule(name="canary", count=5, canary=True),
        WaveRule(percent=5.0),
        WaveRule(percent=25.0),
        WaveRule(),
    )
    max_failed: Limit = Limit(percent=2.0, floor=1)
    max_unreachable: Limit = Limit(percent=20.0, floor=3)
    max_unauthorized: Limit = Limit(percent=5.0, floor=3)
    site_timeout: float = 600.0
    soak: float = 60.0
    concurrency: int = 256
    patience: Patience = Patience()
    gates: tuple[gates.Gate, ...] = ()
    windows: tuple[sites.Window, ...] = ()
    """When sites may be changed, in their own time zones; none for always. A site's own window holds besides."""


class Wave(msgspec.Struct, frozen=True, rename="camel"):
    """One wave as planned: its size and its budgets in sites."""

    name: str
    members: int
    max_failed: int
    max_unreachable: int
    max_unauthorized: int


class Force(msgspec.Struct, frozen=True, rename="camel"):
    """Whose fields may be taken over."""

    everybody: bool = False
    managers: tuple[str, ...] = ()


class Prune(msgspec.Struct, frozen=True, rename="camel"):
    """How many objects one run may delete at a site: the larger of a count and a percentage of what is there."""

    count: int = 5
    percent: int = 10

    def of(self, objects: int) -> int:
        """Return the number that this is of so many objects."""
        return max(self.count, objects * self.percent // 100)

    def __str__(self) -> str:
        """Return the limit as people read it."""
        return f"the larger of {self.count} and {self.percent} %"


class Options(msgspec.Struct, frozen=True, rename="camel"):
    """What the run may do beyond the usual; part of what is approved."""

    verify: bool = False
    reapply: bool = False
    force: Force = Force()
    unstick: bool = True
    """Undo deletes pods of a StatefulSet that would wait for ever (kubernetes#67250)."""
    prune: Prune = Prune()
    """As the bundle says."""
    load_balancers: bool = True
    """Whether Services of type LoadBalancer need an address, as the bundle says."""
    adopt: bool | msgspec.UnsetType = msgspec.UNSET
    """Take over objects that are new in a release and exist, unless they belong to another set.

    Unset, and so not in the digest, where the run may not: plans of before this option keep their digests.
    """
    prune_adopted: bool | msgspec.UnsetType = msgspec.UNSET
    """Delete those that were taken over like all others, once a release does not hold them any more; else unset."""


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """One site of a run."""

    site: str
    wave: int
    """Number of its wave, from 1; 0 for members that are skipped (maintenance)."""
    release: str | None
    """Digest to bring; None takes the bundle off."""
    base: str | None = None
    """Digest that the parent named when the plan read it."""
    read: bool = False
    """Whether the plan's read was answered; without it ``base`` says nothing."""
    identity: str | None = None
    endpoint: str = ""
    skip: str = ""
    """Why the site is not visited, a ``outcomes.Reason``; empty for those that are."""
    rendered: str = ""
    """Digest of the release without the values of its secrets; empty where it holds none."""


class Plan(msgspec.Struct, frozen=True, rename="camel"):
    """All that decides what a run does; its digest covers every field."""

    kind: Kind
    project: str
    bundle: str
    version: str
    namespace: str
    """The bundle's home namespace, where its parent stands."""
    waves: tuple[Wave, ...]
    strategy: Strategy
    options: Options
    members: tuple[Member, ...]
    undoes: str | None = None
    """The run that this one takes back."""
    commit: str = ""
    dirty: bool = False
    """Whether files differed from the commit when the plan was made."""
    who: str = ""
    """Who made the plan, as ``user@host``."""
    overrides: tuple[str, ...] = ()
    """What the command line set over the inventory, as ``PATH=VALUE``: rendering again needs it."""
    templates: str = ""
    """Digest of the files that the bundle was rendered from; empty where releases come from the journal."""


def digest(plan: Plan) -> str:
    """Return ``p1:`` and the SHA-256 of the plan's canonical JSON."""
    return f"{_DIGEST_VERSION}:{hashlib.sha256(msgspec.json.encode(plan, order='deterministic')).hexdigest()}"


def place(plan: Plan, number: int) -> str:
    """Return a wave as sentences name it: ``wave 2``, or ``wave 1 (canary)``."""
    name = plan.waves[number - 1].name
    return f"wave {number}{f' ({name})' if name != str(number) else ''}"


def short(text: str) -> str:
    """Return a digest as screens show it: eight hex digits."""
    return text.rpartition(":")[2][:8]
