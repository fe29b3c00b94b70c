"""The plan of a run: what would change where, told once for all sites where it is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.model import plans
from fleetctl.rollout import folding, planning

__all__ = ["nobody", "saved", "show"]

_FOLDS: Final = 4
_CHANGES: Final = 3
_LINES: Final = 8
_EXAMPLES: Final = 3


def show(preview: planning.Preview, stream: TextIO) -> None:
    """Write a plan so that it fits a screen, however large the fleet is."""
    columns = terminals.width(stream)
    stream.writelines(line.rstrip() + "\n" for line in _lines(preview, columns))


def saved(preview: planning.Preview, path: str, stream: TextIO) -> None:
    """Say where the plan was saved, and how it is run."""
    stream.write(f"\nplan {plans.short(preview.digest)} saved\nRun it:  fleetctl rollout start --plan {path}\n")


def nobody(preview: planning.Preview, stream: TextIO) -> None:
    """Say that no site takes part in a run, so that none is made, and why."""
    columns = terminals.width(stream)
    simulated = "SIMULATED  " if preview.simulated else ""
    stream.write(f"{simulated}{preview.plan.kind} of {preview.plan.bundle}: no site takes part, so there is no run\n")
    for one in preview.left_out:
        examples = ", ".join(one.sites[:_EXAMPLES]) + (", ..." if len(one.sites) > _EXAMPLES else "")
        text = f"{len(one.sites):,} {one.reason}{' (owed)' if one.owed else ''}: {examples}"
        stream.writelines(f"{line}\n" for line in terminals.wrapped(terminals.visible(text), columns, "    ", "  "))


def _lines(preview: planning.Preview, columns: int | None) -> Iterator[str]:
    plan = preview.plan
    visited = sum(wave.members for wave in plan.waves)
    left_out = sum(len(one.sites) for one in preview.left_out) + len(plan.members) - visited
    if preview.simulated:
        yield "SIMULATED"
    yield from terminals.wrapped(terminals.visible(_head(preview, visited, left_out)), columns, "  ")
    yield from _left_out(preview, visited, columns)
    if preview.folds:
        yield ""
    yield from _folds(preview, columns)
    yield ""
    yield from _waves(plan, columns)
    watch = list(_watch(preview))
    for number, text in enumerate(watch):
        yield from terminals.wrapped(
            terminals.visible(text), columns, "        ", "Watch   " if not number else "        "
        )


def _head(preview: planning.Preview, visited: int, left_out: int) -> str:
    plan = preview.plan
    before = [name for name, _ in preview.before if name != plan.version] or [name for name, _ in preview.before]
    from_ = ", ".join(before[:2]) + (", ..." if len(before) > 2 else "")
    goes = {
        plans.Kind.ROLLOUT: f"{plan.bundle} {from_ or 'nothing'} -> {plan.version}",
        plans.Kind.REMOVE: f"{plan.bundle} {from_} taken off",
        plans.Kind.UNDO: f"undo of {plan.undoes}: {plan.bundle} {from_ or 'nothing'} -> {plan.version}",
        plans.Kind.CATCHUP: f"catch-up of {plan.bundle}: {plan.version}",
    }[plan.kind]
    total = visited + left_out
    sites = f"{visited:,} of {total:,} sites" if left_out else f"{visited:,} site{'s' if visited != 1 else ''}"
    return f"{goes} on {sites}"


def _left_out(preview: planning.Preview, visited: int, columns: int | None) -> Iterator[str]:
    waiting = len(preview.plan.members) - visited
    parts = [f"{len(one.sites):,} {one.reason}{' (owed)' if one.owed else ''}" for one in preview.left_out]
    if waiting:
        parts.insert(0, f"{waiting:,} in maintenance (owed)")
    if parts:
        yield from terminals.wrapped(terminals.visible(f"left out: {'; '.join(parts)}"), columns, "  ")


def _folds(preview: planning.Preview, columns: int | None) -> Iterator[str]:
    width = max((len(_sites(fold)) for fold in preview.folds), default=0)
    indent = " " * (width + 4)
    written = 0
    for number, fold in enumerate(preview.folds):
        if number == _FOLDS or written > _LINES:
            rest = sum(len(one.sites) for one in preview.folds[number:])
            yield f"  and {len(preview.folds) - number:,} more kinds of change at {rest:,} sites (-o json lists them)"
            return
        head = f"  {_sites(fold).rjust(width)}  "
        for line in _changes(fold):
            yield from terminals.wrapped(terminals.visible(line), columns, f"{indent}  ", head)
            head = indent
            written += 1


def _sites(fold: folding.Fold) -> str:
    return f"{len(fold.sites):,} site{'s' if len(fold.sites) != 1 else ''}"


def _changes(fold: folding.Fold) -> Iterator[str]:
    if not fold.known:
        yield "? what is there now is not known to this store; every object is applied"
        return
    if not fold.changes:
        yield "= nothing to change"
    for change in fold.changes[:_CHANGES]:
        yield f"{change.verb} {change.id}" + (f"   {change.details}" if change.details else "")
    if len(fold.changes) > _CHANGES:
        rest = [change.verb for change in fold.changes[_CHANGES:]]
        yield "  and " + ", ".join(f"{rest.count(verb):,} more {verb}" for verb in "+~-" if verb in rest)


def _waves(plan: plans.Plan, columns: int | None) -> Iterator[str]:
    total = sum(wave.members for wave in plan.waves)
    rules = plan.strategy.waves
    for number, wave in enumerate(plan.waves, 1):
        head = "Waves   " if number == 1 else "        "
        rule = rules[number - 1] if number <= len(rules) else plans.WaveRule()
        name = wave.name if wave.name != str(number) else ""
        share = f"{rule.percent:g} %" if rule.percent is not None else "" if rule.count is not None else "rest"
        failed = "at any failure, above" if not wave.max_failed else f"above {wave.max_failed:,} failed,"
        members = f"{wave.members:>7,} {'site ' if wave.members == 1 else 'sites'}"
        limits = f"halts {failed} {wave.max_unreachable:,} out of reach"
        yield from terminals.wrapped(f"{number} {name:<7}{members} {share:<5} {limits}", columns, "            ", head)
    if not total:
        yield "Waves   none: no site would be visited"


def _watch(preview: planning.Preview) -> Iterator[str]:
    if preview.kinds > 1 and preview.covered < preview.kinds:
        yield f"the canary covers {preview.covered:,} of {preview.kinds:,} kinds of sites (platform, objects)"
    for cause, sites in preview.silent[:3]:
        yield f"{len(sites):,} did not answer: {cause}   e.g. {sites[0]}"
    for prune in preview.prunes[:3]:
        yield f"{prune.id} would be deleted at {len(prune.sites):,} site{'s' if len(prune.sites) != 1 else ''}"
    if len(preview.prunes) > 3:
        yield f"and {len(preview.prunes) - 3:,} more objects would be deleted"
