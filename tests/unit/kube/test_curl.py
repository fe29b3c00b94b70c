"""Many transfers in one event loop: alone with their connections, cancelled cleanly, and alike without epoll."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest
import uvloop

from fleetctl.kube import curl, transport
from tests.unit.kube import wires

CA = wires.Authority("ours")
PAIR = CA.server()


@pytest.fixture(params=["epoll", "without epoll", "uvloop"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.Runner]:
    """An event loop's runner for each way to be woken."""
    monkeypatch.setattr(curl, "_EPOLL", request.param != "without epoll")
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    complaints: list[dict[str, object]] = []
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        yield runner
    assert complaints == []


def _get(path: str = "/", timeout: float = 20) -> transport.Request:
    return transport.Request("GET", path, timeout)


def _to(server: wires.Server) -> transport.Endpoint:
    return transport.Endpoint(server.url, CA.certificate)


async def _seen(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 20)


def test_many_sessions_at_once(run: asyncio.Runner) -> None:
    """A hundred visits of two requests side by side: every answer reaches its own request, one connection each."""

    async def ask() -> list[list[bytes]]:
        async with curl.CurlTransport() as wire:

            async def visit(number: int) -> list[bytes]:
                session = wire.session(_to(server))
                try:
                    return [(await session.send(_get(f"/{number}/{step}"))).body for step in range(2)]
                finally:
                    session.close()

            return await asyncio.gather(*(visit(number) for number in range(100)))

    def echo(connection: wires.Connection) -> None:
        while (request := connection.request()) is not None:
            connection.send(wires.answer(request.path.encode()))

    with wires.Server(PAIR, echo) as server:
        assert run.run(ask()) == [[f"/{number}/{step}".encode() for step in range(2)] for number in range(100)]
        assert server.connections == 100


def test_no_session_gets_the_connection_of_another(run: asyncio.Runner) -> None:
    """A connection that a session left idle, or gave up, is nobody else's, though server and identity are the same."""

    async def ask() -> None:
        async with curl.CurlTransport() as wire:
            first, second, third = (wire.session(_to(server)) for _ in range(3))
            await first.send(_get())
            await second.send(_get())
            await first.send(_get())
            first.close()
            await third.send(_get())
            await second.send(_get())
            second.close()
            third.close()

    with wires.Server(PAIR, wires.answering()) as server:
        run.run(ask())
        assert (server.connections, len(server.seen)) == (3, 5)


def _until_closed(connection: wires.Connection) -> None:
    connection.request()
    connection.send(wires.answer())
    connection.until_closed()


def test_a_closed_session_hangs_up(run: asyncio.Runner) -> None:
    """The connection ends with its session, not with the command: a fleet of idle connections helps nobody."""

    async def ask() -> None:
        async with curl.CurlTransport() as wire:
            session = wire.session(_to(server))
            await session.send(_get())
            session.close()
            await _seen(server.closed)

    with wires.Server(PAIR, _until_closed) as server:
        run.run(ask())


def test_sessions_may_be_closed_unused_twice_and_late(run: asyncio.Runner) -> None:
    """Closing is never an error."""

    async def ask() -> None:
        async with curl.CurlTransport() as wire:
            unused, late = wire.session(_to(server)), wire.session(_to(server))
            await late.send(_get())
            unused.close()
            unused.close()
        late.close()
        late.close()

    with wires.Server(PAIR, wires.answering()) as server:
        run.run(ask())
        assert len(server.seen) == 1


def _hold(connection: wires.Connection) -> None:
    """Answer /quick at once; let everything else wait for ever, half said."""
    while (request := connection.request()) is not None:
        if request.path != "/quick":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal")
            connection.until_closed()
            return
        connection.send(wires.answer(b"quick"))


async def _cancel_when(ready: Callable[[], bool], waiting: Awaitable[object]) -> None:
    async with asyncio.timeout(20):
        task = asyncio.ensure_future(waiting)
        while not ready():  # noqa: ASYNC110  # the other end is a thread
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_a_cancelled_request_leaves_the_wire(run: asyncio.Runner) -> None:
    """Cancelling the task that waits closes that connection at once; others, and the session itself, go on."""

    async def ask() -> list[bytes]:
        async with curl.CurlTransport() as wire:
            doomed, other = wire.session(_to(server)), wire.session(_to(server))
            first = (await other.send(_get("/quick"))).body
            await _cancel_when(lambda: len(server.seen) == 2, doomed.send(_get("/slow")))
            await _seen(server.closed)
            bodies = [first, (await other.send(_get("/quick"))).body, (await doomed.send(_get("/quick"))).body]
            doomed.close()
            other.close()
            return bodies

    with wires.Server(PAIR, _hold) as server:
        assert run.run(ask()) == [b"quick"] * 3
        assert server.connections == 3


def test_cancelling_while_connecting(run: asyncio.Runner) -> None:
    """A connection that nobody accepts can be given up at any time."""

    async def ask(port: int) -> None:
        async with curl.CurlTransport() as wire:
            session = wire.session(transport.Endpoint(f"https://127.0.0.1:{port}", CA.certificate))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await session.send(_get())
            session.close()

    with wires.black_hole() as port:
        run.run(ask(port))


def test_leaving_the_transport_cancels_what_is_under_way(run: asyncio.Runner) -> None:
    """Whoever still waits when the transport ends is cancelled, and the connections end."""

    async def ask() -> None:
        async with curl.CurlTransport() as wire:
            session = wire.session(_to(server))
            task = asyncio.ensure_future(session.send(_get("/slow")))
            while not server.seen:  # noqa: ASYNC110  # the other end is a thread
                await asyncio.sleep(0.005)
        with pytest.raises(asyncio.CancelledError):
            await task
        session.close()
        await _seen(server.closed)

    with wires.Server(PAIR, _hold) as server:
        run.run(ask())


def test_leaving_right_after_asking(run: asyncio.Runner) -> None:
    """A transfer that libcurl has not even begun is given up as quietly."""

    async def ask() -> None:
        async with curl.CurlTransport() as wire:
            session = wire.session(_to(server))
            task = asyncio.ensure_future(session.send(_get()))
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        session.close()
        await asyncio.sleep(0)  # what was to happen soon happens now

    with wires.Server(PAIR, wires.answering()) as server:
        run.run(ask())
        assert server.seen == []


def test_a_session_carries_one_request_at_a_time(run: asyncio.Runner) -> None:
    """Two at once on one session is a mistake of the caller, said as one; the first is not disturbed."""

    async def ask() -> bytes:
        async with curl.CurlTransport() as wire:
            session = wire.session(_to(server))
            first = asyncio.ensure_future(session.send(_get("/quick")))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one request at a time"):
                await session.send(_get("/quick"))
            body = (await first).body
            session.close()
            return body

    with wires.Server(PAIR, _hold) as server:
        assert run.run(ask()) == b"quick"


def test_a_slow_site_costs_its_own_slot_only(run: asyncio.Runner) -> None:
    """While some connections hang before, and some in the middle of an answer, others are served."""

    async def ask(hole: int) -> list[list[bytes]]:
        async with curl.CurlTransport() as wire:

            async def one(url: str, path: str) -> list[bytes]:
                session = wire.session(transport.Endpoint(url, CA.certificate))
                try:
                    return [(await session.send(_get(path, 100))).body for _ in range(5)]
                finally:
                    session.close()

            black = f"https://127.0.0.1:{hole}"
            hanging = [asyncio.ensure_future(one(black, "/")) for _ in range(10)]
            hanging += [asyncio.ensure_future(one(server.url, "/slow")) for _ in range(10)]
            quick = await asyncio.gather(*(one(server.url, "/quick") for _ in range(10)))
            assert not any(task.done() for task in hanging)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            return quick

    with wires.black_hole() as hole, wires.Server(PAIR, _hold) as server:
        assert run.run(ask(hole)) == [[b"quick"] * 5] * 10
