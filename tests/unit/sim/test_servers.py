"""A simulated API server on its socket: hostile HTTP, and faults that come and go."""

import contextlib
import http.client
import pathlib
import socket
import ssl
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetctl.sim import faults, fleets
from tests.contract import plainhttp

SITE = "shop"
UID = "/api/v1/namespaces/kube-system"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fleets.Fleet]:
    """A fleet of one."""
    with fleets.running([SITE], tmp_path_factory.mktemp("sim")) as fleet:
        yield fleet


@pytest.fixture
def api(fleet: fleets.Fleet) -> Iterator[plainhttp.Api]:
    """The site, well, and well again afterwards."""
    yield _api(fleet)
    fleet.suffer(SITE, faults.Fault())


def _api(fleet: fleets.Fleet) -> plainhttp.Api:
    server = fleet.servers[SITE]
    return plainhttp.Api(server.port, fleet.authorities[SITE], server.cluster.token)


@contextlib.contextmanager
def _open(fleet: fleets.Fleet) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cadata=fleet.authorities[SITE].decode())
    address = "127.0.0.1", fleet.servers[SITE].port
    with (
        socket.create_connection(address, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        yield wrapped


def _raw(fleet: fleets.Fleet, *parts: bytes) -> bytes:
    """Send bytes, and return everything until the server hangs up."""
    found = b""
    with _open(fleet) as wire, contextlib.suppress(ConnectionError, ssl.SSLError):
        for part in parts:
            wire.sendall(part)
        while more := wire.recv(65536):
            found += more
    return found


def _request(fleet: fleets.Fleet, *lines: str, path: str = UID, method: str = "GET") -> bytes:
    token = fleet.servers[SITE].cluster.token
    head = [f"{method} {path} HTTP/1.1", f"Authorization: Bearer {token}", *lines, "", ""]
    return "\r\n".join(head).encode()


def test_one_connection_serves_many_requests(fleet: fleets.Fleet) -> None:
    """Requests may come in pieces or several at once; the answers are in order, and the last one may close."""
    first, last = _request(fleet), _request(fleet, "Connection: close", path="/version")
    together = first + first + last
    for parts in ([together], [together[at : at + 7] for at in range(0, len(together), 7)]):
        found = _raw(fleet, *parts)
        assert found.count(b"HTTP/1.1 200 OK\r\n") == 3
        assert found.rindex(b"gitVersion") > found.rindex(b"kube-system")


def test_waits_for_its_body(fleet: fleets.Fleet) -> None:
    """Who asks whether to go on is told to, once."""
    lines = ("Content-Length: 2", "Content-Type: application/json", "Expect: 100-continue", "Connection: close")
    found = _raw(fleet, _request(fleet, *lines, path=f"{UID}/x", method="DELETE"), b"{", b"}")
    assert found.count(b"HTTP/1.1 100 Continue\r\n\r\n") == 1
    assert b"HTTP/1.1 405 " in found or b"HTTP/1.1 404 " in found or b"HTTP/1.1 501 " in found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: \N{SUPERSCRIPT TWO}\r\n\r\n".encode("latin-1"), 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, 431),
    ],
)
def test_broken_requests_are_answered_and_hung_up_on(fleet: fleets.Fleet, sent: bytes, status: int) -> None:
    """What is no request is told so, and nothing after it is read."""
    found = _raw(fleet, sent)
    assert found.startswith(f"HTTP/1.1 {status} ".encode())
    assert found.count(b"Content-Length: ") == 1


@settings(max_examples=25)
@given(st.binary(min_size=1, max_size=200))
def test_no_bytes_break_a_server(fleet: fleets.Fleet, sent: bytes) -> None:
    """After any bytes, others are served."""
    with _open(fleet) as wire, contextlib.suppress(OSError):
        wire.sendall(sent + b"\r\n\r\n")
    assert _api(fleet).answers("/version")


def test_large_bodies_are_refused_with_413(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """More than 3 MiB is refused in words after it was read, and the connection still serves."""
    answer = api.call("PATCH", f"{UID}?fieldManager=a", "x" * (3 * 1024 * 1024 + 1), content=plainhttp.APPLY)
    assert (answer.status, answer.json["reason"]) == (413, "RequestEntityTooLarge")
    assert fleet.servers[SITE].cluster.requests


def test_head_has_no_body(fleet: fleets.Fleet) -> None:
    """A HEAD is answered without content."""
    found = _raw(fleet, _request(fleet, "Connection: close", method="HEAD"))
    assert found.endswith(b"\r\n\r\n")


def test_only_its_own_authority_is_trusted(fleet: fleets.Fleet, tmp_path: pathlib.Path) -> None:
    """Each site has an authority of its own."""
    with fleets.running(["other"], tmp_path) as other:
        wrong = plainhttp.Api(fleet.servers[SITE].port, other.authorities["other"])
        with pytest.raises(ssl.SSLCertVerificationError):
            wrong.call("GET", "/version")


def test_refusing_and_coming_back(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """A site that refuses also drops whom it serves, and comes back on the same port with all that it had."""
    uid = api.call("GET", UID).json["metadata"]["uid"]
    with _open(fleet) as wire:
        fleet.suffer(SITE, faults.Fault(refuse=True))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            assert wire.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        api.call("GET", UID)
    fleet.suffer(SITE, faults.Fault())
    assert api.call("GET", UID).json["metadata"]["uid"] == uid


def test_a_client_without_a_handshake_holds_nothing_up(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """Somebody who connects and says nothing does not keep a site from refusing, nor others from being served."""
    with socket.create_connection(("127.0.0.1", fleet.servers[SITE].port)):
        assert api.answers("/version")
        fleet.suffer(SITE, faults.Fault(refuse=True))
        with pytest.raises(ConnectionRefusedError):
            api.call("GET", UID)


def test_a_silent_site_never_answers(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """Not on new connections, and not on old ones; afterwards new ones are answered."""
    with _open(fleet) as wire:
        fleet.suffer(SITE, faults.Fault(silent=True))
        wire.settimeout(0.2)
        wire.sendall(_request(fleet))
        with pytest.raises(TimeoutError):
            wire.recv(1)
    with pytest.raises(TimeoutError):
        api.call("GET", UID, timeout=0.2)
    fleet.suffer(SITE, faults.Fault())
    assert api.answers("/version")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
    ],
)
def test_a_site_may_answer_everything_alike(fleet: fleets.Fleet, api: plainhttp.Api, status: int, reason: str) -> None:
    """With a Status of that code and its reason, and when to come again; requests count."""
    before = fleet.requests()[SITE]
    fleet.suffer(SITE, faults.Fault(status=status, retry_after=7))
    answer = api.call("GET", UID)
    assert (answer.status, answer.json["reason"], answer.json["code"]) == (status, reason, status)
    assert answer.headers["Retry-After"] == "7"
    assert fleet.requests()[SITE] == before + 1


def test_latency_is_before_the_answer(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """The request is done at once, and answered later: a client that gives up does not know."""
    fleet.suffer(SITE, faults.Fault(latency=1.0))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    path = "/api/v1/namespaces/default/configmaps/late"
    with pytest.raises(TimeoutError):
        api.call("PATCH", f"{path}?fieldManager=a", body, content=plainhttp.APPLY, timeout=0.2)
    fleet.suffer(SITE, faults.Fault())
    assert api.call("GET", path).status == http.client.OK


def test_a_site_may_break_connections_off(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """The request is never seen, and the site is there again afterwards."""
    before = fleet.requests()[SITE]
    fleet.suffer(SITE, faults.Fault(reset=True))
    with pytest.raises((ConnectionError, ssl.SSLError, http.client.HTTPException)):
        api.call("GET", UID)
    assert fleet.requests()[SITE] == before
    fleet.suffer(SITE, faults.Fault())
    assert api.answers("/version")


def test_answers_may_end_in_the_middle(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """Half of the body comes, and then the end."""
    fleet.suffer(SITE, faults.Fault(cut=True))
    with pytest.raises(http.client.IncompleteRead):
        api.call("GET", UID)
    found = _raw(fleet, _request(fleet))
    head, _, body = found.partition(b"\r\n\r\n")
    assert (
        f"Content-Length: {2 * len(body)}" in head.decode() or f"Content-Length: {2 * len(body) + 1}" in head.decode()
    )


def test_answers_may_come_little_by_little(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """All of it, in parts; whoever waits no longer than a part takes gets none."""
    whole = api.call("GET", UID).json
    fleet.suffer(SITE, faults.Fault(bandwidth=4000))
    assert api.call("GET", UID).json == whole
    fleet.suffer(SITE, faults.Fault(bandwidth=10))
    with pytest.raises(TimeoutError):
        api.call("GET", UID, timeout=0.05)


def test_a_certificate_may_have_expired(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """Clients that look at dates do not talk to it, until it has one that holds."""
    fleet.suffer(SITE, faults.Fault(expired=True))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        api.call("GET", UID)
    fleet.suffer(SITE, faults.Fault())
    assert api.answers("/version")


def test_answers_may_stop_after_their_head(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """What the head promises never comes, and the connection stays."""
    with _open(fleet) as wire:
        fleet.suffer(SITE, faults.Fault(stuck=True))
        wire.sendall(_request(fleet))
        found = b""
        while not found.endswith(b"\r\n\r\n"):
            found += wire.recv(65536)
        assert b"HTTP/1.1 200 OK" in found
        assert b"Content-Length: 0" not in found
        wire.settimeout(0.3)
        with pytest.raises(TimeoutError):
            wire.recv(1)
    fleet.suffer(SITE, faults.Fault())
    assert api.call("GET", UID).status == 200


def test_a_site_may_come_and_go(tmp_path: pathlib.Path) -> None:
    """By the site's own clock: in a period it answers, or breaks everything off; the same seed is the same course."""
    now = [0.0]
    period, seed = 30.0, 4
    with fleets.running([SITE], tmp_path, clock=lambda: now[0]) as fleet:
        fleet.suffer(SITE, faults.Fault(flapping=period, seed=seed))
        seen = []
        for number in range(12):
            now[0] = number * period + 1
            try:
                seen.append(_api(fleet).call("GET", UID).status == 200)
            except OSError:
                seen.append(False)
            assert seen[-1] == faults.is_up(SITE, period, seed, now[0] + period / 2)
    assert set(seen) == {True, False}
    others = [faults.is_up("other", period, seed, number * period) for number in range(12)]
    assert others != seen


def test_a_connection_goes_with_its_site(tmp_path: pathlib.Path) -> None:
    """One that was open when the site went away is broken off at the next request."""
    course = [faults.is_up(SITE, 1, 0, second) for second in range(60)]
    up = next(at for at in range(59) if course[at] and not course[at + 1])
    now = [float(up)]
    with fleets.running([SITE], tmp_path, clock=lambda: now[0]) as fleet:
        fleet.suffer(SITE, faults.Fault(flapping=1))
        with _open(fleet) as wire:
            wire.sendall(_request(fleet))
            assert wire.recv(65536).startswith(b"HTTP/1.1 200")
            now[0] += 1
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                wire.sendall(_request(fleet))
                assert wire.recv(65536) == b""


def test_bodies_without_end(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """They come as fast as the client reads, and end with it; the server goes on."""
    fleet.suffer(SITE, faults.Fault(hostile="endless"))
    with _open(fleet) as wire:
        wire.sendall(_request(fleet))
        received = 0
        while received < 4 * 1024 * 1024:
            received += len(wire.recv(65536))
    fleet.suffer(SITE, faults.Fault())
    assert api.call("GET", UID).status == 200


def test_bytes_that_are_no_http(fleet: fleets.Fleet, api: plainhttp.Api) -> None:
    """Every byte there is, then the end."""
    fleet.suffer(SITE, faults.Fault(hostile="garbage"))
    found = _raw(fleet, _request(fleet))
    assert set(found) == set(range(256))
    with pytest.raises(http.client.HTTPException):
        api.call("GET", UID)
