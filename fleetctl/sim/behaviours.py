"""How a simulated kubelet treats images: ready after a while, not to be had, crashing, or with no room anywhere."""

from __future__ import annotations

import fnmatch
from typing import Final, Literal

import msgspec

__all__ = ["READY", "Behaviour", "Behaviours"]


class Behaviour(msgspec.Struct, frozen=True):
    """What becomes of pods with an image that matches; ``after`` is in seconds."""

    image: str = "*"
    """A pattern as file names have them; ``*`` crosses slashes."""
    does: Literal["ready", "pull-fails", "crashes", "fails", "restarts", "unschedulable", "never-ready"] = "ready"
    after: float = 1.0
    message: str = ""
    sites: str = "*"
    """A pattern of the sites where it is so."""


READY: Final = Behaviour()


class Behaviours(msgspec.Struct, frozen=True):
    """Behaviours in order; the first that matches counts."""

    rules: tuple[Behaviour, ...] = ()

    def of(self, site: str, images: list[str]) -> Behaviour:
        """Return what becomes of a pod of these images: the first that is not well decides."""
        found = [self._one(site, image) for image in images] or [READY]
        return next((one for one in found if one.does != "ready"), max(found, key=lambda one: one.after))

    def _one(self, site: str, image: str) -> Behaviour:
        return next(
            (
                rule
                for rule in self.rules
                if fnmatch.fnmatchcase(image, rule.image) and fnmatch.fnmatchcase(site, rule.sites)
            ),
            READY,
        )
