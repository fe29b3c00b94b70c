"""What is rendered now against what was before: the differences of every site, told once where they are the same."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from fleetctl.kube import drift, masking
from fleetctl.model import objects, outcomes, problems, releases, values
from fleetctl.reading import yamltext
from fleetctl.rollout import folding
from fleetctl.state import databases, installed
from fleetctl.state import releases as stored

__all__ = ["STAYS", "Comparison", "Difference", "Group", "Pair", "Silence", "alike", "compare", "last"]

STAYS: Final = "stays at its site: never deleted by a rollout"


class Pair(msgspec.Struct, frozen=True):
    """What a site had and would get; ``known`` is false where it has a release that cannot be read."""

    site: str
    old: releases.Release | None
    new: releases.Release | None
    known: bool = True


class Difference(msgspec.Struct, frozen=True):
    """What differs in one object: how, and both states, without what is secret in them."""

    change: folding.Change
    old: values.Vars | None
    new: values.Vars | None
    template: str
    fields: tuple[drift.Field, ...] = ()
    """What differs in a live object, field by field."""
    judged: bool = True
    """False for an object that no server can judge yet: its namespace or its kind comes with the release."""

    def lines(self) -> list[str]:
        """Return the unified diff of the object as YAML, without its head."""
        old, new = ([] if one is None else yamltext.block(one).splitlines() for one in (self.old, self.new))
        return list(difflib.unified_diff(old, new, lineterm=""))[2:]


class Group(msgspec.Struct, frozen=True):
    """Sites where the same differs; the differences are those of the first site."""

    sites: tuple[str, ...]
    differences: tuple[Difference, ...]
    known: bool


class Silence(msgspec.Struct, frozen=True):
    """Sites of which nothing is known, for one cause."""

    cause: outcomes.Cause
    sites: tuple[str, ...]
    unreachable: bool


class Comparison(msgspec.Struct, frozen=True):
    """All groups, most sites first; those where nothing differs come last."""

    bundle: str
    version: str
    against: str
    groups: tuple[Group, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Why sites take no part, and which."""
    simulated: bool = False
    silent: tuple[Silence, ...] = ()
    """Sites whose cluster could not be asked."""

    @property
    def differs(self) -> bool:
        """Tell whether anything differs, or may."""
        return any(group.differences or not group.known for group in self.groups)


def last(store: databases.Store, bundle: str, sites: Iterable[str], made: Mapping[str, releases.Release]) -> list[Pair]:
    """Pair what was rendered with the release that each site got last, by the journal."""

    def read(conn: databases.Connection) -> list[Pair]:
        known: dict[str, releases.Release | None] = {}
        pairs: list[Pair] = []
        for site in sites:
            found = installed.get(conn, site, bundle)
            if found is not None and found.release not in known:
                known[found.release] = stored.get(conn, found.release)
            old = known[found.release] if found is not None else None
            pairs.append(Pair(site, old, made.get(site), known=found is None or old is not None))
        return pairs

    return store.read(read)


def compare(pairs: Iterable[Pair]) -> list[Group]:
    """Gather the sites where the same differs.

    Differences are the same if the same fields of the same objects had and get the same values; a site's own name in
    them counts as the same for all, and so does anything secret.
    """
    comparer = _Comparer()
    by_site: dict[str, tuple[tuple[str, ...], bool]] = {}
    example: dict[str, Pair] = {}
    for pair in pairs:
        example[pair.site] = pair
        by_site[pair.site] = (comparer.key(pair), pair.known)
    return [
        Group(sites, comparer.differences(example[sites[0]]), known) for sites, (_, known) in folding.gather(by_site)
    ]


def alike(by_site: Mapping[str, tuple[Difference, ...]]) -> list[Group]:
    """Gather the sites of which the same differences are known, as ``compare`` does."""
    keys = {site: (_key(site, found), True) for site, found in by_site.items()}
    return [Group(sites, by_site[sites[0]], known) for sites, (_, known) in folding.gather(keys)]


def _key(site: str, found: tuple[Difference, ...]) -> tuple[str, ...]:
    """Return what differs at a site as texts that are equal where the same does."""
    if not found:
        return ()
    pattern = re.compile(rf"(?<![\w.-]){re.escape(site)}(?![\w-])")
    return tuple(pattern.sub("\0", _text(one)) for one in found)


class _Comparer:
    """Compares releases; two that many sites share are compared once, and so are two states of one object."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str | None, str | None], tuple[Difference, ...]] = {}
        self._texts: dict[tuple[str | None, str | None], str] = {}

    def differences(self, pair: Pair) -> tuple[Difference, ...]:
        if not pair.known:
            return ()
        key = (pair.old.digest if pair.old else None, pair.new.digest if pair.new else None)
        found = self._changes.get(key)
        if found is None:
            found = self._changes[key] = () if key[0] == key[1] else _differences(pair.old, pair.new)
        return found

    def key(self, pair: Pair) -> tuple[str, ...]:
        return _key(pair.site, self.differences(pair))


def _differences(old: releases.Release | None, new: releases.Release | None) -> tuple[Difference, ...]:
    before = {one.id: one for one in old.objects} if old else {}
    after = {one.id: one for one in new.objects} if new else {}
    changes = folding.changes(old, new)
    shown = {change.id for change in changes}
    stays = [folding.Change(folding.PRUNED, one, STAYS) for one in folding.gone(old, new) if one not in shown]
    return tuple(_difference(change, before, after) for change in (*changes, *stays))


def _difference(
    change: folding.Change,
    before: Mapping[objects.ObjectId, releases.RenderedObject],
    after: Mapping[objects.ObjectId, releases.RenderedObject],
) -> Difference:
    was, now = before.get(change.id), after.get(change.id)
    old, new = masking.masked(_decoded(was), _decoded(now))
    made = now or was
    return Difference(change, old, new, made.template if made else "")


def _decoded(one: releases.RenderedObject | None) -> values.Vars | None:
    return None if one is None else msgspec.json.decode(one.body)


def _text(one: Difference) -> str:
    """Return what makes a difference the same as another: identity, fields and whose they are, as one text."""
    fields = [
        (problems.field_text(path), *(None if value is problems.NOTHING else [value] for value in both))
        for path, *both in folding.differences(one.old, one.new)
    ]
    more = one.change.details if one.change.verb == folding.REFUSED else [field.managers for field in one.fields]
    return msgspec.json.encode((one.change.verb, one.change.id, fields, more), order="deterministic").decode()
