"""What changed between two states of a fleet: sites that came and went, and merged values of the others."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fleetctl.model import problems, sites

__all__ = ["Change", "Comparison", "Fold", "compare"]


class Change(msgspec.Struct, frozen=True):
    """One value; ``NOTHING`` stands where there was, or is, none."""

    field: problems.Field
    before: object
    after: object


class Fold(msgspec.Struct, frozen=True):
    """Sites whose changes are the same ones."""

    sites: tuple[str, ...]
    changes: tuple[Change, ...]


class Comparison(msgspec.Struct, frozen=True):
    """Names are sorted; folds with most sites come first."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    folds: tuple[Fold, ...]

    @property
    def differs(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.added or self.removed or self.folds)


def compare(before: sites.Fleet, after: sites.Fleet) -> Comparison:
    """Compare two fleets site by site, after all layers were merged."""
    folds: dict[bytes, tuple[tuple[Change, ...], list[str]]] = {}
    for name, site in after.sites.items():
        old = before.sites.get(name)
        if old is None or msgspec.msgpack.encode(old) == msgspec.msgpack.encode(site):
            continue
        order = Change(("nodes",), [node.name for node in old.nodes], [node.name for node in site.nodes])
        changes = tuple(_changes(_plain(old), _plain(site), ())) or (order,)  # nothing but the order of nodes
        key = msgspec.json.encode([(one.field, _shown(one.before), _shown(one.after)) for one in changes])
        folds.setdefault(key, (changes, []))[1].append(name)
    found = [Fold(tuple(names), changes) for changes, names in folds.values()]
    return Comparison(
        added=tuple(name for name in after.sites if name not in before.sites),
        removed=tuple(name for name in before.sites if name not in after.sites),
        folds=tuple(sorted(found, key=lambda fold: (-len(fold.sites), fold.sites))),
    )


def _plain(site: sites.Site) -> dict[str, object]:
    """Return a site as data, its nodes by their names and without vars that are all their site's."""
    made: dict[str, object] = msgspec.to_builtins(site)
    own = made["vars"]
    nodes = made["nodes"]
    listed = nodes if isinstance(nodes, list | tuple) else ()
    made["nodes"] = {
        node["name"]: {key: value for key, value in node.items() if key != "vars" or value != own} for node in listed
    }
    return made


def _changes(before: object, after: object, field: problems.Field) -> Iterator[Change]:
    """Yield every leaf that differs; a list is a leaf, for nothing says which of its items became which."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            one, two = before.get(key, problems.NOTHING), after.get(key, problems.NOTHING)
            yield from _changes(one, two, (*field, key))
    elif msgspec.json.encode(_shown(before)) != msgspec.json.encode(_shown(after)):  # not as Python: 1 is not true
        yield Change(field, before, after)


def _shown(value: object) -> object:
    return [] if value is problems.NOTHING else [value]
