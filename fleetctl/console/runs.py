"""How runs stand and how they end: what happened first, causes before lists, what to do next last."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import counting, tables, terminals
from fleetctl.model import events, outcomes
from fleetctl.rollout import accounts
from fleetctl.state import debts

__all__ = ["expired", "history", "nothing_owed", "paused", "show", "sites"]

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
    stream.writelines(line.rstrip() + "\n" for line in _lines(summary, columns))


def _lines(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    if summary.simulated:
        yield "SIMULATED"
    yield from terminals.wrapped(terminals.visible(_headline(summary)), columns, "  ")
    yield ""
    yield from _waves(summary, columns)
    yield from _waiting(summary)
    causes = list(_causes(summary, columns))
    if causes:
        yield ""
        yield from causes
    state = _state(summary)
    if state:
        yield ""
        yield from terminals.wrapped(state, columns)
    steps = list(_next(summary))
    width = max((len(words) for words, _ in steps), default=0)
    for words, command in steps:
        yield from terminals.wrapped(command, columns, " " * (width + 4), f"{words}:{' ' * (width - len(words))}  ")


def _headline(summary: accounts.Summary) -> str:
    took = counting.duration((summary.ended or time.time()) - summary.created)
    what = f"{summary.kind} {summary.run}"
    if summary.state is events.RunState.HALTED:
        return f"{what} halted: {summary.why}. {_count(summary.not_started, 'site was', 'sites were')} not started."
    if summary.state is events.RunState.PAUSED:
        why = f" ({summary.why})" if summary.why else ""
        return f"{what} paused{why}: {_count(summary.not_started, 'site is', 'sites are')} not started."
    if summary.state is events.RunState.ABORTED:
        return f"{what} aborted ({summary.why}): nothing of it can land later."
    if summary.state is events.RunState.RUNNING:
        left = _count(summary.not_started, "site", "sites")
        return f"{what} is running for {took}: {left} to go, {summary.in_flight:,} under way."
    return f"{what} finished after {took}: {summary.bundle} {summary.version}"


def _waves(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    names = [
        f"wave {wave.number}" + (f" {wave.name}" if wave.name != str(wave.number) else "") for wave in summary.waves
    ]
    width = max(map(len, names), default=0)
    for name, wave in zip(names, summary.waves, strict=True):
        done = sum(wave.counts.values())
        text = f"  {name.ljust(width)}  {f'{done:,}/{wave.members:,}':>11}  {'  '.join(_counts(wave))}"
        yield from terminals.wrapped(text, columns, " " * (width + 17))


def _waiting(summary: accounts.Summary) -> Iterator[str]:
    for reason, count in summary.waiting.items():
        owed = " (owed)" if reason in outcomes.OWED_SKIPS else ""
        yield f"  not visited: {count:,} {reason}{owed}"


def _counts(wave: accounts.WaveLine) -> Iterator[str]:
    for outcome in _ORDER:
        count = wave.counts.get(outcome, 0)
        if not count:
            continue
        if outcome is not outcomes.Outcome.SKIPPED:
            yield f"{count:,} {counting.word(outcome)}"
            continue
        for reason, skipped in wave.skipped.items():
            yield f"{skipped:,} {counting.word(outcome, reason, owed=reason in outcomes.OWED_SKIPS)}"


def _causes(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    bad = [
        group
        for group in summary.causes
        if group.outcome in {outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.SKIPPED}
    ]
    for group in bad[:_CAUSES]:
        yield from terminals.wrapped(
            terminals.visible(f"{len(group.sites):,}x  {group.cause}"), columns, "      ", "  "
        )
        examples = " ".join(group.sites[:_EXAMPLES])
        more = " ..." if len(group.sites) > _EXAMPLES else ""
        yield from terminals.wrapped(f"{examples}{more}", columns, "      ", "      ")
        if group.shared:
            yield from terminals.wrapped(terminals.visible(group.shared), columns, "      ", "      ")
    if len(bad) > _CAUSES:
        rest = sum(len(group.sites) for group in bad[_CAUSES:])
        yield f"  and {len(bad) - _CAUSES:,} more causes at {rest:,} sites"


def _state(summary: accounts.Summary) -> str:
    """Say what is where now, when not everything is as wanted."""
    right = summary.count(outcomes.Outcome.CHANGED) + summary.count(outcomes.Outcome.UNCHANGED)
    parts = []
    if summary.broken or summary.owed or summary.state is not events.RunState.FINISHED:
        parts.append(f"{_count(right, 'site runs', 'sites run')} {summary.version}")
        if summary.broken:
            parts.append(f"{summary.broken:,} {'is' if summary.broken == 1 else 'are'} broken")
        if summary.owed:
            parts.append(f"{summary.owed:,} {'is' if summary.owed == 1 else 'are'} owed it")
    return f"{', '.join(parts)}." if parts else ""


def _next(summary: accounts.Summary) -> Iterator[tuple[str, str]]:
    failed = next((group for group in summary.causes if group.outcome is outcomes.Outcome.FAILED), None)
    command = "fleetctl --sim" if summary.simulated else "fleetctl"
    if failed is not None:
        yield "Look closer", f"{command} why {failed.sites[0]}"
    changed = summary.restorable + summary.fresh
    stopped = summary.state in {events.RunState.HALTED, events.RunState.PAUSED, events.RunState.ABORTED}
    if changed and summary.kind in {"rollout", "remove"} and (stopped or failed is not None):
        yield "Go back", f"{command} rollout undo {summary.run}{_going_back(summary)}"
    if summary.state is events.RunState.HALTED:
        left = f"the {summary.not_started:,}, " if summary.not_started else ""
        without = summary.count(outcomes.Outcome.FAILED)
        yield (
            "Go on",
            f"{command} rollout resume {summary.run} --accept-failed   ({left}without the {without:,} that failed)",
        )
    elif summary.state is events.RunState.PAUSED:
        yield "Go on", f"{command} rollout resume {summary.run}"
    elif summary.state is events.RunState.RUNNING:
        yield "If it was killed", f"{command} rollout resume {summary.run}"
    if summary.owed and summary.state is events.RunState.FINISHED:
        yield "Pay what is owed", f"{command} rollout catchup"


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
                str(line.wave),
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
                f"{line.bundle}@{line.version}",
                str(line.state),
                str(line.counts.get(outcomes.Outcome.FAILED, 0)),
                str(line.owed),
                counting.duration(now - line.created),
            ]
            for line in lines
        ),
        stream,
    )


def paused(run: str, stream: TextIO) -> None:
    """Say that a run starts no more sites."""
    stream.write(f"{run} is paused: no more sites are started; visits under way end.\n")
    stream.write(f"Go on:  fleetctl rollout resume {run}\n")


def nothing_owed(stream: TextIO) -> None:
    """Say that there is nothing to pay."""
    stream.write("nothing is owed that could be paid now\n")


def expired(found: Sequence[debts.Debt], stream: TextIO) -> None:
    """Say what was owed for too long."""
    names = ", ".join(debt.site for debt in found[:_EXAMPLES]) + (", ..." if len(found) > _EXAMPLES else "")
    stream.write(f"{_count(len(found), 'debt has', 'debts have')} expired: {names}\n")
    stream.write("Bring them what they miss:  fleetctl rollout start BUNDLE --site SITES\n")
