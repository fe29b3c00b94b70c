"""What clusters serve beside Kubernetes' own kinds, as files of a cache: read here, written by whoever visits clusters.

``.fleetctl/cache/openapi/`` of a project holds

- ``HASH.json``: one document of a cluster's ``/openapi/v3``, byte for byte, under the hash that the cluster gives in
  the index of ``/openapi/v3`` (``serverRelativeURL``): clusters that serve the same share a file;
- ``sites.json``: ``apiVersion: fleetctl.dev/v1alpha1``, ``kind: ServedDefinitions``, and ``sites``, a map by site of
  maps from path, such as ``apis/cert-manager.io/v1``, to HASH. Groups of Kubernetes' own are shipped and not read here.

It is a cache: what is missing or damaged in it is not known, and objects of such kinds are reported as not checked.
"""

from __future__ import annotations

import functools
import pathlib
import re
from typing import Final

import msgspec

from fleetctl.openapi import customs

__all__ = ["FOLDER", "Learned"]

FOLDER: Final = pathlib.PurePath(".fleetctl", "cache", "openapi")
"""Where the cache lies in a project."""

_HASH: Final = re.compile(r"[0-9A-Za-z]{1,128}")


class _Sites(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    sites: dict[str, dict[str, str]] = {}


class Learned:
    """The cache of one project; files are read when they are asked for."""

    def __init__(self, root: pathlib.Path) -> None:
        self._folder = root / FOLDER
        self._documents: dict[str, tuple[customs.Custom, ...]] = {}

    def paths(self, site: str) -> tuple[tuple[str, str], ...]:
        """Return which documents a site's cluster serves, as sorted paths and hashes: equal for equal clusters."""
        return tuple(sorted(self._sites.get(site, {}).items()))

    def kinds(self, group: str, paths: tuple[tuple[str, str], ...]) -> list[customs.Custom]:
        """Return the kinds of a group that such documents hold."""
        return [one for path, name in paths if path.startswith(f"apis/{group}/") for one in self._document(name)]

    @functools.cached_property
    def _sites(self) -> dict[str, dict[str, str]]:
        try:
            said = msgspec.json.decode((self._folder / "sites.json").read_bytes(), type=_Sites)
        except (OSError, msgspec.DecodeError):
            return {}
        known = (said.kind, said.api_version) == ("ServedDefinitions", "fleetctl.dev/v1alpha1")
        return said.sites if known else {}

    def _document(self, name: str) -> tuple[customs.Custom, ...]:
        if name not in self._documents:
            self._documents[name] = self._read(name) if _HASH.fullmatch(name) else ()
        return self._documents[name]

    def _read(self, name: str) -> tuple[customs.Custom, ...]:
        try:
            document = msgspec.json.decode((self._folder / f"{name}.json").read_bytes())
            return tuple(customs.of_document(document))
        except (OSError, msgspec.DecodeError, AttributeError, KeyError, TypeError):
            return ()  # not a document of OpenAPI
