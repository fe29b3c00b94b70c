"""Reading the parents of all members for a plan: one request per cluster, nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from fleetctl.kube import answers, applysets, client
from fleetctl.model import outcomes, sites
from fleetctl.rollout import planning

__all__ = ["Connect", "survey", "unchanged"]

Connect = Callable[[str], client.Client]
"""Makes a client for the site of a name."""


async def survey(
    members: Iterable[sites.Site],
    connect: Connect,
    bundle: str,
    namespace: str,
    *,
    concurrency: int,
    told: Callable[[planning.Reading], None] = lambda _: None,
) -> dict[str, planning.Reading]:
    """Read the bundle's parent at every member; a site that does not answer is a reading too."""
    found: dict[str, planning.Reading] = {}
    waiting = iter(list(members))
    path = applysets.path(bundle, namespace)

    async def worker() -> None:
        for site in waiting:
            reading = await _read(site.name, connect, path)
            found[site.name] = reading
            told(reading)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(worker())
    return found


async def _read(site: str, connect: Connect, path: str) -> planning.Reading:
    with connect(site) as api:
        try:
            there = await answers.optional(api.get(path))
        except answers.Failure as failure:
            return planning.Reading(site, answered=False, cause=failure.cause("reading the parent"))
    if there is None:
        return planning.Reading(site, answered=True)
    parent = applysets.read(there)
    return planning.Reading(
        site,
        answered=True,
        release=parent.release if parent.ours else None,
        previous=parent.previous,
        applying=parent.applying is not None,
        run=parent.applying.run if parent.applying else parent.run,
    )


def unchanged(reading: planning.Reading) -> outcomes.Result:
    """Return the outcome of a site whose reading already says that nothing is to be done."""
    return outcomes.Result(
        outcomes.Outcome.UNCHANGED,
        outcomes.Effect.NONE,
        before=reading.release,
        after=reading.release,
        previous=reading.previous,
        requests=1,
    )
