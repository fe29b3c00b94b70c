"""A simulated fleet as a process: begun, found, told its faults, ended; nothing of it is left."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from fleetctl.model import codes, errors
from fleetctl.sim import faults, fleets, folders
from tests.architecture import sources

SPEC = fleets.Spec(("a", "b"), stays=True)
Begin = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes of their own find fleetctl."""
    monkeypatch.setenv("PYTHONPATH", str(sources.ROOT))


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder in which nothing is served afterwards."""
    yield tmp_path / "sim"
    folders.end(tmp_path / "sim")


@pytest.fixture
def begin(folder: pathlib.Path) -> Iterator[Begin]:
    """What begins the fleet in that folder; its processes are waited for in the end."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin() -> "subprocess.Popen[bytes]":
        begun.append(folders.begin(folder, SPEC, {"b": faults.Fault(refuse=True)}))
        return begun[-1]

    yield begin
    folders.end(folder)
    for process in begun:
        process.wait()


def test_a_fleet_stays_until_it_is_ended(folder: pathlib.Path, begin: Begin) -> None:
    """It is found by its folder, has the faults it began with, and takes its kubeconfig along when it ends."""
    assert folders.served(folder) is None
    process = begin()
    assert folders.served(folder) == folders.Served(process.pid, SPEC)
    assert folders.broken(folder) == {"b": faults.Fault(refuse=True)}
    assert folders.end(folder)
    assert process.wait(20) == 0
    assert folders.served(folder) is None
    assert not (folder / fleets.KUBECONFIG).exists()
    assert not folders.end(folder)


def test_it_outlives_who_began_it(folder: pathlib.Path) -> None:
    """As a command does, whose process is over when the prompt is back."""
    program = (
        "import pathlib, sys; from fleetctl.sim import fleets, folders\n"
        "folders.begin(pathlib.Path(sys.argv[1]), fleets.Spec(('a',), stays=True), {})"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True)
    found = folders.served(folder)
    assert found is not None
    assert found.spec.sites == ("a",)
    os.kill(found.pid, 0)


def test_one_folder_has_one_fleet(folder: pathlib.Path, begin: Begin) -> None:
    """A second process is told, and the first goes on."""
    process = begin()
    second = [sys.executable, "-m", "fleetctl.sim", str(folder)]
    done = subprocess.run(second, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"another process serves {folder} already\n"
    assert folders.served(folder) == folders.Served(process.pid, SPEC)


def test_what_a_dead_process_left_is_nothing(folder: pathlib.Path, begin: Begin) -> None:
    """After ``kill -9`` its number and kubeconfig are still there; they count for nothing."""
    process = begin()
    process.kill()
    process.wait()
    assert folders.served(folder) is None
    assert begin().pid != process.pid


def test_a_fleet_that_cannot_begin(folder: pathlib.Path) -> None:
    """It is told, and nothing is left behind."""
    with folders.held(_made(folder)), pytest.raises(errors.NotConfigured) as caught:
        folders.begin(folder, SPEC, {})
    assert caught.value.code is codes.Code.SIM_NOT_STARTED
    assert "another process serves" in (folder / "log").read_text(encoding="utf-8")


def test_faults_that_nobody_can_read_are_none(tmp_path: pathlib.Path) -> None:
    """A file that somebody wrote by hand, wrongly, does not end a command."""
    (tmp_path / fleets.FAULTS).write_text("{", encoding="utf-8")
    assert folders.broken(tmp_path) == {}


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    return folder
