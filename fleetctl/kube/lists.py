"""Whole collections, in pages, as client-go's pager takes them, with an end to what a server may send.

A list that its server has forgotten half-way (410) begins again; the second time it is asked for in one piece, which
cannot be forgotten.
"""

from __future__ import annotations

import contextlib
import urllib.parse
from typing import Final, NamedTuple, Protocol

from fleetctl.kube import answers

__all__ = ["Asks", "Whole", "selection", "whole"]

_PAGE: Final = 500
_MOST_PAGES: Final = 1000
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_ITEMS: Final = 200_000
_LONGEST_TOKEN: Final = 8192
_GONE: Final = 410
_TRIES: Final = 2


class Asks(Protocol):
    """What lists need of a client."""

    async def page(self, path: str, *, metadata_only: bool = False) -> bytes:
        """Return what stands at a path; raises ``answers.Failure``."""
        ...


class Whole(NamedTuple):
    """A collection as it was at one moment."""

    items: list[bytes]
    """Each as it was sent."""
    version: str
    """The resourceVersion of that moment: a watch goes on from it."""


def selection(label_selector: str, field_selector: str) -> dict[str, str]:
    """Return the query of selectors, where there are any."""
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in given.items() if value}


async def whole(api: Asks, path: str, query: dict[str, str], *, metadata_only: bool = False) -> Whole:
    """Return a collection, over as many pages as there are; raises ``answers.Failure``."""
    paged = {**query, "limit": str(_PAGE)}
    for _ in range(_TRIES):
        with contextlib.suppress(_Forgotten):
            return await _pages(api, path, paged, metadata_only=metadata_only)
    return await _pages(api, path, query, metadata_only=metadata_only)


class _Forgotten(Exception):
    """The server does not know any more what it was listing."""


async def _pages(api: Asks, path: str, query: dict[str, str], *, metadata_only: bool) -> Whole:
    found: list[bytes] = []
    size = pages = 0
    while True:
        url = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        try:
            body = await api.page(url, metadata_only=metadata_only)
        except answers.Failure as failure:
            if failure.status == _GONE and "continue" in query:
                raise _Forgotten from None
            raise
        page = answers.decode(body, answers.Listing)
        items, after = page.items or (), page.metadata.continue_
        size, pages = size + len(body), pages + 1
        endless = pages == _MOST_PAGES or size > _MOST_BYTES or after == query.get("continue")
        if len(found) + len(items) > _MOST_ITEMS or len(after) > _LONGEST_TOKEN or (after and endless):
            raise answers.Failure("broken", "ListTooLong", "the list is longer than any that is taken")
        found += [bytes(item) for item in items]
        if not after:
            return Whole(found, page.metadata.resourceVersion)
        query = {**query, "continue": after}
