"""The highest layer: values that a command line sets with ``--set PATH=VALUE``, over every site and node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from fleetctl.inventory import entries
from fleetctl.model import codes, errors, problems, values
from fleetctl.reading import yaml12

__all__ = ["layer", "value_of"]

_FLAG = "--set"


class _Words(msgspec.Struct, frozen=True):
    """Knows which word of the command line set a value; there are no lines and columns in it."""

    of: Mapping[problems.Field, str]
    path: str = _FLAG

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:  # noqa: ARG002  # as places are asked
        """Return the word that set a value, or the one above or below it."""
        near = [one for one in self.of if one == field[: len(one)] or field == one[: len(field)]]
        return problems.Mark(f"{_FLAG} {self.of[near[-1]]}" if near else _FLAG)


def layer(words: Sequence[str]) -> entries.Layer:
    """Read ``PATH=VALUE`` words into a layer of vars; of two that set one value the later counts.

    Paths are those of ``inventory explain``: below ``vars``, with or without saying so. Values are YAML 1.2, read as
    files are. Raises ``UsageError`` for what is no such word, and ``InvalidInput`` with all that no file may say.
    """
    data: values.Written = {}
    places: dict[problems.Field, str] = {}
    found: list[problems.Problem] = []
    for word in words:
        field, text = _parted(word)
        shown = f"{_FLAG} {problems.field_text(field)}"
        value, refused = value_of(text, shown)
        found += refused
        _put(data, ("vars", *field), value)
        places["vars", *field] = problems.field_text(field)
    if found:
        raise errors.InvalidInput(found)
    return entries.Layer("command line", data, _Words(places))


def value_of(text: str, shown: str) -> tuple[object, list[problems.Problem]]:
    """Read the value that a word of the command line gives: YAML 1.2, as files are; nothing at all is null."""
    documents, found = yaml12.read(text, shown, tags=values.TAGS)
    return documents[0].data if documents else None, found


def _put(data: values.Written, field: problems.Field, value: object) -> None:
    """Set one value, as it is written: what it means to append or to take away is the matter of layers."""
    for step in field[:-1]:
        inner = data.get(str(step))
        if not isinstance(inner, dict):
            inner = data[str(step)] = {}
        data = inner
    data[str(field[-1])] = value


def _parted(word: str) -> tuple[problems.Field, str]:
    path, equals, text = word.partition("=")
    try:
        field = problems.parse_field(path)
    except ValueError:
        field = ()
    if field[:1] == ("vars",):
        field = field[1:]
    if not equals or not field or any(isinstance(step, int) for step in field):
        message = f'{_FLAG} "{word}" does not set a value'
        hint = (
            "Write a path below vars and a value, such as --set pos.terminals=6; lists are set whole: --set 'a=[1, 2]'."
        )
        raise errors.UsageError(codes.Code.USAGE, message, hint)
    if "\n" in text.strip():
        message = f"{_FLAG} {path} has a value of more than one line; put it into a file of the inventory"
        raise errors.UsageError(codes.Code.USAGE, message)
    return field, text
