"""Taking a run back: a plan that brings every site it touched to the release that the visit itself found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from fleetctl.model import codes, errors, events, plans, sites
from fleetctl.rollout import orders, planning
from fleetctl.state import runs

__all__ = ["Undo", "choose", "member", "refuse_running", "version_of"]


class Undo(msgspec.Struct, frozen=True):
    """The members of an undo, and the sites that it leaves alone."""

    wanted: tuple[planning.Wanted, ...]
    rows: Mapping[str, runs.Row]
    left_out: tuple[planning.LeftOut, ...]


def refuse_running(run: runs.Run) -> None:
    """Raise ``Refused`` for a run that still is at work."""
    if run.state is events.RunState.RUNNING:
        message = f"{run.id} is still running"
        raise errors.Refused(codes.Code.RUN_STATE, message, f"Stop it first: fleetctl rollout pause {run.id}")


def choose(
    rows: Sequence[runs.Row],
    readings: Mapping[str, planning.Reading],
    fleet: Mapping[str, sites.Site],
    known: orders.Known,
    *,
    remove_new: bool,
) -> Undo:
    """Choose what an undo does at each site that its run may have changed, itself or by a debt that was paid.

    The goal is the parent's release as the undone visit read it, not what the journal believes; of a visit that never
    told, because its process died, the parent's own note says it. Sites that had nothing before are left out unless
    ``remove_new``; those that another run changed since are left out and named.
    """
    wanted: list[planning.Wanted] = []
    chosen: dict[str, runs.Row] = {}
    left: dict[str, list[str]] = {}
    for row in rows:
        site, reading = fleet.get(row.site), readings.get(row.site)
        previous = _previous(row, reading)
        release = known(previous) if previous else None
        why = ""
        if site is None:
            why = "no longer in the inventory"
        elif reading is not None and _moved(row, reading):
            why = "changed since by another run"
        elif previous is None and not remove_new:
            why = "had nothing before (--remove-new takes the bundle off)"
        elif previous is not None and release is None:
            why = "their earlier release is not in this store"
        if why or site is None:
            left.setdefault(why, []).append(row.site)
        else:
            wanted.append(planning.Wanted(site, release))
            chosen[row.site] = row
    left_out = tuple(planning.LeftOut(why, tuple(sorted(names))) for why, names in left.items())
    return Undo(tuple(wanted), chosen, left_out)


def _previous(row: runs.Row, reading: planning.Reading | None) -> str | None:
    if not row.in_flight or reading is None:
        return row.previous
    return reading.previous if reading.run == row.run else reading.release


def _moved(row: runs.Row, reading: planning.Reading) -> bool:
    if not reading.answered or reading.run == row.run or row.in_flight:
        return False
    return reading.release not in {row.after, row.before}


def version_of(chosen: Undo) -> str:
    """Return where an undo goes, in words: a version, or how many."""
    versions = {one.release.version if one.release else "nothing" for one in chosen.wanted}
    return versions.pop() if len(versions) == 1 else f"{len(versions)} versions" if versions else "nothing"


def member(planned: plans.Member, row: runs.Row) -> plans.Member:
    """Return a member whose base is what the undone run left at the site, as far as it told."""
    return msgspec.structs.replace(planned, base=row.after, read=not row.in_flight)
