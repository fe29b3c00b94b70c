"""Holds and debts, for machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from fleetctl.reports import envelopes
from fleetctl.state import debts, holds

__all__ = ["debt_list", "hold_list"]


def hold_list(found: Iterable[holds.Hold]) -> dict[str, object]:
    """Return holds; ``name`` is a site, or * for the whole fleet. Times are of RFC 3339, in UTC."""
    items = [
        {
            "name": one.site,
            "until": _moment(one.until),
            "since": _moment(one.since),
            "who": one.who,
            "reason": one.reason,
        }
        for one in found
    ]
    return {"apiVersion": envelopes.API_VERSION, "kind": "HoldList", "items": items}


def debt_list(found: Iterable[debts.Debt], now: float) -> dict[str, object]:
    """Return open debts; ``release`` is null where the bundle is to be taken off."""
    items = [
        {
            "name": f"{one.site}/{one.bundle}",
            "site": one.site,
            "bundle": one.bundle,
            "version": one.version,
            "release": one.release,
            "run": one.run,
            "since": _moment(one.created),
            "expires": _moment(one.expires),
            "expired": one.expires <= now,
        }
        for one in found
    ]
    return {"apiVersion": envelopes.API_VERSION, "kind": "DebtList", "items": items}


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
