"""One value of a YAML text changed, and every other character left as it is: comments, order, quotes, line ends.

A change is made where the reader says that the value stands, and what comes out is read again: unless its data are the
old data with exactly that change, nothing was changed. So text that several values share (anchors, ``<<``) is refused
by what a change of it would do, whoever wrote it in whichever way.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import yaml

from fleetctl.model import problems, values
from fleetctl.reading import constructing, yaml12, yamltext

__all__ = ["Change", "Obstacle", "changed"]

_BOM: Final = "\ufeff"
_FLOW_INDICATORS: Final = frozenset(",[]{}")


class Change(msgspec.Struct, frozen=True):
    """A value to be written at a field of one document of a file; maps on the way are made where there are none."""

    document: int
    field: problems.Field
    value: object


class Obstacle(Exception):
    """A change cannot be made in place: why, and where."""

    def __init__(self, message: str, mark: problems.Mark, field: problems.Field) -> None:
        self.message = message
        self.mark = mark
        self.field = field
        super().__init__(message)


class _Edit(msgspec.Struct, frozen=True, order=True):
    start: int
    end: int
    text: str


def changed(text: bytes, path: str, changes: Sequence[Change], tags: Mapping[str, object]) -> bytes:
    """Return a file's text with changes made; raises ``Obstacle``.

    ``text`` must be one that reads without problems, with these tags; ``path`` is how people see the file.
    """
    if not changes:
        return text
    before, _ = yaml12.read(text, path, tags=tags)
    decoded = text.decode()
    bom, decoded = (_BOM, decoded[1:]) if decoded.startswith(_BOM) else ("", decoded)
    edits = sorted(_edit(before[change.document].root, change, path, decoded) for change in changes)
    for first, second in itertools.pairwise(edits):
        if second.start < first.end:
            msg = "two changes at one place"
            raise ValueError(msg)
    made = decoded
    for edit in reversed(edits):
        made = made[: edit.start] + edit.text + made[edit.end :]
    after, faults = yaml12.read(made, path, tags=tags)
    wanted = [document.data for document in before]
    for change in changes:
        wanted[change.document] = _with(wanted[change.document], change.field, change.value)
    if faults or not values.same([document.data for document in after], wanted):
        first_change = changes[0]
        message = "it shares its text with other values (an anchor, an alias or <<)"
        mark = before[first_change.document].mark(first_change.field)
        raise Obstacle(message, mark, first_change.field)
    return (bom + made).encode()


def _edit(root: yaml.Node, change: Change, path: str, text: str) -> _Edit:
    """Return what has to be written where."""
    node, key, flow = root, root, False
    for depth, step in enumerate(change.field):
        flow = flow or (isinstance(node, yaml.CollectionNode) and bool(node.flow_style))
        found = _own(node, step)
        if found is None:
            mark = constructing.mark(key, path, 1)
            obstacle = _no_addition(node, change.field[depth:])
            if obstacle:
                raise Obstacle(obstacle, mark, change.field[:depth])
            return _addition(node, change.field[depth:], change.value, text, flow=flow)
        key, node = found
    if _is_long(node, text):
        message = "its value is a block of lines"
        raise Obstacle(message, constructing.mark(key, path, 1), change.field)
    return _replacement(node, change.value, text, flow=flow)


def _own(node: yaml.Node, step: problems.Step) -> tuple[yaml.Node, yaml.Node] | None:
    """Return key and value of what a collection itself says, without ``<<``; an item of a list is its own key."""
    if isinstance(node, yaml.SequenceNode):
        return (node.value[step],) * 2 if isinstance(step, int) and step < len(node.value) else None
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key, value) for key, value in node.value if key.value == step), None)


def _is_long(node: yaml.Node, text: str) -> bool:
    """Tell whether a value is more than a word or brackets on one line; it may have comments between."""
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    return is_block or "\n" in text[node.start_mark.index : node.end_mark.index]


def _replacement(node: yaml.Node, value: object, text: str, *, flow: bool) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    written = _text(value, flow=flow)
    if isinstance(node, yaml.ScalarNode) and isinstance(value, str):
        if node.style == '"' and not written.startswith('"'):
            written = yamltext.quoted(value)
        elif node.style == "'" and written == value:
            written = f"'{value}'"
    space = " " if start == end and text[start - 1 : start] in {":", "-"} else ""
    return _Edit(start, end, space + written)


def _no_addition(node: yaml.Node, missing: problems.Field) -> str:
    """Return why nothing can be added to a value, "" when it can."""
    if any(isinstance(step, int) for step in missing):
        return "there is no such item; a list is set whole"
    if isinstance(node, yaml.MappingNode) or _is_null(node):
        return ""
    return "it is no map"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == constructing.PLAIN and node.value in {"", "~", "null"}


def _addition(node: yaml.Node, missing: problems.Field, value: object, text: str, *, flow: bool) -> _Edit:
    """Return an edit that adds an entry to a map, with maps inside it for the rest of the way."""
    key, *rest = missing
    for step in reversed(rest):
        value = {step: value}
    if not isinstance(node, yaml.MappingNode):
        return _replacement(node, {key: value}, text, flow=flow)
    flow = flow or bool(node.flow_style)
    entry = f"{_text(key, flow=flow)}: {_text(value, flow=flow)}"
    if not node.value:
        at = node.end_mark.index - 1
        return _Edit(at, at, entry)
    last = _end(*node.value[-1])
    if node.flow_style:
        return _Edit(last, last, f", {entry}")
    stop = text.find("\n", last)
    at = len(text) if stop < 0 else stop
    line_feed = "\r\n" if text[at - 1] == "\r" else "\n"
    at -= len(line_feed) - 1
    return _Edit(at, at, line_feed + " " * node.value[0][0].start_mark.column + entry)


def _end(key: yaml.Node, value: yaml.Node) -> int:
    """Return where the text of an entry ends: a block's own end mark stands after the comments that follow it."""
    if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        end = _end(*value.value[-1])
    elif isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
        end = _end(value.value[-1], value.value[-1])
    else:
        end = value.end_mark.index
        if isinstance(value, yaml.ScalarNode) and value.style in {"|", ">"}:
            end -= 1  # its last line break
    return int(max(end, key.end_mark.index))


def _text(value: object, *, flow: bool) -> str:
    """Write a value on one line, as people would."""
    if isinstance(value, dict) and value:
        return (
            "{" + ", ".join(f"{_text(key, flow=True)}: {_text(inner, flow=True)}" for key, inner in value.items()) + "}"
        )
    if isinstance(value, list) and value:
        return "[" + ", ".join(_text(inner, flow=True) for inner in value) + "]"
    if value is values.UNSET:
        return f"{value} " if flow else str(value)  # a bracket right after it would be part of the tag
    if isinstance(value, str) and ("\n" in value or (flow and _FLOW_INDICATORS & set(value))):
        return yamltext.quoted(value)
    return yamltext.scalar(value)


def _with(data: object, field: problems.Field, value: object) -> object:
    """Return data with one value changed; what is not on the way to it is shared, and what is, is not."""
    if not field:
        return value
    step, *rest = field
    if isinstance(data, list):
        return [_with(inner, tuple(rest), value) if at == step else inner for at, inner in enumerate(data)]
    held = data if isinstance(data, dict) else {}
    return {**held, step: _with(held.get(step), tuple(rest), value)}
