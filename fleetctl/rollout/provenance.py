"""Which commit the project's files are, if they are in git: for plan, journal and parents."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import msgspec

__all__ = ["Provenance", "of"]

_TIMEOUT = 10


class Provenance(msgspec.Struct, frozen=True):
    """A commit, and whether files differ from it; empty where there is no git."""

    commit: str = ""
    dirty: bool = False


def of(folder: pathlib.Path) -> Provenance:
    """Ask git about a project's folder; a folder that git does not know has no provenance."""
    git = shutil.which("git")
    if git is None:
        return Provenance()
    commit = _ask(git, folder, "rev-parse", "HEAD")
    if not commit:
        return Provenance()
    return Provenance(commit, dirty=bool(_ask(git, folder, "status", "--porcelain", "--", ".")))


def _ask(git: str, folder: pathlib.Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # git of the user's PATH, fixed arguments
            [git, "-C", str(folder), *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
