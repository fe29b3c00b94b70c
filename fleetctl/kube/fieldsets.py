"""Sets of fields as managed fields write them (fieldsV1), and what of an object is in one.

A set is a tree of steps: ``f:NAME`` is a key, ``k:{KEYS}`` the item of a list with these keys, ``v:VALUE`` an item of a
set, ``i:N`` an item by its place; ``.`` stands for what the steps before it lead to. A step without any below it is a
field of the set with all that it holds. Source: ``fieldpath`` of sigs.k8s.io/structured-merge-diff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fleetctl.model import problems

__all__ = ["Difference", "Tree", "differences", "merged", "part", "unowned", "without", "written"]

Tree = Mapping[str, Any]
Difference = tuple[str, object, object]
"""A field as conflicts name it, and both values; ``problems.NOTHING`` for one that is not there."""

_SELF: Final = "."


def written(step: str) -> str:
    """Return a step as paths have it: ``f:name`` is ``.name``, ``k:{"name":"a"}`` is ``[name="a"]``."""
    sort, _, text = step.partition(":")
    if sort == "f":
        return f".{text}"
    if sort == "i":
        return f"[{text}]"
    value = _decoded(text)
    if sort == "k" and isinstance(value, dict):
        return f"[{','.join(f'{name}={_quoted(one)}' for name, one in value.items())}]"
    return f"[={_quoted(value)}]" if sort == "v" and value is not problems.NOTHING else ""


def merged(one: Tree, other: Tree) -> Tree:
    """Return what is in either set."""
    return {step: merged(_below(one, step), _below(other, step)) for step in {**one, **other}}


def part(value: object, tree: Tree) -> Any:  # noqa: ANN401  # JSON
    """Return what of a value is in a set; keys in order, as rendered objects have them."""
    steps = _steps(tree)
    if isinstance(value, dict) and steps:
        found = {step[2:]: part(child, _below(tree, step)) for step, child in _children(value, steps)}
        return {key: found[key] for key in sorted(found)}
    if isinstance(value, list) and steps:
        places = {id(child): step for step, child in _children(value, steps)}
        return [part(item, _below(tree, places[id(item)])) for item in value if id(item) in places]
    return value


def without(value: object, tree: Tree) -> Any:  # noqa: ANN401  # JSON
    """Return what of a value is not in a set; ``problems.NOTHING`` where nothing is left.

    An item of a list of which something is left keeps its keys: nothing else tells it apart.
    """
    steps = _steps(tree)
    if not steps:
        return problems.NOTHING
    if isinstance(value, dict):
        left = dict(value)
        for step, child in _children(value, steps):
            rest = _rest(step, child, _below(tree, step))
            if rest is problems.NOTHING:
                del left[step[2:]]
            else:
                left[step[2:]] = rest
        return left or problems.NOTHING
    if isinstance(value, list):
        rests = {id(child): _rest(step, child, _below(tree, step)) for step, child in _children(value, steps)}
        items = [item for one in value if (item := rests.get(id(one), one)) is not problems.NOTHING]
        return items or problems.NOTHING
    return value


def _rest(step: str, child: object, tree: Tree) -> object:
    rest = without(child, tree)
    keys = _decoded(step[2:]) if step.startswith("k:") else None
    if not isinstance(keys, dict) or not isinstance(child, dict) or not isinstance(rest, dict):
        return rest
    own = {key: child[key] for key in keys if key in child}
    return {**own, **rest} if rest.keys() - own.keys() else problems.NOTHING


def differences(one: object, other: object, tree: Tree, path: str = "") -> Iterator[Difference]:
    """Yield the fields of a set in which two values differ; an item that only one of them has is one field."""
    if one == other:
        return
    steps = _steps(tree)
    if not steps or not _alike(one, other, item=path.endswith("]")):
        yield path, part(one, tree), part(other, tree)
        return
    for step in steps:
        yield from differences(_child(one, step), _child(other, step), _below(tree, step), path + written(step))


def _alike(one: object, other: object, *, item: bool) -> bool:
    """Tell whether the fields of two values can be compared one by one: those of a map with none at all can, too."""
    if problems.NOTHING in (one, other):
        return not item and isinstance(one if other is problems.NOTHING else other, dict)
    return isinstance(one, type(other))


def unowned(value: object, tree: Tree, path: str = "") -> Iterator[str]:
    """Yield the fields that an applied value names and that a set does not have.

    Nothing tells here how a list is typed: of one that the set goes into, the items are told apart by the set's keys.
    """
    steps = _steps(tree)
    if isinstance(value, dict) and steps:
        for key, inner in value.items():
            step = f"f:{key}"
            if step in tree:
                yield from unowned(inner, _below(tree, step), path + written(step))
            else:
                yield path + written(step)
    elif isinstance(value, list) and steps:
        places = {id(child): step for step, child in _children(value, steps)}
        for item in value:
            step = places.get(id(item), "")
            if step:
                yield from unowned(item, _below(tree, step), path + written(step))
            else:
                yield path + written(_step_of(item, steps[0]))


def _steps(tree: Tree) -> list[str]:
    return sorted(step for step in tree if step != _SELF)


def _below(tree: Tree, step: str) -> Tree:
    found = tree.get(step)
    return found if isinstance(found, dict) else {}


def _children(value: object, steps: list[str]) -> Iterator[tuple[str, object]]:
    found = ((step, _child(value, step)) for step in steps)
    return ((step, child) for step, child in found if child is not problems.NOTHING)


def _child(value: object, step: str) -> object:
    """Return what a step leads to, or ``problems.NOTHING``."""
    sort, _, text = step.partition(":")
    if isinstance(value, dict) and sort == "f":
        return value.get(text, problems.NOTHING)
    if not isinstance(value, list) or sort not in {"i", "k", "v"}:
        return problems.NOTHING
    wanted = _decoded(text)
    if sort == "i":
        fits = isinstance(wanted, int) and 0 <= wanted < len(value)
        return value[wanted] if fits else problems.NOTHING
    if sort == "v":
        return next((item for item in value if item == wanted), problems.NOTHING)
    keys = wanted if isinstance(wanted, dict) else {}
    # A key that an applied item leaves to its default (protocol) fits, yet an item that names it fits better.
    fitting = [item for item in value if isinstance(item, dict) and all(item.get(k, v) == v for k, v in keys.items())]
    return max(fitting, key=lambda item: sum(key in item for key in keys), default=problems.NOTHING)


def _step_of(item: object, like: str) -> str:
    """Return the step of an item, in the form that another item's has."""
    sort, _, text = like.partition(":")
    keys = _decoded(text)
    if sort == "k" and isinstance(keys, dict) and isinstance(item, dict):
        return f"k:{_quoted({key: item[key] for key in keys if key in item})}"
    return f"v:{_quoted(item)}"


def _decoded(text: str) -> Any:  # noqa: ANN401  # JSON
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return problems.NOTHING


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()
