"""Why a site is as it is: the chain from the object to the container, as it was seen when the site failed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, TextIO

from fleetctl.console import counting, terminals
from fleetctl.model import outcomes
from fleetctl.rollout import accounts

__all__ = ["show"]

_NEXT: Final = {
    outcomes.Reason.CREDENTIALS: "give the site's kubeconfig a token that is valid, and may read the bundle's parent",
    outcomes.Reason.IDENTITY: "find out whether the cluster was replaced; nothing is sent to another one",
    outcomes.Reason.MOVED: "make a new plan: another run changed the cluster since",
}


def show(found: accounts.Explanation, stream: TextIO) -> None:
    """Write why a site is as it is."""
    columns = terminals.width(stream)
    stream.writelines(f"{terminals.visible(line.rstrip())}\n" for line in _lines(found, columns))


def _lines(found: accounts.Explanation, columns: int | None) -> Iterator[str]:
    if found.simulated:
        yield "SIMULATED"
    yield from terminals.wrapped(terminals.visible(_headline(found)), columns, "  ")
    yield ""
    if found.evidence is not None:
        for line in _chain(found.evidence, found.cause, 0):
            indent = " " * (len(line) - len(line.lstrip()))
            yield from terminals.wrapped(terminals.visible(line.strip()), columns, f"{indent}  ", indent)
    elif found.cause is not None:
        yield from terminals.wrapped(terminals.visible(str(found.cause)), columns, "  ")
    for words, text in _notes(found):
        yield from terminals.wrapped(terminals.visible(text), columns, "         ", f"{words:<8} ")


def _headline(found: accounts.Explanation) -> str:
    site = f"{found.site} ({found.place})" if found.place else found.site
    if found.outcome is None:
        return f"{site} has no outcome yet in {_where(found)}"
    word = (
        "failed"
        if found.outcome is outcomes.Outcome.FAILED
        else counting.word(found.outcome, found.reason, owed=found.owed)
    )
    reason = f" ({found.reason})" if found.reason and found.outcome is outcomes.Outcome.FAILED else ""
    ended = f", {_moment(found.ended)}" if found.ended else ""
    took = f", after {counting.duration(found.took)}" if found.took is not None else ""
    return f"{site} {word}{reason} in {_where(found)}{ended}{took}"


def _where(found: accounts.Explanation) -> str:
    if not found.wave:
        return found.run
    name = f" ({found.wave_name})" if found.wave_name not in {"", str(found.wave)} else ""
    return f"wave {found.wave}{name} of {found.run}"


def _moment(seconds: float) -> str:
    """Return a time of day, with the date where that is not today's."""
    when, today = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M:%S" if when[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", when)


def _notes(found: accounts.Explanation) -> Iterator[tuple[str, str]]:
    if found.template:
        yield "Made by", found.template
    if found.evidence is not None:
        yield "Seen", "stored at failure time; the site need not be reachable now"
    if found.effect not in {None, outcomes.Effect.NONE} and found.outcome is not outcomes.Outcome.CHANGED:
        yield "Effect", f"{found.effect}: {_EFFECTS[found.effect]}" if found.effect else ""
    if found.same_cause:
        yield (
            "Also",
            f"the same cause at {found.same_cause:,} more site{'s' if found.same_cause > 1 else ''} of this run",
        )
    command = "fleetctl --sim" if found.simulated else "fleetctl"
    if found.owed:
        yield "Owed", f"{found.bundle} {found.version}, paid by: {command} rollout catchup"
    if found.reason in _NEXT:
        yield "Next", _NEXT[found.reason]
    elif found.outcome is outcomes.Outcome.FAILED:
        yield "Next", f"{command} rollout undo {found.run}"


_EFFECTS: Final = {
    outcomes.Effect.NONE: "nothing was sent",
    outcomes.Effect.PARTIAL: "some objects were changed; an undo brings them back",
    outcomes.Effect.UNKNOWN: "a change was sent and never answered; it may have been made",
    outcomes.Effect.APPLIED_UNVERIFIED: "everything was applied, and did not become well",
    outcomes.Effect.APPLIED: "everything was applied",
}


def _chain(node: Mapping[str, Any], cause: outcomes.Cause | None, depth: int) -> Iterator[str]:
    """Write an object of the evidence and what stands below it (``kube.evidence``)."""
    indent = "  " * depth
    name = f"{node['namespace']}/{node['name']}" if node.get("namespace") else node.get("name", "")
    kind = str(node.get("kind", ""))
    head = f"{indent}{kind if kind != 'Container' else 'container'} {name}"
    if node.get("node"):
        head += f" on {node['node']}"
    state = node.get("state", "") or node.get("phase", "")
    said = f"{state}: {node['reason']}" if node.get("reason") else str(state)
    if depth == 0 and node.get("message"):
        said = f"{state}: {node['message']}"
    yield f"{head}  {said}".rstrip()
    message = node.get("message", "") if depth else ""
    if cause is not None and cause.reason == node.get("reason"):
        message = cause.message  # the same without what kubelet and runtime put around it
    children = node.get("children", ())
    if message and not any(child.get("message") for child in children):
        yield f'{indent}  "{message}"'
    if node.get("restarts"):
        yield f"{indent}  {node['restarts']:,} restarts" + (f", last: {node['last']}" if node.get("last") else "")
    for event in node.get("events", ())[:3]:
        known = cause is not None and cause.message in event.get("message", "")
        said = "" if known else f": {event.get('message', '')}"
        yield f"{indent}  event {event.get('reason', '')}{said}  ({_times(event)})"
    for line in node.get("log", ()):
        yield f"{indent}  | {line}"
    for child in children:
        yield from _chain(child, cause, depth + 1)
    if node.get("more"):
        yield f"{indent}  and {node['more']:,} more pods that are not well"


def _times(event: Mapping[str, Any]) -> str:
    count, seconds = int(event.get("count", 1)), float(event.get("seconds", 0))
    return f"{count:,} times in {counting.duration(seconds)}" if count > 1 else "once"
