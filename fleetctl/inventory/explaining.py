"""Why a site has a value: the layer that won, everything it shadows, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from fleetctl.inventory import fleets, loading
from fleetctl.model import codes, errors, layering, problems, values
from fleetctl.reading import scalars

__all__ = ["Contribution", "Explanation", "explain", "field_of"]

_ROOTS = ("name", "state", "labels", "location", "nodes", "access", "cluster", "bundles", "window", "vars")


class Contribution(msgspec.Struct, frozen=True):
    """What one layer says about a value: it sets, appends to or removes it; ``counts`` when it still has effect."""

    verb: str
    value: object
    mark: problems.Mark
    layer: str
    counts: bool


class Explanation(msgspec.Struct, frozen=True):
    """One leaf of a site; contributions stand highest first. Without any the value is built in."""

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
    return field if field and field[0] in _ROOTS else ("vars", *field)


def explain(
    loaded: fleets.Loaded, name: str, field: problems.Field = (), below: Sequence[loading.Layer] = ()
) -> list[Explanation]:
    """Explain every leaf of a site at or below a field; raises ``UsageError`` when there is nothing.

    ``below`` are layers under the inventory's own: the values that the site's bundles bring, put below ``vars``.
    """
    layers = [*below, *fleets.layers_of(loaded.files, name)]
    merged: values.Vars = msgspec.to_builtins(loaded.fleet.sites[name])
    for layer in below:
        merged = layering.merge(layer.data, merged, [])
    value = problems.value_at(merged, field)
    if value is problems.NOTHING:
        removed = _contributions(layers, field)
        if removed:
            return [Explanation(field, values.UNSET, tuple(removed))]
        raise errors.UsageError(codes.Code.USAGE, _no_such(merged, name, field))
    return [
        Explanation(leaf, inner, tuple(_contributions(layers, leaf)))
        for leaf, inner in _leaves(value, field)
        if field or leaf[0] not in ("nodes", "name")
    ]


def _contributions(layers: list[loading.Layer], field: problems.Field) -> list[Contribution]:
    found: list[Contribution] = []
    counts = True
    for layer in reversed(layers):
        said = _said(layer, field)
        if said is None:
            continue
        verb, value, written = said
        found.append(Contribution(verb, value, layer.mark(written), layer.title, counts))
        counts = counts and verb == "appends"
    return found


def _said(layer: loading.Layer, field: problems.Field) -> tuple[str, object, problems.Field] | None:
    """Return what a layer says about a field, itself or through something above it."""
    at: object = layer.data
    for depth, step in enumerate(field):
        if not isinstance(at, dict):
            # a list or scalar where the path goes on: this layer replaced the whole place
            inner = problems.value_at(at, field[depth:])
            return ("sets", inner, field) if inner is not problems.NOTHING else ("replaces", at, field[:depth])
        if step in at:
            at = at[step]
            if at is values.UNSET:
                return "removes", at, field[: depth + 1]
        elif isinstance(step, str) and f"{step}+" in at:
            written = (*field[:depth], f"{step}+")
            appended = at[f"{step}+"]
            return ("removes", appended, written) if appended is values.UNSET else ("appends", appended, written)
        else:
            return None
    if isinstance(at, dict) and at:
        return None  # its leaves are explained one by one
    return "sets", at, field


def _leaves(value: object, field: problems.Field) -> Iterator[tuple[problems.Field, object]]:
    if isinstance(value, dict) and value:
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
