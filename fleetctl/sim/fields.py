"""Sets of fields, as managed fields write them (fieldsV1) and as conflicts name them.

A field is a path; a step is ``f:NAME``, ``k:{KEYS}`` for an item of a list with keys, or ``v:VALUE`` for an item of a
set. In a written set, ``.`` stands for the field itself where fields below it are in the set too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

__all__ = ["Path", "Tree", "is_member", "ordered", "paths", "shown", "tree"]

Path = tuple[str, ...]
Tree = dict[str, Any]


def shown(path: Path) -> str:
    """Return a path as conflicts name it: ``.spec.template.spec.containers[name="web"].image``."""
    text = ""
    for step in path:
        sort, _, rest = step.partition(":")
        if sort == "f":
            text += f".{rest}"
        elif sort == "k":
            keys = msgspec.json.decode(rest)
            text += "[" + ",".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in keys.items()) + "]"
        elif sort == "v":
            text += f"[={rest}]"
        else:
            text += f"[{rest}]"
    return text


def tree(members: Iterable[Path]) -> Tree:
    """Return a set of fields as it is written."""
    root: Tree = {}
    ends = []
    for path in sorted(members):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        ends.append(node)
    for node in ends:
        if node:
            node["."] = {}
    return root


def ordered(members: Iterable[Path]) -> list[Path]:
    """Return fields as a server lists them: at each level those that end there come before those below it."""
    return sorted(members, key=lambda path: [(at < len(path) - 1, step) for at, step in enumerate(path)])


def paths(written: Tree, above: Path = ()) -> Iterator[Path]:
    """Return the fields of a written set."""
    for step, below in written.items():
        if step == ".":
            yield above
        elif below:
            yield from paths(below, (*above, step))
        else:
            yield (*above, step)


def is_member(node: Tree) -> bool:
    """Tell whether a node of a written set stands for a field of the set itself, and not only for some below it."""
    return not node or "." in node
