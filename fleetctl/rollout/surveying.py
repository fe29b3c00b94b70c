"""Reading the parents of all members for a plan, and asking for rights where a visit would do something.

One request per cluster, and one more where something is to be done and all may be done; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from fleetctl.kube import answers, applysets, client, needs
from fleetctl.model import outcomes, releases, sites
from fleetctl.rollout import failing, orders, permits, planning
from fleetctl.runs import loops
from fleetctl.state import databases, installed

__all__ = ["Also", "Connect", "asking", "remembered", "survey", "unchanged"]

Connect = Callable[[str], client.Client]
"""Makes a client for the site of a name."""

Also = Callable[[client.Client, planning.Reading], Awaitable[planning.Reading]]
"""Asks a site that has answered for more."""


async def survey(
    members: Iterable[sites.Site],
    connect: Connect,
    bundle: str,
    namespace: str,
    *,
    concurrency: int,
    told: Callable[[planning.Reading], None] = lambda _: None,
    also: Also | None = None,
) -> dict[str, planning.Reading]:
    """Read the bundle's parent at every member; a site that does not answer is a reading too."""
    found: dict[str, planning.Reading] = {}
    path = applysets.path(bundle, namespace)

    async def read(site: sites.Site) -> None:
        reading = await _read(site.name, connect, path, also)
        found[site.name] = reading
        told(reading)

    await loops.each(list(members), read, at_once=concurrency)
    return found


def asking(
    goals: Mapping[str, releases.Release | None], known: orders.Known, bundle: str, home: str, *, thorough: bool
) -> Also:
    """Return what asks, at each site where a visit would do something, for the rights that it needs.

    ``thorough`` tells that a visit does something where the wanted release is there, too.
    """

    async def ask(api: client.Client, reading: planning.Reading) -> planning.Reading:
        new = goals[reading.site]
        is_there = new is not None and reading.release == new.digest and not reading.applying
        if (is_there and not thorough) or (new is None and not reading.there):
            return reading
        old = known(reading.release) if reading.release else None
        sure = not reading.applying and (old is not None) == (reading.release is not None)
        step = needs.Step(bundle, home, old, new, sure=sure, listed=thorough, parent=reading.there)
        return msgspec.structs.replace(reading, rights=await permits.ask(api, step))

    return ask


async def _read(site: str, connect: Connect, path: str, also: Also | None) -> planning.Reading:
    with connect(site) as api:
        try:
            there = await answers.optional(api.get(path))
        except answers.Failure as failure:
            dark = failing.outcome_of(failure) is outcomes.Outcome.UNREACHABLE
            return planning.Reading(site, answered=False, cause=failure.cause("reading the parent"), unreachable=dark)
        reading = _reading(site, there)
        return reading if also is None else await also(api, reading)


def _reading(site: str, there: answers.Partial | None) -> planning.Reading:
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
        there=True,
    )


def remembered(store: databases.Store, members: Iterable[sites.Site], bundle: str) -> dict[str, planning.Reading]:
    """Return what the journal has of members, in place of what their clusters would say; nothing is contacted."""

    def read(conn: databases.Connection) -> dict[str, planning.Reading]:
        found = {one.name: installed.get(conn, one.name, bundle) for one in members}
        return {
            site: planning.Reading(site, answered=True, release=there.release if there else None, asked=False)
            for site, there in found.items()
        }

    return store.read(read)


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
