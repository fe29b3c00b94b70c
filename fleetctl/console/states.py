"""The journal on screen: whether it is sound, where its copies are, what it forgot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, TextIO

from fleetctl.state import collecting

__all__ = ["backup", "check", "collected", "restored"]

_MOST: Final = 20
_MIB: Final = 1024 * 1024


def check(path: str, found: Sequence[str] | None, kept: str, stream: TextIO) -> None:
    """Say what is wrong with a journal; None means that there is none yet."""
    if kept:
        stream.write(f"kept a copy: {kept}\n")
    if found is None:
        stream.write(f"{path} is not there yet: nothing was rolled out from here\n")
    elif not found:
        stream.write(f"{path} holds together{' again' if kept else ''}\n")
    else:
        stream.writelines(f"{line}\n" for line in found[:_MOST])
        if len(found) > _MOST:
            stream.write(f"... and {len(found) - _MOST:,} more: -o json shows all\n")
        what = "1 thing is" if len(found) == 1 else f"{len(found):,} things are"
        still = "still " if kept else ""
        stream.write(f"\n{what} {still}wrong with {path}.\n")
        if not kept:
            stream.write("What follows from the rest can be put right: fleetctl state check --repair\n")


def backup(file: os.PathLike[str], size: int, stream: TextIO) -> None:
    """Say where a copy is."""
    stream.write(f"wrote {os.fspath(file)} ({_amount(size)})\n")


def restored(path: str, file: os.PathLike[str], kept: str, stream: TextIO) -> None:
    """Say what the journal is now, and what is to be expected of it."""
    stream.write(f"{path} is {os.fspath(file)} now\n")
    if kept:
        stream.write(f"the one before is {kept}\n")
    stream.write("What it does not know, clusters do: a site whose bundle moved since is told by its parent.\n")


def collected(found: collecting.Collected, stream: TextIO, *, dry: bool, returned: bool) -> None:
    """Say what went."""
    if not (found.runs or found.releases or found.blobs):
        stream.write("nothing to forget\n")
        return
    what = f"{_many(len(found.runs), 'run')}, {_many(found.releases, 'release')} and {_amount(found.size)} of content"
    stream.write(f"{'would forget' if dry else 'forgot'} {what}\n")
    if not dry and not returned:
        stream.write("Others use the journal: the room stays in its file, for what comes.\n")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _amount(size: int) -> str:
    return f"{size / _MIB:,.1f} MiB" if size >= _MIB else f"{max(1, round(size / 1024)):,} KiB"
