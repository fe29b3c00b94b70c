"""``fleetctl sim``: a fleet that is served from the project, and what the other commands make of it."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fleetctl.sim import faults, folders
from tests.architecture import sources
from tests.unit.cli import simulated

_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n"

_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: till}
spec:
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec: {containers: [{name: till, image: "till:1"}]}
"""


class _Shop(simulated.Shop):
    def plain(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call fleetctl without ``--sim``, as a process: what it begins must outlive it."""
        command = [sys.executable, "-m", "fleetctl", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def shop(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Shop]:
    """A project of three sites, whose fleet is not up yet."""
    monkeypatch.setenv("PYTHONPATH", str(sources.ROOT))
    made = _Shop(tmp_path)
    simulated.lay_out(made, ("s1", "s2", "s3"))
    made.write("templates/app/a.yaml", _CONFIG_MAP)
    yield made
    folders.end(tmp_path / ".fleetctl" / "sim")


def test_up_and_down(shop: _Shop) -> None:
    """What is up takes rollouts; up again is no error, other sites are; down takes the clusters away."""
    said = shop.run("rollout", "plan", "app", "--all")
    assert (said.exit_code, "[sim/down]" in said.stderr) == (8, True)
    made = shop.plain("sim", "up", "--image", "*:2=crashes:3")
    assert (made.returncode, made.stdout.startswith("3 simulated clusters are up, in process ")) == (0, True)
    shop.rollout()
    assert shop.plain("sim", "up", "--image", "*:2=crashes:3").returncode == 0
    other = shop.plain("sim", "up", "--site", "s1")
    assert (other.returncode, "[sim/other]" in other.stderr) == (9, True)
    assert json.loads(shop.plain("sim", "up", "--image", "*:2=crashes:3", "-o", "json").stdout)["items"][0] == {
        "name": "s1",
        "fault": None,
    }
    assert shop.run("sim", "down").stdout == "no simulated fleet is up here\n"
    assert shop.run("rollout", "plan", "app", "--all").exit_code == 8


def test_new_clusters_have_a_new_journal(shop: _Shop) -> None:
    """The journal of clusters that are gone would know them for others; it is kept under another name."""
    shop.plain("sim", "up")
    shop.rollout()
    shop.run("sim", "down")
    said = shop.plain("sim", "up")
    assert "the journal of those before is .fleetctl/sim/state.db.before now" in said.stderr
    assert (shop.root / ".fleetctl/sim/state.db.before").exists()
    shop.rollout()


def test_faults(shop: _Shop) -> None:
    """They are for selected sites, equal ones are counted, and clear takes them away."""
    assert "[sim/down]" in shop.run("sim", "fault", "--all", "--refuse").stderr
    shop.plain("sim", "up")
    folder = shop.root / ".fleetctl" / "sim"
    assert shop.run("sim", "fault", "--refuse").exit_code == 2
    assert shop.run("sim", "fault", "--all", "--refuse", "--clear").exit_code == 2
    said = shop.run("sim", "fault", "--site", "s1,s2", "--refuse")
    assert "  2x  nothing listens  s1 s2\n" in said.stdout
    said = shop.run("sim", "fault", "--site", "s2", "--status", "503", "--retry-after", "2", "--latency", "0.5")
    assert "  1x  nothing listens  s1\n" in said.stdout
    assert "  1x  answers are 0.5 s late, every answer is 503, come back after 2 s  s2\n" in said.stdout
    assert folders.broken(folder)["s2"] == faults.Fault(latency=0.5, status=503, retry_after=2)
    assert shop.run("sim", "fault", "--site", "s1", "--clear").exit_code == 0
    assert set(folders.broken(folder)) == {"s2"}
    assert shop.run("sim", "fault", "--all", "--silent").stdout.count("no answer comes") == 1
    said = shop.run("sim", "fault", "--all", "--reset", "--cut", "--expired", "--bandwidth", "1000")
    assert (
        "connections are broken off, answers end in the middle, answers come at 1,000 bytes a second, "
        "its certificate has expired"
    ) in said.stdout


def test_faults_of_servers_and_workloads(shop: _Shop) -> None:
    """Each has its words on screen and its fields in the file; what nobody understands is refused."""
    shop.plain("sim", "up")
    folder = shop.root / ".fleetctl" / "sim"
    said = shop.run("sim", "fault", "--site", "s1", "--stuck", "--flapping", "30:7")
    assert "  1x  answers end after their head, up or down anew every 30 s  s1\n" in said.stdout
    said = shop.run("sim", "fault", "--site", "s2", "--workloads", "crashing", "--hostile", "endless")
    assert "  1x  new pods are crashing, answers never end  s2\n" in said.stdout
    assert folders.broken(folder) == {
        "s1": faults.Fault(stuck=True, flapping=30.0, seed=7),
        "s2": faults.Fault(workloads="crashing", hostile="endless"),
    }
    for words in (("--flapping", "x"), ("--flapping", "0"), ("--flapping", "5:y"), ("--workloads", "odd")):
        assert shop.run("sim", "fault", "--all", *words).exit_code == 2


def test_crashing_workloads_fail_their_site(shop: _Shop) -> None:
    """The others are well, and ``why`` says what became of it."""
    shop.plain("sim", "up")
    shop.write("templates/app/b.yaml", _DEPLOYMENT)
    shop.run("sim", "fault", "--site", "s2", "--workloads", "crashing")
    said = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", str(shop.root / "all.yaml"))
    assert said.exit_code == 6
    assert "CrashLoopBackOff" in shop.run("why", "s2").stdout


def test_made_up_sites_need_no_project(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many clusters, and a kubeconfig for them."""
    monkeypatch.setenv("PYTHONPATH", str(sources.ROOT))
    empty = _Shop(tmp_path)
    try:
        assert empty.plain("sim", "up", "--sites", "2", "-o", "name").stdout == "site-00001\nsite-00002\n"
        assert empty.plain("sim", "up", "--sites", "2", "--all").returncode == 2
        assert (tmp_path / ".fleetctl/sim/kubeconfig").stat().st_mode & 0o077 == 0
    finally:
        empty.plain("sim", "down")


@pytest.mark.parametrize("word", ["x", "=ready", "*=redy", "*=ready:x", "*=ready:-1", "*=ready:nan"])
def test_words_that_are_no_rule(word: str, shop: _Shop) -> None:
    """Nothing is started for a rule that nobody understands."""
    said = shop.run("sim", "up", "--image", word)
    assert (said.exit_code, "does not say how pods fare" in said.stderr) == (2, True)
    assert folders.served(shop.root / ".fleetctl" / "sim") is None
