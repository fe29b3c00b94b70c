"""Text to plain data, fast, as long as nothing in it gives pause; whatever does is left to the whole reader.

Nearly all files are right and plain. For them nobody needs nodes, which remember where each value stood: the values are
made from libyaml's events as these come, by the same rules (``scalars``). Anchors, merge keys, unknown tags, keys that
are doubled or no text, ambiguous words, deep nesting, broken syntax: here each of them is only a reason to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from yaml._yaml import CParser

from fleetctl.reading import scalars

__all__ = ["documents"]


class _GivesPauseError(Exception):
    """Something that only the whole reader knows how to take, or to complain about."""


def documents(text: str, tags: Mapping[str, object], depth: int) -> list[object] | None:
    """Return the data of every document; None says nothing but that the whole reader must look.

    ``tags`` are the values of known tags, and ``depth`` is how many levels maps and lists may nest.
    """
    if "&" in text:  # without an anchor no alias can stand for anything
        return None
    take: Callable[[], Any] = CParser(text).get_event
    maker = _Maker(take, tags)
    try:
        return [maker.value(take(), depth) for event in iter(take, None) if type(event) is yaml.DocumentStartEvent]
    except (yaml.YAMLError, _GivesPauseError):
        return None


class _Maker:
    """Makes values of events; ``take`` gives the next one."""

    def __init__(self, take: Callable[[], Any], tags: Mapping[str, object]) -> None:
        self._take = take
        self._tags = tags

    def value(self, event: yaml.Event, depth: int) -> object:
        """Return the value that begins with an event, all of whose events are taken then."""
        if type(event) is yaml.ScalarEvent:
            return self._scalar(event)
        if not depth or getattr(event, "tag", None) is not None:
            raise _GivesPauseError
        if type(event) is yaml.MappingStartEvent:
            return self._map(depth - 1)
        if type(event) is yaml.SequenceStartEvent:
            return list(self._items(depth - 1))
        raise _GivesPauseError

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        plain, quoted = event.implicit
        if plain:
            value = scalars.resolve(event.value)
            if type(value) is scalars.Ambiguous:
                raise _GivesPauseError
            return value
        if quoted:
            return event.value
        tag = str(event.tag)
        if event.value or tag not in self._tags:
            raise _GivesPauseError
        return self._tags[tag]

    def _map(self, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        take, scalar = self._take, self._scalar
        while type(event := take()) is yaml.ScalarEvent:
            key = scalar(event)
            if type(key) is not str or key in made:
                raise _GivesPauseError
            event = take()
            made[key] = scalar(event) if type(event) is yaml.ScalarEvent else self.value(event, depth)
        if type(event) is not yaml.MappingEndEvent:
            raise _GivesPauseError
        return made

    def _items(self, depth: int) -> Iterator[object]:
        take = self._take
        while type(event := take()) is not yaml.SequenceEndEvent:
            yield self.value(event, depth)
