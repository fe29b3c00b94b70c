"""Files read and replaced whole, folders read through, and what the operating system refuses as problems."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import tempfile
from collections.abc import Callable, Iterator

import msgspec

from fleetctl.model import codes, problems

__all__ = ["PART", "Tree", "is_there", "private_folder", "read", "refusal", "replace", "tree"]

PART = ".fleetctl-part-"
"""What names of files begin with that are not whole yet; a process that was killed leaves one."""


def read(path: pathlib.Path, shown: str) -> tuple[bytes, list[problems.Problem]]:
    """Return a file's bytes, or none and the problem; ``shown`` is the path as people see it."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            message = "cannot be read: it is a pipe or a device"
            return b"", [problems.Problem(codes.Code.PROJECT_UNREADABLE, message, problems.Mark(shown))]
        return path.read_bytes(), []
    except OSError as error:
        return b"", [refusal(error, shown)]


def is_there(path: pathlib.Path) -> bool:
    """Tell whether anything stands at a path, be it a link that leads nowhere; not whether it can be read."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def refusal(error: OSError, shown: str) -> problems.Problem:
    """Return what the operating system said about a file or folder as a problem there."""
    message = f"cannot be read: {error.strerror or error}"
    return problems.Problem(codes.Code.PROJECT_UNREADABLE, message, problems.Mark(shown))


class Tree(msgspec.Struct, frozen=True):
    """What is in a folder and below it, without what begins with a dot; all sorted."""

    files: list[pathlib.Path]
    lost: list[pathlib.Path]
    """Links that cannot be followed: each may stand for a file of any name, or for a folder."""
    refused: list[problems.Problem]
    """One for each folder that cannot be read."""


def tree(folder: pathlib.Path, shown: Callable[[pathlib.Path], str]) -> Tree:
    """List the files below a folder.

    Links to folders are followed, and each folder is searched once, however many ways lead to it: where it lies, or
    else by the first of its links.
    """
    found: list[pathlib.Path] = []
    lost: list[pathlib.Path] = []
    refused: list[problems.Problem] = []
    seen: set[pathlib.Path] = set()
    plain, linked = [folder], list[pathlib.Path]()
    while plain or linked:
        linked.sort(reverse=True)
        here = plain.pop() if plain else linked.pop()
        real = here.resolve()
        if real in seen:
            continue
        seen.add(real)
        try:
            for entry, is_folder in _entries(here):
                path = here / entry.name
                if is_folder:
                    (linked if entry.is_symlink() else plain).append(path)
                else:
                    (lost if is_folder is None else found).append(path)
        except OSError as error:
            refused.append(refusal(error, shown(here)))
    return Tree(sorted(found), sorted(lost), refused)


def _entries(folder: pathlib.Path) -> Iterator[tuple[os.DirEntry[str], bool | None]]:
    """Yield what is in a folder, hidden entries left out, and whether it is a folder; None if nobody can tell."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                # Of a link, is_dir() does not tell a file from nothing at all.
                yield entry, stat.S_ISDIR(entry.stat().st_mode) if entry.is_symlink() else entry.is_dir()
            except OSError:
                yield entry, None


def private_folder(path: pathlib.Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone; raises ``OSError``."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def replace(
    path: pathlib.Path, text: bytes, aside: pathlib.Path | None = None, *, like: os.stat_result | None = None
) -> None:
    """Write a file, for its owner alone, apart from its place, and rename it over: readers see old text or new.

    ``aside`` is a folder on the same file system, by default the file's own. With ``like`` the file is for whom that
    one is, and belongs to its owner as far as we may say so. Raises ``OSError``.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=PART, dir=aside or path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            if like is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        pathlib.Path(temporary).replace(path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
