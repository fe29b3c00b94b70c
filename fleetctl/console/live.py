"""A run on a terminal, redrawn in place four times a second. The only user of rich."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Self, TextIO

import rich.console
import rich.live
import rich.text

from fleetctl.console import counting, terminals
from fleetctl.model import events, outcomes, plans

__all__ = ["Live", "lines"]

_RATE: Final = 4.0
_CAUSES: Final = 4
_BAR: Final = 30
_STYLES: Final = {"failed": "red", "owed": "yellow"}


class Live:
    """Draws what a run has come to; ``with`` begins and ends the drawing."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic, *, leave: bool = False) -> None:
        """Take the terminal; ``leave`` lets the last drawing stand, where no ending will say it again."""
        self._progress = counting.Progress(clock)
        self._lock = threading.Lock()
        self._columns = terminals.width(stream) or 80
        console = rich.console.Console(
            file=stream, width=self._columns, highlight=False, markup=False, emoji=False, soft_wrap=False
        )
        self._live = rich.live.Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=_RATE,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=not leave,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Draw once more, and leave that standing."""
        self._live.stop()

    def observe(self, event: events.Event) -> None:
        """Take an event; the next drawing shows it."""
        with self._lock:
            self._progress.take(event)

    def _draw(self) -> rich.text.Text:
        with self._lock:
            shown = list(lines(self._progress, self._columns))
        text = rich.text.Text(no_wrap=False, overflow="fold")
        for number, line in enumerate(shown):
            style = next((style for word, style in _STYLES.items() if line.startswith(word)), "")
            text.append(("\n" if number else "") + line, style=style)
        return text


def lines(progress: counting.Progress, columns: int) -> Iterator[str]:
    """Yield the lines of the view, none wider than the terminal."""
    run = progress.run
    if run is None:
        return
    left = f"{run.kind} {run.run}  {run.bundle} {run.version}  plan {plans.short(run.plan)}"
    right = counting.duration(progress.elapsed)
    eta = progress.eta()
    if progress.end is not None:
        right = f"{progress.end.state} after {right}"
    elif eta is not None:
        right += f"  eta ~{counting.duration(eta)}"
    if run.simulated:
        left = f"SIMULATED  {left}"
    yield from _spread(terminals.visible(left), right, columns)
    widest = max((len(_name(number, wave)) for number, wave in enumerate(progress.waves, 1)), default=0)
    for number, wave in enumerate(progress.waves, 1):
        yield from terminals.wrapped(
            _wave(_name(number, wave).ljust(widest), wave, columns), columns, " " * (widest + 4)
        )
    if progress.failed or progress.owed:
        yield (
            f"failed {progress.failed:,} (budget {run.total_failed:,})    "
            f"owed {progress.owed:,} (budget {run.total_unreachable:,})"
        )
    yield from _causes(progress, columns)
    slowest = progress.slowest()
    if slowest is not None and progress.end is None:
        site, seconds, detail = slowest
        text = f"slowest  {site} {counting.duration(seconds)}" + (f": {detail}" if detail else "")
        yield from terminals.wrapped(terminals.visible(text), columns, "         ")
    if progress.end is None:
        yield "Ctrl-C starts no more sites and lets running visits end; again: stops at once"


def _spread(left: str, right: str, columns: int) -> Iterator[str]:
    if len(left) + len(right) + 2 <= columns:
        yield left + " " * (columns - len(left) - len(right)) + right
    else:
        yield from terminals.wrapped(left, columns, "  ")
        yield right.rjust(columns)


def _name(number: int, wave: counting.WaveCount) -> str:
    return f"  wave {number}" + (f" {wave.name}" if wave.name != str(number) else "")


def _wave(name: str, wave: counting.WaveCount, columns: int) -> str:
    count = f"{wave.done:,}/{wave.members:,}".rjust(11)
    if wave.done == wave.members or not wave.active:
        return f"{name} {count}  {wave.words()}".rstrip()
    width = max(10, min(_BAR, columns - 60))
    filled = wave.done * width // wave.members
    phases = [
        f"{phase} {sum(found is phase for found in wave.active.values()):,}"
        for phase in (events.Phase.APPLYING, events.Phase.OBSERVING, events.Phase.PRUNING, events.Phase.SOAKING)
        if phase in wave.active.values()
    ]
    bar = "▇" * filled + "▁" * (width - filled)
    ended = f"  {wave.words()}" if wave.done else ""
    return f"{name} {count} {bar} {'  '.join(phases)}{ended}"


def _causes(progress: counting.Progress, columns: int) -> Iterator[str]:
    groups = sorted(progress.causes.values(), key=lambda one: (one.outcome is not outcomes.Outcome.FAILED, -one.sites))
    for group in groups[:_CAUSES]:
        text = terminals.visible(f"{group.sites:,}x {group.cause}   e.g. {group.example}")
        yield from terminals.wrapped(text, columns, "      ", "   ")
    if len(groups) > _CAUSES:
        yield f"   and {len(groups) - _CAUSES:,} more causes"
