"""How a simulated kubelet treats images: ready after a while, not to be had, crashing, or with no room anywhere."""

from __future__ import annotations

import fnmatch
import typing
from typing import Final, Literal

import msgspec

__all__ = ["DOES", "FATES", "READY", "Behaviour", "Behaviours", "Does", "Fate"]


Does = Literal[
    "ready", "pull-fails", "config-fails", "crashes", "oom", "fails", "restarts", "unschedulable", "never-ready"
]
Fate = Literal["", "crashing", "stuck"]
"""What becomes of all pods alike: they crash, or never get ready."""
DOES: Final[tuple[str, ...]] = typing.get_args(Does)
"""What can become of a container."""


class Behaviour(msgspec.Struct, frozen=True):
    """What becomes of containers with an image that matches; ``after`` is in seconds."""

    image: str = "*"
    """A pattern as file names have them; ``*`` crosses slashes."""
    does: Does = "ready"
    after: float = 1.0
    message: str = ""
    sites: str = "*"
    """A pattern of the sites where it is so."""


READY: Final = Behaviour()
FATES: Final[dict[Fate, Behaviour]] = {
    "crashing": Behaviour(does="crashes", message="simulated: every pod of this site crashes"),
    "stuck": Behaviour(does="never-ready"),
}
"""What each fate makes of a container."""


class Behaviours(msgspec.Struct, frozen=True):
    """Behaviours in order; the first that matches counts."""

    rules: tuple[Behaviour, ...] = ()

    def of(self, site: str, image: str) -> Behaviour:
        """Return what becomes of a container of an image."""
        return next(
            (
                rule
                for rule in self.rules
                if fnmatch.fnmatchcase(image, rule.image) and fnmatch.fnmatchcase(site, rule.sites)
            ),
            READY,
        )
