"""Watches against TLS servers that cut, lie and flood. What honest servers do is in tests/contract."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fleetctl.kube import answers, client, curl, transport, watches
from tests.unit.kube import wires

CA = wires.Authority("ours")
PAIR = CA.server()
LISTED = wires.answer(b'{"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {"name": "a"}}]}')
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
WHAT = watches.Watched("/api/v1/pods", "app=x", "metadata.name=a")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_FIRST_PAUSE", 0.0)


def _line(kind: str, version: str = "", **more: Any) -> bytes:  # noqa: ANN401 - JSON
    body = {"kind": "Pod", "metadata": {"name": "a", "resourceVersion": version}, **more}
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"


def _error(code: int, reason: str) -> bytes:
    return json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": code, "reason": reason}}).encode() + b"\n"


def _chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def _serving(*said: bytes) -> wires.Behaviour:
    """Say these in order over all connections; where one is no whole answer, hang up after it."""
    queue = list(said)

    def serve(connection: wires.Connection) -> None:
        while queue and connection.request() is not None:
            now = queue.pop(0)
            connection.send(now)
            if not now.endswith(END) and now.startswith(HEAD):
                return

    return serve


def _told(
    server: wires.Server,
    version: str = "",
    count: int = 99,
    seconds: float = 20,
    limits: transport.Limits | None = None,
) -> list[str]:
    """Return what a watch tells, in words, until so much was told."""

    async def run() -> list[str]:
        found: list[str] = []
        async with curl.CurlTransport(limits or transport.Limits()) as wire:
            endpoint = transport.Endpoint(server.url, CA.certificate)
            pace = client.Pace(first_pause=0.01, unreachable=0.0)
            with client.Client(wire.session(endpoint), pace=pace) as api:
                async with watches.watching(api, WHAT, answers.Partial, version) as watch:
                    async for event in watch.events(seconds):
                        if isinstance(event, watches.Listed):
                            found.append(f"listed {len(event.items)}")
                        else:
                            found.append(f"{event.kind} {event.object.metadata.resourceVersion}")
                        if len(found) == count:
                            break
        return found

    return asyncio.run(asyncio.wait_for(run(), 30))


def _asked(server: wires.Server) -> list[str]:
    """Return from which versions the server was asked to watch; "list" for lists."""
    found = []
    for seen in server.seen:
        query = dict(part.split("=", 1) for part in seen.path.partition("?")[2].split("&"))
        assert (query["labelSelector"], query["fieldSelector"]) == ("app%3Dx", "metadata.name%3Da")
        if "watch" in query:
            assert query["allowWatchBookmarks"] == "true"
        found.append(query["resourceVersion"] if "watch" in query else "list")
    return found


Case = tuple[list[bytes], list[str], list[str]]


@pytest.mark.parametrize(
    ("said", "told", "asked"),
    [
        pytest.param(
            [HEAD + _chunks(_line("ADDED", "6"), _line("MODIFIED", "7")[:20]), HEAD + _chunks(_line("DELETED", "8"))],
            ["listed 1", "added 6", "deleted 8"],
            ["list", "5", "6"],
            id="a cut in the middle of a line: what was not whole is asked for again",
        ),
        pytest.param(
            [HEAD + _chunks(_line("BOOKMARK", "9")), HEAD + _chunks(_line("ADDED", "10"))],
            ["listed 1", "added 10"],
            ["list", "5", "9"],
            id="bookmarks move the version",
        ),
        pytest.param(
            [HEAD + _chunks(_error(410, "Expired")) + END, LISTED, HEAD + _chunks(_line("ADDED", "6"))],
            ["listed 1", "listed 1", "added 6"],
            ["list", "5", "list", "5"],
            id="expired in a line",
        ),
        pytest.param(
            [
                wires.answer(b'{"kind": "Status", "code": 410, "reason": "Expired"}', 410),
                LISTED,
                HEAD + _chunks(_line("ADDED", "6")),
            ],
            ["listed 1", "listed 1", "added 6"],
            ["list", "5", "list", "5"],
            id="expired as an answer",
        ),
        pytest.param(
            [HEAD + _chunks(_error(500, "InternalError")) + END, HEAD + _chunks(_line("ADDED", "6"))],
            ["listed 1", "added 6"],
            ["list", "5", "5"],
            id="an error that passes",
        ),
        pytest.param(
            [HEAD + _chunks(_line("UNHEARD-OF", "8"), b"\n"), HEAD + _chunks(_line("ADDED", "9"))],
            ["listed 1", "added 9"],
            ["list", "5", "8"],
            id="a type of event that is not known",
        ),
        pytest.param(
            [wires.answer(b"", 503), HEAD + END, HEAD + _chunks(*(bytes([one]) for one in _line("ADDED", "6")))],
            ["listed 1", "added 6"],
            ["list", "5", "5", "5"],
            id="busy, then nothing, then byte by byte",
        ),
    ],
)
def test_it_goes_on(said: list[bytes], told: list[str], asked: list[str]) -> None:
    """From the last version that was told in whole; from a list where that is forgotten."""
    with wires.Server(PAIR, _serving(LISTED, *said)) as server:
        assert _told(server, count=len(told)) == told
        assert _asked(server) == asked


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (HEAD + _chunks(b"no json\n"), "UnreadableAnswer"),
        (HEAD + _chunks(b'{"type": "ADDED", "object": []}\n'), "UnreadableAnswer"),
        (HEAD + _chunks(b"\xff\xfe\n"), "UnreadableAnswer"),
        (HEAD + _chunks(b'{"type": "ERROR", "object": {"code": "x"}}\n'), "UnreadableAnswer"),
        (HEAD + _chunks(_error(403, "Forbidden")), "Forbidden"),
        (wires.answer(b'{"kind": "Status", "code": 403, "reason": "Forbidden"}', 403), "Forbidden"),
        (wires.answer(b'{"kind": "Status", "code": 404, "reason": "NotFound"}', 404), "NotFound"),
    ],
)
def test_what_will_not_pass_is_raised(said: bytes, reason: str) -> None:
    """Typed, as everywhere."""
    with wires.Server(PAIR, _serving(said)) as server, pytest.raises(answers.Failure) as caught:
        _told(server, "5")
    assert caught.value.reason == reason


def _flood(part: bytes) -> Callable[[wires.Connection], None]:
    def serve(connection: wires.Connection) -> None:
        connection.request()
        connection.send(HEAD)
        while True:
            connection.send(_chunks(part))

    return serve


def test_a_line_without_an_end_is_cut() -> None:
    """It costs its memory cap and its time, and nothing is told."""
    with wires.Server(PAIR, _flood(b"x" * 65536)) as server:
        assert _told(server, "5", seconds=1.0) == []
        assert server.connections > 1


def test_a_flood_is_read_from_where_it_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that come faster than they are read are not kept: the watch is cut, and goes on from what was told."""
    monkeypatch.setattr(watches, "_MOST_UNREAD", 1000)
    burst = HEAD + _chunks(b"".join(_line("MODIFIED", str(version)) for version in range(6, 100)))
    with wires.Server(PAIR, _serving(burst, HEAD + _chunks(_line("ADDED", "100")))) as server:
        told = _told(server, "5", count=95)
    assert told == [*(f"modified {version}" for version in range(6, 100)), "added 100"]
    assert _asked(server) == ["5", "99"]


def test_the_block_ends_what_is_under_way() -> None:
    """Leaving takes the request off the wire at once, and what went wrong inside comes out as it was."""

    def serve(connection: wires.Connection) -> None:
        connection.request()
        connection.send(HEAD + _chunks(_line("ADDED", "6")))
        connection.until_closed()

    async def run(server: wires.Server) -> None:
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(transport.Endpoint(server.url, CA.certificate))) as api:
                async with watches.watching(api, WHAT, answers.Partial, "5") as watch:
                    async for _ in watch.events(60):
                        raise KeyError("mine")

    with wires.Server(PAIR, serve) as server:
        with pytest.raises(KeyError, match="mine"):
            asyncio.run(asyncio.wait_for(run(server), 20))
        assert server.closed.wait(20)
