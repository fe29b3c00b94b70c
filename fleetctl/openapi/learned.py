"""What clusters serve beside Kubernetes' own kinds, as files of a cache: whoever visits clusters fills it.

``.fleetctl/cache/openapi/`` of a project holds

- ``HASH.json``: one document of a cluster's ``/openapi/v3``, byte for byte, under the hash that the cluster gives in
  the index of ``/openapi/v3`` (``serverRelativeURL``): clusters that serve the same share a file;
- ``sites.json``: ``apiVersion: fleetctl.dev/v1alpha1``, ``kind: ServedDefinitions``, and ``sites``, a map by site of
  maps from path, such as ``apis/cert-manager.io/v1``, to HASH. Groups of Kubernetes' own are shipped and not read here.

API servers make the hash of the document (SHA-512), and a document that does not have its hash is not kept: no cluster
can say what another one serves. It is a cache: what is missing or damaged in it is not known.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import pathlib
import re
from typing import Final

import msgspec

from fleetctl.openapi import customs
from fleetctl.reading import disk

__all__ = ["FOLDER", "Learned"]

FOLDER: Final = pathlib.PurePath(".fleetctl", "cache", "openapi")
"""Where the cache lies in a project."""

_HASH: Final = re.compile(r"[0-9A-Za-z]{1,128}")
_HEX_DIGITS: Final = 2 * hashlib.sha512().digest_size
_LARGEST: Final = 8 << 20
"""Bytes of a document that is read; those of Kubernetes' own groups have 3 MB together."""
_MOST: Final = 512
"""Documents that are kept on disk."""


class _Sites(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    sites: dict[str, dict[str, str]] = {}


class Learned:
    """The cache of one project; files are read when they are asked for."""

    def __init__(self, root: pathlib.Path) -> None:
        self._folder = root / FOLDER
        self._documents: dict[str, tuple[customs.Custom, ...]] = {}
        self._changed = False
        self._last: dict[str, str] = {}  # by path

    def paths(self, site: str) -> tuple[tuple[str, str], ...]:
        """Return which documents a site's cluster serves, as sorted paths and hashes: equal for equal clusters."""
        return tuple(sorted(self._sites.get(site, {}).items()))

    def kinds(self, group: str, paths: tuple[tuple[str, str], ...]) -> list[customs.Custom]:
        """Return the kinds of a group that such documents hold."""
        return [one for path, name in paths if path.startswith(f"apis/{group}/") for one in self.document(name)]

    def document(self, name: str) -> tuple[customs.Custom, ...]:
        """Return the kinds of a document by its hash; nothing where it is not there, or no document."""
        if name not in self._documents:
            self._documents[name] = self._read(name) if _HASH.fullmatch(name) else ()
        return self._documents[name]

    def suggested(self, site: str, path: str) -> str:
        """Return the hash to ask a site's cluster about: its last, or else the last that any had; empty for none."""
        name = self._sites.get(site, {}).get(path) or self._last.get(path, "")
        return name if self.document(name) else ""

    def confirm(self, site: str, path: str, name: str) -> None:
        """Note which document a site's cluster serves at a path; no name where it serves none there."""
        served = self._sites.setdefault(site, {})
        if served.get(path, "") != name:
            self._changed = True
            if name:
                served[path] = name
            else:
                del served[path]

    def take(self, site: str, path: str, etag: str, body: bytes) -> str:
        """Keep a document that a site's cluster serves, and return its hash; empty for what is none, or not its own."""
        name = etag.strip().removeprefix('"').removesuffix('"')
        if len(body) > _LARGEST or name != hashlib.sha512(body).hexdigest().upper():
            return ""
        if not self.document(name):
            self._documents[name] = _kinds(body)
            with contextlib.suppress(OSError):  # a folder that is not ours to write: known to this command only
                disk.private_folder(self._folder)
                disk.replace(self._folder / f"{name}.json", body)
                self._sweep()
        self.confirm(site, path, name)
        self._last[path] = name
        return name

    def save(self) -> None:
        """Write down which clusters serve what, if that has changed. Of two commands at once the last one counts."""
        if self._changed:
            said = _Sites("fleetctl.dev/v1alpha1", "ServedDefinitions", dict(sorted(self._sites.items())))
            with contextlib.suppress(OSError):
                disk.private_folder(self._folder)
                disk.replace(self._folder / "sites.json", msgspec.json.encode(said))
            self._changed = False

    @functools.cached_property
    def _sites(self) -> dict[str, dict[str, str]]:
        try:
            said = msgspec.json.decode((self._folder / "sites.json").read_bytes(), type=_Sites)
        except (OSError, msgspec.DecodeError):
            return {}
        known = (said.kind, said.api_version) == ("ServedDefinitions", "fleetctl.dev/v1alpha1")
        return said.sites if known else {}

    def _read(self, name: str) -> tuple[customs.Custom, ...]:
        try:
            body = (self._folder / f"{name}.json").read_bytes()
        except OSError:
            return ()
        whole = len(name) != _HEX_DIGITS or name == hashlib.sha512(body).hexdigest().upper()
        return _kinds(body) if whole else ()

    def _sweep(self) -> None:
        """Take the oldest documents away where there are too many."""
        found = sorted(self._folder.glob("*.json"), key=lambda path: path.lstat().st_mtime)
        for path in found[: max(0, len(found) - _MOST)]:
            if path.name != "sites.json":
                path.unlink(missing_ok=True)


def _kinds(body: bytes) -> tuple[customs.Custom, ...]:
    try:
        return tuple(customs.of_document(msgspec.json.decode(body)))
    except (msgspec.DecodeError, RecursionError, AttributeError, KeyError, TypeError):
        return ()  # not a document of OpenAPI
