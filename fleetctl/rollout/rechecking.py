"""A second look at sites that a run has brought to what it wants: for a gate, which must not trust what was well once.

Nothing is sent that changes anything.
"""

from __future__ import annotations

import asyncio

from fleetctl.kube import answers, applysets, client
from fleetctl.model import outcomes
from fleetctl.rollout import applying, failing, marking, observing, orders, pruning

__all__ = ["trouble"]


async def trouble(order: orders.Order, api: client.Client, known: orders.Known, seconds: float) -> str:
    """Return why a site is not as its order wants it, in words; "" for one that is. Takes so long at most."""
    try:
        async with asyncio.timeout(seconds):
            return await _trouble(order, api, known)
    except failing.Stopped as stopped:
        return str(stopped.cause)
    except answers.Failure as failure:
        return str(failure.cause("looking again"))
    except TimeoutError:
        return f"not looked at within {seconds:g}s"


async def _trouble(order: orders.Order, api: client.Client, known: orders.Known) -> str:
    parent = marking.Parent(order, api, known)
    await parent.read()
    now = parent.now
    if order.wanted is None:
        return "the bundle is there again" if now.exists else ""
    if now.applying is not None or now.release != order.wanted:
        return "another release is there, or half of one"
    goal = known(order.wanted)
    if goal is None:
        return "this store does not hold its release"
    found = await pruning.members(api, order, now, known)
    if gone := sorted(str(one.id) for one in goal.objects if one.id not in {there.id for there in found}):
        return f"{gone[0]} is gone"
    applied = applying.Applied(goal, applysets.set_id(order.bundle, order.namespace))
    applied.found(found)
    seen = await observing.look(api, applied, order)
    return "" if seen.state is outcomes.State.CURRENT else seen.waiting or f"its objects are {seen.state}"
