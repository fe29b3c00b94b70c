"""What a plan would change, told once for all sites where it is the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

import msgspec

from fleetctl.kube import applysets, masking
from fleetctl.model import objects, placeholders, problems, releases

__all__ = [
    "CONFIGURED",
    "CREATED",
    "PRUNED",
    "REFUSED",
    "Change",
    "Fold",
    "Verb",
    "changes",
    "differences",
    "fold",
    "gather",
    "gone",
    "pruned",
]

Verb = str
CREATED: Final = "+"
CONFIGURED: Final = "~"
PRUNED: Final = "-"
REFUSED: Final = "!"
_Told = TypeVar("_Told", bound=tuple[Sequence[object], bool])
_MOST_FIELDS = 3
_LONGEST = 40


class Change(msgspec.Struct, frozen=True, order=True):
    """What happens to one object: created (+), configured (~) or pruned (-), and the fields that differ in words."""

    verb: Verb
    id: objects.ObjectId
    details: str = ""


class Fold(msgspec.Struct, frozen=True):
    """Sites to which the same happens; ``known`` is false where the old release cannot be read."""

    sites: tuple[str, ...]
    changes: tuple[Change, ...]
    known: bool = True


def changes(old: releases.Release | None, new: releases.Release | None) -> tuple[Change, ...]:
    """Compare two releases object by object, in apply order; None has no objects."""
    before = {one.id: one for one in old.objects} if old else {}
    after = {one.id: one for one in new.objects} if new else {}
    found = [
        Change(CONFIGURED, one.id, _details(before[one.id].body, one.body))
        if one.id in before
        else Change(CREATED, one.id)
        for one in after.values()
        if one.id not in before or before[one.id].body != one.body
    ]
    found += _rotated(old, new, {change.id for change in found})
    return (*found, *(Change(PRUNED, one) for one in pruned(old, new)))


def _rotated(
    old: releases.Release | None, new: releases.Release | None, told: AbstractSet[objects.ObjectId]
) -> Iterator[Change]:
    """Yield the objects in which nothing changes but the value of a secret."""
    was, now = (dict(one.fingerprints) if one else {} for one in (old, new))
    differ = {one for one in was.keys() & now.keys() if was[one] != now[one]}
    if new is None or not differ:
        return
    for one in new.objects:
        names = {str(found) for found in releases.references_of(one) if placeholders.text(found) in differ}
        if names and one.id not in told:
            yield Change(CONFIGURED, one.id, f"another value of {', '.join(sorted(names))}")


def pruned(old: releases.Release | None, new: releases.Release | None) -> list[objects.ObjectId]:
    """Return what the old release holds and the new one does not, save what is never deleted."""
    return [one for one in gone(old, new) if (one.group, one.kind) not in applysets.PROTECTED]


def gone(old: releases.Release | None, new: releases.Release | None) -> list[objects.ObjectId]:
    """Return what the old release holds and the new one does not."""
    after = {one.id for one in new.objects} if new else set()
    return [one.id for one in old.objects if one.id not in after] if old else []


def fold(by_site: Mapping[str, tuple[tuple[Change, ...], bool]]) -> list[Fold]:
    """Gather sites with equal changes, most sites first; sites where nothing changes come last."""
    return [Fold(sites, found, known) for sites, (found, known) in gather(by_site)]


def gather(by_site: Mapping[str, _Told]) -> list[tuple[tuple[str, ...], _Told]]:
    """Gather sites of which the same is told, most sites first; those where nothing changes come last."""
    groups: dict[_Told, list[str]] = {}
    for site, told in by_site.items():
        groups.setdefault(told, []).append(site)
    made = [(tuple(sorted(names)), told) for told, names in groups.items()]
    return sorted(made, key=lambda one: (not one[1][0], -len(one[0]), one[0][0]))


def _details(old: bytes, new: bytes) -> str:
    """Name the fields that differ, with both values where they are short."""
    found = differences(*masking.masked(msgspec.json.decode(old), msgspec.json.decode(new)))
    # What runs is what people look for first.
    texts = [_field(*one) for one in sorted(found, key=lambda one: one[0][-1:] != ("image",))]
    shown = texts[:_MOST_FIELDS]
    if len(texts) > len(shown):
        shown.append(f"{len(texts) - len(shown)} more")
    return ", ".join(shown)


def _field(path: problems.Field, was: object, now: object) -> str:
    name = problems.field_text(path)
    if path and path[-1] == "image":
        name = "image"
        was, now = _differing_tail(str(was), str(now))
    elif path[:1] == ("spec",) and len(path) == 2:
        name = str(path[1])
    if was is problems.NOTHING:
        return f"{name} + {_short(now)}"
    if now is problems.NOTHING:
        return f"{name} removed"
    return f"{name} {_short(was)} -> {_short(now)}"


def _differing_tail(was: str, now: str) -> tuple[str, str]:
    """Show only the tags of two images of one repository."""
    left, right = was.rpartition(":"), now.rpartition(":")
    return (left[2], right[2]) if left[0] == right[0] and left[0] else (was, now)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def differences(was: object, now: object) -> Iterator[tuple[problems.Field, object, object]]:
    """Yield the fields in which two values differ, with both values; ``problems.NOTHING`` for one that is not there."""
    yield from _differences((), was, now)


def _differences(path: problems.Field, was: object, now: object) -> Iterator[tuple[problems.Field, object, object]]:
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in _in_order(was, now):
            yield from _differences((*path, key), was.get(key, problems.NOTHING), now.get(key, problems.NOTHING))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _differences((*path, index), one, other)
    else:
        yield path, was, now


def _in_order(was: Mapping[str, object], now: Mapping[str, object]) -> Iterable[str]:
    return sorted({*was, *now})
