"""The Lease that keeps visits of different operators apart, held through our own client: two never both have it."""

import asyncio
import contextlib
import datetime as dt
import email.utils
import itertools
from collections.abc import AsyncIterator

import pytest

from fleetctl.kube import client, curl, leases, transport
from fleetctl.model import outcomes
from fleetctl.rollout import failing, leasing
from tests.contract import plainhttp
from tests.unit.rollout import ordering

_numbers = itertools.count(1)


@pytest.fixture
def bundle(api: plainhttp.Api) -> str:
    """The name of a bundle that no other test has; fleetctl's own namespace is there."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": leases.NAMESPACE}}
    path = f"/api/v1/namespaces/{leases.NAMESPACE}?fieldManager=test"
    assert api.call("PATCH", path, body, content=plainhttp.APPLY).status in {200, 201}
    return f"leased-{next(_numbers)}"


@contextlib.asynccontextmanager
async def _visits(api: plainhttp.Api, bundle: str, count: int) -> AsyncIterator[list[leasing.Lease]]:
    """Give so many visits of different runs, each with a connection of its own, that know the server's time."""
    endpoint = transport.Endpoint(f"https://127.0.0.1:{api.port}", ca=api.authority, token=api.token)
    async with curl.CurlTransport() as wire:
        with contextlib.ExitStack() as stack:
            made = []
            for number in range(count):
                talk = stack.enter_context(client.Client(wire.session(endpoint)))
                await talk.get("/api/v1/namespaces/kube-system")
                made.append(leasing.Lease(ordering.order(f"r-{number}", bundle=bundle), talk, {}))
            yield made


async def _claimed(lease: leasing.Lease) -> bool:
    """Claim; False when somebody else has it."""
    try:
        assert await lease.claim()
    except failing.Stopped as stopped:
        return stopped.reason is not outcomes.Reason.LOCKED
    return True


def test_of_many_that_come_at_once_one_has_it(api: plainhttp.Api, bundle: str) -> None:
    """Each round has one holder, which renews it and gives it back; then nothing of it is left."""

    async def work() -> None:
        async with _visits(api, bundle, 4) as visits:
            for _ in range(5):
                had = await asyncio.gather(*map(_claimed, visits))
                assert sum(had) == 1
                holder = visits[had.index(True)]
                assert 0 < await holder.keep() <= leases.TERM
                assert [await _claimed(one) for one in visits if one is not holder] == [False] * 3
                await holder.release()

    asyncio.run(work())
    assert api.call("GET", leases.path(bundle)).status == 404


@pytest.mark.parametrize(("age", "taken"), [(50, False), (80, False), (103, True)])
def test_what_a_dead_process_left_is_over_by_the_servers_clock(
    api: plainhttp.Api,
    bundle: str,
    age: int,
    taken: bool,  # noqa: FBT001  # a parameter
) -> None:
    """A minute and 40 seconds after its last renewal another may take it, bound to the version that was read."""
    told = email.utils.parsedate_to_datetime(api.call("GET", "/version").headers["Date"])
    body = leases.body(bundle, "others s1 r-9 1", (told - dt.timedelta(seconds=age)).timestamp())
    assert api.call("POST", leases.COLLECTION, body.decode()).status == 201

    async def work() -> list[bool]:
        async with _visits(api, bundle, 3) as visits:
            return await asyncio.gather(*map(_claimed, visits))

    assert sum(asyncio.run(work())) == taken
    spec = api.call("GET", leases.path(bundle)).json["spec"]
    assert (spec["holderIdentity"] == "others s1 r-9 1", spec["leaseTransitions"]) == (not taken, int(taken))


def test_who_lost_it_changes_nothing_more(api: plainhttp.Api, bundle: str) -> None:
    """A renewal is refused once another has taken it, or deleted it."""

    async def work() -> None:
        async with _visits(api, bundle, 1) as [visit]:
            assert await _claimed(visit)
            there = api.call("GET", leases.path(bundle)).json
            there["spec"]["holderIdentity"] = "others s1 r-9 1"
            assert api.call("PUT", leases.path(bundle), there).status == 200
            visit._due = 0.0  # noqa: SLF001  # as if 20 seconds had passed
            with pytest.raises(client.Fenced):
                await visit.keep()
            await visit.release()

    asyncio.run(work())
    assert api.call("GET", leases.path(bundle)).json["spec"]["holderIdentity"] == "others s1 r-9 1"
