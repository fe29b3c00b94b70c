"""Why is it this value: the winner, what it shadows, what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from fleetctl.console import changes
from fleetctl.inventory import explaining
from fleetctl.model import problems, values

__all__ = ["show"]

_VALUE_WIDTH = 42
_VERBS = {"sets": "", "appends": "appended ", "removes": "removed", "replaces": "the whole, "}


def show(
    found: Sequence[explaining.Explanation],
    used: Mapping[problems.Field, Sequence[problems.Mark]],
    stream: TextIO,
) -> None:
    """Write one value in full, or many as a list of values with the place that each comes from."""
    if len(found) == 1:
        _in_full(found[0], used.get(found[0].field, ()), stream)
        return
    names = [problems.field_text(one.field) for one in found]
    texts = [changes.value_text(one.value) for one in found]
    name_width, text_width = max(map(len, names)), min(max(map(len, texts)), _VALUE_WIDTH)
    for one, name, text in zip(found, names, texts, strict=True):
        top = one.contributions[0] if one.contributions else None
        place = f"{top.mark}  {top.layer}" if top else "built in"
        stream.write(f"{name.ljust(name_width)}  {text.ljust(text_width)}  {place}\n")


def _in_full(one: explaining.Explanation, marks: Sequence[problems.Mark], stream: TextIO) -> None:
    lines: list[tuple[str, str, str]] = []
    made = _is_made(one)
    if made:
        lines.append(
            (changes.value_text(one.value), "" if any(_gives(part) for part in one.contributions) else "built in", "")
        )
    for index, part in enumerate(one.contributions):
        head = "  shadows "
        if made and _gives(part):
            head = "  from "
        elif made and index == 0:
            head = "  "
        lines.append(((head if made or index else "") + _said(part), str(part.mark), part.layer))
    widths = [max(len(line[column]) for line in lines) for column in range(2)]
    rows = (f"{text.ljust(widths[0])}  {mark.ljust(widths[1])}  {layer}".rstrip() for text, mark, layer in lines)
    stream.writelines(f"{row}\n" for row in rows)
    if marks:
        stream.write(f"used by {_places(marks)}\n")


def _is_made(one: explaining.Explanation) -> bool:
    """Tell whether no layer says the value as it is: it is built in, a sum of lists, or a resolved reference."""
    if not one.contributions or one.contributions[0].verb == "appends":
        return True
    top = one.contributions[0]
    if top.verb == "removes":
        return one.value is not values.UNSET and one.value is not None
    return top.verb == "sets" and "${vars." in changes.value_text(top.value)


def _gives(part: explaining.Contribution) -> bool:
    return part.counts and part.verb in ("sets", "appends")


def _said(part: explaining.Contribution) -> str:
    verb = _VERBS[part.verb]
    return verb if part.value is values.UNSET else f"{verb}{changes.value_text(part.value)}"


def _places(marks: Sequence[problems.Mark]) -> str:
    """Write places file by file: ``templates/x.yaml.j2:18, :31; templates/y.yaml.j2:4``."""
    by_file: dict[str, list[str]] = {}
    for mark in marks:
        by_file.setdefault(mark.path, []).append(f":{mark.line}")
    return "; ".join(f"{path}{', '.join(lines)}" for path, lines in by_file.items())
