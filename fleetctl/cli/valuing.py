"""The values of secrets for one command: nothing of it is loaded, and nobody is asked, until a release holds one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fleetctl.model import projects, releases
from fleetctl.secrets import filled

if TYPE_CHECKING:
    from fleetctl.secrets import holding, providers

__all__ = ["Late"]


class Late:
    """What ``rollout.orders.Secrets`` asks for; values are forgotten when ``resources`` close."""

    def __init__(
        self,
        project: projects.Project,
        around: Callable[[projects.Project], providers.Surroundings],
        resources: contextlib.ExitStack,
    ) -> None:
        self._project = project
        self._around = around
        self._resources = resources
        self._held: holding.Held | None = None

    def keyed(self, made: Sequence[releases.Release]) -> list[releases.Release]:
        """Return releases with digests that cover today's values; raises ``NotConfigured`` and ``Unresolved``."""
        return self._opened().keyed(made) if any(map(releases.has_secrets, made)) else list(made)

    def filled(self, release: releases.Release) -> filled.Filled:
        """Return a release with its values in it."""
        return self._opened().filled(release) if releases.has_secrets(release) else filled.plain(release)

    def _opened(self) -> holding.Held:
        from fleetctl.secrets import holding

        if self._held is None:
            self._held = self._resources.enter_context(holding.Held(self._project, self._around(self._project)))
        return self._held
