"""What a hostile server costs: its own request, by its deadline and within its share of memory, and nothing else.

The cases are in ``hostiles.py``. Every one runs on a real connection beside a visit to a server that behaves, in the
same event loop.
"""

import asyncio
import contextlib
import ctypes
import gc
import pathlib
import sys
import threading
from collections.abc import Iterator
from typing import Literal

import msgspec
import pytest

from fleetctl.kube import answers, client, curl, transport
from tests.unit.kube import hostiles, wires

CA = wires.Authority("ours")
PAIR = CA.server()
QUICK = transport.Limits(connect=5, handshake=0.5, first_byte=0.5, stall=0.5, size=1 << 20, headers=8_000)
_MIB = 1 << 20


@pytest.fixture(scope="module")
def neighbour() -> Iterator[wires.Server]:
    """A server that behaves."""
    with wires.Server(PAIR, wires.answering(wires.answer(b'{"metadata":{"name":"well"}}'))) as server:
        yield server


def _client(wire: curl.CurlTransport, server: wires.Server, seconds: float = 10, *, token: str = "") -> client.Client:
    """Return a client that asks once."""
    session = wire.session(transport.Endpoint(server.url, CA.certificate, token))
    return client.Client(session, pace=client.Pace(request=seconds, unreachable=0, undated=0))


async def _reason(api: client.Client) -> str:
    try:
        await api.get(hostiles.PATH)
    except answers.Failure as failure:
        return failure.reason if failure.message.isprintable() else "unprintable"
    return hostiles.TAKEN


async def _beside(case: hostiles.Case, limits: transport.Limits, bad: wires.Server, good: wires.Server) -> str:
    """Ask a hostile server, and a good one over and over meanwhile."""
    async with curl.CurlTransport(limits) as wire:
        with _client(wire, bad, case.seconds) as api, _client(wire, good) as other:
            assert await _reason(other) == hostiles.TAKEN
            asking = asyncio.ensure_future(_reason(api))
            while not asking.done():
                assert await _reason(other) == hostiles.TAKEN
                await asyncio.sleep(0.001)
            assert await _reason(other) == hostiles.TAKEN
            return await asking


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in hostiles.CASES])
def test_whatever_is_said_is_a_typed_outcome(case: hostiles.Case, neighbour: wires.Server) -> None:
    """Each thing that a server may say has one outcome, the deadline included."""
    with wires.Server(PAIR, case.serve) as server:
        assert asyncio.run(_beside(case, QUICK, server, neighbour)) == case.reason


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in hostiles.HANDSHAKES])
def test_whatever_is_said_before_tls_is_a_typed_outcome(case: hostiles.Case, neighbour: wires.Server) -> None:
    """Nothing of the request was sent."""
    with wires.Server(None, case.serve) as server:
        assert asyncio.run(_beside(case, QUICK, server, neighbour)) == case.reason


# --- memory


def _memory(field: str) -> int:
    """Return a size of this process from the kernel, in bytes."""
    text = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{field}:")) * 1024


def _peak(case: hostiles.Case, limits: transport.Limits) -> tuple[str, int]:
    """Return a case's outcome, and by how much this process grew for it at most."""

    async def ask() -> str:
        async with curl.CurlTransport(limits) as wire:
            with _client(wire, server, case.seconds) as api:
                return await _reason(api)

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or what others have left would be used again, and not be seen
    with wires.Server(PAIR, case.serve) as server:
        pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here, proc(5)
        before = _memory("VmRSS")
        reason = asyncio.run(ask())
        return reason, _memory("VmHWM") - before


linux = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


@linux
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name) for case in hostiles.CASES if case.name.startswith(("endless", "compressed"))],
)
def test_what_has_no_end_is_not_held(case: hostiles.Case) -> None:
    """With a megabyte allowed, an endless answer costs a few; most of that is the connection."""
    reason, grown = _peak(case, QUICK)
    assert reason == case.reason
    assert grown < 24 * _MIB


@linux
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in hostiles.BOMBS])
def test_what_grows_when_it_is_read_is_bounded(case: hostiles.Case) -> None:
    """The most that may be sent, 16 MiB, costs no more than 192, whatever it is made of."""
    reason, grown = _peak(case, transport.Limits())
    assert reason == case.reason
    assert grown < 192 * _MIB


# --- where an answer ends


@pytest.mark.parametrize("then", ["close", "reset"])
def test_an_end_anywhere_is_an_end(then: Literal["close", "reset"]) -> None:
    """Of an answer that ends after any of its bytes nothing is taken."""
    whole = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{"metadata":{}}\r\n0\r\n\r\n'
    cuts = iter([*range(len(whole) - 2), len(whole)])

    def serve(connection: wires.Connection) -> None:
        hostiles.said(whole[: next(cuts)], then=then)(connection)

    async def ask() -> list[str]:
        async with curl.CurlTransport(QUICK) as wire:
            reasons = []
            for _ in range(len(whole) - 1):
                with _client(wire, server) as api:
                    reasons.append(await _reason(api))
            return reasons

    with wires.Server(PAIR, serve) as server:
        reasons = asyncio.run(ask())
    assert reasons[:-1] == ["ConnectionClosed"] * (len(whole) - 2)
    if then == "close":
        assert reasons[-1] == hostiles.TAKEN


_GOODBYE = wires.answer(b"", 408, "Connection: close\r\n")
_SMUGGLED = wires.answer(b'{"metadata":{"name":"smuggled"}}')


@pytest.mark.parametrize("idle", [False, True])
@pytest.mark.parametrize(
    "extra",
    [_SMUGGLED, b"x", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", _SMUGGLED * 2000, _GOODBYE],
    ids=["answer", "byte", "line", "interim", "many answers", "goodbye"],
)
def test_what_comes_after_an_answer_is_no_answer(extra: bytes, *, idle: bool) -> None:
    """Bytes after a body, with it or while nothing is asked, are never taken for the answer of the next request."""
    heard, sent = threading.Event(), threading.Event()
    honest = wires.answer(b'{"metadata":{"name":"honest"}}')

    def serve(connection: wires.Connection) -> None:
        if server.connections == 1 and connection.request() is not None:
            connection.send(honest if idle else honest + extra)
            if idle:
                heard.wait(20)
                connection.send(extra)
            sent.set()
        while connection.request() is not None:
            connection.send(honest)

    async def ask() -> list[str]:
        async with curl.CurlTransport(QUICK) as wire:
            with _client(wire, server) as api:
                names = [(await api.get(hostiles.PATH)).metadata.name]
                heard.set()
                await asyncio.to_thread(sent.wait, 20)
                return names + [(await api.get(hostiles.PATH)).metadata.name for _ in range(2)]

    with wires.Server(PAIR, serve) as server:
        assert asyncio.run(ask()) == ["honest"] * 3
        assert server.connections == 2


def test_a_connection_that_ends_as_it_is_used_is_made_anew() -> None:
    """The server closes a kept connection on the next request: that is asked again on another, by libcurl."""

    def serve(connection: wires.Connection) -> None:
        if connection.request() is not None:
            connection.send(wires.answer(b'{"metadata":{}}'))
            connection.request()

    async def ask() -> list[str]:
        async with curl.CurlTransport(QUICK) as wire:
            with _client(wire, server) as api:
                return [await _reason(api) for _ in range(3)]

    with wires.Server(PAIR, serve) as server:
        assert asyncio.run(ask()) == [hostiles.TAKEN] * 3


# --- what a server would have us do, or show


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["https://{}/", "http://{}/", "//{}/", "file:///etc/passwd", "/elsewhere"])
def test_redirects_are_answers(where: str, status: int) -> None:
    """Nobody is asked but the server itself, and it once: a token must not be carried elsewhere."""
    with wires.Server(PAIR, wires.answering()) as elsewhere:
        location = where.format(elsewhere.url.removeprefix("https://"))
        behaviour = wires.answering(wires.answer(b"", status, f"Location: {location}\r\n"))
        with wires.Server(PAIR, behaviour) as server:
            words = f"HTTP {status}: it sends us elsewhere, and no credential goes there"
            assert _ask(server) == [(f"HTTP{status}", words)]
            assert len(server.seen) == 1
    assert elsewhere.connections == 0


def _ask(server: wires.Server, times: int = 1) -> list[tuple[str, str]]:
    """Ask with a token; return reasons and messages."""

    async def ask() -> list[tuple[str, str]]:
        found = []
        async with curl.CurlTransport(QUICK) as wire:
            with _client(wire, server, token=hostiles.TOKEN) as api:
                for _ in range(times):
                    try:
                        found.append(("", (await api.get(hostiles.PATH)).metadata.name))
                    except answers.Failure as failure:
                        found.append((failure.reason, failure.message))
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "headers",
    [
        "Set-Cookie: session=x; Path=/\r\n",
        'Alt-Svc: h2=":1"; ma=9999\r\n',
        "Strict-Transport-Security: max-age=9999\r\n",
        "Refresh: 0; url=https://127.0.0.1:1/\r\n",
        "Connection: Set-Cookie, Authorization\r\n",
        'Clear-Site-Data: "*"\r\n',
    ],
)
def test_nothing_is_kept_of_an_answer(headers: str) -> None:
    """Cookies and other places are not for us: the second request is as the first."""
    said = wires.answer(b'{"metadata":{"name":"a"}}', 200, headers)
    with wires.Server(PAIR, wires.answering(said)) as server:
        assert _ask(server, 2) == [("", "a")] * 2
        assert server.seen[0] == server.seen[1]


@pytest.mark.parametrize("wanted", ["Basic realm=x", "Negotiate", "NTLM", 'Digest realm="a", nonce="b"', "Bearer"])
def test_we_prove_ourselves_once(wanted: str) -> None:
    """A server that asks for another proof gets none."""
    said = wires.answer(b"", 401, f"WWW-Authenticate: {wanted}\r\n")
    with wires.Server(PAIR, wires.answering(said)) as server:
        assert _ask(server) == [("HTTP401", "HTTP 401")]
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param(f"no such user: {hostiles.TOKEN}", "no such user: (hidden)", id="our token"),
        pytest.param("\x1b]0;owned\x07\x1b[31mred\x9b2J", "]0;owned [31mred 2J", id="orders to a terminal"),
        pytest.param("a\r\nb\u2028c\u202etxt.exe\u200b", "a b c txt.exe", id="lines and directions"),
        pytest.param("x" * 900_000, "x" * 396 + " ...", id="no end"),
    ],
)
def test_what_a_server_says_is_one_harmless_line(message: str, shown: str) -> None:
    """Its words are shown to people: without our secrets, without orders to their terminals, of bounded length."""
    body = msgspec.json.encode({"kind": "Status", "reason": "Forbidden", "message": message})
    with wires.Server(PAIR, wires.answering(wires.answer(body, 403))) as server:
        assert _ask(server) == [("Forbidden", shown)]


def test_our_token_is_not_taken_from_an_object_either() -> None:
    """Wherever it stands: messages of pods and their logs are shown and stored, too."""
    body = msgspec.json.encode({"metadata": {"name": hostiles.TOKEN}})
    with wires.Server(PAIR, wires.answering(wires.answer(body))) as server:
        assert _ask(server) == [("", "(hidden)")]


# --- giving up


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_visit_that_is_given_up_leaves_nothing(how: str, neighbour: wires.Server) -> None:
    """Its connection ends at once, half an answer or not, and what was still to come reaches nobody."""

    async def ask() -> str:
        async with curl.CurlTransport(transport.Limits()) as wire:
            with _client(wire, neighbour) as other:
                with _client(wire, server, 60) as api, contextlib.suppress(asyncio.CancelledError, TimeoutError):
                    async with asyncio.timeout(None) as limit:
                        visit = asyncio.ensure_future(api.get(hostiles.PATH))
                        while not server.seen:  # noqa: ASYNC110  # the other end is a thread
                            await asyncio.sleep(0.001)
                        if how == "timeout":
                            limit.reschedule(0)
                        else:
                            visit.cancel()
                        await visit
                assert await asyncio.to_thread(server.closed.wait, 20)
                return await _reason(other)

    with wires.Server(PAIR, hostiles.said(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", then="hold")) as server:
        assert asyncio.run(ask()) == hostiles.TAKEN
