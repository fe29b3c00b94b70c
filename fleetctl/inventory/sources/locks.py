"""Lock files: the sites of a source as they were when it was synced, in a text that is stable and good to diff.

A lock knows what it was made from: the digest of its source (comments and ``defaults`` do not count, the latter are
laid under the sites when they are read), of the files that went in, and of its own sites.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from fleetctl.inventory import snapshots
from fleetctl.inventory.sources import tables
from fleetctl.model import codes, problems
from fleetctl.reading import yaml12

__all__ = ["ENDING", "FORMAT", "Lock", "Source", "digest", "faults", "read", "source_digest", "text"]

ENDING: Final = snapshots.LOCK
FORMAT: Final = 1
_API_VERSION: Final = "fleetctl.dev/v1alpha1"
_KIND: Final = "SourceLock"
_NOT_YAML: Final = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What JSON may hold as it is and YAML may not: places in a lock are found by the reader of YAML."""


class Source(msgspec.Struct, frozen=True):
    """A source as a file declares it, and which file that is."""

    name: str
    document: yaml12.Document
    file: pathlib.Path
    """Paths in the source are read from this file's folder; the lock lies in it too."""
    shown: str
    sound: bool = True
    """Whether it fits its shape; otherwise its mistakes have been reported."""

    @property
    def lock(self) -> pathlib.Path:
        """Return where the lock lies."""
        return self.file.parent / f"{self.name}{ENDING}"

    def remedy(self) -> str:
        """Return what makes the lock anew."""
        return f"run: fleetctl inventory sync {self.name}"


class Lock(msgspec.Struct, frozen=True):
    """A lock file's content; ``document`` finds the lines of its sites."""

    source: str
    source_digest: str
    inputs: dict[str, str]
    digest: str
    sites: list[Any]
    document: yaml12.Document


def digest(value: object) -> str:
    """Return the digest of plain data, whatever the order of its keys."""
    return f"sha256:{hashlib.sha256(msgspec.json.encode(value, order='deterministic')).hexdigest()}"


def source_digest(source: Source) -> str:
    """Return the digest of what decides which sites a source gives."""
    return digest({key: value for key, value in source.document.data.items() if key != "defaults"})  # type: ignore[attr-defined]


def text(source: Source, sites: Sequence[Mapping[str, Any]], inputs: Mapping[str, str]) -> bytes:
    """Return a lock file: equal input gives equal bytes, and one changed value is one changed line of a site."""
    content = {
        "apiVersion": _API_VERSION,
        "kind": _KIND,
        "format": FORMAT,
        "source": {"name": source.name, "digest": source_digest(source)},
        "inputs": dict(sorted(inputs.items())),
        "digest": digest(list(sites)),
        "sites": list(sites),
    }
    written = _NOT_YAML.sub(_escaped, json.dumps(content, ensure_ascii=False, indent=1))
    return f"{written}\n".encode()


def _escaped(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def read(content: bytes, shown: str) -> tuple[Lock | None, problems.Problem | None]:
    """Read a lock file; a problem when nothing can be taken from it."""

    def fault(message: str) -> tuple[None, problems.Problem]:
        return None, problems.Problem(codes.Code.LOCK_UNREADABLE, message, problems.Mark(shown))

    try:
        data = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return fault("is not JSON (a merge conflict?); take one side of it or delete it, then sync its source again")
    if not isinstance(data, dict) or data.get("kind") != _KIND or data.get("apiVersion") != _API_VERSION:
        return fault(f"is no {_KIND} of {_API_VERSION}; files that end in {ENDING} are written by inventory sync")
    if data.get("format") != FORMAT:
        return fault(f"has format {data.get('format')!r}, and this fleetctl knows {FORMAT}; use a newer fleetctl")
    source, inputs = data.get("source"), data.get("inputs")
    if not (
        isinstance(source, dict)
        and isinstance(source.get("name"), str)
        and isinstance(inputs, dict)
        and isinstance(data.get("sites"), list)
    ):
        return fault("lacks source, inputs or sites; delete it, then sync its source again")
    document = yaml12.Document(shown, content.decode(), 0, data, 1)
    return Lock(
        source["name"], str(source.get("digest")), inputs, str(data.get("digest")), data["sites"], document
    ), None


def faults(source: Source, lock: Lock, texts: Mapping[pathlib.Path, bytes]) -> Iterator[problems.Problem]:
    """Yield what is wrong between a source and its lock: it was edited, or something it was made from has changed.

    ``texts`` are the files that can be watched; a table that is elsewhere, perhaps on somebody else's disk, says
    nothing.
    """
    if lock.digest != digest(lock.sites):
        message = f"its sites were edited, and the next sync would undo that; change the source, then {source.remedy()}"
        yield problems.Problem(codes.Code.LOCK_EDITED, message, lock.document.mark(("digest",)), ("digest",))
    if lock.source_digest != source_digest(source):
        message = f"the source has changed since it was synced; {source.remedy()}"
        yield problems.Problem(codes.Code.LOCK_STALE, message, source.document.mark(("name",)), ("name",))
    for path, known in lock.inputs.items():
        watched = texts.get(pathlib.Path(os.path.normpath(source.file.parent / path)))
        if watched is not None and tables.digest(watched) != known:
            message = f"{path} has changed since the source was synced; {source.remedy()}"
            yield problems.Problem(codes.Code.LOCK_STALE, message, source.document.mark(("name",)), ("name",))
