"""The fleet as it was made the last time, as long as every byte that it was made from is the same.

One file below ``.fleetctl/cache`` in the project. What is in it counts only if it is whole (a checksum), was written by
this very fleetctl for this very project, and if the files that a fleet is made from have the digest that it names; that
they have is found out by reading them all. Sizes and times of change are not trusted: a file system may be too coarse
to tell two writes apart, and reading is a small part of what reading *and understanding* costs. Whatever is wrong with
the cache (damaged, foreign, newer, not there, not ours alone to write), the files are read as if there were none.

The file is for its owner alone, and one that others could have written is not read: a cache can say what no reviewed
file says. Git keeps no such permissions, so no commit can bring one along.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

import fleetctl
from fleetctl.inventory import fleets, locating, snapshots
from fleetctl.model import errors, problems, projects, selectors, sites, values
from fleetctl.reading import disk

__all__ = ["FOLDER", "load"]

FOLDER = pathlib.PurePath(".fleetctl")
"""Where a project keeps what fleetctl makes, not its people."""

_FILE = FOLDER / "cache" / "inventory"
_MAGIC = b"fleetctl inventory 1\n"
_CHECKSUM = hashlib.sha256().digest_size
_START = len(_MAGIC) + _CHECKSUM
_ROOMS = ("inventory", "inventory/sources", "model", "reading", "schema")
_UNSET = 1
"""The msgpack extension that stands for ``!unset``."""


class _Group(msgspec.Struct, frozen=True, array_like=True):
    name: str
    match: selectors.Selector
    priority: int
    layer: values.Written
    mark: problems.Mark


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What the file holds. Sites stay packed until somebody asks for them; labels are kept once for all alike."""

    made_by: bytes
    settings_digest: bytes
    settings: locating.Settings
    digest: bytes
    groups: list[_Group]
    names: list[str]
    labels: list[dict[str, str]]
    labelled: list[int]
    """The labels of each name, as a place in ``labels``."""
    packed: list[msgspec.Raw]


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """A site; nodes whose vars are all their site's are kept without."""

    site: sites.Site
    own_vars: tuple[int, ...]


class _Sites(Mapping[str, sites.Site]):
    """Sites that are unpacked one by one, as they are asked for."""

    def __init__(self, packed: dict[str, msgspec.Raw]) -> None:
        self._packed = packed
        self._made: dict[str, sites.Site] = {}
        self._decoder = msgspec.msgpack.Decoder(_Packed)

    def __getitem__(self, name: str) -> sites.Site:
        site = self._made.get(name)
        if site is None:
            kept = self._decoder.decode(self._packed[name])
            site = self._made[name] = kept.site
            for index, node in enumerate(site.nodes):
                if index not in kept.own_vars:
                    # The node was made a line above and nobody has seen it: it is not frozen yet.
                    msgspec.structs.force_setattr(node, "vars", site.vars)
        return site

    def __contains__(self, name: object) -> bool:
        return name in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def load(file: pathlib.Path) -> fleets.Loaded:
    """Return the fleet of the project with this settings file, as it was made last time or made anew.

    Raises ``InvalidInput`` with everything that is wrong; nothing of that is kept.
    """
    root = file.parent
    text, refused = disk.read(file, locating.FILE)
    if refused:
        raise errors.InvalidInput(refused, files=1)
    made_by, settings_digest = _made_by(), hashlib.sha256(text).digest()
    kept = _read(root)
    if kept is not None and (kept.made_by, kept.settings_digest) == (made_by, settings_digest):
        project = locating.project(root, kept.settings)
        if not locating.missing(project, kept.settings):
            snapshot = snapshots.take(project)
            if kept.digest == _digest(project, snapshot):
                return fleets.Loaded(project, snapshot, _fleet(project, kept))
    settings = locating.settings(text, root)
    project = locating.project(root, settings)
    snapshot = snapshots.take(project)
    loaded = fleets.load(project, snapshot)
    digest = _digest(project, snapshot)
    if digest is not None and made_by is not None:
        with contextlib.suppress(OSError):  # a folder that is not ours to write: then without a cache
            _write(root, _kept(loaded.fleet, made_by, settings_digest, settings, digest))
    return loaded


def _digest(project: projects.Project, snapshot: snapshots.Snapshot) -> bytes | None:
    """Return the digest of what a fleet is made from; places are shown relative to folders, so these count too."""
    digest = snapshot.digest(project.inventory)
    if digest is None:
        return None
    folders = "\0".join(map(str, (project.root, project.inventory, project.templates)))
    return hashlib.sha256(folders.encode("utf-8", "surrogateescape") + b"\0" + digest).digest()


def _made_by() -> bytes | None:
    """Return what is another one for any other code that makes fleets; None when that cannot be told.

    The version would do for releases. In a checkout the code changes under one version.
    """
    made = hashlib.sha256(f"{fleetctl.__version__} {sys.version}".encode())
    package = pathlib.Path(__file__).parent.parent
    try:
        for room in _ROOMS:
            with os.scandir(package / room) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.endswith(".py"):
                        at = entry.stat()
                        made.update(f"{entry.path}\0{at.st_size}\0{at.st_mtime_ns}\0".encode())
    except OSError:
        return None
    return made.digest()


def _fleet(project: projects.Project, kept: _Kept) -> sites.Fleet:
    groups = {one.name: sites.Group(one.name, one.match, one.priority, one.layer, one.mark) for one in kept.groups}
    packed = dict(zip(kept.names, kept.packed, strict=True))
    labels = dict(zip(kept.names, [kept.labels[at] for at in kept.labelled], strict=True))
    return sites.Fleet(project.name, _Sites(packed), groups, labels)


def _kept(
    fleet: sites.Fleet, made_by: bytes, settings_digest: bytes, settings: locating.Settings, digest: bytes
) -> _Kept:
    labels: dict[tuple[tuple[str, str], ...], int] = {}
    labelled = [
        labels.setdefault(tuple(sites.selectable_labels(site).items()), len(labels)) for site in fleet.sites.values()
    ]
    encoder = msgspec.msgpack.Encoder()
    return _Kept(
        made_by=made_by,
        settings_digest=settings_digest,
        settings=settings,
        digest=digest,
        groups=[
            _Group(group.name, group.match, group.priority, _without_unset(group.layer), group.mark)
            for group in fleet.groups.values()
        ],
        names=list(fleet.sites),
        labels=[dict(one) for one in labels],
        labelled=labelled,
        packed=[msgspec.Raw(encoder.encode(_packed(site))) for site in fleet.sites.values()],
    )


def _packed(site: sites.Site) -> _Packed:
    own = tuple(index for index, node in enumerate(site.nodes) if node.vars is not site.vars and node.vars != site.vars)
    nodes = tuple(
        node if index in own else msgspec.structs.replace(node, vars={}) for index, node in enumerate(site.nodes)
    )
    return _Packed(msgspec.structs.replace(site, nodes=nodes), own)


def _without_unset(value: Any) -> Any:  # noqa: ANN401  # any value, or an extension of msgpack
    """Put an extension in the place of every ``!unset``, which msgspec would write as the text of that name."""
    if isinstance(value, dict):
        return {key: _without_unset(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_unset(inner) for inner in value]
    return msgspec.msgpack.Ext(_UNSET, b"") if value is values.UNSET else value


def _extension(code: int, _data: memoryview) -> values.Unset:
    if code == _UNSET:
        return values.UNSET
    raise ValueError(code)


def _read(root: pathlib.Path) -> _Kept | None:
    """Return what the cache holds; None for anything that this fleetctl has not written whole for its own user."""
    try:
        with (root / _FILE).open("rb") as file:
            status = os.fstat(file.fileno())
            ours = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077 and status.st_uid == os.geteuid()
            whole = file.read() if ours else b""
        head, checksum, packed = whole[: len(_MAGIC)], whole[len(_MAGIC) :][:_CHECKSUM], whole[_START:]
        if head != _MAGIC or checksum != hashlib.sha256(packed).digest():
            return None
        return msgspec.msgpack.decode(packed, type=_Kept, ext_hook=_extension)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _write(root: pathlib.Path, kept: _Kept) -> None:
    """Replace the cache whole; raises ``OSError``."""
    path = root / _FILE
    disk.private_folder(path.parent)
    ignore = root / FOLDER / ".gitignore"
    if not ignore.exists():
        # As other tools do in their own folders: it works in projects that never heard of us.
        ignore.write_text("*\n", encoding="ascii")
    packed = msgspec.msgpack.encode(kept)
    disk.replace(path, _MAGIC + hashlib.sha256(packed).digest() + packed)
