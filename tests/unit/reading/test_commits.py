"""Commits of git as folders of files: what is laid out, what is refused, and what never happens on the way."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from fleetctl.model import codes, errors
from fleetctl.reading import commits

_ENVIRONMENT = {
    **os.environ,
    **{f"GIT_{role}_{what}": what for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def _git(folder: pathlib.Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=_ENVIRONMENT).stdout.strip()


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """A repository with two commits: the file ``a/b`` says one, then two."""
    folder = tmp_path / "repository"
    (folder / "a").mkdir(parents=True)
    _git(folder, "init", "-q", "-b", "main")
    for text in ("one", "two"):
        (folder / "a" / "b").write_text(text, encoding="utf-8")
        _git(folder, "add", "-A")
        _git(folder, "commit", "-q", "-m", text)
    return folder


def _laid_out(folder: pathlib.Path, revision: str, into: pathlib.Path, *paths: str) -> dict[str, str]:
    commits.lay_out(commits.resolve(folder, revision), paths or ["."], into)
    files = [path for path in into.rglob("*") if path.is_file()]
    return {path.relative_to(into).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_files_are_the_commits(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What lies in the working tree or in another commit does not matter."""
    (repository / "a" / "b").write_text("three", encoding="utf-8")
    assert _laid_out(repository, "HEAD~1", tmp_path / "into") == {"a/b": "one"}
    assert _laid_out(repository, "main", tmp_path / "other") == {"a/b": "two"}


def test_only_what_is_asked_for(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A path takes what is below it, and nothing whose name merely begins alike or that it would match as a pattern."""
    for name in ("ab", "a*"):
        (repository / name).write_text("", encoding="utf-8")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "-m", "three")
    assert _laid_out(repository, "main", tmp_path / "into", "a") == {"a/b": "two"}
    assert _laid_out(repository, "main", tmp_path / "other", "a*") == {"a*": ""}


def test_nobody_else_may_read_or_change_it(repository: pathlib.Path) -> None:
    """Folders are for their owner, files to be read only, and all is gone in the end."""
    with commits.folder() as into:
        _laid_out(repository, "main", into)
        assert stat.S_IMODE(into.stat().st_mode) == stat.S_IMODE((into / "a").stat().st_mode) == 0o700
        assert stat.S_IMODE((into / "a" / "b").stat().st_mode) == 0o400
    assert not into.exists()


def test_a_project_below_the_root(repository: pathlib.Path) -> None:
    """The commit knows where the project's folder lies in its tree."""
    found = commits.resolve(repository / "a", "main")
    assert (found.prefix, found.top) == ("a/", repository.resolve())
    assert found.label == f"{_git(repository, 'rev-parse', 'main')[:10]}:"


def test_a_shallow_clone(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A commit that was not fetched is said to be so, with the command that fetches it."""
    _git(tmp_path, "clone", "-q", "--depth=1", repository.as_uri(), "shallow")
    with pytest.raises(errors.UsageError) as refused:
        commits.resolve(tmp_path / "shallow", "HEAD~1")
    assert refused.value.code is codes.Code.GIT_UNKNOWN_REVISION
    assert refused.value.message == 'there is no commit "HEAD~1" in this shallow clone'
    assert refused.value.hint == "Fetch all of its history: git fetch --unshallow"


def test_a_partial_clone_fetches_nothing(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A blob that was left out when cloning is an error, and no reason to ask another machine for it."""
    _git(repository, "config", "uploadpack.allowFilter", "true")
    _git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", repository.as_uri(), "partial")
    with pytest.raises(errors.NotConfigured) as refused:
        _laid_out(tmp_path / "partial", "HEAD", tmp_path / "into")
    assert refused.value.code is codes.Code.GIT_FAILED


def test_a_damaged_repository(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A file that the repository lost is not taken for an empty one."""
    blob = _git(repository, "rev-parse", "HEAD:a/b")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(errors.NotConfigured) as refused:
        _laid_out(repository, "HEAD", tmp_path / "into")
    assert refused.value.code is codes.Code.GIT_FAILED
    assert blob in refused.value.message


def test_no_git(repository: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Without git nothing can be read from it, and nothing more is known than that."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.NotConfigured) as refused:
        commits.resolve(repository, "main")
    assert refused.value.code is codes.Code.GIT_FAILED
    assert commits.ask(repository, "rev-parse", "HEAD") is None


def test_inside_a_hook(repository: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Hooks run with variables that point git to their own repository; a project's is the one around it."""
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert commits.resolve(repository, "main").top == repository.resolve()


def test_filters_and_hooks_do_not_run(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What a repository's settings would run on a checkout is not run, and attributes change nothing."""
    ran = tmp_path / "ran"
    _git(repository, "config", "filter.spy.smudge", f"touch {ran}")
    _git(repository, "config", "core.fsmonitor", f"touch {ran}")
    (repository / ".git" / "info" / "attributes").write_text("* filter=spy export-ignore eol=crlf\n", encoding="utf-8")
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    hook.chmod(0o700)
    assert _laid_out(repository, "main", tmp_path / "into") == {"a/b": "two"}
    commits.ask(repository, "status", "--porcelain")
    assert not ran.exists()


@pytest.mark.parametrize("path", ["../outside", ".git/config", "a/../../outside"])
def test_paths_that_no_sound_tree_holds(repository: pathlib.Path, tmp_path: pathlib.Path, path: str) -> None:
    """A tree made by hand cannot make files beside the folder; git refuses to make one, so its object is written."""
    blob = _git(repository, "rev-parse", "HEAD:a/b")
    tree = b""
    for name in reversed(path.split("/")):
        mode = b"100644" if not tree else b"40000"
        digest = bytes.fromhex(blob) if not tree else bytes.fromhex(_object(repository, "tree", tree))
        tree = mode + b" " + name.encode() + b"\0" + digest
    commit = _git(repository, "commit-tree", "-m", "made by hand", _object(repository, "tree", tree))
    with pytest.raises(errors.InvalidInput) as refused:
        _laid_out(repository, commit, tmp_path / "into")
    assert refused.value.code is codes.Code.GIT_LEAVES_TREE
    assert not (tmp_path / "outside").exists()


def _object(repository: pathlib.Path, kind: str, content: bytes) -> str:
    git = shutil.which("git")
    assert git
    command = [git, "-C", str(repository), "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
    return subprocess.run(command, check=True, capture_output=True, input=content).stdout.decode().strip()


def test_nothing_is_written_through_a_link(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Of a tree that has a link and, below its name, a file, neither reaches what the link names."""
    target = tmp_path / "target"
    target.mkdir()
    blob = _git(repository, "rev-parse", "HEAD:a/b")
    link = _object(repository, "blob", str(target).encode())
    inner = _object(repository, "tree", b"100644 b\0" + bytes.fromhex(blob))
    tree = b"120000 x\0" + bytes.fromhex(link) + b"40000 x\0" + bytes.fromhex(inner)
    commit = _git(repository, "commit-tree", "-m", "made by hand", _object(repository, "tree", tree))
    with pytest.raises(errors.InvalidInput) as refused:
        _laid_out(repository, commit, tmp_path / "into")
    assert refused.value.code is codes.Code.GIT_LEAVES_TREE
    assert list(target.iterdir()) == []
