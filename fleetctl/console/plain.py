"""A run without a terminal: one line when something happens, and one now and then while nothing does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TextIO

from fleetctl.console import counting, terminals
from fleetctl.model import events, outcomes

__all__ = ["Plain"]

_EVERY: Final = 10.0
_MOST_SITES: Final = 50


class Plain:
    """Writes lines with the local time of day in front."""

    def __init__(
        self, stream: TextIO, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._wall = wall
        self._progress = counting.Progress(clock)
        self._told = clock()
        self._wave = 0
        self._named = 0

    def observe(self, event: events.Event) -> None:
        """Take an event, and say what is worth a line."""
        self._progress.take(event)
        match event:
            case events.RunStarted():
                goes = "goes on" if event.resumed else "started"
                simulated = "  SIMULATED" if event.simulated else ""
                self._say(f"{event.kind} {event.run} {goes}: {event.bundle} {event.version}{simulated}")
            case events.WaveStarted():
                self._wave = event.wave
                members = f"{event.members:,} site{'s' if event.members != 1 else ''}"
                self._say(f"{self._place()} started: {members}")
            case events.SiteEnded() if not event.earlier:
                self._ended(event)
            case events.RunEnded():
                why = f": {event.why}" if event.why else ""
                self._say(f"{event.run} {event.state}{why}")
            case _:
                self._tick()

    def _ended(self, event: events.SiteEnded) -> None:
        if event.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE}:
            self._named += 1
            if self._named <= _MOST_SITES:
                self._say(f"{event.site} {event.outcome}: {event.cause or event.reason}")
            if self._named == _MOST_SITES:
                self._say("further sites are counted, not named: fleetctl rollout status --failed")
        wave = self._progress.waves[event.wave - 1] if event.wave else None
        if wave is not None and wave.done == wave.members:
            self._count(wave)
        else:
            self._tick()

    def _tick(self) -> None:
        if self._wave and self._clock() - self._told >= _EVERY:
            self._count(self._progress.waves[self._wave - 1])

    def _count(self, wave: counting.WaveCount) -> None:
        self._say(f"{self._place()}  {wave.done:,}/{wave.members:,}  {wave.words()}".rstrip())

    def _place(self) -> str:
        return f"wave {self._wave}/{len(self._progress.waves)}"

    def _say(self, text: str) -> None:
        self._told = self._clock()
        moment = time.strftime("%H:%M:%S", time.localtime(self._wall()))
        self._stream.write(f"{moment} {terminals.visible(text)}\n")
        self._stream.flush()
