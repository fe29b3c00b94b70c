"""YAML nodes to plain values, strictly: what is ambiguous, double or unknown becomes a problem, not a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
import yaml

from fleetctl.model import codes, problems
from fleetctl.reading import scalars

__all__ = ["Constructor", "Limits", "mark"]


class Limits(msgspec.Struct, frozen=True):
    """How much one file may cost, so that a hostile file costs an error message and no more."""

    bytes: int = 64 * 2**20
    """Size of a file: 100,000 sites fit."""
    depth: int = 64
    """Nesting of maps and lists; the deepest Kubernetes type nests about 20."""
    aliased: int = 100_000
    """Values that aliases stand for, counted each time they are used."""


PLAIN, QUOTED = "?", "!"
"""The tags of scalars without a tag of their own: unquoted, and everything else."""
_PREFIX = "tag:yaml.org,2002:"
_KNOWN_TAGS = {
    yaml.ScalarNode: frozenset(_PREFIX + name for name in ("str", "int", "float", "bool", "null")),
    yaml.MappingNode: frozenset({_PREFIX + "map"}),
    yaml.SequenceNode: frozenset({_PREFIX + "seq"}),
}


class Constructor:
    """Turns nodes into values; a fault is noted with its node, and its field is looked up only when there is one."""

    def __init__(self, tags: Mapping[str, object], limits: Limits, first_line: int, *, shared: bool) -> None:
        self._tags = tags
        self._limits = limits
        self._first_line = first_line
        self._shared = shared  # whether an alias may stand for a node: without an anchor in the text none can
        self._memo: dict[int, tuple[object, int]] = {}
        self._open: set[int] = set()
        self._size = 0
        self._exhausted = False
        self._faults: list[tuple[yaml.Node, codes.Code, str]] = []

    def found(self, root: yaml.Node, path: str) -> list[problems.Problem]:
        """Return the faults of the nodes below ``root``, at their lines and fields."""
        wanted = {id(node) for node, code, _ in self._faults if code is not codes.Code.YAML_TOO_DEEP}
        fields = _fields(root, wanted) if wanted else {}
        return [
            problems.Problem(code, message, mark(node, path, self._first_line), fields.get(id(node), ()))
            for node, code, message in self._faults
        ]

    def value(self, node: yaml.Node, depth: int) -> object:
        """Return the value of a node ``depth`` levels down; what is at fault stands as null or as its text."""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if depth >= self._limits.depth:
            self._fault(node, codes.Code.YAML_TOO_DEEP, f"nested deeper than {self._limits.depth} levels")
            return None
        if self._shared:
            return self._once(node, depth)
        return self._collection(node, depth)

    def _once(self, node: yaml.Node, depth: int) -> object:
        """Make the value of a node that aliases may stand for: once, counting what each use would unfold to."""
        key = id(node)
        if key in self._open:
            self._fault(node, codes.Code.YAML_ALIAS_LIMIT, "this value contains itself through an alias")
            return None
        if key in self._memo:
            value, size = self._memo[key]
            self._size += size
        else:
            before = self._size
            self._size += len(node.value) + 1
            self._open.add(key)
            value = self._collection(node, depth)
            self._open.discard(key)
            self._memo[key] = (value, self._size - before)
            return value
        if self._size <= self._limits.aliased:
            return value
        if not self._exhausted:
            self._exhausted = True
            message = f"with the aliases of this value the file unfolds to more than {self._limits.aliased:,} values"
            self._fault(node, codes.Code.YAML_ALIAS_LIMIT, message)
        return None

    def _scalar(self, node: yaml.ScalarNode) -> object:
        tag, word = node.tag, node.value
        if tag == QUOTED:
            return word
        if tag != PLAIN:
            return self._tagged(node, tag, word)
        value = scalars.resolve(word)
        if isinstance(value, scalars.Ambiguous):
            self._fault(node, codes.Code.YAML_AMBIGUOUS_SCALAR, value.message(word))
            return word
        return value

    def _tagged(self, node: yaml.Node, tag: str, word: str) -> object:
        if tag in self._tags:
            if word:
                self._fault(node, codes.Code.YAML_UNKNOWN_TAG, f"{tag} stands alone, without a value")
            return self._tags[tag]
        if tag == _PREFIX + "str":
            return word
        if tag in _KNOWN_TAGS[type(node)]:
            value = scalars.resolve(word)
            names = {bool: "bool", int: "int", float: "float", type(None): "null"}
            if tag == _PREFIX + names.get(type(value), ""):
                return value
        self._unknown_tag(node, tag)
        return word

    def _unknown_tag(self, node: yaml.Node, tag: str) -> None:
        if tag in self._tags:
            self._fault(node, codes.Code.YAML_UNKNOWN_TAG, f"{tag} stands alone, without a value")
            return
        known = ", ".join(sorted(self._tags))
        shown = tag.replace(_PREFIX, "!!")
        if any(tag in tags for tags in _KNOWN_TAGS.values()):
            self._fault(
                node, codes.Code.YAML_UNKNOWN_TAG, f"the value is not what the tag {shown} says; remove the tag"
            )
            return
        message = f"the tag {shown} is not used here" + (f"; known: {known}" if known else "; remove it")
        self._fault(node, codes.Code.YAML_UNKNOWN_TAG, message)

    def _collection(self, node: yaml.Node, depth: int) -> object:
        if node.tag != QUOTED and node.tag not in _KNOWN_TAGS[type(node)]:
            self._unknown_tag(node, node.tag)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        value, depth = self.value, depth + 1
        return [value(item, depth) for item in node.value]

    def _mapping(self, node: yaml.MappingNode, depth: int) -> object:
        made: dict[str, object] = {}
        merges: list[yaml.Node] = []
        firsts: dict[str, yaml.Node] = {}  # filled when the first key comes twice: most maps never need it
        value, resolve, depth = self.value, scalars.resolve, depth + 1
        for key_node, value_node in node.value:
            key: object = None
            if key_node.tag == PLAIN:  # only scalars have it, and nearly every key
                key = resolve(key_node.value)
                if type(key) is not str and key_node.value == "<<":
                    merges.append(value_node)
                    continue
            if type(key) is not str and isinstance(key_node, yaml.ScalarNode):
                key = self._scalar(key_node)
            if type(key) is not str:
                self._bad_key(key_node)
                continue
            if key in made:
                firsts = firsts or _first_keys(node)
                self._duplicate(key_node, firsts[key])
                continue
            if value_node.tag == PLAIN and type(word := resolve(value_node.value)) is not scalars.Ambiguous:
                made[key] = word  # most values: no call is made for them
            else:
                made[key] = value(value_node, depth)
        for merge in merges:
            self._merge(made, merge, depth)
        return made

    def _merge(self, made: dict[str, object], node: yaml.Node, depth: int) -> None:
        """Fill in what ``<<`` offers: own keys win, then the first source that has the key (yaml.org/type/merge)."""
        before = len(self._faults)
        value = self.value(node, depth)
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                if len(self._faults) > before or self._exhausted:
                    return  # what cannot be merged has been reported already
                self._fault(node, codes.Code.YAML_MERGE_KEY, "<< takes a map or a list of maps")
                return
            for key, inherited in source.items():
                made.setdefault(key, inherited)

    def _bad_key(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.ScalarNode):
            message = f'the key {node.value or "(empty)"} is not text; write "{node.value}"'
        else:
            message = "a key must be text, not a map or a list; is a template expression unquoted here?"
        self._fault(node, codes.Code.YAML_KEY_NOT_TEXT, message)

    def _duplicate(self, node: yaml.Node, first: yaml.Node) -> None:
        line = first.start_mark.line + self._first_line
        shown = json.dumps(node.value, ensure_ascii=False)
        message = f"the key {shown} is given twice, first in line {line}"
        if first.start_mark.line == node.start_mark.line:
            message = f"the key {shown} is given twice in one map"
        self._fault(node, codes.Code.YAML_DUPLICATE_KEY, message)

    def _fault(self, node: yaml.Node, code: codes.Code, message: str) -> None:
        self._faults.append((node, code, message))


def _first_keys(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    """Return the first key node of each name."""
    return {key.value: key for key, _ in reversed(node.value) if isinstance(key, yaml.ScalarNode)}


def _fields(root: yaml.Node, wanted: set[int]) -> dict[int, problems.Field]:
    """Name the wanted nodes: each where it is written, not where an alias stands for it.

    Walks in the order of the text, where an anchor comes before its aliases, and without recursion, since aliases may
    make the tree a graph.
    """
    found: dict[int, problems.Field] = {}
    seen: set[int] = set()
    todo: list[tuple[yaml.Node, problems.Field]] = [(root, ())]
    while todo:
        node, field = todo.pop()
        if id(node) in wanted:
            found.setdefault(id(node), field)
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += [(item, (*field, i)) for i, item in reversed(list(enumerate(node.value)))]
            continue
        for key, value in reversed(node.value):
            inner = (*field, key.value if isinstance(key, yaml.ScalarNode) else "?")
            todo.append((value, inner))
            if isinstance(key, yaml.ScalarNode) or id(key) in wanted:
                todo.append((key, inner))
    return found


def mark(node: yaml.Node, path: str, first_line: int) -> problems.Mark:
    """Return where a node stands, when its text begins on ``first_line``."""
    start = node.start_mark
    return problems.Mark(path, start.line + first_line, start.column + 1)
