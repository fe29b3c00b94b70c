"""Why a site has a value: the layer that won, everything it shadows, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from fleetctl.inventory import entries, fleets, layers
from fleetctl.model import codes, errors, layering, problems, secretrefs, values
from fleetctl.reading import scalars

__all__ = ["ROOTS", "Contribution", "Explanation", "explain", "field_of"]

ROOTS = ("name", "state", "labels", "location", "nodes", "access", "cluster", "bundles", "window", "vars")
"""The keys of a site; a path that begins with another one is below ``vars``."""


class Contribution(msgspec.Struct, frozen=True):
    """What one layer says about a value: it sets, appends to, removes it or replaces what it is in.

    ``counts`` when that still has effect. Where nothing counts, the value is the built-in one.
    """

    verb: str
    value: object
    mark: problems.Mark
    layer: str
    counts: bool


class Explanation(msgspec.Struct, frozen=True):
    """One leaf of a site; contributions stand highest first."""

    field: problems.Field
    value: object
    contributions: tuple[Contribution, ...]


def field_of(path: str) -> problems.Field:
    """Read a path as people give it: below vars unless it starts at a site's own key; raises ``UsageError``."""
    try:
        field = problems.parse_field(path)
    except ValueError:
        message = f'"{path}" is not a path such as pos.tls.minVersion or labels["example.com/tier"]'
        raise errors.UsageError(codes.Code.USAGE, message) from None
    return field if field and field[0] in ROOTS else ("vars", *field)


def explain(
    loaded: fleets.Loaded, name: str, field: problems.Field = (), below: Sequence[entries.Layer] = ()
) -> list[Explanation]:
    """Explain every leaf of a site at or below a field; raises ``UsageError`` when there is nothing.

    ``below`` are layers under the inventory's own: the values that the site's bundles bring, put below ``vars``.
    """
    own: values.Vars = msgspec.to_builtins(loaded.fleet.sites[name])
    merged = own
    for layer in below:
        merged = layering.merge(layer.data, merged, [])
    merged = {key: merged[key] for key in own}
    value = problems.value_at(merged, field)
    whole = _until_list(field)
    if value is problems.NOTHING:
        removed = _contributions(_layers(loaded.files, name, field), field, value)
        if whole == field and any(part.verb != "replaces" for part in removed):
            return [Explanation(field, values.UNSET, tuple(removed))]
        raise errors.UsageError(codes.Code.USAGE, _no_such(merged, name, field))
    return [
        Explanation(leaf, inner, (*_all_contributions(loaded, name, (leaf, inner), own, below),))
        for leaf, inner in _leaves(problems.value_at(merged, whole), whole)
        if field or leaf[0] not in ("nodes", "name")
        if leaf == whole or inner != {} or problems.value_at(own, leaf) == {}  # a bundle without values says nothing
    ]


def _all_contributions(
    loaded: fleets.Loaded,
    name: str,
    explained: tuple[problems.Field, object],
    own: values.Vars,
    below: Sequence[entries.Layer],
) -> Iterator[Contribution]:
    """Return what the inventory and the bundles say; a bundle's value counts only where the site has none."""
    leaf, value = explained
    mine = _contributions(_layers(loaded.files, name, leaf), leaf, value)
    theirs = _contributions(below, leaf, value) if leaf[:1] == ("vars",) else []
    first, second = (mine, theirs) if problems.value_at(own, leaf) is not problems.NOTHING else (theirs, mine)
    yield from first
    yield from (msgspec.structs.replace(part, counts=False) for part in second)


def _layers(files: entries.Files, name: str, field: problems.Field) -> list[entries.Layer]:
    """Return the layers that can say something about a field, lowest first."""
    *lower, site = layers.layers_of(files, name)
    if field[:1] not in (("name",), ("nodes",)):
        return [*lower, site]
    entry = files.sites[name]
    identity = msgspec.structs.replace(site, data={"name": name, "nodes": entry.nodes})
    if len(field) > 2 and field[2] == "vars" and isinstance(field[1], int):
        return [*lower, site, entry.node_layer(field[1])]
    return [identity]


def _until_list(field: problems.Field) -> problems.Field:
    """Cut a field where it goes into a list, which is explained as a whole; a site's nodes are named one by one."""
    start = 2 if field[:1] == ("nodes",) else 0
    return next((field[:at] for at in range(start, len(field)) if isinstance(field[at], int)), field)


def _contributions(known: Sequence[entries.Layer], field: problems.Field, value: object) -> list[Contribution]:
    """Return what each layer says, highest first; a node's vars are asked for as ``nodes[0].vars...``."""
    found: list[Contribution] = []
    counts = True
    if field[:1] == ("nodes",) and field[2:3] == ("vars",):
        field = field[2:]
    for layer in reversed(known):
        said = _said(layer, field, as_map=value == {})
        if said is None:
            continue
        verb, given, written = said
        has_effect = counts and (verb in ("sets", "appends") or value is problems.NOTHING)
        found.append(Contribution(verb, given, layer.mark(written), layer.title, has_effect))
        counts = counts and verb == "appends"
    return found


def _said(layer: entries.Layer, field: problems.Field, *, as_map: bool) -> tuple[str, object, problems.Field] | None:
    """Return what a layer says about a field, itself or through something above it.

    A map speaks for itself only when nothing is left in it; otherwise its leaves are explained one by one.
    """
    at: object = layer.data
    for depth, step in enumerate(field):
        if isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        elif not isinstance(at, dict):
            # a list or scalar where the path goes on; what a reference stands for is the layer's own word
            return "sets" if isinstance(at, str) and "${vars" in at else "replaces", at, field[:depth]
        elif step in at:
            at = at[step]
            if at is values.UNSET:
                return "removes", at, field[: depth + 1]
        elif isinstance(step, str) and f"{step}+" in at:
            verb = "appends" if depth == len(field) - 1 else "replaces"
            return verb, at[f"{step}+"], (*field[:depth], f"{step}+")
        else:
            return None
    if isinstance(at, dict) and at and not secretrefs.is_reference(at):
        return ("sets", {}, field) if as_map else None
    return "sets", at, field


def _leaves(value: object, field: problems.Field) -> Iterator[tuple[problems.Field, object]]:
    if isinstance(value, dict) and value and not secretrefs.is_reference(value):
        for key, inner in value.items():
            yield from _leaves(inner, (*field, key))
    else:
        yield field, value


def _no_such(merged: values.Vars, name: str, field: problems.Field) -> str:
    for depth in range(len(field)):
        parent = problems.value_at(merged, field[:depth])
        if problems.value_at(merged, field[: depth + 1]) is problems.NOTHING:
            known = sorted(parent) if isinstance(parent, dict) else []
            near = scalars.did_you_mean(str(field[depth]), known)
            listed = f"; there is: {', '.join(known)}" if known else ""
            return f"{name} has no {problems.field_text(field[: depth + 1])}{near or listed}"
    return f"{name} has no such value"
