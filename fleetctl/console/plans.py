"""The plan of a run: what would change where, told once for all sites where it is the same."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import gates, terminals
from fleetctl.kube import needs, rights
from fleetctl.model import outcomes, plans
from fleetctl.rollout import folding, permits, planning

__all__ = ["nobody", "saved", "show"]

_ROWS: Final = 22
"""What a plan may take of a screen: the place of its file, or a question, follows."""
_LEAST: Final = 4
_CHANGES: Final = 3
_WAVES: Final = 6
_WATCH: Final = 6
_EXAMPLES: Final = 3
_SKIPPED: Final = {outcomes.Reason.MAINTENANCE: "in maintenance", outcomes.Reason.HOLD: "on hold"}
_GAPS: Final = 3
_PURPOSES: Final[dict[needs.Purpose, str]] = {
    "visit": "",
    "evidence": " (for what why shows)",
    "lease": " (which keeps other operators away)",
    "undo": " (which an undo may need)",
}
_UNKNOWN: Final = "? what is there now is not known for sure; every object is applied"


def show(preview: planning.Preview, stream: TextIO) -> None:
    """Write a plan so that it fits a screen, however large the fleet is."""
    columns = terminals.width(stream)
    stream.writelines(f"{terminals.visible(line.rstrip())}\n" for line in _lines(preview, columns))


def saved(preview: planning.Preview, path: str, stream: TextIO, revision: str = "") -> None:
    """Say where the plan was saved, and how it is run: of a revision, if it was made of one."""
    command = "fleetctl --sim" if preview.simulated else "fleetctl"
    place, of = terminals.visible(shlex.quote(path)), f" --rev {revision[:10]}" if revision else ""
    stream.write(f"\nplan {plans.short(preview.digest)} saved\nRun it:  {command} rollout start --plan {place}{of}\n")


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
    top = ["SIMULATED"] if preview.simulated else []
    top += terminals.wrapped(terminals.visible(_head(preview, visited, left_out)), columns, "  ")
    top += _left_out(preview, columns)
    for words in plan.overrides:
        top += terminals.wrapped(terminals.visible(f"--set {words}  over what the inventory says"), columns, "  ")
    bottom = [
        *_waves(plan, columns),
        *gates.planned(plan, columns),
        *gates.closed(preview, columns),
        *_watch(preview, columns),
    ]
    yield from top
    if preview.folds:
        yield ""
        yield from _folds(preview.folds, columns, max(_LEAST, _ROWS - len(top) - len(bottom) - 2))
    yield ""
    yield from bottom


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
    sites = f"{visited:,} of {total:,}" if left_out else f"{visited:,}"
    return f"{goes} on {sites} site{'s' if total != 1 else ''}"


def _left_out(preview: planning.Preview, columns: int | None) -> Iterator[str]:
    skipped = [one.skip for one in preview.plan.members if one.skip]
    parts = [f"{skipped.count(skip):,} {words} (owed)" for skip, words in _SKIPPED.items() if skip in skipped]
    parts += [f"{len(one.sites):,} {one.reason}{' (owed)' if one.owed else ''}" for one in preview.left_out]
    if parts:
        yield from terminals.wrapped(terminals.visible(f"left out: {'; '.join(parts)}"), columns, "  ")


def _folds(folds: Sequence[folding.Fold], columns: int | None, room: int) -> Iterator[str]:
    width = max(len(_sites(fold)) for fold in folds)
    blocks = [_block(fold, width, columns, room) for fold in folds[: room + 1]]
    whole = len(folds) <= room and sum(map(len, blocks)) <= room
    shown, taken = terminals.fitting(blocks, room if whole else room - 1)
    yield from shown
    rest = folds[taken:]
    if rest:
        kinds = f"{len(rest):,} more kind{'s' if len(rest) > 1 else ''} of change"
        sites = sum(len(fold.sites) for fold in rest)
        yield f"  and {kinds} at {sites:,} site{'s' if sites > 1 else ''} (-o json lists them)"


def _block(fold: folding.Fold, width: int, columns: int | None, room: int) -> list[str]:
    """Return what happens at some sites: as many objects as fit, and how many there are besides."""
    head, indent = f"  {_sites(fold).rjust(width)}  ", " " * (width + 4)
    if not fold.known or not fold.changes:
        text = "= nothing to change" if fold.known else _UNKNOWN
        return terminals.wrapped(text, columns, f"{indent}  ", head)
    texts = [f"{one.verb} {one.id}" + (f"   {one.details}" if one.details else "") for one in fold.changes[:_CHANGES]]
    blocks = [
        terminals.wrapped(terminals.visible(text), columns, f"{indent}  ", indent if number else head)
        for number, text in enumerate(texts)
    ]
    lines, taken = terminals.fitting(blocks, room - 2)
    rest = [change.verb for change in fold.changes[taken:]]
    if rest:
        lines.append(
            f"{indent}  and " + ", ".join(f"{rest.count(verb):,} more {verb}" for verb in "+~-" if verb in rest)
        )
    return lines


def _sites(fold: folding.Fold) -> str:
    return f"{len(fold.sites):,} site{'s' if len(fold.sites) != 1 else ''}"


def _waves(plan: plans.Plan, columns: int | None) -> Iterator[str]:
    if not plan.waves:
        yield "Waves   none: no site would be visited"
        return
    names = ["" if wave.name == str(number) else wave.name for number, wave in enumerate(plan.waves, 1)]
    shares = [_share(plan, number) for number in range(len(plan.waves))]
    digits, width, wide = len(str(len(names))), max(7, *map(len, names)), max(5, *map(len, shares))
    skipped = range(_WAVES - 2, len(names) - 1) if len(names) > _WAVES else range(0)
    for number, wave in enumerate(plan.waves):
        if number in skipped:
            if number == skipped[0]:
                members = sum(plan.waves[one].members for one in skipped)
                yield f"        and {len(skipped):,} more waves of {members:,} sites together (-o json lists them)"
            continue
        failed = "at any failure, above" if not wave.max_failed else f"above {wave.max_failed:,} failed,"
        members_text = f"{wave.members:>7,} {'site ' if wave.members == 1 else 'sites'}"
        head = f"{number + 1:>{digits}} {names[number]:<{width}}{members_text} {shares[number]:<{wide}}"
        text = f"{head} halts {failed} {wave.max_unreachable:,} out of reach"
        yield from terminals.wrapped(text, columns, "            ", "        " if number else "Waves   ")


def _share(plan: plans.Plan, number: int) -> str:
    rules = plan.strategy.waves
    rule = rules[number] if number < len(rules) else plans.WaveRule()
    return f"{rule.percent:g} %" if rule.percent is not None else "" if rule.count is not None else "rest"


def _watch(preview: planning.Preview, columns: int | None) -> list[str]:
    """Return what is worth a look before the run is begun, under one word."""
    texts = list(_options(preview.plan.options))
    if preview.kinds > 1 and preview.covered < preview.kinds:
        texts.append(f"the canary covers {preview.covered:,} of {preview.kinds:,} kinds of sites (platform, objects)")
    if preview.expiring:
        count, (site, end) = len(preview.expiring), preview.expiring[0]
        holds = "site holds" if count == 1 else "sites hold"
        date = dt.datetime.fromtimestamp(end, dt.UTC)
        texts.append(f"{count:,} {holds} credentials that expire within 7 days   e.g. {site} on {date:%Y-%m-%d}")
    held = sum(bool(member.rendered) for member in preview.plan.members)
    if held and preview.plan.kind in {plans.Kind.UNDO, plans.Kind.CATCHUP}:
        texts.append(f"secrets get the values they have today, not those of then, at {held:,} site{'s'[: held != 1]}")
    texts += [_lack(one) for one in preview.lacks]
    texts += [
        f"{_count(one.sites)} not say which rights are missing: {one.cause}   e.g. {one.sites[0]}"
        for one in preview.doubts
    ]
    texts += [f"{len(sites):,} did not answer: {cause}   e.g. {sites[0]}" for cause, sites in preview.silent]
    texts += [
        f"{prune.id} would be deleted at {len(prune.sites):,} site{'s' if len(prune.sites) != 1 else ''}"
        for prune in preview.prunes
    ]
    blocks = [
        terminals.wrapped(terminals.visible(text), columns, "        ", "        " if number else "Watch   ")
        for number, text in enumerate(texts)
    ]
    whole = sum(map(len, blocks)) <= _WATCH
    lines, taken = terminals.fitting(blocks, _WATCH if whole else _WATCH - 1)
    if len(blocks) > taken:
        lines.append(f"        and {_more(preview, len(blocks) - taken)} (-o json lists them)")
    return lines


def _count(sites: Sequence[str]) -> str:
    return f"{len(sites):,} site does" if len(sites) == 1 else f"{len(sites):,} sites do"


def _lack(lack: permits.Lack) -> str:
    """Say which rights are missing where: the first few, those without which a visit fails before others."""
    ordered = sorted(lack.gaps, key=lambda gap: gap.purpose != "visit")
    told = [_gap(gap) for gap in ordered[:_GAPS]]
    if len(ordered) > _GAPS:
        told.append(f"and {len(ordered) - _GAPS:,} more")
    text = f"at {len(lack.sites):,} site{'s' if len(lack.sites) != 1 else ''} we may not {', '.join(told)}"
    return f"{text}   e.g. {lack.sites[0]}"


def _gap(gap: rights.Gap) -> str:
    verbs, names = "/".join(gap.verbs), f" {', '.join(gap.names)}" if gap.names else ""
    if gap.resource == "namespaces" and gap.namespace:
        return f"{verbs} namespace {gap.namespace}"
    where = f" in {gap.namespace}" if gap.namespace else ""
    return f"{verbs} {gap.resource}{names}{where}{_PURPOSES[gap.purpose]}"


def _options(options: plans.Options) -> Iterator[str]:
    """Yield what the run may do that changes what is somebody else's."""
    if options.adopt:
        yield "objects that exist and belong to no set are taken over (--adopt); an undo gives them back"
    if options.prune_adopted:
        yield "adopted objects that leave the set are deleted (--prune-adopted)"


def _more(preview: planning.Preview, left: int) -> str:
    """Name what did not fit: the last are objects that would be deleted, those before them silent sites."""
    prunes = min(left, len(preview.prunes))
    silent = min(left - prunes, len(preview.silent))
    parts = []
    if left > prunes + silent:
        rest = left - prunes - silent
        parts.append(f"{rest:,} more about rights")
    if silent:
        dark = sum(len(sites) for _, sites in preview.silent[len(preview.silent) - silent :])
        parts.append(f"{dark:,} more that did not answer")
    if prunes:
        parts.append(f"{prunes:,} more object{'s' if prunes > 1 else ''} would be deleted")
    return ", ".join(parts)
