"""The operator's own side: what each check finds, and what it says to do."""

import os
import pathlib
import resource

import pytest

from fleetctl.clusters import connecting, operators
from fleetctl.model import checkups, sites


def _program(folder: pathlib.Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_what_runs_is_named() -> None:
    """Python, the libraries and the clock of this very run are fine."""
    found = (operators.python(), operators.libraries(), operators.clock())
    assert [one.verdict for one in found] == [checkups.Verdict.OK] * 3


def test_a_clock_behind_the_files_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No file was written in the future."""
    future = tmp_path / "operators.py"
    future.write_text("", encoding="utf-8")
    os.utime(future, (4e9, 4e9))
    monkeypatch.setattr(operators, "__file__", str(future))
    assert operators.clock().verdict is checkups.Verdict.FAIL


def test_programs_say_their_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """On either stream; one that is not there is missing, one that fails or says none is worth a look."""
    _program(tmp_path, "git", "echo git version 2.47.1")
    _program(tmp_path, "ssh", "echo OpenSSH_9.9p1, OpenSSL 3.4 >&2")
    _program(tmp_path, "helm", "echo no idea; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one.name: one for one in operators.programs()}
    assert found["git"].found == f"2.47.1 ({tmp_path}/git)"
    assert found["ssh"].found.startswith("9.9p1")
    assert found["helm"].verdict is checkups.Verdict.WARN
    assert (found["age"].verdict, found["age"].remedy) == (
        checkups.Verdict.MISSING,
        "Needed for making keys by hand.",
    )


def test_sops_is_kept_from_asking_for_a_newer_one(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """A doctor contacts nothing."""
    _program(tmp_path, "sops", 'case "$*" in *--disable-version-check*) echo sops 3.11.0;; *) exit 1;; esac')
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one.name: one for one in operators.programs()}
    assert found["sops"].found.startswith("3.11.0")


def test_the_folder_of_the_journal_is_not_made(tmp_path: pathlib.Path) -> None:
    """Looking leaves no trace."""
    assert operators.state_folder(tmp_path).verdict is checkups.Verdict.OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("soft", "hard", "verdict", "remedy"),
    [
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, checkups.Verdict.OK, ""),
        (320, 320, checkups.Verdict.OK, ""),
        (256, 4096, checkups.Verdict.FAIL, "Raise it (ulimit -n 320), or take fewer sites at a time: -c 192"),
        (256, 256, checkups.Verdict.FAIL, "Ask for a higher limit, or take fewer sites at a time: -c 192"),
    ],
    ids=["no limit", "just enough", "can be raised", "cannot be raised"],
)
def test_open_files_are_held_against_sites_at_a_time(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, verdict: checkups.Verdict, remedy: str
) -> None:
    """A site at a time is a connection."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    found = operators.limits(256)
    assert (found.verdict, found.remedy) == (verdict, remedy)


def test_passwords_of_proxies_are_not_shown() -> None:
    """Only who is asked; other variables do not matter."""
    found = operators.proxies({"HTTPS_PROXY": "http://kari:secret@proxy:3128", "no_proxy": "10.0.0.0/8", "PATH": "/"})
    assert found.found == "HTTPS_PROXY=http://...@proxy:3128, no_proxy=10.0.0.0/8"
    assert operators.proxies({}).found == "none set"


def test_secrets_that_others_may_read_are_named(tmp_path: pathlib.Path) -> None:
    """With what to do; what is not there does not count."""
    files = [tmp_path / name for name in ("a", "b", "gone")]
    for path in files[:2]:
        path.write_text("", encoding="utf-8")
        path.chmod(0o600)
    assert operators.secret_files(files).found == "2 looked at, none open to others"
    files[1].chmod(0o640)
    found = operators.secret_files(files)
    assert (found.verdict, found.remedy) == (checkups.Verdict.WARN, f"Close them: chmod 600 {files[1]}")


def test_sites_without_a_way_are_counted_by_cause(tmp_path: pathlib.Path) -> None:
    """One line for many that lack the same; the first is named."""
    ways = {"a": sites.KubeAccess(), "b": sites.KubeAccess(), "c": sites.KubeAccess(via="ssh")}
    members = [sites.Site(name, access=sites.Access(kube=kube)) for name, kube in ways.items()]
    found = list(operators.kubeconfigs(connecting.Directory(tmp_path), members))
    assert [one.found.partition(", ")[0] for one in found] == [
        "2x a has no access.kube.kubeconfig",
        "c is reached through SSH (access.kube.via)",
    ]
    assert all(one.verdict is checkups.Verdict.WARN and one.remedy for one in found)


def test_a_fleet_without_sites_lacks_nothing(tmp_path: pathlib.Path) -> None:
    """There is nothing to reach."""
    (found,) = operators.kubeconfigs(connecting.Directory(tmp_path), [])
    assert found.verdict is checkups.Verdict.OK
