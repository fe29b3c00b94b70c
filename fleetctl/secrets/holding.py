"""The values that the releases of one command need, and the project's key: asked once, forgotten at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Self

import msgspec

from fleetctl.model import errors, placeholders, problems, projects, releases
from fleetctl.secrets import filled, projectkeys, providers, resolving, substituting

__all__ = ["Held"]


class Held:
    """Values in memory; a context, at whose end they are forgotten."""

    def __init__(self, project: projects.Project, around: providers.Surroundings) -> None:
        self._project = project
        self._around = around
        self._resolver = resolving.Resolver(resolving.shipped(around))
        self._stack = contextlib.ExitStack()
        self._loaded: projectkeys.Key | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        self._stack.enter_context(self._resolver)
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self._loaded = None
        self._stack.close()

    def keyed(self, made: Iterable[releases.Release]) -> list[releases.Release]:
        """Return releases with the keyed hashes of today's values, and digests that cover them.

        Asks for all values in one pass. Raises ``NotConfigured`` without the project's key, ``Unresolved`` with every
        value that cannot be had.
        """
        given = list(made)
        needs = resolving.needs_of(given)
        if not needs:
            return given
        key, known = self._key(), self._resolver.resolve(needs)
        _refuse_misplaced(given, known, key)
        return [_keyed(one, known, key) if releases.has_secrets(one) else one for one in given]

    def filled(self, release: releases.Release) -> filled.Filled:
        """Return a release with its values in it; raises as ``keyed`` does, and for values that are not in place."""
        if not releases.has_secrets(release):
            return filled.plain(release)
        key, known = self._key(), self._resolver.resolve(resolving.needs_of([release]))
        made = msgspec.structs.replace(release, objects=substituting.substituted(release, known, key))
        return filled.Filled(made, substituting.digest(release, known, key), filled.Hiding(known.values()))

    def _key(self) -> projectkeys.Key:
        if self._loaded is None:
            self._loaded = projectkeys.load(self._project, self._around, self._resolver)
        return self._loaded


def _refuse_misplaced(made: Iterable[releases.Release], known: resolving.Values, key: projectkeys.Key) -> None:
    """Raise ``Unresolved`` with all values that cannot stand where they are wanted, each once."""
    found: dict[problems.Problem, None] = {}
    for release in made:
        try:
            substituting.substituted(release, known, key)
        except errors.Unresolved as refused:
            found |= dict.fromkeys(refused.problems)
    if found:
        raise errors.Unresolved(found)


def _keyed(release: releases.Release, known: resolving.Values, key: projectkeys.Key) -> releases.Release:
    found = substituting.fingerprints(release, known, key)
    told = tuple(sorted((placeholders.text(one), value) for one, value in found.items()))
    return msgspec.structs.replace(release, digest=releases.digest(release.objects, found), fingerprints=told)
