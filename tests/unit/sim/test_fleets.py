"""A simulated fleet: in a thread, and as a process of its own that is told by files what to do."""

import base64
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator

import pytest

from fleetctl.sim import fleets, servers
from tests.architecture import sources
from tests.contract import plainhttp, talking

UID = "/api/v1/namespaces/kube-system"


def _apis(folder: pathlib.Path) -> dict[str, plainhttp.Api]:
    config = json.loads((folder / fleets.KUBECONFIG).read_bytes())
    clusters = {one["name"]: one["cluster"] for one in config["clusters"]}
    users = {one["name"]: one["user"]["token"] for one in config["users"]}
    found = {}
    for one in config["contexts"]:
        cluster = clusters[one["context"]["cluster"]]
        port = urllib.parse.urlsplit(cluster["server"]).port
        assert port
        authority = base64.b64decode(cluster["certificate-authority-data"])
        found[one["name"]] = plainhttp.Api(port, authority, users[one["context"]["user"]])
    return found


def test_sites_are_apart(tmp_path: pathlib.Path) -> None:
    """Each has its identity, its token and its objects; the kubeconfig is for its owner alone."""
    with fleets.running(["a", "b"], tmp_path / "sim"):
        apis = _apis(tmp_path / "sim")
        uids = {api.call("GET", UID).json["metadata"]["uid"] for api in apis.values()}
        assert len(uids) == 2
        mixed = plainhttp.Api(apis["b"].port, apis["b"].authority, "x")
        assert mixed.call("GET", UID).status == 401
        talking.Place.made(apis["a"], "only-here")
        assert apis["b"].call("GET", "/api/v1/namespaces/only-here").status == 404
        file = tmp_path / "sim" / fleets.KUBECONFIG
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_left_of_a_fleet_that_ends(tmp_path: pathlib.Path) -> None:
    """No thread, no port; also when a test fails, a client stays connected, or a handshake is not finished."""
    before = threading.active_count()
    with contextlib.suppress(ZeroDivisionError), fleets.running(["a"], tmp_path) as fleet:
        api = _apis(tmp_path)["a"]
        port = fleet.servers["a"].port
        assert api.answers("/version")
        raise ZeroDivisionError
    assert threading.active_count() == before
    assert not plainhttp.Api(port, api.authority).answers("/version")


def test_a_fleet_that_cannot_start_says_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for it is told, instead of waiting for ever."""

    async def fail(_: servers.Server) -> None:
        raise OSError("no more ports")

    monkeypatch.setattr(servers.Server, "start", fail)
    with pytest.raises(OSError, match="no more ports"), fleets.running(["a"], tmp_path):
        pass


@pytest.fixture
def served(tmp_path: pathlib.Path) -> Iterator[tuple[pathlib.Path, "subprocess.Popen[str]"]]:
    """A fleet of two in a process of its own."""
    rules = [{"image": "*-missing", "does": "pull-fails", "message": "said"}, {"image": "*", "after": 0.1}]
    (tmp_path / fleets.FLEET).write_text(json.dumps({"sites": ["a", "b"], "rules": rules}), encoding="utf-8")
    (tmp_path / fleets.FAULTS).write_text(json.dumps({"b": {"refuse": True}}), encoding="utf-8")
    command = [sys.executable, "-m", "fleetctl.sim", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(sources.ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            talking.until(lambda: (tmp_path / fleets.KUBECONFIG).exists() or process.poll(), "it is served")
            yield tmp_path, process
        finally:
            process.kill()


Served = tuple[pathlib.Path, "subprocess.Popen[str]"]


def _faults(folder: pathlib.Path, text: str) -> None:
    part = folder / "part"
    part.write_text(text, encoding="utf-8")
    part.replace(folder / fleets.FAULTS)


def test_faults_are_taken_from_a_file(served: Served) -> None:
    """Those from the start are there before the kubeconfig is; later ones come, and go with the file."""
    folder, _ = served
    apis = _apis(folder)
    assert apis["a"].answers("/version")
    assert not apis["b"].answers("/version")
    _faults(folder, '{"a": {"status": 503}}')
    talking.until(lambda: apis["b"].answers("/version"), "b is back")
    assert apis["a"].call("GET", UID).status == 503
    (folder / fleets.FAULTS).unlink()
    talking.until(lambda: apis["a"].answers("/version"), "a is well")


def test_broken_faults_are_told(served: Served) -> None:
    """A file that cannot be read leaves things as they are, and a site that is not there does not hide the others."""
    folder, process = served
    apis = _apis(folder)
    _faults(folder, '{"a": {"refused": true}}')
    assert process.stderr is not None
    assert "refused" in process.stderr.readline()
    assert apis["a"].answers("/version")
    assert not apis["b"].answers("/version")
    _faults(folder, '{"c": {"refuse": true}}')
    assert process.stderr.readline() == "faults.json names sites that are not here: c\n"
    talking.until(lambda: apis["b"].answers("/version"), "b is back")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_when_told(served: Served, number: signal.Signals) -> None:
    """As soon as the kubeconfig is there a signal ends it properly, connected clients or not."""
    _, process = served
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_rules_come_from_the_file(served: Served) -> None:
    """An image's rule decides."""
    folder, _ = served
    place = talking.Place.made(_apis(folder)["a"], "shop")
    place.applied(talking.deployment("web", "app:1-missing"))

    def waiting() -> object:
        return [
            status["state"].get("waiting", {}).get("message")
            for pod in place.listed("pods")
            for status in pod["status"].get("containerStatuses", ())
        ]

    talking.until(lambda: waiting() == ["said"], "the pull has failed")


def test_an_orphan_ends(tmp_path: pathlib.Path) -> None:
    """A fleet whose parent is gone does not go on for ever."""
    (tmp_path / fleets.FLEET).write_text('{"sites": ["a"]}', encoding="utf-8")
    program = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-m', 'fleetctl.sim', {str(tmp_path)!r}]).wait()"
    )
    environment = {**os.environ, "PYTHONPATH": str(sources.ROOT)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as parent:
        talking.until((tmp_path / fleets.KUBECONFIG).exists, "it is served")
        api = _apis(tmp_path)["a"]
        assert api.answers("/version")
        parent.kill()
    talking.until(lambda: not api.answers("/version"), "it has ended")
