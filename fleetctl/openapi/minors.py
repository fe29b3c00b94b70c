"""The minors of Kubernetes whose definitions are shipped: kinds, scopes, schemas, and API versions that are gone.

The data is one file for all minors, as they differ in little; kubernetes.txt beside it says where it is from.
"""

from __future__ import annotations

import functools
import gzip
import pathlib
import re
from typing import Any, Final

import msgspec

from fleetctl.model import objects
from fleetctl.reading import scalars

__all__ = ["Kind", "Minor", "get", "nearest", "shipped", "stated"]

_DATA: Final = pathlib.Path(__file__).with_name("kubernetes.json.gz")
_VERSION: Final = re.compile(r"v?(?P<minor>[0-9]+\.[0-9]+)(?![0-9])")


class Kind(msgspec.Struct, frozen=True):
    """A kind in one version of its API; ``definition`` names its schema."""

    api_version: str
    name: str
    definition: str
    namespaced: bool


class _Minor(msgspec.Struct):
    kinds: dict[str, dict[str, tuple[str, bool]]]
    schemas: list[int]
    version: str


class _Data(msgspec.Struct):
    gone: dict[str, dict[str, str]]
    minors: dict[str, _Minor]
    schemas: list[tuple[str, msgspec.Raw]]


class Minor:
    """What one minor of Kubernetes serves; schemas are decoded when they are asked for."""

    def __init__(self, name: str) -> None:
        data = _data()
        of_minor = data.minors[name]
        self.name = name
        self.version = of_minor.version
        self.kinds = {
            (api_version, kind): Kind(api_version, kind, definition, namespaced)
            for api_version, kinds in of_minor.kinds.items()
            for kind, (definition, namespaced) in kinds.items()
        }
        self.groups = frozenset(objects.group_of(api_version) for api_version in of_minor.kinds)
        self._schemas = dict(data.schemas[place] for place in of_minor.schemas)
        self._decoded: dict[str, dict[str, Any]] = {}

    def schema(self, definition: str) -> dict[str, Any]:
        """Return a definition as Kubernetes publishes it, ``$ref`` a bare name; empty when there is none."""
        if definition not in self._decoded:
            text = self._schemas.get(definition)
            self._decoded[definition] = msgspec.json.decode(text) if text is not None else {}
        return self._decoded[definition]

    def versions_of(self, kind: str) -> list[str]:
        """Return the versions of the API that have a kind, the stable ones first."""
        return sorted((version for version, name in self.kinds if name == kind), key=_stability)

    def knows_group(self, group: str) -> bool:
        """Tell whether a group is one of Kubernetes' own, in this minor or in any other."""
        return group in self.groups or group in _all_groups()

    def absence(self, api_version: str, kind: str) -> str:
        """Say why there is no such kind in a group of Kubernetes' own, and which one to use."""
        use = self._use(api_version, kind)
        since = _data().gone.get(api_version, {}).get(kind)
        if since is not None:
            there = use or "; no other version of the API has it"
            return f"{kind} of {api_version} was removed in Kubernetes {since}{there}"
        missing = f"Kubernetes {self.name} has no {kind} in {api_version}"
        others = [name for name in shipped() if (api_version, kind) in get(name).kinds]
        if others:
            return f"{missing}, {', '.join(others)} {'has' if len(others) == 1 else 'have'}{use}"
        return missing + (use or scalars.did_you_mean(kind, {name for _, name in self.kinds}))

    def _use(self, api_version: str, kind: str) -> str:
        """Return ``; use apps/v1`` for the version that has a kind, one of the same group if there is any."""
        served = self.versions_of(kind)
        group = objects.group_of(api_version)
        best = next((version for version in served if objects.group_of(version) == group), next(iter(served), ""))
        return f"; use {best}" if best else ""


def shipped() -> tuple[str, ...]:
    """Return the minors that are shipped, such as ``1.36``, the oldest first."""
    return tuple(sorted(_data().minors, key=_order))


@functools.cache
def get(name: str) -> Minor:
    """Return a shipped minor."""
    return Minor(name)


def stated(version: str | None) -> str | None:
    """Return the minor of a version or a channel (``v1.36.3+k3s1``, ``1.36/stable``); None when it states none."""
    found = _VERSION.match(version or "")
    return found["minor"] if found else None


def nearest(minor: str | None) -> str:
    """Return the shipped minor that is nearest to a stated one; the newest when none is stated."""
    known = shipped()
    if minor is None:
        return known[-1]
    major, number = _order(minor)
    return min(known, key=lambda one: (abs(_order(one)[0] - major), abs(_order(one)[1] - number)))


@functools.cache
def _data() -> _Data:
    return msgspec.json.decode(gzip.decompress(_DATA.read_bytes()), type=_Data)


@functools.cache
def _all_groups() -> frozenset[str]:
    data = _data()
    found = {objects.group_of(version) for minor in data.minors.values() for version in minor.kinds}
    return frozenset(found | {objects.group_of(version) for version in data.gone})


def _order(minor: str) -> tuple[int, int]:
    major, _, number = minor.partition(".")
    return int(major), int(number)


def _stability(api_version: str) -> tuple[int, str]:
    name = api_version.rpartition("/")[2]
    return (2 if "alpha" in name else 1 if "beta" in name else 0), api_version
