"""Gates between waves: how each stands, and what can be done about one that lets nobody pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.model import events, gates, plans
from fleetctl.rollout import accounts, planning
from fleetctl.state import gating

__all__ = ["approved", "closed", "lines", "moved", "planned", "steps"]

_MOST: Final = 4
"""So many gates are told, the last ones."""
_WORDS: Final = {
    gates.State.ASKING: "is asked",
    gates.State.WAITING: "waits for an approval",
    gates.State.PASSED: "passed",
    gates.State.FAILED: "failed",
    gates.State.APPROVED: "approved",
    gates.State.ACCEPTED: "failed, and was passed by",
}


def lines(summary: accounts.Summary, columns: int | None) -> Iterator[str]:
    """Yield how the gates of a run stand, the last ones of many."""
    for one in summary.gates[-_MOST:]:
        text = f"gate {one.gate} after {one.place} {_said(one.state, one.seen, one.who)}"
        yield from terminals.wrapped(terminals.visible(text), columns, "    ", "  ")


def planned(plan: plans.Plan, columns: int | None) -> Iterator[str]:
    """Yield the gates that a plan's run will come to."""
    named = [(wave.name, plans.place(plan, number)) for number, wave in enumerate(plan.waves[:-1], 1)]
    places = {gate.name: [place for name, place in named if gate.stands_after(name)] for gate in plan.strategy.gates}
    met = [gate for gate in plan.strategy.gates if places[gate.name]]
    for gate in met[:_MOST]:
        every = len(places[gate.name]) == len(named)
        after = "every wave but the last" if every and len(named) > 1 else ", ".join(places[gate.name])
        text = f"gate {gate.name} ({gate.kind}) after {after}"
        yield from terminals.wrapped(terminals.visible(text), columns, "    ", "  ")
    if len(met) > _MOST:
        yield f"  and {len(met) - _MOST:,} more gates (-o json lists them)"
    if unmet := [gate.name for gate in plan.strategy.gates if not places[gate.name]]:
        text = f"never asked, as no wave comes after: {', '.join(unmet)}"
        yield from terminals.wrapped(terminals.visible(text), columns, "    ", "  ")


def closed(preview: planning.Preview, columns: int | None) -> Iterator[str]:
    """Yield how many sites of a plan may not be changed now, and when the first of them may."""
    if preview.outside:
        visited = sum(wave.members for wave in preview.plan.waves)
        text = f"outside their window now: {len(preview.outside):,} of {visited:,} sites; {preview.opens}"
        yield from terminals.wrapped(terminals.visible(text), columns, "    ", "  ")


def moved(event: events.GateMoved) -> str:
    """Return how a gate stands, in one line."""
    return f"gate {event.gate} {_said(event.state, event.seen, event.who)}"


def steps(summary: accounts.Summary, command: str) -> Iterator[tuple[str, str]]:
    """Yield what can be done about the gate at which a run stands."""
    if summary.state is events.RunState.PAUSED:
        yield "Approve", f"{command} rollout approve {summary.run} --plan {plans.short(summary.plan)}"
        yield "Then go on", f"{command} rollout resume {summary.run}"
    else:
        yield "Ask again", f"{command} rollout resume {summary.run}"
        yield "Pass it by", f"{command} rollout resume {summary.run} --accept-failed"


def approved(given: gating.Passage, stream: TextIO, *, simulated: bool = False) -> None:
    """Say that a run was approved, and how it goes on."""
    command = "fleetctl --sim" if simulated else "fleetctl"
    stream.write(f"{given.run}: gate {given.gate} after wave {given.wave} approved by {terminals.visible(given.who)}\n")
    stream.write(f"It goes on where a process waits for it, or with:  {command} rollout resume {given.run}\n")


def _said(state: gates.State, seen: str, who: str) -> str:
    by = f" by {who}" if who else ""
    return f"{_WORDS[state]}{by}{f': {seen}' if seen else ''}"
