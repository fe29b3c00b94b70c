"""The API servers that the contract is held against, and a place of its own in one for each test."""

import base64
import itertools
import json
import os
import pathlib
import re
import subprocess
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from fleetctl.sim import behaviours, fleets
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

# What tests/kubebox/stages/pods.yaml does by an image's tag, for the simulation.
_RULES = behaviours.Behaviours(
    (
        behaviours.Behaviour("*-missing", "pull-fails"),
        behaviours.Behaviour("*-crash", "crashes"),
        behaviours.Behaviour("*-fail", "fails", after=0.2),
        behaviours.Behaviour("*-huge", "unschedulable"),
        behaviours.Behaviour("*-unready", "never-ready"),
        behaviours.Behaviour("*-slow60", "ready", after=60),
        behaviours.Behaviour("*", "ready", after=0.2),
    )
)

# What the simulation need not do, in the words of its 501. A 501 to anything else fails the test that asked.
_NOT_SIMULATED = re.compile(r"a patch of type text/plain")

_numbers = itertools.count(1)


class _Simulated(plainhttp.Api):
    """A simulated API server; what it may leave out is an expected failure, shown with its reason."""

    def call(self, *request: Any, **options: Any) -> plainhttp.Answer:  # noqa: ANN401 - as they are
        answer = super().call(*request, **options)
        if answer.status == 501 and _NOT_SIMULATED.search(answer.text):
            pytest.xfail(answer.json["message"])
        return answer


_REAL = {f"kubebox-{minor}": minor for minor in clusters.MINORS}


@pytest.fixture(params=["sim", *(pytest.param(name, marks=pytest.mark.kubebox) for name in _REAL)])
def target(request: pytest.FixtureRequest) -> str:
    """The name of what answers."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[plainhttp.Api]:
    """One simulated cluster, spoken to as an administrator."""
    folder = tmp_path_factory.mktemp("sim")
    with fleets.running(["shop"], folder, _RULES):
        config = json.loads((folder / fleets.KUBECONFIG).read_bytes())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        port = urllib.parse.urlsplit(cluster["server"]).port
        assert port
        yield _Simulated(port, base64.b64decode(cluster["certificate-authority-data"]), user["token"])


@pytest.fixture
def connect(target: str, request: pytest.FixtureRequest) -> talking.Connect:
    """Return a way to reach a ready API server with a token, or with None as an administrator."""
    if target in _REAL:
        fleet: clusters.Fleet = request.getfixturevalue("kubebox")
        return fleet.cluster(_REAL[target]).api
    api: plainhttp.Api = request.getfixturevalue("sim")
    return lambda token: api if token is None else _Simulated(api.port, api.authority, token)


@pytest.fixture
def api(connect: talking.Connect) -> plainhttp.Api:
    """A ready API server, spoken to as an administrator."""
    return connect(None)


@pytest.fixture
def guest(target: str, connect: talking.Connect, api: plainhttp.Api, request: pytest.FixtureRequest) -> plainhttp.Api:
    """The same API server, spoken to as the user ``clusters.GUEST``, who may do what a test lets it."""
    if target in _REAL:
        fleet: clusters.Fleet = request.getfixturevalue("kubebox")
        return connect(fleet.cluster(_REAL[target]).guest_token)
    return connect(f"guest-{api.token}")


@pytest.fixture
def place(api: plainhttp.Api) -> talking.Place:
    """A fresh namespace. It is left behind: nobody else's objects are in it."""
    return talking.Place.made(api, f"contract-{next(_numbers)}")


@pytest.fixture
def kubectl(target: str, place: talking.Place, kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> talking.Kubectl:
    """Return a way to run kubectl of the target's minor in a namespace of its own; it knows nothing of any home.

    It gives back what kubectl found, or what it complained of where it had to fail. For tests marked ``kubebox``.
    """
    binary = kubebox.binaries.get(_REAL.get(target, ""), kubebox.binary)
    (tmp_path / "ca.crt").write_bytes(place.api.authority)
    where = ["--server", f"https://127.0.0.1:{place.api.port}", "--certificate-authority", str(tmp_path / "ca.crt")]
    where += ["--token", place.api.token, "--namespace", place.namespace]
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "KUBECONFIG": os.devnull,
        "KUBECTL_APPLYSET": "true",
    }

    def run(*words: str, body: object = None, code: int = 0) -> str:
        given = None if body is None else json.dumps(body)
        command = [str(binary), "kubectl", *where, *words]
        done = subprocess.run(
            command, env=variables, input=given, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done.stderr if code else done.stdout

    return run
