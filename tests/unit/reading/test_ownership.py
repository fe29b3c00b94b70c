"""Files that only we, or root, could have written, and what makes others able to."""

import grp
import os
import pathlib
import pwd

import pytest

from fleetctl.reading import ownership


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    """Give a file two folders deep, all of it ours alone."""
    path = tmp_path / "a" / "b" / "file"
    path.parent.mkdir(parents=True, mode=0o700)
    path.parent.parent.chmod(0o700)
    path.write_bytes(b"")
    path.chmod(0o600)
    return path


def _of_a_crowd(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a file to a group that is not root's, and that has others in it, wherever the tests run."""
    if os.geteuid() == 0:
        os.chown(path, -1, 12345)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("crew", "x", gid, ["alice", "bob"])))


def test_what_is_ours_is_nobody_elses(file: pathlib.Path) -> None:
    """Others may read it."""
    file.chmod(0o644)
    assert ownership.stranger(file) == ""


@pytest.mark.parametrize("name", ["file", "", ".."])
def test_whoever_may_write_is_a_stranger(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The file, or a folder above in which another one could be put in its place."""
    path = pathlib.Path(os.path.normpath(file.parent / name))
    path.chmod(0o702)
    assert ownership.stranger(file) == f"anybody may write {path}"
    path.chmod(0o720)
    _of_a_crowd(path, monkeypatch)
    assert ownership.stranger(file) == f"its group may write {path}"


def test_in_a_sticky_folder_ours_stays_ours(file: pathlib.Path) -> None:
    """As in /tmp: others may make files there, but not rename ours; a file has no use for the bit."""
    file.parent.chmod(0o1777)
    assert ownership.stranger(file) == ""
    file.chmod(0o1602)
    assert ownership.stranger(file) == f"anybody may write {file}"


def test_a_group_of_ones_own_is_oneself(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian and Fedora make a group with each user, and files that it may write."""
    us = pwd.struct_passwd(("alice", "x", os.geteuid(), 12345, "", "", ""))
    if os.geteuid() == 0:
        os.chown(file, -1, 12345)
    gid = file.stat().st_gid
    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd((*us[:3], gid, "", "", "")))
    file.chmod(0o660)
    for name, members, expected in (
        ("alice", [], ""),
        ("alice", ["alice"], ""),
        ("alice", ["alice", "bob"], "its group may write"),
        ("staff", [], "its group may write"),
    ):
        found = grp.struct_group((name, "x", gid, members))
        monkeypatch.setattr(grp, "getgrgid", lambda _, found=found: found)
        assert ownership.stranger(file).startswith(expected)
        assert bool(ownership.stranger(file)) == bool(expected)


@pytest.mark.parametrize("name", ["file", ""])
def test_what_belongs_to_somebody_else_is_theirs(
    file: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever its mode says now: its owner may change that."""
    path = pathlib.Path(os.path.normpath(file.parent / name))
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert ownership.stranger(file).endswith("belongs to somebody else")


def test_both_ends_of_a_link_are_looked_at(file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Where the link stands, and where the file does: either could be exchanged."""
    link = tmp_path / "c" / "link"
    link.parent.mkdir(mode=0o700)
    link.symlink_to(file)
    assert ownership.stranger(link) == ""
    link.parent.chmod(0o703)
    assert ownership.stranger(link) == f"anybody may write {link.parent}"
    link.parent.chmod(0o700)
    file.parent.chmod(0o703)
    assert ownership.stranger(link) == f"anybody may write {file.parent}"
    file.unlink()
    with pytest.raises(FileNotFoundError):
        ownership.stranger(link)
