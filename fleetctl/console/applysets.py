"""A set that changes hands, on screen: what it is before anybody agrees, and whose it is afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from fleetctl.console import terminals
from fleetctl.rollout import handing

__all__ = ["before", "question", "show"]

_MOST: Final = 6


def before(asked: handing.Handing, seen: handing.Seen, stream: TextIO, *, simulated: bool) -> None:
    """Say what would change hands, and what the new owner would do with it."""
    count = len(seen.members)
    objects = f"{count:,} object{'s' if count != 1 else ''}"
    lines = [f"{asked.bundle} at {asked.site}: {objects}, managed by {seen.parent.tooling}"]
    if asked.does == "handover":
        lines += _warnings(seen)
    elif seen.parent.site and (seen.parent.project, seen.parent.site) != (asked.project, asked.site):
        lines.append(f"it was site {seen.parent.site} of project {seen.parent.project} before")
    _write(lines, stream, simulated=simulated)


def question(asked: handing.Handing) -> str:
    """Return what is asked on a terminal."""
    if asked.does == "handover":
        return f"Hand {asked.bundle} at {asked.site} over to kubectl?"
    return f"Adopt {asked.bundle} at {asked.site} from kubectl?"


def show(asked: handing.Handing, seen: handing.Seen, stream: TextIO, *, simulated: bool) -> None:
    """Say what came of it, and what can be done next."""
    _write(_result(asked, seen, simulated=simulated), stream, simulated=simulated)


def _result(asked: handing.Handing, seen: handing.Seen, *, simulated: bool) -> Iterator[str]:
    if seen.cause is not None:
        yield f"{asked.site} {seen.outcome}: {seen.cause.fingerprint}"
        return
    owner = "kubectl" if asked.does == "handover" else "fleetctl"
    again = " now" if seen.outcome == "changed" else ", as before"
    yield f"{asked.bundle} at {asked.site} is managed by {owner}{again}"
    if asked.does == "handover":
        yield from _warnings(seen)
        yield (
            f"Next:  KUBECTL_APPLYSET=true kubectl apply --server-side --prune --applyset={asked.bundle} "
            f"-n {asked.namespace} -f FILES"
        )
    else:
        command = "fleetctl --sim" if simulated else "fleetctl"
        yield f"Next:  {command} rollout start {asked.bundle} --site {asked.site}"


def _warnings(seen: handing.Seen) -> Iterator[str]:
    """Name what kubectl deletes and fleetctl never would."""
    doomed = seen.protected
    if doomed:
        named = ", ".join(map(str, doomed[:_MOST])) + (", ..." if len(doomed) > _MOST else "")
        yield f"kubectl prunes these as well, when it is not given them: {named}"


def _write(lines: list[str] | Iterator[str], stream: TextIO, *, simulated: bool) -> None:
    columns = terminals.width(stream)
    if simulated:
        stream.write("SIMULATED\n")
    for line in lines:
        stream.writelines(f"{one}\n" for one in terminals.wrapped(terminals.visible(line), columns, "    "))
