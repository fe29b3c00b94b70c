"""When sites may be changed: windows that open by cron on the site's own clock, and stay open for a while.

A window is read off the clock on the site's wall: one of ``0 2 * * *`` and three hours is from 02:00 to 05:00 there,
also in the nights in which the clock is put forward or back. What the wall shows twice is inside twice; a window that
lies wholly in an hour that is left out does not open that night.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import cronsim
import msgspec

from fleetctl.model import sites

__all__ = ["NONE", "Clock", "Windows", "said"]

_DURATION: Final = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?")
_MINUTE: Final = dt.timedelta(minutes=1)
_FARTHEST: Final = dt.timedelta(days=400)
"""How far ahead an opening is looked for."""
_PUT_BACK: Final = dt.timedelta(hours=25)
"""More than any zone's clock was ever put back at once (by a day, at the date line)."""
_STEP: Final = 6 * 3600.0
"""Seconds in which no zone's clock is moved forth and back again."""
_MOST: Final = 5000
"""So many beginnings of one cron are looked at: what opens every minute needs no search."""
_LONGEST: Final = dt.timedelta(days=366)


class Clock(msgspec.Struct, frozen=True):
    """The windows of a site and of a run, on the wall of the site: inside one of each list, where there is any."""

    zone: str
    lists: tuple[tuple[sites.Window, ...], ...]

    def is_open(self, now: float) -> bool:
        """Tell whether the site may be changed at a moment, in seconds since the epoch."""
        wall = _wall(self.zone, now)
        return all(any(_inside(one.cron, one.duration, wall) for one in windows) for windows in self.lists if windows)

    def opens(self, now: float) -> float | None:
        """Return the first moment from now on at which the site may be changed; None for none within a year."""
        if self.is_open(now):
            return now
        starts = sorted({moment for moment in self._starts(now) if self.is_open(moment)})
        last = starts[0] if starts else now + _FARTHEST.total_seconds()
        moved = (moment for moment in _moves(self.zone, now, last) if self.is_open(moment))
        return next(moved, starts[0] if starts else None)

    def _starts(self, now: float) -> Iterator[float]:
        """Yield when windows begin after now, up to the first such that the site is open then."""
        wall = _wall(self.zone, now)
        for cron in sorted({one.cron for windows in self.lists for one in windows}):
            for start in itertools.islice(_starts(cron, wall - _PUT_BACK), _MOST):
                if start > wall + _FARTHEST:
                    break
                moments = [moment for moment in _moments(self.zone, start) if moment > now]
                yield from moments
                if start > wall + _PUT_BACK and any(self.is_open(moment) for moment in moments):
                    break


class Windows:
    """The windows of sites, for a run with windows of its own."""

    def __init__(self, fleet: Mapping[str, sites.Site], ours: Iterable[sites.Window] = ()) -> None:
        run = tuple(ours)
        self._clocks: dict[str, Clock] = {}
        for name, site in fleet.items():
            own = (site.window,) if site.window else ()
            if own or run:
                self._clocks[name] = Clock(site.location.timezone, (own, run))
        self._known: dict[tuple[Clock, int], bool] = {}

    def closed(self, site: str, now: float) -> bool:
        """Tell whether a site may not be changed at a moment; one that is not known may be."""
        clock = self._clocks.get(site)
        if clock is None:
            return False
        key = (clock, int(now // 60))
        if key not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[key] = not clock.is_open(now)
        return self._known[key]

    def outside(self, names: Iterable[str], now: float) -> frozenset[str]:
        """Return which of some sites may not be changed at a moment."""
        return frozenset(name for name in names if self.closed(name, now))

    def first(self, names: Iterable[str], now: float) -> tuple[str, float] | None:
        """Return which of some sites may be changed first, and when; None when none ever may."""
        when: dict[Clock, float | None] = {}
        best: tuple[float, str] | None = None
        for name in sorted(names):
            clock = self._clocks.get(name)
            if clock is None:
                return name, now
            if clock not in when:
                when[clock] = clock.opens(now)
            moment = when[clock]
            if moment is not None and (best is None or moment < best[0]):
                best = (moment, name)
        return (best[1], best[0]) if best else None

    def opening(self, names: Iterable[str], now: float) -> str:
        """Say when the first of some sites may be changed, on its own clock."""
        found = self.first(names, now)
        if found is None:
            return "none may within a year"
        name, moment = found
        return f"the first may at {said(moment, self._zone(name))} ({name})"

    def _zone(self, site: str) -> str:
        clock = self._clocks.get(site)
        return clock.zone if clock else "UTC"


NONE: Final = Windows({})
"""For runs and sites without windows."""


def said(moment: float, zone: str) -> str:
    """Return a moment as a site's wall shows it, to the minute, with the zone."""
    return f"{_wall(zone, moment):%Y-%m-%d %H:%M} {zone}"


@functools.cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


@functools.cache
def _length(duration: str) -> dt.timedelta:
    match = _DURATION.fullmatch(duration)
    parts = {name: int(text) for name, text in match.groupdict().items() if text} if match else {}
    return min(dt.timedelta(**parts), _LONGEST) if sum(parts.values()) < 10**8 else _LONGEST


def _wall(zone: str, moment: float) -> dt.datetime:
    """Return what the clock on the wall shows, without a zone."""
    return dt.datetime.fromtimestamp(moment, _zone(zone)).replace(tzinfo=None, fold=0)


def _inside(cron: str, duration: str, wall: dt.datetime) -> bool:
    """Tell whether a window is open: the one that began last is open longest, as all are equally long."""
    minute = wall.replace(second=0, microsecond=0)
    try:
        began = next(cronsim.CronSim(cron, minute + _MINUTE, reverse=True))
    except (cronsim.CronSimError, StopIteration):
        return False
    return wall < began + _length(duration)


def _starts(cron: str, after: dt.datetime) -> Iterator[dt.datetime]:
    try:
        yield from cronsim.CronSim(cron, after)
    except cronsim.CronSimError:
        return


def _moments(zone: str, wall: dt.datetime) -> set[float]:
    """Return the moments at which the wall shows a time: one, two, or near one that it leaves out."""
    return {wall.replace(tzinfo=_zone(zone), fold=fold).timestamp() for fold in (0, 1)}


def _moves(zone: str, start: float, end: float) -> Iterator[float]:
    """Yield when the clock on the wall is put forward or back between two moments, to the second."""

    def offset(moment: float) -> dt.timedelta | None:
        return dt.datetime.fromtimestamp(moment, _zone(zone)).utcoffset()

    before = start
    while before < end:
        after = min(before + _STEP, end)
        if offset(before) != offset(after):
            low, high = int(before), int(after)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(before) else (low, middle)
            yield float(high)
        before = after
