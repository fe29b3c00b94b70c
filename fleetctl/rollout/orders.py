"""What a visit is to do at one site, decided before it begins; and what it may tell while it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec

from fleetctl.model import events, plans, releases
from fleetctl.secrets import filled

__all__ = ["PLAIN", "Known", "Order", "Rest", "Secrets", "Watch"]

Known = Callable[[str], releases.Release | None]
"""Gives a release by digest, when the store has it."""


Rest = Callable[[float], Awaitable[None]]
"""Waits for so many seconds while others are visited."""


class Order(msgspec.Struct, frozen=True):
    """One site's part of a run."""

    site: str
    run: str
    attempt: int
    project: str
    bundle: str
    namespace: str
    kind: plans.Kind
    wanted: str | None
    """Digest of the release to bring; None takes the bundle off."""
    expected: str | None
    """Digest that the parent must still name, or ``checked`` is false."""
    checked: bool
    ours: frozenset[str]
    """Runs whose half-done work at the site is no surprise: this one, and the one it takes back or pays for."""
    installed: str | None
    """Digest that the journal believes to be there: whose kinds a lost or half-done parent may have forgotten."""
    identity: str | None
    """UID of kube-system as known from earlier visits."""
    strategy: plans.Strategy
    options: plans.Options
    commit: str = ""
    undoes: str | None = None
    """The run that is taken back at the site."""

    @property
    def thorough(self) -> bool:
        """Tell whether the site is looked at even when its parent says that all is as wanted."""
        return self.options.verify or self.kind in (plans.Kind.UNDO, plans.Kind.CATCHUP)


class Secrets(Protocol):
    """Knows the values that releases need, and keeps them to itself."""

    def keyed(self, made: Sequence[releases.Release]) -> list[releases.Release]:
        """Return releases with digests that cover today's values; raises ``NotConfigured`` and ``Unresolved``."""
        ...

    def filled(self, release: releases.Release) -> filled.Filled:
        """Return a release with its values in it."""
        ...


class _Plain:
    """For releases without secrets."""

    def keyed(self, made: Sequence[releases.Release]) -> list[releases.Release]:
        return list(made)

    def filled(self, release: releases.Release) -> filled.Filled:
        return filled.plain(release)


PLAIN: Final[Secrets] = _Plain()


class Watch(Protocol):
    """Hears how a visit goes on."""

    def __call__(self, phase: events.Phase, detail: str = "") -> None:
        """Tell the phase, and what it waits for."""
        ...
