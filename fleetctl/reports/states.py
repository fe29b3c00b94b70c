"""The journal's care, for machines."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fleetctl.reports import envelopes
from fleetctl.state import collecting

__all__ = ["check", "collected", "copy", "restored"]


def check(path: str, found: Sequence[str] | None) -> dict[str, object]:
    """Return what is wrong with a journal, in words; ``there`` tells whether there is one."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "StateCheck",
        "name": path,
        "there": found is not None,
        "problems": list(found or ()),
    }


def copy(file: os.PathLike[str], size: int) -> dict[str, object]:
    """Return where a copy is, and its size in bytes."""
    return {"apiVersion": envelopes.API_VERSION, "kind": "StateBackup", "name": os.fspath(file), "bytes": size}


def restored(path: str, file: os.PathLike[str], kept: str) -> dict[str, object]:
    """Return what came from where, and where the journal before is, if there was one."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "StateRestore",
        "name": path,
        "from": os.fspath(file),
        "before": kept or None,
    }


def collected(found: collecting.Collected, *, dry: bool) -> dict[str, object]:
    """Return what went, or would go, and its size in bytes."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "StateCollection",
        "name": "state",
        "dryRun": dry,
        "runs": list(found.runs),
        "releases": found.releases,
        "blobs": found.blobs,
        "bytes": found.size,
    }
