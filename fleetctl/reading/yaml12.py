"""The strict YAML 1.2 reader: plain data, every problem at its line and column, nothing guessed.

libyaml reads the text into nodes (the only part that is fast and old enough to trust with hostile text); the values
are made here, because the usual constructors keep the last of two equal keys, read ``NO`` as false and forget where a
value stood. Places are not kept: they are found again, by reading the text once more, when somebody asks. Nearly all
files give no reason to ask: these are read without nodes (``quick``).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping

import yaml
from yaml._yaml import CParser

from fleetctl.model import codes, problems
from fleetctl.reading import complaints, constructing, quick

__all__ = ["LIMITS", "Document", "read"]


LIMITS = constructing.Limits()


_PLAIN = (True, False)


class _Parser(CParser):
    """libyaml without implicit types: a scalar's tag says only whether it was quoted."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)

    def resolve(self, _kind: type, _value: str, implicit: object) -> str:
        """Tell plain scalars from the rest: only for them ``implicit`` is a pair that begins with true."""
        return constructing.PLAIN if implicit == _PLAIN else constructing.QUOTED

    # Path-dependent types, which we do not have. Called around every node: built-ins that do nothing of note cost a
    # fraction of methods that do nothing.
    descend_resolver = operator.is_
    ascend_resolver = bool


class Document:
    """One document of a file: plain ``data`` (maps, lists, scalars, the values of tags); places on demand."""

    def __init__(self, path: str, text: str, index: int, data: object, first_line: int) -> None:
        self.path = path
        self.data = data
        self._text = text
        self.index = index
        self._first_line = first_line

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:
        """Return where a value stands (or its key); of a field that is not there, where its nearest parent stands."""
        node, key_node = self.root, None
        for step in field:
            found = _child(node, step)
            if found is None:
                break
            key_node, node = found
        at = key_node if key and key_node is not None else node
        return constructing.mark(at, self.path, self._first_line)

    def mentions(self, word: str) -> bool:
        """Tell quickly whether a word stands anywhere in the file."""
        return word in self._text

    @functools.cached_property
    def root(self) -> yaml.Node:
        """Return the document's node, read once more: nodes are not kept."""
        return next(node for i, node in enumerate(_nodes(self._text)) if i == self.index)


def read(
    text: str | bytes,
    path: str,
    *,
    tags: Mapping[str, object] | None = None,
    limits: constructing.Limits = LIMITS,
    first_line: int = 1,
) -> tuple[list[Document], list[problems.Problem]]:
    """Read every document of a file.

    ``tags`` gives the values of tags that this kind of file may use, such as ``{"!unset": values.UNSET}``.
    ``first_line`` is the number of the text's first line, for text cut out of a larger one. A document in which a
    problem was found is returned all the same when its structure could be read, so that later checks can go on; text
    that cannot be parsed gives the documents before the fault.
    """
    decoded, found = _decoded(text, path, limits)
    found = found or complaints.characters(decoded, path, first_line)
    if found is not None:
        return [], [found]
    plain = quick.documents(decoded, tags or {}, limits.depth)
    if plain is not None:
        return [Document(path, decoded, index, data, first_line) for index, data in enumerate(plain)], []
    documents: list[Document] = []
    faults: list[problems.Problem] = []
    try:
        for index, node in enumerate(_nodes(decoded)):
            constructor = constructing.Constructor(tags or {}, limits, first_line, shared="&" in decoded)
            documents.append(Document(path, decoded, index, constructor.value(node, 0), first_line))
            faults += constructor.found(node, path)
    except yaml.YAMLError as error:
        faults.append(complaints.syntax(error, decoded, path, first_line))
    return documents, faults


def _nodes(text: str) -> Iterator[yaml.Node]:
    parser = _Parser(text)
    while parser.check_node():
        node = parser.get_node()
        if node is not None:
            yield node


def _decoded(text: str | bytes, path: str, limits: constructing.Limits) -> tuple[str, problems.Problem | None]:
    if len(text) > limits.bytes:
        message = f"the file has {len(text):,} bytes; at most {limits.bytes:,} are read; split it"
        return "", problems.Problem(codes.Code.YAML_TOO_LARGE, message, problems.Mark(path))
    if isinstance(text, str):
        return text.removeprefix("\ufeff"), None
    try:
        return text.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", complaints.encoding(error, path)


def _child(node: yaml.Node, step: problems.Step) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    seen: set[int] = set()
    sources = [node]
    while sources:  # the map itself, then what << offers, nearest first; aliases may make it a graph
        source = sources.pop(0)
        if id(source) in seen or not isinstance(source, yaml.MappingNode):
            continue
        seen.add(id(source))
        merged: list[yaml.Node] = []
        for key, value in source.value:
            if key.value == "<<" and key.tag == constructing.PLAIN:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif key.value == step:
                return key, value
        sources[:0] = merged
    return None
