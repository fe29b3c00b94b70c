"""From what the inventory says of a site to the files, the context and the proxy by which it is reached."""

import json
import pathlib

import pytest

from fleetctl.clusters import connecting
from fleetctl.model import codes, errors, sites

SECRET = "s3cretw0rd"  # noqa: S105  # that is the point


def _site(kubeconfig: str | None, proxy: str | None = None) -> sites.Site:
    return sites.Site("store-1", access=sites.Access(kube=sites.KubeAccess(kubeconfig=kubeconfig, proxy=proxy)))


def _kubeconfig(path: pathlib.Path, context: str) -> pathlib.Path:
    config = {
        "clusters": [{"name": context, "cluster": {"server": f"https://{path.name}", "proxy-url": "http://files:1"}}],
        "users": [{"name": context, "user": {"token": SECRET}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def test_files_are_read_from_the_project(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One or several, relative to the project or in the home folder; a context may have colons in its name."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    _kubeconfig(tmp_path / "one", "a")
    _kubeconfig(home / "two", "arn:aws:eks:b")
    directory = connecting.Directory(tmp_path)
    written = "missing:one::~/two"
    assert connecting.files_of(tmp_path, _site(f"{written}#x:y")) == (
        tmp_path / "missing",
        tmp_path / "one",
        home / "two",
    )
    assert directory.endpoint(_site(written)).server == "https://one"
    assert directory.endpoint(_site(f"{written}#arn:aws:eks:b")).server == "https://two"


def test_the_inventorys_proxy_goes_first(tmp_path: pathlib.Path) -> None:
    """What the inventory says of a site is nearer to it than what a shared kubeconfig says."""
    _kubeconfig(tmp_path / "one", "a")
    directory = connecting.Directory(tmp_path)
    assert directory.endpoint(_site("one")).proxy == "http://files:1"
    assert directory.endpoint(_site("one", proxy="socks5://sites:2")).proxy == "socks5://sites:2"


@pytest.mark.parametrize("written", [None, "#a", ":#a"])
def test_nobodys_own_kubeconfig_is_taken(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, written: str | None
) -> None:
    """A site that names no file is not reached, whatever KUBECONFIG and the home folder have to offer."""
    (tmp_path / ".kube").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(tmp_path / ".kube" / "config", "a")))
    with pytest.raises(errors.NotConfigured, match=r"no access\.kube\.kubeconfig") as caught:
        connecting.Directory(tmp_path).endpoint(_site(written))
    assert caught.value.code is codes.Code.CLUSTER_NO_ACCESS
