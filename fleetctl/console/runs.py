"""How runs stand and how they end: what happened first, causes before lists, what to do next last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import counting, gates, tables, terminals
from fleetctl.model import events, outcomes
from fleetctl.rollout import accounts
from fleetctl.state import debts

__all__ = ["expired", "history", "nothing_owed", "paused", "show", "sites"]

_ROWS: Final = 25
_WAVES: Final = 5
_CAUSES: Final = 3
_EXAMPLES: Final = 3
_ORDER: Final = (
    outcomes.Outcome.CHANGED,
    outcomes.Outcome.UNCHANGED,
    outcomes.Outcome.FAILED,
    outcomes.Outcome.UNREACHABLE,
    outcomes.Outcome.SKIPPED,
)


def show(summary: accounts.Summary, stream: TextIO) -> None:
    """Write how a run stands; fits 25 lines for any fleet."""
    columns = terminals.width(stream)
    stream.writelines(f"{terminals.visible(line.rstrip())}\n" for line in _lines(summary, columns))


def _lines(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    top = ["SIMULATED"] if summary.simulated else []
    top += terminals.wrapped(terminals.visible(_headline(summary)), columns, "  ")
    top += ["", *_waves(summary, columns), *gates.lines(summary, columns), *_waiting(summary)]
    top += _unguarded(summary, columns)
    bottom = []
    state = _state(summary)
    if state:
        bottom = ["", *terminals.wrapped(terminals.visible(state), columns)]
    steps = list(_next(summary))
    width = max((len(words) for words, _ in steps), default=0)
    for words, command in steps:
        head = f"{words}:{' ' * (width - len(words))}  "
        bottom += terminals.wrapped(command, columns, " " * (width + 3), head)
    yield from top
    yield from _causes(summary, columns, _ROWS - len(top) - len(bottom) - 1)
    yield from bottom


def _headline(summary: accounts.Summary) -> str:
    took = counting.duration((summary.ended or time.time()) - summary.created)
    what = f"{summary.kind} {summary.run}"
    if summary.state is events.RunState.HALTED:
        return f"{what} halted: {summary.why}. {_count(summary.not_started, 'site was', 'sites were')} not started."
    if summary.state is events.RunState.PAUSED:
        why = f" ({summary.why})" if summary.why else ""
        return f"{what} paused{why}: {_count(summary.not_started, 'site is', 'sites are')} not started."
    if summary.state is events.RunState.ABORTED:
        why = f" ({summary.why})" if summary.why else ""
        return f"{what} aborted{why}: nothing of it can land later."
    if summary.state is events.RunState.RUNNING:
        left = _count(summary.not_started, "site", "sites")
        return f"{what} is running for {took}: {left} to go, {summary.in_flight:,} under way."
    gone = f"{summary.bundle} taken off"
    return f"{what} finished after {took}: {gone if _takes_off(summary) else f'{summary.bundle} {summary.version}'}"


def _takes_off(summary: accounts.Summary) -> bool:
    """Tell whether the run's sites are to be without the bundle; undo and catch-up may say so by their version."""
    return summary.kind == "remove" or summary.version in {"nothing", "removal"}


def _waves(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    lines = [
        (f"wave {wave.number}" + (f" {wave.name}" if wave.name != str(wave.number) else ""), [wave])
        for wave in summary.waves
    ]
    if len(lines) > _WAVES:
        lines = _folded(summary.waves)
    width = max((len(name) for name, _ in lines), default=0)
    for name, waves in lines:
        done = sum(sum(wave.counts.values()) for wave in waves)
        members = sum(wave.members for wave in waves)
        text = (
            f"  {name.ljust(width)}  {f'{done:,}/{members:,}':>11}  {'  '.join(_counts(waves, owed=summary.owed > 0))}"
        )
        yield from terminals.wrapped(terminals.visible(text), columns, " " * (width + 17))


def _folded(waves: Sequence[accounts.WaveLine]) -> list[tuple[str, list[accounts.WaveLine]]]:
    """Put waves together that ended, and those that were not begun: a strategy may have many."""
    made: list[list[accounts.WaveLine]] = []
    states: list[str] = []
    for wave in waves:
        done = sum(wave.counts.values())
        state = "ended" if done == wave.members else "" if done else "waiting"
        if state and states and states[-1] == state:
            made[-1].append(wave)
        else:
            made.append([wave])
            states.append(state)
    return [
        (f"wave {found[0].number}" if len(found) == 1 else f"waves {found[0].number}-{found[-1].number}", found)
        for found in made
    ]


def _waiting(summary: accounts.Summary) -> Iterator[str]:
    for reason, count in summary.waiting.items():
        owed = " (owed)" if summary.owed and reason in outcomes.OWED_SKIPS else ""
        yield f"  not visited: {count:,} {reason}{owed}"


def _unguarded(summary: accounts.Summary, columns: int | None) -> list[str]:
    if not summary.unguarded:
        return []
    sites = _count(summary.unguarded, "site", "sites")
    text = f"no Lease kept other operators away from {sites}: fleetctl-system, or the right to it, is missing there"
    return terminals.wrapped(text, columns, "  ", "  ")


def _counts(waves: Sequence[accounts.WaveLine], *, owed: bool) -> Iterator[str]:
    """Yield outcomes with their numbers; what was owed once, and is paid or cancelled, is not called owed."""
    for outcome in _ORDER:
        count = sum(wave.counts.get(outcome, 0) for wave in waves)
        if not count:
            continue
        if outcome is not outcomes.Outcome.SKIPPED:
            yield f"{count:,} {counting.word(outcome, owed=owed)}"
            continue
        skipped: Counter[outcomes.Reason] = Counter()
        for wave in waves:
            skipped.update(wave.skipped)
        for reason, number in skipped.items():
            yield f"{number:,} {counting.word(outcome, reason, owed=owed and reason in outcomes.OWED_SKIPS)}"


def _causes(summary: accounts.Summary, columns: int | None, room: int) -> list[str]:
    bad = [
        group
        for group in summary.causes
        if group.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.SKIPPED}
    ]
    if not bad:
        return []
    blocks = [_cause(group, columns) for group in bad[:_CAUSES]]
    whole = len(bad) <= _CAUSES and sum(map(len, blocks)) <= room
    lines, taken = terminals.fitting(blocks, room if whole else room - 1)
    rest = bad[taken:]
    if rest:
        sites = _count(sum(len(group.sites) for group in rest), "site", "sites")
        lines.append(f"  and {_count(len(rest), 'more cause', 'more causes')} at {sites}")
    return ["", *lines]


def _cause(group: accounts.CauseGroup, columns: int | None) -> list[str]:
    head = f"  {len(group.sites):,}x  "
    indent = " " * max(6, len(head))
    examples = " ".join(group.sites[:_EXAMPLES]) + (" ..." if len(group.sites) > _EXAMPLES else "")
    lines = terminals.wrapped(terminals.visible(str(group.cause)), columns, indent, head)
    lines += terminals.wrapped(terminals.visible(examples), columns, indent, indent)
    if group.shared:
        lines += terminals.wrapped(terminals.visible(group.shared), columns, indent, indent)
    return lines


def _state(summary: accounts.Summary) -> str:
    """Say what is where now, when not everything is as wanted."""
    right = summary.count(outcomes.Outcome.CHANGED) + summary.count(outcomes.Outcome.UNCHANGED)
    parts = []
    if summary.broken or summary.owed or summary.state is not events.RunState.FINISHED:
        parts.append(_right(summary, right))
        if summary.broken:
            parts.append(f"{summary.broken:,} {'is' if summary.broken == 1 else 'are'} broken")
        if summary.owed:
            parts.append(f"{summary.owed:,} {'is' if summary.owed == 1 else 'are'} owed it")
    return f"{', '.join(parts)}." if parts else ""


def _right(summary: accounts.Summary, number: int) -> str:
    """Say how many sites are as the run wants them; an undo or a catch-up may want several versions."""
    if _takes_off(summary):
        return f"{_count(number, 'site is', 'sites are')} without {summary.bundle}"
    if " " in summary.version:
        return f"{_count(number, 'site is as it', 'sites are as they')} should be"
    return f"{_count(number, 'site runs', 'sites run')} {summary.version}"


def _next(summary: accounts.Summary) -> Iterator[tuple[str, str]]:
    failed = next((group for group in summary.causes if group.outcome is outcomes.Outcome.FAILED), None)
    command = "fleetctl --sim" if summary.simulated else "fleetctl"
    if failed is not None:
        yield "Look closer", f"{command} why {failed.sites[0]}"
    changed = summary.restorable + summary.fresh
    stopped = summary.state in {events.RunState.HALTED, events.RunState.PAUSED, events.RunState.ABORTED}
    ended_badly = summary.state is events.RunState.FINISHED and failed is not None
    if changed and summary.kind in {"rollout", "remove"} and (stopped or ended_badly):
        yield "Go back", f"{command} rollout undo {summary.run}{_going_back(summary)}"
    if summary.gate is not None:
        yield from gates.steps(summary, command)
    elif summary.state is events.RunState.HALTED:
        yield "Go on", f"{command} rollout resume {summary.run} --accept-failed{_going_on(summary)}"
        if failed is not None and summary.kind == "rollout":
            again = f"--from-run {summary.run} --only failed,not-started --supersede {summary.run}"
            yield "Try again", f"{command} rollout start {summary.bundle} {again}"
    elif summary.state is events.RunState.PAUSED:
        yield "Go on", f"{command} rollout resume {summary.run}"
    elif summary.state is events.RunState.RUNNING:
        yield "If it was killed", f"{command} rollout resume {summary.run}"
    if summary.owed and summary.state is events.RunState.FINISHED:
        yield "Pay what is owed", f"{command} rollout catchup"


def _going_on(summary: accounts.Summary) -> str:
    failed = summary.count(outcomes.Outcome.FAILED)
    parts = [f"the {summary.not_started:,}"] if summary.not_started else []
    parts += [f"without the {failed:,} that failed"] if failed else []
    return f"   ({', '.join(parts)})" if parts else ""


def _going_back(summary: accounts.Summary) -> str:
    if summary.restorable:
        to = f" to {summary.going_back_to[0]}" if len(summary.going_back_to) == 1 else ""
        fresh = f"; {summary.fresh:,} had nothing before: --remove-new" if summary.fresh else ""
        return f"   ({_count(summary.restorable, 'site', 'sites')}{to}, as waves{fresh})"
    return f" --remove-new   ({_count(summary.fresh, 'site', 'sites')} had nothing before)"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def sites(lines: Sequence[accounts.SiteLine], stream: TextIO) -> None:
    """Write the sites of a run, one a line."""
    tables.table(
        ["NAME", "WAVE", "OUTCOME", "EFFECT", "CAUSE"],
        (
            [
                line.site,
                str(line.wave or "-"),
                str(line.outcome or line.phase),
                str(line.effect or "-"),
                terminals.visible(str(line.cause)) if line.cause else str(line.reason) or "-",
            ]
            for line in lines
        ),
        stream,
    )


def history(lines: Iterable[accounts.RunLine], stream: TextIO) -> None:
    """Write runs, one a line, newest first."""
    now = time.time()
    tables.table(
        ["NAME", "KIND", "RELEASE", "STATE", "FAILED", "OWED", "AGE"],
        (
            [
                line.run,
                line.kind,
                line.bundle if " " in line.version else f"{line.bundle}@{line.version}",
                str(line.state),
                str(line.counts.get(outcomes.Outcome.FAILED, 0)),
                str(line.owed),
                counting.duration(now - line.created),
            ]
            for line in lines
        ),
        stream,
    )


def paused(run: str, stream: TextIO, *, simulated: bool = False) -> None:
    """Say that a run starts no more sites."""
    stream.write(f"{run} is paused: no more sites are started; visits under way end.\n")
    stream.write(f"Go on:  {'fleetctl --sim' if simulated else 'fleetctl'} rollout resume {run}\n")


def nothing_owed(stream: TextIO) -> None:
    """Say that there is nothing to pay."""
    stream.write("nothing is owed that could be paid now\n")


def expired(found: Sequence[debts.Debt], stream: TextIO, *, simulated: bool = False) -> None:
    """Say what was owed for too long."""
    names = ", ".join(debt.site for debt in found[:_EXAMPLES]) + (", ..." if len(found) > _EXAMPLES else "")
    stream.write(f"{_count(len(found), 'debt has', 'debts have')} expired: {names}\n")
    command = "fleetctl --sim" if simulated else "fleetctl"
    stream.write(f"Bring them what they miss:  {command} rollout start BUNDLE --site SITES\n")
