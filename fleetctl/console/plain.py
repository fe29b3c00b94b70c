"""A run without a terminal: one line when something happens, and one now and then while nothing does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TextIO

from fleetctl.console import counting, terminals
from fleetctl.console import gates as lines
from fleetctl.model import events, gates, outcomes

__all__ = ["Plain"]

_EVERY: Final = 10.0
_EVERY_STANDING: Final = 60.0
"""How often a line says that nothing is new: CI ends jobs that are silent."""
_MOST_SITES: Final = 50


class Plain:
    """Writes lines with the local time of day in front."""

    def __init__(
        self, stream: TextIO, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._progress = counting.Progress(clock)
        self._told = clock()
        self._said = ""
        self._named = 0

    def observe(self, event: events.Event) -> None:
        """Take an event, and say what is worth a line."""
        with self._lock:
            self._progress.take(event)
            self._tell(event)

    def tick(self) -> None:
        """Say where the run stands if nothing was said for a while; may be called from another thread."""
        with self._lock:
            self._tick()

    def _tell(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                goes = "goes on" if event.resumed else "started"
                simulated = "  SIMULATED" if event.simulated else ""
                self._say(f"{event.kind} {event.run} {goes}: {event.bundle} {event.version}{simulated}")
            case events.WaveStarted():
                done = self._progress.waves[event.wave - 1].done
                members = f"{event.members:,} site{'s' if event.members != 1 else ''}"
                goes = f"goes on: {done:,} of {members} done" if done else f"started: {members}"
                self._say(f"{self._place(event.wave)} {goes}")
            case events.SiteEnded() if not event.earlier:
                self._ended(event)
            case events.GateMoved():
                self._gate(event)
            case events.RunEnded():
                why = f": {event.why}" if event.why else ""
                self._say(f"{event.run} {event.state}{why}")
            case _:
                self._tick()

    def _ended(self, event: events.SiteEnded) -> None:
        if event.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE}:
            self._name(event)
        wave = self._progress.waves[event.wave - 1] if event.wave else None
        if wave is not None and wave.done == wave.members:
            self._say(self._count(event.wave))
        else:
            self._tick()

    def _gate(self, event: events.GateMoved) -> None:
        """Say how a gate stands; while it is asked again and again, only now and then."""
        if not (event.state is gates.State.ASKING and event.seen) or self._clock() - self._told >= _EVERY_STANDING:
            self._say(f"{self._place(event.wave)} {lines.moved(event)}")

    def _name(self, event: events.SiteEnded) -> None:
        self._named += 1
        if self._named <= _MOST_SITES:
            self._say(f"{event.site} {event.outcome}: {event.cause or event.reason}")
        if self._named == _MOST_SITES:
            run = self._progress.run
            command = "fleetctl --sim" if run and run.simulated else "fleetctl"
            self._say(f"further sites are counted, not named: {command} rollout status --failed")

    def _tick(self) -> None:
        wave, quiet = self._progress.wave, self._clock() - self._told
        if not wave or self._progress.end is not None or quiet < _EVERY:
            return
        count = self._count(wave)
        if count != self._said:
            self._say(count)
        elif quiet >= _EVERY_STANDING:
            self._say(count + self._slowest())
            self._said = count

    def _count(self, number: int) -> str:
        wave = self._progress.waves[number - 1]
        return f"{self._place(number)}  {wave.done:,}/{wave.members:,}  {wave.words()}".rstrip()

    def _slowest(self) -> str:
        visit = self._progress.slowest()
        if visit is None:
            return ""
        detail = f": {visit.detail}" if visit.detail else ""
        waited = counting.duration(self._progress.waited(visit))
        return f"  slowest {visit.site} {visit.phase} {waited}{detail}"

    def _place(self, number: int) -> str:
        return f"wave {number}/{len(self._progress.waves)}"

    def _say(self, text: str) -> None:
        self._told, self._said = self._clock(), text
        moment = time.strftime("%H:%M:%S", time.localtime(self._wall()))
        try:
            self._stream.write(f"{moment} {terminals.visible(text)}\n")
            self._stream.flush()
        except OSError:
            # The reader went away (`2>&1 | tee` and Ctrl-C) or the disk is full: the run matters more than its account.
            return
