"""A pause between two looks at a cluster that ends as soon as what is waited for says that it is done.

One object is watched, from the version that was looked at. Where a watch cannot be had, the pause is a pause.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from fleetctl.kube import answers, client, kinds, settling, views, watches

__all__ = ["Rest"]

_LEAST: Final = 1.0
"""Seconds: a watch cannot be shorter."""
_LONGEST: Final = 5.0
_LONGER: Final = 4.0
"""How much longer a pause may be when it ends by itself at the right moment."""


class Rest:
    """Pauses of one visit."""

    def __init__(self, api: client.Client) -> None:
        self._api = api
        self._watches = True

    async def take(self, view: views.View | None, resource: kinds.Resource | None, pause: float, left: float) -> None:
        """Wait for a pause, or longer (but no longer than is left) while the object of a view is watched."""
        seconds = min(left, _LONGEST, max(_LEAST, pause * _LONGER))
        # What is settled and yet not well was seen in two moments: its pods before, the object after.
        done = view is None or settling.settled(view.id, view.body, view.generation)
        if not self._watches or resource is None or view is None or done or seconds < _LEAST:
            await asyncio.sleep(min(pause, left))
            return
        try:
            await self._watched(view, resource, seconds)
        except answers.Failure:  # not allowed, perhaps
            self._watches = False
            await asyncio.sleep(min(pause, left))

    async def _watched(self, view: views.View, resource: kinds.Resource, seconds: float) -> None:
        """Return when the object is settled or gone, or time is over."""
        version = answers.decode(view.body, answers.Partial).metadata.resourceVersion
        one = f"metadata.name={view.id.name}"
        what = watches.Watched(resource.collection(view.id.namespace), field_selector=one)
        async with watches.watching(self._api, what, msgspec.Raw, version) as watch:
            async for event in watch.events(seconds):
                found = event.items if isinstance(event, watches.Listed) else (event.object,)
                gone = not found or (isinstance(event, watches.Changed) and event.kind == "deleted")
                if gone or any(settling.settled(view.id, bytes(item), view.generation) for item in found):
                    return
