"""The API servers that the contract is held against, and a place of its own in one for each test."""

import base64
import itertools
import json
import re
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


@pytest.fixture(params=["sim", pytest.param("kubebox", marks=pytest.mark.kubebox)])
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
    if target == "kubebox":
        fleet: clusters.Fleet = request.getfixturevalue("kubebox")
        return fleet.cluster().api
    api: plainhttp.Api = request.getfixturevalue("sim")
    return lambda token: api if token is None else _Simulated(api.port, api.authority, token)


@pytest.fixture
def api(connect: talking.Connect) -> plainhttp.Api:
    """A ready API server, spoken to as an administrator."""
    return connect(None)


@pytest.fixture
def place(api: plainhttp.Api) -> talking.Place:
    """A fresh namespace. It is left behind: nobody else's objects are in it."""
    return talking.Place.made(api, f"contract-{next(_numbers)}")
