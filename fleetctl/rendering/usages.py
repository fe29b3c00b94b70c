"""Which values a bundle's templates use, and where: the links from a value to what it changes."""

from __future__ import annotations

from collections.abc import Iterator

import jinja2.nodes as ast
import msgspec

from fleetctl.model import problems
from fleetctl.rendering import bundles, environments

__all__ = ["Usage", "touching", "usages"]


class Usage(msgspec.Struct, frozen=True, order=True):
    """One place in a template that reads a value; ``field`` is the value's place in a site."""

    mark: problems.Mark
    field: problems.Field


def usages(bundle: bundles.Bundle) -> list[Usage]:
    """Return every use of ``values``, ``vars`` and ``site`` in a bundle's templates, by place."""
    environment = environments.Environment(bundle.sources)
    found: set[Usage] = set()
    for source in bundle.sources.values():
        if source.is_template:
            environment.compile(source)
            tree = environment.parse(source)
            for field, line in _uses(tree, bundle.values_key):
                found.add(Usage(problems.Mark(source.path, line), field))
    return sorted(found, key=lambda usage: (usage.mark, problems.field_text(usage.field)))


def touching(known: list[Usage], field: problems.Field) -> list[problems.Mark]:
    """Return where a field is used: itself, a part of it, or something that contains it."""
    return sorted(
        {
            usage.mark
            for usage in known
            if usage.field == field[: len(usage.field)] or field == usage.field[: len(field)]
        }
    )


def _uses(tree: ast.Template, values_key: str) -> Iterator[tuple[problems.Field, int]]:
    roots: dict[str, problems.Field] = {"values": ("vars", values_key), "vars": ("vars",), "site": ()}
    for assignment in tree.find_all(ast.Assign):
        if isinstance(assignment.target, ast.Name):
            aliased = _chain(assignment.node, roots)
            if aliased is not None:
                roots[assignment.target.name] = aliased
    called = {id(call.node) for call in tree.find_all(ast.Call)}  # values.map.items() uses the map, not a key "items"
    inner: set[int] = set()
    for node in tree.find_all((ast.Getattr, ast.Getitem, ast.Name)):
        if id(node) in inner:
            continue
        parent = node
        while isinstance(parent, ast.Getattr | ast.Getitem):
            parent = parent.node
            inner.add(id(parent))
        field = _chain(node.node if id(node) in called and isinstance(node, ast.Getattr) else node, roots)
        if field and not (isinstance(node, ast.Name) and node.ctx != "load"):
            yield field, node.lineno


def _chain(node: ast.Node, roots: dict[str, problems.Field]) -> problems.Field | None:
    """Return the field that ``values.tls.minVersion`` or ``values["tls"]`` names, as far as it is constant."""
    if isinstance(node, ast.Name):
        return roots.get(node.name)
    if isinstance(node, ast.Getattr):
        return _below(node.node, node.attr, roots)
    if isinstance(node, ast.Getitem):
        constant = isinstance(node.arg, ast.Const) and isinstance(node.arg.value, str | int)
        return _below(node.node, node.arg.value if constant else None, roots)  # type: ignore[attr-defined]
    return None


def _below(node: ast.Node, step: problems.Step | None, roots: dict[str, problems.Field]) -> problems.Field | None:
    """Add a step to a field, unless the step, or one before it, is computed: then any key may be meant."""
    field = _chain(node, roots)
    at: ast.Node = node
    while isinstance(at, ast.Getattr | ast.Getitem):
        if isinstance(at, ast.Getitem) and not isinstance(at.arg, ast.Const):
            return field
        at = at.node
    return field if field is None or step is None else (*field, step)
