"""Taking a run back: a plan that brings every site it touched to the release that the visit itself found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from fleetctl.model import codes, errors, events, outcomes, plans, sites
from fleetctl.rollout import orders, planning
from fleetctl.state import runs

__all__ = ["Undo", "choose", "member", "version_of", "without_moved"]


class Undo(msgspec.Struct, frozen=True):
    """The members of an undo, and the sites that it leaves alone."""

    wanted: tuple[planning.Wanted, ...]
    rows: Mapping[str, runs.Row]
    left_out: tuple[planning.LeftOut, ...]


def choose(
    run: runs.Run,
    rows: Sequence[runs.Row],
    fleet: Mapping[str, sites.Site],
    known: orders.Known,
    *,
    remove_new: bool,
) -> Undo:
    """Choose what an undo does at each site whose effect is not none; raises ``Refused`` when it cannot be done.

    The goal is the parent's release as the undone visit read it, not what the journal believes. Sites that had nothing
    before are left out unless ``remove_new``.
    """
    if run.state is events.RunState.RUNNING:
        message = f"{run.id} is still running"
        raise errors.Refused(codes.Code.RUN_STATE, message, f"Stop it first: fleetctl rollout pause {run.id}")
    touched = [row for row in rows if row.effect not in (None, outcomes.Effect.NONE) or row.in_flight]
    wanted: list[planning.Wanted] = []
    chosen: dict[str, runs.Row] = {}
    fresh: list[str] = []
    gone: list[str] = []
    lost: list[str] = []
    for row in touched:
        site = fleet.get(row.site)
        release = known(row.previous) if row.previous else None
        if site is None:
            gone.append(row.site)
        elif row.previous is None and not remove_new:
            fresh.append(row.site)
        elif row.previous is not None and release is None:
            lost.append(row.site)
        else:
            wanted.append(planning.Wanted(site, release))
            chosen[row.site] = row
    left_out = [
        planning.LeftOut(words, tuple(sorted(names)))
        for words, names in (
            ("had nothing before (--remove-new takes the bundle off)", fresh),
            ("no longer in the inventory", gone),
            ("their earlier release is not in this store", lost),
        )
        if names
    ]
    return Undo(tuple(wanted), chosen, tuple(left_out))


def without_moved(
    chosen: Undo, readings: Mapping[str, planning.Reading], run: str
) -> tuple[list[planning.Wanted], list[planning.LeftOut]]:
    """Take out the sites that another run changed since; their parent names another release than the run left."""
    staying: list[planning.Wanted] = []
    moved: list[str] = []
    for one in chosen.wanted:
        reading, row = readings[one.site.name], chosen.rows[one.site.name]
        untouched = reading.run == run or reading.release in {row.after, row.before}
        if reading.answered and not untouched:
            moved.append(one.site.name)
        else:
            staying.append(one)
    words = "changed since by another run"
    return staying, [planning.LeftOut(words, tuple(sorted(moved)))] if moved else []


def version_of(chosen: Undo) -> str:
    """Return where an undo goes, in words: a version, or how many."""
    versions = {one.release.version if one.release else "nothing" for one in chosen.wanted}
    return versions.pop() if len(versions) == 1 else f"{len(versions)} versions" if versions else "nothing"


def member(planned: plans.Member, row: runs.Row) -> plans.Member:
    """Return a member whose base is what the undone run left at the site."""
    return msgspec.structs.replace(planned, base=row.after, read=True)
