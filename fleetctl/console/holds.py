"""Holds and debts on screen: who is left alone until when, and who is owed what."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from fleetctl.console import tables, terminals
from fleetctl.state import debts, holds

__all__ = ["held", "lifted", "of_debts", "of_holds"]


def held(made: Sequence[holds.Hold], stream: TextIO) -> None:
    """Say who is left alone from now on."""
    text = f"{_who(made)} on hold until {_moment(made[0].until)}: {made[0].reason}"
    stream.write(f"{terminals.visible(text)}\n")
    stream.write("Visits under way end; runs skip what is on hold, and owe it.\n")


def lifted(gone: Sequence[holds.Hold], stream: TextIO, *, simulated: bool) -> None:
    """Say who was let go."""
    if not gone:
        stream.write("none of them was on hold\n")
        return
    command = "fleetctl --sim" if simulated else "fleetctl"
    stream.write(f"{_who(gone)} let go\nWhat they are owed is paid by:  {command} rollout catchup\n")


def of_holds(found: Iterable[holds.Hold], stream: TextIO) -> None:
    """Write holds, one a line; the fleet is *."""
    rows = (
        [one.site, _moment(one.until), _moment(one.since), terminals.visible(one.who), terminals.visible(one.reason)]
        for one in found
    )
    tables.table(["NAME", "UNTIL", "SINCE", "WHO", "REASON"], rows, stream)


def of_debts(found: Iterable[debts.Debt], now: float, stream: TextIO) -> None:
    """Write debts, one a line."""
    rows = (
        [
            f"{one.site}/{one.bundle}",
            one.version if one.release else "removal",
            one.run,
            _moment(one.created),
            _moment(one.expires) if one.expires > now else "expired",
        ]
        for one in found
    )
    tables.table(["NAME", "OWED", "RUN", "SINCE", "EXPIRES"], rows, stream)


def _who(made: Sequence[holds.Hold]) -> str:
    if any(one.site == holds.FLEET for one in made):
        return "the whole fleet is"
    if len(made) == 1:
        return f"{made[0].site} is"
    examples = ", ".join(one.site for one in made[:3]) + (", ..." if len(made) > 3 else "")
    return f"{len(made):,} sites ({examples}) are"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M%z", time.localtime(seconds))
