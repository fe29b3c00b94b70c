"""The layers of a site, lowest first, and where in them a value of the merged site was written."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.inventory import entries
from fleetctl.model import layering, problems, values

__all__ = ["by_priority", "declared", "layers_of", "map_of", "origin"]


def layers_of(files: entries.Files, name: str, node: int | None = None) -> list[entries.Layer]:
    """Return the layers that make up a site, or one of its nodes, lowest first."""
    entry = files.sites[name]
    lower = [layer for layer in (files.defaults, entry.file_defaults) if layer is not None]
    labels = declared([*lower, entry.layer], {})
    groups = [group.layer for group in by_priority(files) if group.match.matches(labels)]
    own = [entry.layer, *([] if node is None else [entry.node_layer(node)])]
    return [*lower, *groups, *own, *([] if files.highest is None else [files.highest])]


def origin(layers: Iterable[entries.Layer], field: problems.Field, *, exact: bool = False) -> problems.Mark | None:
    """Return where the value that a merged site has at ``field`` was written, or else the nearest thing above it.

    ``exact`` wants the place of the field itself: None when no layer sets it.
    """
    best: tuple[int, problems.Mark] | None = None
    until = next((depth for depth, step in enumerate(field) if isinstance(step, int)), len(field))
    items = 0  # of the list on the way, in the layers so far
    for layer in layers:
        written = _written(layer.data, field[:until])
        value = problems.value_at(layer.data, written)
        if isinstance(value, list) and len(written) == until < len(field):
            appends = written[-1] != field[until - 1]
            skipped, items = (items, items + len(value)) if appends else (0, len(value))
            inner = _written(value, _shifted(field[until:], skipped))
            if appends and not inner:
                continue  # the item is another layer's
            written = (*written, *inner)
        elif not isinstance(value, dict):
            items = 0
        depth = len(written)
        replaces = depth < len(field) and not isinstance(value, dict)
        if depth and (best is None or depth >= best[0] or replaces):
            best = (0 if value is values.UNSET else depth, layer.mark(written, key=depth < len(field)))
    return best[1] if best and (best[0] == len(field) or not exact) else None


def _written(data: object, field: problems.Field) -> problems.Field:
    """Return the part of a field that a layer knows, the way it is written there: ``key+`` where it appends."""
    written: problems.Field = ()
    for step in field:
        known = [one for one in (step, f"{step}+") if problems.value_at(data, (one,)) is not problems.NOTHING]
        if not known:
            break
        data = problems.value_at(data, known[:1])
        written = (*written, known[0])
    return written


def _shifted(field: problems.Field, by: int) -> problems.Field:
    first, *rest = field
    return (first - by, *rest) if isinstance(first, int) and first >= by else ()


def by_priority(files: entries.Files) -> list[entries.GroupEntry]:
    """Return the groups in the order in which they are laid on."""
    return sorted(files.groups.values(), key=lambda group: (group.priority, group.name))


def declared(layers: Iterable[entries.Layer], lower: dict[str, str]) -> dict[str, str]:
    """Return the labels that layers declare, laid over lower ones."""
    merged: values.Vars = {"labels": {**lower}}
    for layer in layers:
        if "labels" in layer.data:
            merged = layering.merge(merged, {"labels": layer.data["labels"]}, [])
    return {key: str(value) for key, value in map_of(merged.get("labels")).items()}


def map_of(value: object) -> values.Vars:
    """Return a map itself, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}
