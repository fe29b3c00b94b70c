"""Files as a commit of git has them: read through git's plumbing, laid out in a folder of their own.

Commits are read with ``rev-parse``, ``ls-tree`` and ``cat-file`` alone: they run no hooks and no filters (what a filter
would have made of a file is not in the commit), and as all transports are forbidden they fetch nothing.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import posixpath
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from fleetctl.model import codes, errors, problems

__all__ = ["Commit", "ask", "folder", "lay_out", "resolve"]

_TIMEOUT: Final = 120
_SAFELY: Final = ("--no-replace-objects", "--literal-pathspecs", "-c", "core.fsmonitor=false")
_LINK, _SUBMODULE = "120000", "160000"
_NEVER: Final = frozenset({"", ".", "..", ".git"})
"""Names that no sound tree holds; ``git fsck`` complains of them, and git itself refuses to check them out."""

_UNSOUND: Final = "no sound tree holds such a path"


class Commit(msgspec.Struct, frozen=True):
    """A commit, the folder whose history it is of, and where a project's folder lies in its tree."""

    id: str
    top: pathlib.Path
    """The working tree's root."""
    prefix: str
    """The project's folder in the tree: empty at its root, or ``fleets/eu/``."""

    @property
    def label(self) -> str:
        """Return what stands before a path to name it in this commit, as ``git show`` takes it."""
        return f"{self.id[:10]}:"


class _Entry(msgspec.Struct, frozen=True):
    mode: str
    id: str
    path: str


def resolve(project: pathlib.Path, revision: str) -> Commit:
    """Return the commit that a revision names in the repository of a project.

    Raises ``NotConfigured`` where there is no git or no repository, ``UsageError`` for a revision that is not there.
    """
    if not revision or revision.startswith("-") or not revision.isprintable():
        message = f'"{revision}" is no revision such as main, v1.4.0 or a commit (an empty variable?)'
        raise errors.UsageError(codes.Code.GIT_UNKNOWN_REVISION, message)
    where = _git(project, "rev-parse", "--show-toplevel", "--show-prefix")
    if where.returncode:
        message = f"{project} is in no repository that git can read: {_words(where)}"
        raise errors.NotConfigured(codes.Code.GIT_NO_REPOSITORY, message, "A revision can be read from git only.")
    top, prefix = os.fsdecode(where.stdout).splitlines()
    found = _git(project, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        shallow = _git(project, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        message = f'there is no commit "{revision}"' + (" in this shallow clone" if shallow else "")
        hint = "Fetch all of its history: git fetch --unshallow" if shallow else "List them: git log --oneline --all"
        raise errors.UsageError(codes.Code.GIT_UNKNOWN_REVISION, message, hint)
    return Commit(found.stdout.decode().strip(), pathlib.Path(top), prefix)


def ask(folder: pathlib.Path, *arguments: str) -> str | None:
    """Return what git says in a folder, or None where there is no git, no repository, or no answer."""
    try:
        done = _git(folder, *arguments)
    except errors.NotConfigured:
        return None
    return None if done.returncode else done.stdout.decode("utf-8", "replace").strip()


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    """Give a temporary folder that only its owner may enter, and take it away again."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="fleetctl-commit-")).resolve()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def lay_out(commit: Commit, wanted: Iterable[str], into: pathlib.Path) -> None:
    """Write the files at some paths of a commit's tree below a folder, read-only; what is there already stays.

    Links are followed to what they name in the tree. Raises ``InvalidInput`` for links out of the tree and submodules.
    """
    waiting, seen = [posixpath.normpath(path) for path in wanted], set[str]()
    links: dict[str, str] = {}
    while waiting:
        paths = [path for path in waiting if path not in seen]
        seen |= {*paths}
        entries = _entries(commit, paths) if paths else []
        found = dict(zip(entries, _contents(commit, [entry.id for entry in entries]), strict=True))
        for entry, content in found.items():
            if entry.mode != _LINK:
                _write(into / entry.path, content)
        new = {entry.path: os.fsdecode(content) for entry, content in found.items() if entry.mode == _LINK}
        links |= new
        waiting = [posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) for path, target in new.items()]
        waiting = [path for path in waiting if not path.startswith(("/", ".."))]
    _link(commit, links, into)


def _entries(commit: Commit, paths: list[str]) -> list[_Entry]:
    """List the files below some paths; raises ``InvalidInput`` for what cannot or must not be laid out."""
    everything = "." in paths
    listed = _asked(commit, "ls-tree", "-r", "-z", "--full-tree", commit.id, *([] if everything else ["--", *paths]))
    entries: list[_Entry] = []
    found: list[problems.Problem] = []
    for line in listed.split(b"\0"):
        if not line:
            continue
        head, _, name = line.partition(b"\t")
        mode, _, digest = head.decode().split()
        path = os.fsdecode(name)
        mark = problems.Mark(f"{commit.label}{path}")
        if mode == _SUBMODULE:
            message = "this is a submodule: its files are in a repository of their own, not in this commit"
            found.append(problems.Problem(codes.Code.GIT_SUBMODULE, message, mark))
        elif _NEVER & {*path.split("/")}:
            found.append(problems.Problem(codes.Code.GIT_LEAVES_TREE, _UNSOUND, mark))
        else:
            entries.append(_Entry(mode, digest, path))
    if found:
        raise errors.InvalidInput(found)
    return entries


def _contents(commit: Commit, ids: list[str]) -> Iterator[bytes]:
    """Yield the contents of blobs; raises ``NotConfigured`` for one that this clone does not have."""
    if not ids:
        return
    stream = memoryview(_asked(commit, "cat-file", "--batch", text="".join(f"{one}\n" for one in ids).encode()))
    at = 0
    for one in ids:
        end = at
        while stream[end] != ord("\n"):
            end += 1
        head = bytes(stream[at:end]).decode().split()
        if head[1:2] != ["blob"]:
            message = f"git does not have all files of commit {commit.id[:10]} here: {one} is {head[-1]}"
            hint = "In a partial clone, fetch them: git checkout, or git fetch --refetch with another filter."
            raise errors.NotConfigured(codes.Code.GIT_FAILED, message, hint)
        at = end + 1 + int(head[2])
        yield bytes(stream[end + 1 : at])
        at += 1  # the line feed after each


def _write(path: pathlib.Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IRUSR)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _link(commit: Commit, links: dict[str, str], into: pathlib.Path) -> None:
    """Make the links, after all files: nothing is ever written through one. Where they lead is asked of the disk."""
    found: list[problems.Problem] = []
    for path, target in links.items():
        here = into / path
        here.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if here.is_symlink():
            continue
        if here.exists():
            found.append(problems.Problem(codes.Code.GIT_LEAVES_TREE, _UNSOUND, problems.Mark(f"{commit.label}{path}")))
            continue
        here.symlink_to(target)
    for path, target in links.items():
        if not pathlib.Path(os.path.realpath(into / path)).is_relative_to(into):
            message = f"this link leads out of the repository, to {target}"
            mark = problems.Mark(f"{commit.label}{path}")
            found.append(problems.Problem(codes.Code.GIT_LEAVES_TREE, message, mark))
    if found:
        raise errors.InvalidInput(found)


def _asked(commit: Commit, *arguments: str, text: bytes = b"") -> bytes:
    done = _git(commit.top, *arguments, text=text)
    if done.returncode:
        message = f"git {arguments[0]} failed: {_words(done)}"
        raise errors.NotConfigured(codes.Code.GIT_FAILED, message, "Look at the repository: git fsck")
    return done.stdout


def _git(at: pathlib.Path, *arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        message = "git is not installed, or not on PATH"
        raise errors.NotConfigured(codes.Code.GIT_FAILED, message, "A revision can be read from git only.")
    command = [git, "-C", str(at), *_SAFELY, *arguments]
    try:
        return subprocess.run(  # noqa: S603  # git of the user's PATH, no shell
            command, input=text, check=False, capture_output=True, timeout=_TIMEOUT, env=_environment()
        )
    except subprocess.TimeoutExpired:
        message = f"git {arguments[0]} did not end within {_TIMEOUT} s"
        raise errors.NotConfigured(codes.Code.GIT_FAILED, message) from None
    except OSError as error:
        message = f"{git} cannot be run: {error.strerror}"
        raise errors.NotConfigured(codes.Code.GIT_FAILED, message) from None


def _environment() -> dict[str, str]:
    """Return the environment without what points git elsewhere (as it does in hooks), and with all transports shut."""
    elsewhere = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_COMMON_DIR"}
    kept = {key: value for key, value in os.environ.items() if key not in elsewhere}
    return {**kept, "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").split("\n")
    return lines[0].removeprefix("fatal: ").strip() or f"it ended with {done.returncode}"
