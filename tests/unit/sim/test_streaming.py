"""Watches on the socket of a simulated API server: what links do to them, and what comes after them."""

import contextlib
import http.client
import json
import pathlib
import ssl
from collections.abc import Iterator

import pytest

from fleetctl.sim import behaviours, faults, fleets
from tests.contract import plainhttp, talking

SITE = "shop"


@pytest.fixture
def fleet(tmp_path: pathlib.Path) -> Iterator[fleets.Fleet]:
    """A fleet of one, whose pods are ready after a fifth of a second."""
    with fleets.running([SITE], tmp_path, behaviours.Behaviours((behaviours.Behaviour(after=0.2),))) as fleet:
        yield fleet


@pytest.fixture
def place(fleet: fleets.Fleet) -> talking.Place:
    """A namespace at the site."""
    server = fleet.servers[SITE]
    api = plainhttp.Api(server.port, fleet.authorities[SITE], server.cluster.token)
    return talking.Place.made(api, "watched")


@contextlib.contextmanager
def _kept(place: talking.Place) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cadata=place.api.authority.decode())
    connection = http.client.HTTPSConnection("127.0.0.1", place.api.port, timeout=20, context=context)
    with contextlib.closing(connection):
        yield connection


def test_the_connection_serves_on(place: talking.Place) -> None:
    """When a watch is over, the next request is answered on the same connection; one that came early has waited."""
    headers = {"Authorization": f"Bearer {place.api.token}"}
    with _kept(place) as connection:
        connection.request("GET", place.path("configmaps", watch=1, timeoutSeconds=1), headers=headers)
        early = f"GET /version HTTP/1.1\r\nAuthorization: Bearer {place.api.token}\r\n\r\n"
        connection.sock.sendall(early.encode())
        watch = connection.getresponse()
        place.applied(talking.config_map("one", {}))
        assert [json.loads(line)["type"] for line in watch] == ["ADDED"]
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        assert "gitVersion" in json.loads(answer.read())


def test_nobody_is_kept_who_has_gone(fleet: fleets.Fleet, place: talking.Place) -> None:
    """A client that hangs up is no longer told anything."""
    listeners = fleet.servers[SITE].cluster.store.histories.listeners
    with place.api.lines(place.path("configmaps", watch=1)):
        talking.until(lambda: listeners, "it is told")
    talking.until(lambda: not listeners, "it is forgotten")


def test_a_silent_server_tells_nothing(fleet: fleets.Fleet, place: talking.Place) -> None:
    """What stood before falls silent too."""
    with place.api.lines(place.path("configmaps", watch=1), timeout=0.5) as events:
        fleet.suffer(SITE, faults.Fault(silent=True))
        one = {"metadata": {"name": "one", "namespace": "watched"}}
        assert fleet._loop  # noqa: SLF001 - nobody else changes anything
        fleet._loop.call_soon_threadsafe(fleet.servers[SITE].cluster.store.make, "", "ConfigMap", one)  # noqa: SLF001
        with pytest.raises(TimeoutError):
            next(events)


def test_a_cut_ends_in_the_middle_of_a_line(fleet: fleets.Fleet, place: talking.Place) -> None:
    """Half of what there was to say, then the connection is closed."""
    place.applied(talking.config_map("one", {"long": "x" * 100}))
    fleet.suffer(SITE, faults.Fault(cut=True))
    with (
        pytest.raises((http.client.IncompleteRead, json.JSONDecodeError)),
        place.api.lines(place.path("configmaps", watch=1)) as events,
    ):
        list(events)


def test_a_narrow_link_takes_its_time(fleet: fleets.Fleet, place: talking.Place) -> None:
    """The lines come whole, however small their parts are."""
    for name in "abc":
        place.applied(talking.config_map(name, {"long": "x" * 200}))
    fleet.suffer(SITE, faults.Fault(bandwidth=10_000))
    with place.api.lines(place.path("configmaps", watch=1, timeoutSeconds=1)) as events:
        assert [one["object"]["metadata"]["name"] for one in events] == ["a", "b", "c"]


def test_a_closed_port_ends_watches(fleet: fleets.Fleet, place: talking.Place) -> None:
    """A server that goes away takes its watches with it."""
    with place.api.lines(place.path("configmaps", watch=1)) as events:
        fleet.suffer(SITE, faults.Fault(refuse=True))
        with pytest.raises((http.client.IncompleteRead, OSError, ssl.SSLError)):
            raise OSError if next(events, None) is None else AssertionError
