"""What clusters said that they serve, kept in a project: one file for each different answer, and one for each cluster.

``.fleetctl/cache/discovery/`` holds ``HASH.json``, an answer byte for byte under its SHA-256, and ``clusters/KEY``,
the mark and the hash of a cluster's last answer; KEY is a hash of how the cluster is reached and proves itself. Files
are for their owner alone, and one that others could have written is not read: no commit can bring one along. Whatever
is damaged, foreign or too large is as if it were not there. Nothing in it is a credential.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import re
import stat
from typing import Final

import msgspec

from fleetctl.kube import answers, discovery, transport
from fleetctl.reading import disk

__all__ = ["FOLDER", "Cache"]

FOLDER: Final = pathlib.PurePath(".fleetctl", "cache", "discovery")
"""Where the cache lies in a project."""

_LARGEST: Final = 2 << 20
"""Bytes of an answer that is kept: a hundred times what a cluster says of itself without extensions."""
_MOST: Final = 64
"""Different answers that are kept."""
_MOST_CLUSTERS: Final = 20_000
_LONGEST_MARK: Final = 256
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_MARK: Final = re.compile(r'"[!#-~]{1,200}"')


class Cache:
    """The cache of one project, for one command; answers that were read are kept decoded, once for all clusters."""

    def __init__(self, root: pathlib.Path) -> None:
        self._folder = root / FOLDER
        self._documents: dict[str, discovery.Document] = {}
        self.last: discovery.Kept | None = None
        """The last answer whose mark is its hash: a cluster that nothing is known of may say the same."""

    def of(self, endpoint: transport.Endpoint) -> discovery.Known:
        """Return what is known of the cluster at an endpoint."""
        said = [endpoint.server.encode(), endpoint.server_name.encode(), endpoint.ca or b"", endpoint.proxy.encode()]
        key = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in said)).hexdigest()
        return _Cluster(self, self._folder / "clusters" / key)

    def document(self, name: str) -> discovery.Document | None:
        """Return a kept answer by its hash; None when it is not there whole."""
        if name not in self._documents:
            body = _read(self._folder / f"{name}.json", _LARGEST) if _HASH.fullmatch(name) else b""
            if hashlib.sha256(body).hexdigest() != name:
                return None
            try:
                self._hold(name, discovery.read(body))
            except answers.Failure:
                return None
        return self._documents[name]

    def add(self, body: bytes) -> tuple[str, discovery.Document]:
        """Return an answer's hash and what it tells, and keep it; raises ``Failure`` (broken)."""
        name = hashlib.sha256(body).hexdigest()
        if name not in self._documents:
            found = discovery.read(body)
            if found is not discovery.NOTHING and len(body) <= _LARGEST:
                path = self._folder / f"{name}.json"
                _write(path, body)
                _sweep(self._folder, _MOST, path)
                _sweep(self._folder / "clusters", _MOST_CLUSTERS, path)
            self._hold(name, found)
        return name, self._documents[name]

    def _hold(self, name: str, document: discovery.Document) -> None:
        if len(self._documents) >= _MOST:
            del self._documents[next(iter(self._documents))]
        self._documents[name] = document


class _Cluster:
    """What is known of one cluster."""

    def __init__(self, cache: Cache, path: pathlib.Path) -> None:
        self._cache = cache
        self._path = path
        self._own: discovery.Kept | None = None

    def suggested(self) -> discovery.Kept | None:
        """Return the cluster's last answer, or else the last that any cluster gave."""
        try:
            kept = msgspec.json.decode(_read(self._path, 1024), type=discovery.Kept)
        except msgspec.MsgspecError:
            return self._cache.last
        sound = _MARK.fullmatch(kept.etag) is not None and self._cache.document(kept.body) is not None
        self._own = kept if sound else None
        return self._own or self._cache.last

    def confirm(self, kept: discovery.Kept) -> discovery.Document | None:
        """Keep that the answer is this cluster's."""
        if kept is not self._own:
            _write(self._path, msgspec.json.encode(kept))
        return self._cache.document(kept.body)

    def take(self, answer: transport.Answer) -> discovery.Document:
        """Keep a new answer, if it bears a mark."""
        name, document = self._cache.add(answer.body)
        etag = answer.etag.strip().decode("latin-1")
        if document is not discovery.NOTHING and _MARK.fullmatch(etag):
            kept = discovery.Kept(etag, name)
            _write(self._path, msgspec.json.encode(kept))
            if discovery.proven(etag, answer.body):
                self._cache.last = kept
        return document


def _read(path: pathlib.Path, most: int) -> bytes:
    """Return what is in a file that nobody but we can have written; nothing when there is none of such a size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            ours = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077 and found.st_uid == os.geteuid()
            return file.read() if ours and found.st_size <= most else b""
    except OSError:
        return b""


def _write(path: pathlib.Path, text: bytes) -> None:
    """Replace a file of the cache; in a folder that is not ours to write there is no cache."""
    with contextlib.suppress(OSError):
        disk.private_folder(path.parent)
        disk.replace(path, text)


def _sweep(folder: pathlib.Path, most: int, but: pathlib.Path) -> None:
    """Take the oldest files away where there are too many; parts that a killed process left are among them."""
    with contextlib.suppress(OSError):
        found = [path for path in folder.iterdir() if path.is_file() and path != but]
        if len(found) >= most:
            found.sort(key=lambda path: path.lstat().st_mtime)
            for path in found[: len(found) - most + 1]:
                path.unlink(missing_ok=True)
