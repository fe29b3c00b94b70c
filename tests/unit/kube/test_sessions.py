"""What a connection verifies, how much it takes, and what its failures are called: against real TLS servers."""

import asyncio
import contextlib
import hashlib
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pycurl
import pytest
from cryptography.hazmat.primitives import serialization

from fleetctl.kube import curl, transport
from tests.kubebox import certificates
from tests.unit.kube import wires

CA = wires.Authority("ours")
OTHER = wires.Authority("another")
PAIR = CA.server()
BEARER = "secret"
QUICK = transport.Limits(connect=5, stall=5, size=100_000, headers=8_000)


def _get(path: str = "/", timeout: float = 10) -> transport.Request:
    return transport.Request("GET", path, timeout)


def _ask(
    endpoint: transport.Endpoint, *requests: transport.Request, limits: transport.Limits = QUICK
) -> list[transport.Answer]:
    """Send requests one after another in one session."""

    async def ask() -> list[transport.Answer]:
        async with curl.CurlTransport(limits) as wire:
            session = wire.session(endpoint)
            try:
                return [await session.send(request) for request in requests or (_get(),)]
            finally:
                session.close()

    return asyncio.run(ask())


def _broken(
    endpoint: transport.Endpoint, *requests: transport.Request, limits: transport.Limits = QUICK
) -> transport.Broken:
    with pytest.raises(transport.Broken) as caught:
        _ask(endpoint, *requests, limits=limits)
    return caught.value


def _to(
    server: wires.Server, ca: bytes = CA.certificate, *, token: str = "", server_name: str = "", proxy: str = ""
) -> transport.Endpoint:
    return transport.Endpoint(server.url, ca, token, server_name=server_name, proxy=proxy)


# --- what is sent


def test_a_visit_is_one_connection() -> None:
    """All requests of a session go over one connection."""
    with wires.Server(PAIR, wires.answering()) as server:
        answers = _ask(_to(server), *[_get(f"/{number}") for number in range(5)])
    assert [one.status for one in answers] == [200] * 5
    assert (server.connections, [one.path for one in server.seen]) == (1, ["/0", "/1", "/2", "/3", "/4"])


def test_requests_are_sent_as_given() -> None:
    """Method, path, body, types and token arrive; nothing of a request is left in the next."""
    patch = transport.Request("PATCH", "/a?b=c%20d", 10, b'{"x":"\xc3\xa4"}', "application/apply-patch+yaml", "text/a")
    with wires.Server(PAIR, wires.answering()) as server:
        _ask(_to(server, token=BEARER), patch, _get("/b"), transport.Request("DELETE", "/c", 10, b"{}", "text/b"))
    sent, got, gone = server.seen
    assert (sent.method, sent.path, sent.body) == ("PATCH", "/a?b=c%20d", b'{"x":"\xc3\xa4"}')
    assert sent.headers["content-type"] == "application/apply-patch+yaml"
    assert sent.headers["accept"] == "text/a"
    assert sent.headers["authorization"] == "Bearer secret"
    assert (got.method, got.path, got.body) == ("GET", "/b", b"")
    assert not {"content-type", "expect"} & set(got.headers)
    assert (gone.method, gone.body, gone.headers["content-type"]) == ("DELETE", b"{}", "text/b")


def test_one_can_act_as_another() -> None:
    """Headers of impersonation go with every request, repeated and empty ones too."""
    lines = (("Impersonate-User", "boss"), ("Impersonate-Group", "crew"), ("Impersonate-Extra-a%2Fb", ""))
    with wires.Server(PAIR, wires.answering()) as server:
        _ask(transport.Endpoint(server.url, CA.certificate, BEARER, impersonation=lines), _get(), _get())
    for seen in server.seen:
        found = {name: value for name, value in seen.headers.items() if name.startswith("impersonate-")}
        assert found == {"impersonate-user": "boss", "impersonate-group": "crew", "impersonate-extra-a%2fb": ""}


def test_large_bodies_do_not_wait_for_permission() -> None:
    """A body of megabytes is sent at once: no ``Expect: 100-continue``, which costs a second where nobody answers."""
    with wires.Server(PAIR, wires.answering()) as server:
        _ask(_to(server), transport.Request("PATCH", "/", 10, b"x" * 2_000_000, "text/a"))
    assert (len(server.seen[0].body), "expect" in server.seen[0].headers) == (2_000_000, False)


def test_the_path_before_the_api_is_kept() -> None:
    """An API below a path, as behind Rancher, is asked below that path."""
    with wires.Server(PAIR, wires.answering()) as server:
        _ask(transport.Endpoint(f"{server.url}/k8s/c-1/", CA.certificate), _get("/api"))
    assert server.seen[0].path == "/k8s/c-1/api"


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\u00e4"])
def test_what_is_no_url_is_not_sent(path: str) -> None:
    """A path that would end the request line early, or cannot be written down, is refused before any connection."""
    with wires.Server(PAIR, wires.answering()) as server:
        broken = _broken(_to(server), _get(path))
    assert (broken.kind, broken.sent, server.connections) == ("protocol", False, 0)


# --- who is believed


@pytest.mark.parametrize(
    ("pair", "ca", "kind"),
    [
        pytest.param(PAIR, OTHER.certificate, "untrusted", id="another authority"),
        pytest.param(CA.odd(host="127.0.0.2"), CA.certificate, "wrong-name", id="another address"),
        pytest.param(CA.odd(host="localhost"), CA.certificate, "wrong-name", id="a name, not the address"),
        pytest.param(CA.odd(begins=-9, ends=-1), CA.certificate, "expired", id="expired"),
        pytest.param(CA.odd(begins=1), CA.certificate, "not-yet-valid", id="not yet valid"),
        pytest.param(PAIR, b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "untrusted", id="no CA"),
    ],
)
def test_false_certificates_end_it(pair: certificates.Pair, ca: bytes, kind: str) -> None:
    """Whatever is wrong with a server's certificate is told apart, and no request is sent."""
    with wires.Server(pair, wires.answering()) as server:
        broken = _broken(_to(server, ca, token=BEARER))
    assert (broken.kind, broken.sent, server.seen) == (kind, False, [])


def test_authorities_do_not_mix() -> None:
    """Sessions to one port with different authorities, side by side: each is judged by its own."""

    async def ask(url: str) -> list[object]:
        async with curl.CurlTransport(QUICK) as wire:

            async def one(number: int) -> object:
                session = wire.session(transport.Endpoint(url, (CA, OTHER)[number % 2].certificate))
                try:
                    return [(await session.send(_get())).status for _ in range(2)]
                except transport.Broken as broken:
                    return broken.kind
                finally:
                    session.close()

            return await asyncio.gather(*(one(number) for number in range(20)))

    with wires.Server(PAIR, wires.answering()) as server:
        assert asyncio.run(ask(server.url)) == [[200, 200], "untrusted"] * 10
    assert len(server.seen) == 20


def test_the_system_is_not_believed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a cluster's own authority, those that pycurl finds on the system count for nothing."""
    common = b"\x0c\x04ours"  # as X509_NAME_hash has it: the folder's file names
    attribute = b"\x06\x03\x55\x04\x03" + common
    sequence = b"\x30" + bytes([len(attribute)]) + attribute
    digest = hashlib.sha1(b"\x31" + bytes([len(sequence)]) + sequence).digest()  # noqa: S324  # OpenSSL's choice
    (tmp_path / f"{int.from_bytes(digest[:4], 'little'):08x}.0").write_bytes(CA.certificate)
    made = pycurl.Curl

    def trusting() -> pycurl.Curl:
        handle = made()
        handle.setopt(pycurl.CAPATH, str(tmp_path))
        return handle

    monkeypatch.setattr(pycurl, "Curl", trusting)
    with wires.Server(PAIR, wires.answering()) as server:
        assert [one.status for one in _ask(transport.Endpoint(server.url))] == [200]
        assert _broken(_to(server, OTHER.certificate)).kind == "untrusted"


def test_another_name_can_be_checked() -> None:
    """``server_name`` is what the certificate must be for, while the address is dialled."""
    with wires.Server(CA.odd(host="edge-17.example"), wires.answering()) as server:
        assert _ask(_to(server, server_name="edge-17.example"))[0].status == 200
        assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"  # for routers before the API, as Go has it
        assert _broken(_to(server, server_name="edge-18.example")).kind == "wrong-name"
        assert _broken(_to(server)).kind == "wrong-name"


def test_client_certificates_are_shown() -> None:
    """A client certificate held in memory proves us; several requests need it once."""
    pair = CA.client("rollout")

    def serve(connection: wires.Connection) -> None:
        while connection.request() is not None:
            connection.send(wires.answer(connection.user().encode()))

    with wires.Server(PAIR, serve, clients=CA.certificate) as server:
        endpoint = transport.Endpoint(server.url, CA.certificate, client_cert=pair.certificate, client_key=pair.key)
        assert [one.body for one in _ask(endpoint, _get(), _get())] == [b"rollout"] * 2
        assert server.connections == 1
        assert _broken(_to(server)).kind in {"closed", "handshake"}  # TLS 1.3 says so after the client's last word


def test_unusable_client_keys_are_said() -> None:
    """A key that belongs to another certificate, or asks for a password, is our fault and not the server's."""
    pair, other = CA.client("rollout"), CA.client("other")
    locked = serialization.load_pem_private_key(pair.key, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    with wires.Server(PAIR, wires.answering()) as server:
        for key in (other.key, locked, b"nothing"):
            endpoint = transport.Endpoint(server.url, CA.certificate, client_cert=pair.certificate, client_key=key)
            broken = _broken(endpoint)
            assert (broken.kind, broken.sent) == ("client-certificate", False)
    assert server.seen == []


# --- what comes between


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment are not ours."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with wires.Server(PAIR, wires.answering()) as server:
        assert _ask(_to(server))[0].status == 200


@contextlib.contextmanager
def _plain(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection without TLS, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)  # where nobody comes, the test fails rather than hangs

        def accept() -> None:
            with contextlib.suppress(OSError):
                link, _ = listening.accept()
                with link:
                    serve(link)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_is_used_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the endpoint is used, whatever the environment excepts; the token goes to the server alone."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")
    asked: list[bytes] = []

    def serve(link: socket.socket) -> None:
        asked.append(link.recv(65536))
        link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as further:
            back = threading.Thread(target=_pump, args=(further, link))
            back.start()
            _pump(link, further)
            back.join(20)

    with wires.Server(PAIR, wires.answering()) as server, _plain(serve) as port:
        endpoint = _to(server, token=BEARER, proxy=f"http://127.0.0.1:{port}")
        assert [one.status for one in _ask(endpoint, _get(), _get())] == [200, 200]
    assert [one.partition(b" HTTP")[0] for one in asked] == [f"CONNECT 127.0.0.1:{server.port}".encode()]
    assert BEARER.encode() not in asked[0]


def test_a_proxy_may_refuse() -> None:
    """A proxy that says no is told from a server that does."""

    def serve(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(b"HTTP/1.1 403 No\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n")

    with _plain(serve) as port:
        broken = _broken(transport.Endpoint("https://127.0.0.1:9", CA.certificate, proxy=f"http://127.0.0.1:{port}"))
    assert (broken.kind, broken.sent) == ("proxy", False)


# --- how much is taken


def test_an_answer_at_the_limit_is_taken() -> None:
    """The limit itself is allowed; one more byte is not."""
    limits = transport.Limits(size=1000)
    with wires.Server(PAIR, wires.answering(wires.answer(b"x" * 1000), wires.answer(b"x" * 1001))) as server:
        assert len(_ask(_to(server), limits=limits)[0].body) == 1000
        assert _broken(_to(server), _get(), _get(), limits=limits).kind == "too-large"


# --- silence and ends


@contextlib.contextmanager
def _full() -> Iterator[int]:
    """Listen on a port whose queue is full: further connections are not even refused."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            filling = stack.enter_context(socket.socket())
            filling.settimeout(0)
            filling.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@contextlib.contextmanager
def _mute(said: bytes = b"") -> Iterator[int]:
    """Take one connection, answer what it says first once, and say nothing more until it is closed."""

    def serve(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(said)
        while link.recv(65536):
            pass

    with _plain(serve) as port:
        yield port


SHORT = transport.Limits(connect=0.2, handshake=0.2, first_byte=0.2, stall=0.2)
PATIENT = transport.Limits(connect=9, handshake=9, first_byte=9, stall=9)
SOCKS_CONNECTED = b"\x05\x00" + b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x09"


@pytest.mark.parametrize(
    ("limits", "timeout"), [pytest.param(SHORT, 60.0, id="its own limit"), pytest.param(PATIENT, 0.2, id="all of it")]
)
@pytest.mark.parametrize(
    ("hole", "proxy", "kind"),
    [
        pytest.param(_full, "", "connect-timeout", id="no connection"),
        pytest.param(_mute, "", "handshake-timeout", id="no TLS"),
        pytest.param(_mute, "http", "connect-timeout", id="a proxy that does not get through"),
        pytest.param(
            lambda: _mute(b"HTTP/1.1 200 OK\r\n\r\n"), "http", "handshake-timeout", id="no TLS behind a proxy"
        ),
        pytest.param(lambda: _mute(SOCKS_CONNECTED), "socks5", "connect-timeout", id="no TLS behind a SOCKS proxy"),
    ],
)
def test_black_holes_are_told_apart(
    hole: Callable[[], contextlib.AbstractContextManager[int]],
    proxy: str,
    kind: str,
    limits: transport.Limits,
    timeout: float,
) -> None:
    """A host that is away, one whose TLS hangs, and a proxy between: the request was not sent."""
    with hole() as port:
        endpoint = transport.Endpoint(f"https://127.0.0.1:{port}", CA.certificate)
        if proxy:
            through = f"{proxy}://127.0.0.1:{port}"
            endpoint = transport.Endpoint("https://127.0.0.1:9", CA.certificate, proxy=through)
        broken = _broken(endpoint, _get(timeout=timeout), limits=limits)
    assert (broken.kind, broken.sent) == (kind, False)


def test_a_shut_port_is_refused() -> None:
    """Nothing listens: said as such."""
    broken = _broken(transport.Endpoint("https://127.0.0.1:1", CA.certificate))
    assert (broken.kind, broken.message, broken.sent) == ("refused", "nothing listens there", False)


def test_a_name_without_address_is_unresolved() -> None:
    """A host whose name cannot be looked up (this one cannot even be asked for)."""
    broken = _broken(transport.Endpoint(f"https://{'x' * 70}.example:1", CA.certificate))
    assert (broken.kind, broken.sent) == ("unresolved", False)


def _silent(connection: wires.Connection) -> None:
    """Answer once, so that the connection stands, and never again."""
    connection.request()
    connection.send(wires.answer())
    if connection.request() is not None:
        connection.until_closed()


def test_no_answer_in_time() -> None:
    """A server that takes the request and says nothing: the limit for a first byte, or the request's own, ends it."""
    for limits, timeout in ((QUICK, 0.2), (transport.Limits(first_byte=0.2), 60)):
        with wires.Server(PAIR, _silent) as server:
            broken = _broken(_to(server), _get(), _get(timeout=timeout), limits=limits)
            assert server.closed.wait(10)
        assert (broken.kind, broken.sent) == ("timeout", True)


def test_a_slow_answer_is_not_in_time() -> None:
    """An answer that drips, never silent for long, is bounded by the request's time all the same."""

    def drip(connection: wires.Connection) -> None:
        connection.request()
        connection.send(wires.answer())
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while True:
            connection.send(b"x")
            time.sleep(0.01)

    with wires.Server(PAIR, drip) as server:
        broken = _broken(_to(server), _get(), _get(timeout=0.3))
    assert (broken.kind, broken.sent) == ("slow", True)


def test_a_stalled_answer_is_given_up() -> None:
    """An answer that stops half-way is given up long before the request's time."""

    def stall(connection: wires.Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx")
        connection.until_closed()

    with wires.Server(PAIR, stall) as server:
        broken = _broken(_to(server), _get(timeout=60), limits=transport.Limits(stall=0.2))
    assert (broken.kind, broken.sent) == ("stalled", True)


def _then(said: bytes, *, reset: bool = False) -> wires.Behaviour:
    def serve(connection: wires.Connection) -> None:
        connection.request()
        connection.send(said)
        if reset:
            connection.reset()

    return serve


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(_then(b""), id="no answer"),
        pytest.param(_then(b"", reset=True), id="reset"),
        pytest.param(_then(b"HTTP/1.1 200"), id="half a line"),
        pytest.param(_then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), id="half a body"),
        pytest.param(_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"), id="half a chunk"),
        pytest.param(_then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", reset=True), id="reset in the body"),
    ],
)
def test_answers_that_end_early_are_no_answers(behaviour: wires.Behaviour) -> None:
    """A connection that ends before the answer does is broken, and the request may have been carried out."""
    with wires.Server(PAIR, behaviour) as server:
        broken = _broken(_to(server), transport.Request("PATCH", "/", 10, b"{}", "text/a"))
    assert (broken.kind, broken.sent) == ("closed", True)


# --- keep-alive


def test_a_connection_closed_between_requests_is_made_anew() -> None:
    """Servers close idle connections; the next request does not notice."""

    def once(connection: wires.Connection) -> None:
        connection.request()
        connection.send(wires.answer())

    with wires.Server(PAIR, once) as server:
        assert [one.status for one in _ask(_to(server), _get("/a"), _get("/b"), _get("/c"))] == [200] * 3
    assert (server.connections, [one.path for one in server.seen]) == (3, ["/a", "/b", "/c"])


def test_a_request_lost_on_an_old_connection_counts_as_sent() -> None:
    """The server took a request on a kept connection and died: it may have acted, though dialling again was refused."""

    def serve(connection: wires.Connection) -> None:
        connection.request()
        connection.send(wires.answer())
        connection.request()
        server.stop_listening()

    with wires.Server(PAIR, serve) as server:
        broken = _broken(_to(server), _get("/a"), transport.Request("PATCH", "/b", 10, b"{}", "text/a"))
        assert [one.path for one in server.seen] == ["/a", "/b"]
    assert (broken.kind, broken.sent) == ("refused", True)


def test_a_session_outlives_a_failure() -> None:
    """After a request that broke, the next one of the session gets a connection of its own."""

    def serve(connection: wires.Connection) -> None:
        if connection.request() is not None and len(server.seen) > 1:
            connection.send(wires.answer())

    async def ask() -> int:
        async with curl.CurlTransport(QUICK) as wire:
            session = wire.session(_to(server))
            with pytest.raises(transport.Broken):
                await session.send(_get())
            status = (await session.send(_get())).status
            session.close()
            return status

    with wires.Server(PAIR, serve) as server:
        assert asyncio.run(ask()) == 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("", None),
        ("Retry-After: 7\r\n", 7),
        ("retry-after:7\r\n", 7),
        ("Retry-After: 99999\r\n", 3600),
        (f"Retry-After: {'9' * 400}\r\n", None),
        ("Retry-After: -1\r\n", None),
        ("Retry-After: Fri, 27 Nov 2026 20:00:00 GMT\r\n", None),
    ],
)
def test_retry_after_is_read(headers: str, seconds: float | None) -> None:
    """Seconds are taken, an hour at most; dates, which need the server's clock, are not."""
    said = b"HTTP/1.1 103 Early\r\nRetry-After: 5\r\n\r\n" + wires.answer(b"", 429, headers)
    with wires.Server(PAIR, wires.answering(said)) as server:
        assert _ask(_to(server))[0].retry_after == seconds


@pytest.mark.parametrize("name", ["Date", "date"])
def test_the_servers_time_is_kept(name: str) -> None:
    """Of the answer itself, not of an interim one; the header is read by whoever needs it."""
    early = b"HTTP/1.1 103 Early\r\nDate: Fri, 27 Nov 2026 19:00:00 GMT\r\n\r\n"
    said = early + wires.answer(b"", 200, f"{name}: Fri, 27 Nov 2026 20:00:00 GMT\r\n")
    with wires.Server(PAIR, wires.answering(said)) as server:
        assert _ask(_to(server))[0].date.strip() == b"Fri, 27 Nov 2026 20:00:00 GMT"
    with wires.Server(PAIR, wires.answering(early + wires.answer(b"", 200))) as server:
        assert _ask(_to(server))[0].date == b""


def test_silence_is_no_fault_of_a_body_that_is_taken_as_it_comes() -> None:
    """Nothing need happen for longer than an answer may stand still, up to the end of the request's own time."""

    def serve(connection: wires.Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.until_closed()

    quick = transport.Limits(stall=0.1, first_byte=5)

    async def run(server: wires.Server) -> None:
        async with curl.CurlTransport(quick) as wire:
            session = wire.session(transport.Endpoint(server.url, CA.certificate))
            request = transport.Request("GET", "/", 1.0, take=lambda _: True)
            with pytest.raises(transport.Broken) as caught:
                await session.send(request)
            assert caught.value.kind == "slow"

    with wires.Server(PAIR, serve) as server:
        asyncio.run(run(server))


def test_a_refusal_is_not_taken_as_it_comes() -> None:
    """Only the body of a 200 is given away; what a refusal says is in the answer."""
    got: list[bytes] = []

    def take(data: bytes) -> bool:
        got.append(data)
        return True

    async def run(server: wires.Server) -> tuple[transport.Answer, transport.Answer]:
        async with curl.CurlTransport() as wire:
            session = wire.session(transport.Endpoint(server.url, CA.certificate))
            request = transport.Request("GET", "/", 5.0, take=take)
            return await session.send(request), await session.send(request)

    with wires.Server(PAIR, wires.answering(wires.answer(b"no", 403), wires.answer(b"yes"))) as server:
        refused, streamed = asyncio.run(run(server))
    assert (refused.status, refused.body) == (403, b"no")
    assert (streamed.status, streamed.body, got) == (200, b"", [b"yes"])


@pytest.mark.parametrize(
    ("headers", "classified"),
    [
        ("", False),
        ("X-Kubernetes-Pf-Flowschema-Uid: a\r\nX-Kubernetes-Pf-Prioritylevel-Uid: b\r\n", True),
        ("x-kubernetes-pf-prioritylevel-uid: b\r\n", True),
        ("X-Kubernetes-Other: b\r\n", False),
    ],
)
def test_priority_and_fairness_is_seen(headers: str, *, classified: bool) -> None:
    """Of the answer itself, not of the one before it."""
    said = wires.answer(b"", 429, headers), wires.answer(b"", 429)
    with wires.Server(PAIR, wires.answering(*said)) as server:
        assert [one.classified for one in _ask(_to(server), _get(), _get())] == [classified, False]
