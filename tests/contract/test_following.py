"""Our client's watch, on the simulation and on a real API server: the same events, whatever cuts it."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from concurrent import futures
from typing import Any

import pytest

from fleetctl.kube import answers, client, curl, transport, watches
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

Told = list[tuple[str, str]]
Work = Callable[[client.Client], Any]


def _connected(api: plainhttp.Api, work: Work) -> Any:  # noqa: ANN401 - what ``work`` returns
    """Run something with a client of ours."""

    async def run() -> Any:  # noqa: ANN401
        endpoint = transport.Endpoint(f"https://127.0.0.1:{api.port}", api.authority, api.token)
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(endpoint)) as ours:
                return await work(ours)

    return asyncio.run(asyncio.wait_for(run(), 60))


def _names(event: watches.Listed[answers.Partial] | watches.Changed[answers.Partial]) -> Told:
    if isinstance(event, watches.Listed):
        return [("listed", one.metadata.name) for one in event.items]
    return [(event.kind, event.object.metadata.name)]


async def _take(events: AsyncIterator[Any], count: int) -> Told:
    found: Told = []
    async for event in events:
        found += _names(event)
        if len(found) >= count:
            break
    return found


def _ours(place: talking.Place, *, metadata_only: bool = False) -> watches.Watched:
    return watches.Watched(
        place.path("configmaps"), field_selector="metadata.name!=kube-root-ca.crt", metadata_only=metadata_only
    )


@pytest.fixture
def place(place: talking.Place) -> talking.Place:
    """A namespace whose ConfigMaps were watched before: from then on a simulated cluster remembers what changes."""
    with place.api.lines(place.path("configmaps", watch=1)):
        return place


@pytest.mark.parametrize("metadata_only", [False, True])
def test_what_is_there_then_what_happens(place: talking.Place, *, metadata_only: bool) -> None:
    """First everything, then each change as it comes; the connection is used again when the server ended the watch."""
    place.applied(talking.config_map("before", {}))

    async def work(ours: client.Client) -> Told:
        found: Told = []
        async with watches.watching(ours, _ours(place, metadata_only=metadata_only), answers.Partial) as watch:
            async for event in watch.events(2):
                found += _names(event)
                if isinstance(event, watches.Listed):
                    await asyncio.to_thread(place.applied, talking.config_map("one", {"a": "1"}))
                    await asyncio.to_thread(place.delete, "configmaps", "one")
        assert (await ours.get(place.path("configmaps", "before"))).metadata.name == "before"
        return found

    assert _connected(place.api, work) == [("listed", "before"), ("added", "one"), ("deleted", "one")]


def test_leaving_early_takes_it_off_the_wire(place: talking.Place) -> None:
    """Whoever has seen enough goes on with other requests at once."""
    place.applied(talking.config_map("before", {}))

    async def work(ours: client.Client) -> str:
        async with watches.watching(ours, _ours(place), answers.Partial) as watch:
            events = watch.events(50)
            assert await _take(events, 1) == [("listed", "before")]
            await asyncio.to_thread(place.applied, talking.config_map("one", {}))
            assert await _take(events, 1) == [("added", "one")]
        return (await ours.get(place.path("configmaps", "one"))).metadata.name

    assert _connected(place.api, work) == "one"


def test_it_goes_on_where_it_was(place: talking.Place) -> None:
    """A watch from a version that was told before leaves nothing out and tells nothing twice."""

    async def work(ours: client.Client) -> tuple[Told, Told]:
        what = _ours(place)
        async with watches.watching(ours, what, answers.Partial) as watch:
            events = watch.events(50)
            assert _names(await anext(events)) == []
            await asyncio.to_thread(place.applied, talking.config_map("one", {"a": "1"}))
            first = await _take(events, 1)
        await asyncio.to_thread(place.applied, talking.config_map("one", {"a": "2"}))
        async with watches.watching(ours, what, answers.Partial, watch.version) as again:
            return first, await _take(again.events(50), 1)

    assert _connected(place.api, work) == ([("added", "one")], [("modified", "one")])


@pytest.mark.kubebox
def test_a_killed_server_is_found_again(kubebox: clusters.Fleet) -> None:
    """The watch survives its server's death: it goes on from its version, or lists anew where that is forgotten."""
    cluster = kubebox.cluster()
    place = talking.Place.made(cluster.api(), "found-again")
    place.applied(talking.config_map("before", {}))

    begun = threading.Event()

    async def work(ours: client.Client) -> Told:
        found: Told = []
        async with watches.watching(ours, _ours(place), answers.Partial) as watch:
            async for event in watch.events(55):
                found += _names(event)
                begun.set()
                if any(name == "one" for _, name in found):
                    break
        return found

    with futures.ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_connected, cluster.api(), work)
        assert begun.wait(20)
        cluster.stop()
        cluster.start()
        cluster.wait()
        place.applied(talking.config_map("one", {}))
        found = watching.result()
    assert found[0] == ("listed", "before")
    assert found[-1] in {("added", "one"), ("listed", "one")}


@pytest.mark.kubebox
def test_a_server_says_when_a_version_is_too_old(kubebox: clusters.Fleet) -> None:
    """What came before its cache began it does not know: a line that says so, and our watch lists again."""
    cluster = kubebox.cluster()
    place = talking.Place.made(cluster.api(), "too-old")
    cluster.stop()
    cluster.start()
    cluster.wait()
    place.applied(talking.config_map("one", {}))
    with place.api.lines(place.path("configmaps", watch=1, timeoutSeconds=5, resourceVersion=1)) as events:
        [error] = itertools.islice(events, 1)
    assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")

    async def work(ours: client.Client) -> Told:
        async with watches.watching(ours, _ours(place), answers.Partial, "1") as watch:
            return await _take(watch.events(20), 1)

    assert _connected(cluster.api(), work) == [("listed", "one")]
