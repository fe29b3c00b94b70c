"""Plans as files: saved, read again, and held against what the project's files say now."""

from __future__ import annotations

import pathlib

import msgspec

from fleetctl.model import codes, errors, plans
from fleetctl.reading import disk

__all__ = ["check_same", "decode", "load", "save"]


def load(file: pathlib.Path) -> plans.Plan:
    """Read a saved plan; raises ``NotConfigured`` when it cannot be read, ``Refused`` when it is none of ours."""
    try:
        text = file.read_bytes()
    except OSError as error:
        message = f"the plan {file} cannot be read: {error.strerror}"
        raise errors.UsageError(codes.Code.PLAN_UNREADABLE, message) from None
    return decode(text, str(file))


def save(plan: plans.Plan, file: pathlib.Path) -> None:
    """Write a plan where only its owner may read it, whole or not at all; raises ``NotConfigured``."""
    try:
        disk.private_folder(file.parent)
        disk.replace(file, msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")
    except OSError as error:
        message = f"the plan cannot be saved as {file}: {error.strerror}"
        raise errors.NotConfigured(codes.Code.PLAN_UNWRITABLE, message) from None


def decode(text: bytes, shown: str) -> plans.Plan:
    """Read a saved plan; raises ``Refused`` when it is not one of ours."""
    try:
        return msgspec.json.decode(text, type=plans.Plan)
    except msgspec.DecodeError as error:
        message = f"{shown} is not a plan of this version of fleetctl: {error}"
        raise errors.Refused(codes.Code.PLAN_UNREADABLE, message, "Make it again: fleetctl rollout plan") from None


def check_same(saved: plans.Plan, made: plans.Plan) -> None:
    """Hold a saved plan against what the files say now, member by member; raises ``Refused`` naming what moved."""
    moved = [
        name
        for name in ("kind", "project", "bundle", "version", "namespace", "strategy", "options", "templates")
        if getattr(saved, name) != getattr(made, name)
    ]
    # A secret that rotated since is no matter of files: its sites are skipped as moved.
    was, now = (
        {one.site: (one.rendered or one.release, one.endpoint, one.skip) for one in plan.members}
        for plan in (saved, made)
    )
    differ = sorted(site for site in was.keys() | now.keys() if was.get(site) != now.get(site))
    if not moved and not differ:
        return
    parts = [f"its {', '.join(moved)}"] if moved else []
    if differ:
        parts.append(f"{len(differ):,} of {len(was):,} members, e.g. {differ[0]}")
    message = f"the plan was made from other files: {' and '.join(parts)} changed since"
    raise errors.Refused(codes.Code.PLAN_MOVED, message, "Make a new plan and look at it: fleetctl rollout plan")
