"""A run on a terminal, redrawn in place four times a second. The only user of rich."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self, TextIO, cast

import rich.console
import rich.live
import rich.text

from fleetctl.console import counting, gates, terminals
from fleetctl.model import events, outcomes, plans

__all__ = ["Live", "lines"]

_RATE: Final = 4.0
_CAUSES: Final = 4
_BAR: Final = 30
_SIGNS: Final = ("▇", "▁")
_ASCII_SIGNS: Final = ("#", ".")
_STYLES: Final = {"failed ": "red", "out of reach ": "yellow"}


class Live:
    """Draws what a run has come to; ``with`` begins and ends the drawing."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic, *, leave: bool = False) -> None:
        """Take the terminal; ``leave`` lets the last drawing stand, where no ending will say it again."""
        self._progress = counting.Progress(clock)
        self._lock = threading.Lock()
        self._stream = stream
        self._over, self._leave = False, leave
        self._signs = _SIGNS if _shows(stream, _SIGNS) else _ASCII_SIGNS
        self._console = rich.console.Console(
            file=cast("TextIO", _Steady(stream)), highlight=False, markup=False, emoji=False, soft_wrap=False
        )
        self._live = rich.live.Live(
            console=self._console,
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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Draw once more; that stands if it was asked for, and when an error left no ending to tell the rest."""
        with self._lock:
            self._over = True
            self._leave = self._leave or kind is not None
        self._live.transient = not self._leave
        self._live.stop()

    def observe(self, event: events.Event) -> None:
        """Take an event; the next drawing shows it."""
        with self._lock:
            self._progress.take(event)

    def _draw(self) -> rich.text.Text:
        # Every time, as the window may have another size by now.
        columns, rows = terminals.size(self._stream)
        self._console.size = rich.console.ConsoleDimensions(columns, rows)
        with self._lock:
            shown = list(lines(self._progress, columns, rows, over=self._over, signs=self._signs))
            if not (self._over and self._leave):
                shown = shown[: rows - 1]  # what scrolled away could not be drawn over
        text = rich.text.Text(no_wrap=False, overflow="fold")
        for number, line in enumerate(shown):
            style = next((style for word, style in _STYLES.items() if line.startswith(word)), "")
            text.append(("\n" if number else "") + line, style=style)
        return text


class _Steady(io.TextIOBase):
    """A terminal that may go away (a closed window, a lost connection): the run goes on without its view."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


def _shows(stream: TextIO, signs: Sequence[str]) -> bool:
    try:
        "".join(signs).encode(stream.encoding or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def lines(
    progress: counting.Progress,
    columns: int,
    rows: int = 24,
    *,
    over: bool = False,
    signs: tuple[str, str] = _SIGNS,
) -> Iterator[str]:
    """Yield the lines of the view, none wider than the terminal and no more than it has as far as words allow."""
    run = progress.run
    if run is None:
        return
    top = [*_head(run, progress, columns), *_waves(progress, columns, rows, signs)]
    if progress.gate is not None and progress.end is None:
        top += terminals.wrapped(terminals.visible(gates.moved(progress.gate)), columns, "  ", "  ")
    if budgets := _budgets(progress):
        top += terminals.wrapped(budgets, columns, "  ")
    bottom = []
    if progress.end is None and not over:
        bottom = terminals.wrapped(
            "Ctrl-C starts no more sites and lets running visits end; again: stops at once", columns, "  "
        )
        bottom = [*_slowest(progress, columns, rows - len(top) - len(bottom) - _CAUSES), *bottom]
    yield from top
    yield from _causes(progress, columns, rows - len(top) - len(bottom))
    yield from bottom


def _head(run: events.RunStarted, progress: counting.Progress, columns: int) -> Iterator[str]:
    left = f"{run.kind} {run.run}  {run.bundle} {run.version}  plan {plans.short(run.plan)}"
    right = counting.duration(progress.elapsed)
    eta = progress.eta()
    if progress.end is not None:
        right = f"{progress.end.state} after {right}"
    elif eta is not None:
        right += f"  eta ~{counting.duration(eta)}"
    if run.simulated:
        left = f"SIMULATED  {left}"
    left = terminals.visible(left)
    if len(left) + len(right) + 2 <= columns:
        yield left + " " * (columns - len(left) - len(right)) + right
    else:
        yield from terminals.wrapped(left, columns, "  ")
        yield right.rjust(columns)


def _waves(progress: counting.Progress, columns: int, rows: int, signs: tuple[str, str]) -> Iterator[str]:
    named = [
        (f"wave {number}" + (f" {wave.name}" if wave.name != str(number) else ""), wave)
        for number, wave in enumerate(progress.waves, 1)
    ]
    if len(named) > rows // 4:
        named = list(_folded(progress.waves))
    widest = max((len(name) for name, _ in named), default=0)
    for name, wave in named:
        text = terminals.visible(f"  {name.ljust(widest)} {_wave(wave, columns, signs)}")
        yield from terminals.wrapped(text, columns, " " * (widest + 16))


def _folded(waves: Sequence[counting.WaveCount]) -> Iterator[tuple[str, counting.WaveCount]]:
    """Add up the waves that ended, and those that were not begun: a strategy may have many."""
    first = 0
    while first < len(waves):
        state, last = _state(waves[first]), first
        while state and last + 1 < len(waves) and _state(waves[last + 1]) == state:
            last += 1
        if first == last:
            yield f"wave {first + 1}", waves[first]
        else:
            total = counting.WaveCount("", sum(wave.members for wave in waves[first : last + 1]), 0, 0)
            for wave in waves[first : last + 1]:
                total.ended += wave.ended
            yield f"waves {first + 1}-{last + 1}", total
        first = last + 1


def _state(wave: counting.WaveCount) -> str:
    return "ended" if wave.done == wave.members else "" if wave.done or wave.active else "waiting"


def _wave(wave: counting.WaveCount, columns: int, signs: tuple[str, str]) -> str:
    count = f"{wave.done:,}/{wave.members:,}".rjust(11)
    if wave.done == wave.members or not wave.active:
        return f"{count}  {wave.words()}".rstrip()
    width = max(10, min(_BAR, columns - 60))
    filled = wave.done * width // wave.members
    found = Counter(wave.active.values())
    phases = [
        f"{phase} {found[phase]:,}"
        for phase in (events.Phase.APPLYING, events.Phase.OBSERVING, events.Phase.PRUNING, events.Phase.SOAKING)
        if found[phase]
    ]
    bar = signs[0] * filled + signs[1] * (width - filled)
    ended = f"  {wave.words()}" if wave.done else ""
    return f"{count} {bar} {'  '.join(phases)}{ended}"


def _budgets(progress: counting.Progress) -> str:
    """Say what went wrong beside what may; what nothing is wrong with is not named."""
    parts = []
    if progress.failed.count:
        parts.append(f"failed {progress.failed}")
    if progress.unreachable.count:
        parts.append(f"out of reach {progress.unreachable}")
    if progress.owed:
        parts.append(f"owed {progress.owed:,}")
    return "    ".join(parts)


def _slowest(progress: counting.Progress, columns: int, room: int) -> list[str]:
    visit = progress.slowest()
    if visit is None:
        return []
    text = f"slowest  {visit.site} {visit.phase} {counting.duration(progress.waited(visit))}"
    whole = terminals.wrapped(
        terminals.visible(f"{text}: {visit.detail}" if visit.detail else text), columns, "         "
    )
    return whole if len(whole) <= max(room, 1) else terminals.wrapped(text, columns, "         ")


def _causes(progress: counting.Progress, columns: int, room: int) -> Iterator[str]:
    groups = sorted(progress.causes.values(), key=lambda one: (one.outcome is not outcomes.Outcome.FAILED, -one.sites))
    blocks = [
        terminals.wrapped(
            terminals.visible(f"{group.sites:,}x {group.cause}   e.g. {group.example}"), columns, "      ", "   "
        )
        for group in groups[:_CAUSES]
    ]
    whole = len(groups) <= _CAUSES and sum(map(len, blocks)) <= room
    shown, taken = terminals.fitting(blocks, room if whole else room - 1)
    yield from shown
    if len(groups) > taken:
        more = len(groups) - taken
        yield f"   and {more:,} more cause{'s' if more > 1 else ''}"
