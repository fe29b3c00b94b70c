"""Releases as files: ``<site>/<namespace>/<kind>-<name>.yaml``, written so that a crash never leaves half a file.

An ``index.json`` at the root lists what was written. It marks the folder as ours (another folder is refused), and it
is how files of objects that are no longer rendered are found and removed. Files that would not change are not touched.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import pathlib
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

import msgspec

from fleetctl.model import codes, errors, objects, problems, releases
from fleetctl.reading import disk, yamltext

__all__ = ["INDEX", "Decides", "Index", "Written", "path_of", "write"]

INDEX = "index.json"
_KIND = "RenderedTree"
_VERSION = "fleetctl.dev/v1alpha1"
_ZERO = b"\\u0000"
"""What no path can hold, as JSON writes it."""
_LONGEST = 255
"""Bytes in a file's name, on every file system in use."""


class Index(msgspec.Struct, rename="camel"):
    """What the tree holds: digests, and files below the site's folder, by site and bundle."""

    api_version: str
    kind: str
    releases: dict[str, dict[str, str]] = {}
    files: dict[str, dict[str, list[str]]] = {}


class Written(msgspec.Struct, frozen=True):
    """How many files were written, left alone because they were equal, and removed."""

    written: int
    unchanged: int
    removed: int


def path_of(identity: objects.ObjectId, ending: str) -> str:
    """Return an object's path below its site.

    Kinds of custom resources carry their group, and names with capitals a mark of the name, so that no two are one
    file, not even where file systems do not tell capitals apart.
    """
    kind = identity.kind.lower() if identity.built_in else f"{identity.kind.lower()}.{identity.group or 'core'}"
    stem = f"{kind}-{urllib.parse.quote(identity.name, safe='')}"
    if len(stem) + len(ending) >= _LONGEST or identity.name != identity.name.lower():
        mark = hashlib.sha256(f"{stem}.{ending}".encode()).hexdigest()[:8]
        stem = f"{stem[: _LONGEST - len(ending) - 10]}-{mark}"
    return f"{identity.namespace or '_cluster'}/{stem}.{ending}"


Decides = Callable[[str, str], bool]
"""Whether a rendering decides about a site and a bundle: what it decides about and does not make is stale."""


def write(made: Iterable[releases.Release], folder: pathlib.Path, style: str, decides: Decides) -> Written:
    """Bring a folder to what was rendered; what the rendering does not decide about keeps its files.

    Raises ``Refused`` for a folder with anything else in it, one that another process writes to now, or one that cannot
    be written to, and ``InvalidInput`` where two objects of a site would be one file.
    """
    try:
        with _alone(folder):
            return _Writer(folder, _index(folder), style).write(list(made), decides)
    except OSError as error:
        named = pathlib.Path(error.filename or folder)
        message = f"{folder if named.name.startswith(disk.PART) else named}: {error.strerror or error}"
        raise errors.Refused(codes.Code.RENDER_UNWRITABLE, message, "Files already written are whole.") from error


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Make the folder and keep other processes from writing to it; the lock ends with the process."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another fleetctl render writes to {folder} now"
            raise errors.Refused(codes.Code.RENDER_UNWRITABLE, message, "Wait for it, or give another --out.") from None
        yield
    finally:
        os.close(descriptor)


def _index(folder: pathlib.Path) -> Index:
    index = folder / INDEX
    if index.is_file():
        text = index.read_bytes()
        try:
            found = msgspec.json.decode(text, type=Index)
        except msgspec.DecodeError:
            found = None
        if found is not None and (found.kind, found.api_version) == (_KIND, _VERSION) and _ZERO not in text:
            return found
    elif all(path.name.startswith(disk.PART) for path in folder.iterdir()):
        return Index(_VERSION, _KIND)
    message = f"{folder} holds files that fleetctl did not render"
    hint = "Give --out a new folder, an empty one, or one that fleetctl render made."
    raise errors.Refused(codes.Code.RENDER_FOREIGN_FOLDER, message, hint)


class _Writer:
    def __init__(self, folder: pathlib.Path, index: Index, style: str) -> None:
        self._folder = folder
        self._index = index
        self._ending = "json" if style == "json" else "yaml"
        self._emit: Callable[[object], str] = yamltext.FORMATS[style]
        self._texts: dict[bytes, bytes] = {}
        self._counts = {"written": 0, "unchanged": 0, "removed": 0}

    def write(self, made: list[releases.Release], decides: Decides) -> Written:
        for left in self._folder.glob(f"{disk.PART}*"):
            left.unlink(missing_ok=True)
        self._check_sites(made)
        wanted = self._wanted(made)
        stale = {
            (site, bundle): files
            for site, of_site in self._index.files.items()
            for bundle, files in of_site.items()
            if decides(site, bundle)
        }
        # The index first knows old and new files alike: whatever a crash leaves behind is found the next time.
        for (site, bundle), files in wanted.items():
            known = self._index.files.setdefault(site, {})
            known[bundle] = sorted({*known.get(bundle, ()), *files})
        self._save_index()
        for (site, _), files in wanted.items():
            for path, text in files.items():
                self._put(self._folder / site / path, text)
        for site, bundle in stale:
            self._forget(site, bundle)
        for release in made:
            paths = sorted(wanted[release.site, release.bundle])
            self._index.files.setdefault(release.site, {})[release.bundle] = paths
            self._index.releases.setdefault(release.site, {})[release.bundle] = release.digest
        for (site, _), old in stale.items():
            kept = {path for paths in self._index.files.get(site, {}).values() for path in paths}
            self._remove(site, sorted(set(old) - kept))
        self._save_index()
        return Written(**self._counts)

    def _check_sites(self, made: list[releases.Release]) -> None:
        """Refuse a site's folder that lies elsewhere."""
        root = self._folder.resolve()
        for site in {release.site for release in made}:
            if (self._folder / site).resolve().parent != root:
                message = f"{self._folder / site} is a link that leads out of {self._folder}"
                raise errors.Refused(
                    codes.Code.RENDER_FOREIGN_FOLDER, message, "Remove the link, or give another --out."
                )

    def _wanted(self, made: list[releases.Release]) -> dict[tuple[str, str], dict[str, bytes]]:
        """Return by site and bundle which file holds what; refuse two objects in one file."""
        wanted: dict[tuple[str, str], dict[str, bytes]] = {}
        taken: dict[tuple[str, str], objects.ObjectId] = {}
        for release in made:
            files = wanted[release.site, release.bundle] = {}
            for one in release.objects:
                path = path_of(one.id, self._ending)
                other = taken.setdefault((release.site, path), one.id)
                if other != one.id:
                    message = f"{one.id} ({one.id.group}) and {other} ({other.group}) would both be {path}; rename one"
                    mark = problems.Mark(one.template)
                    raise errors.InvalidInput([problems.Problem(codes.Code.OBJECT_CLASH, message, mark)])
                files[path] = self._text(one.body)
        return wanted

    def _forget(self, site: str, bundle: str) -> None:
        for part in (self._index.files, self._index.releases):
            of_site: dict[str, object] = part.get(site, {})  # type: ignore[assignment]  # both are maps by bundle
            of_site.pop(bundle, None)
            if not of_site:
                part.pop(site, None)

    def _text(self, body: bytes) -> bytes:
        known = self._texts.get(body)
        if known is None:
            known = self._texts[body] = self._emit(msgspec.json.decode(body)).encode()
        return known

    def _put(self, path: pathlib.Path, text: bytes) -> None:
        try:
            if path.read_bytes() == text:
                self._counts["unchanged"] += 1
                return
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(path, text, aside=self._folder)
        self._counts["written"] += 1

    def _remove(self, site: str, stale: Iterable[str]) -> None:
        root = (self._folder / site).resolve()
        if root.parent != self._folder.resolve():
            return  # an index that was tampered with names no site outside the tree
        for name in stale:
            path = self._folder / site / name
            if root not in path.resolve().parents:
                continue  # an index that was tampered with removes nothing outside its site
            if path.is_file() or path.is_symlink():
                path.unlink()
                self._counts["removed"] += 1
            for parent in path.resolve().parents:
                if not parent.is_relative_to(root) or (parent.exists() and any(parent.iterdir())):
                    break
                with contextlib.suppress(FileNotFoundError):
                    parent.rmdir()

    def _save_index(self) -> None:
        self._index.files = {site: dict(sorted(of.items())) for site, of in sorted(self._index.files.items())}
        self._index.releases = {site: dict(sorted(of.items())) for site, of in sorted(self._index.releases.items())}
        disk.replace(self._folder / INDEX, msgspec.json.format(msgspec.json.encode(self._index), indent=1) + b"\n")
