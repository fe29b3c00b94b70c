"""Screens of ``inventory sync``: what each source brought, alike things folded, and what it takes to go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import failures, terminals
from fleetctl.inventory.sources import syncing
from fleetctl.model import codes, problems

__all__ = ["complain", "synced"]

_NAMED: Final = 5
"""Sites that a line names before it counts them."""
_GROUPS: Final = 6
"""Lines about changed sites."""


def synced(results: Sequence[syncing.Result], stream: TextIO) -> None:
    """Write what every source that answered brought."""
    columns = terminals.width(stream)
    for result in results:
        if result.status == "failed":
            continue
        lines = [f"{result.name}  {_counts(result)}{_ending(result)}"]
        lines += [f"  + {_names(result.added)}"] if result.added else []
        lines += [f"  ~ {line}" for line in _folded(result.changed)]
        lines += [f"  - {_names(result.removed)}"] if result.removed else []
        lines += [f"  {line}" for line in (result.notes if result.status != "unchanged" else ())]
        for line in lines:
            indent = "    " if line.startswith(" ") else "  "
            stream.writelines(f"{part}\n" for part in terminals.wrapped(terminals.visible(line), columns, indent))


def complain(results: Sequence[syncing.Result], stream: TextIO) -> None:
    """Write what went wrong: problems by source, refusals with what lifts them."""
    columns = terminals.width(stream)
    for result in results:
        if result.status == "failed":
            failures.show_found(result.problems, stream)
            text = f"{result.name} was not synced; {result.lock} stays as it was."
            stream.writelines(f"{line}\n" for line in terminals.wrapped(text, columns))
        elif result.status == "refused":
            total = result.sites - len(result.added) + len(result.removed)
            text = (
                f"{result.name}: {len(result.removed):,} of {total:,} sites would go, more than 5 %; "
                f"{result.lock} stays as it was  [{codes.Code.SOURCE_REMOVES_TOO_MUCH}]"
            )
            hint = (
                "If they are gone indeed: "
                f"fleetctl inventory sync {result.name} --confirm-removed {len(result.removed)}"
            )
            for one in (text, hint):
                stream.writelines(f"{line}\n" for line in terminals.wrapped(one, columns))


def _counts(result: syncing.Result) -> str:
    kept = result.sites - len(result.added) - len(result.changed)
    parts = [
        f"{count:,} {word}"
        for count, word in (
            (len(result.added), "added"),
            (len(result.changed), "changed"),
            (len(result.removed), "removed"),
            (kept, "unchanged"),
        )
        if count
    ]
    return f"{result.sites:,} site{'' if result.sites == 1 else 's'}: {', '.join(parts) or 'none'}"


def _ending(result: syncing.Result) -> str:
    match result.status:
        case "written":
            return f"; wrote {result.lock}"
        case "would-write":
            return f"; would write {result.lock}"
        case "refused":
            return "; refused"
        case _:
            return ""


def _names(names: Sequence[str]) -> str:
    hidden = len(names) - _NAMED
    return " ".join(names[:_NAMED]) + (f" ... and {hidden:,} more" if hidden > 0 else "")


def _folded(changes: Iterable[syncing.Change]) -> Iterator[str]:
    """Yield one line for all sites that changed alike; where values differ, for all whose fields are the same."""
    alike: dict[str, list[str]] = {}
    for change in changes:
        alike.setdefault(_differences(change), []).append(change.site)
    if len(alike) > _GROUPS:
        alike = {}
        for change in changes:
            fields = ", ".join(problems.field_text(field) for field, _, _ in change.leaves)
            alike.setdefault(fields, []).append(change.site)
    groups = sorted(alike.items(), key=lambda group: (-len(group[1]), group[1]))
    for said, names in groups[:_GROUPS]:
        yield f"{_names(names)}: {said}"
    hidden = sum(len(names) for _, names in groups[_GROUPS:])
    if hidden:
        yield f"{hidden:,} more in other fields (-o json names them)"


def _differences(change: syncing.Change) -> str:
    return ", ".join(
        f"{problems.field_text(field)} {_value(before)} -> {_value(after)}" for field, before, after in change.leaves
    )


def _value(value: object) -> str:
    if value is problems.NOTHING:
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
