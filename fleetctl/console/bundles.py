"""Bundles as people read them: the catalogue, one bundle with its values, and what differs in its examples."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from fleetctl.console import tables, terminals
from fleetctl.model import problems
from fleetctl.reading import yamltext
from fleetctl.rendering import describing, examples

__all__ = ["added", "catalogue", "show", "tested"]

_LONGEST: Final = 60
"""Characters of a list or map before its items are only counted."""


def catalogue(found: Sequence[describing.Listed], stream: TextIO, *, shipped: bool, wide: bool) -> None:
    """Write a catalogue, one bundle a line."""
    heads = ["NAME", "VERSION", "IN PROJECT" if shipped else "SITES"]
    more = ["NAMESPACE"] if wide else []
    tables.table([*heads, *more, "DESCRIPTION"], (_cells(one, shipped=shipped, wide=wide) for one in found), stream)


def _cells(one: describing.Listed, *, shipped: bool, wide: bool) -> list[str]:
    third = one.project or "-" if shipped else f"{one.sites:,}"
    return [one.name, one.version, third, *([one.namespace] if wide else []), one.description or "-"]


def added(shown: describing.Shown, stream: TextIO) -> None:
    """Say what was copied where, and what to do next."""
    name = shown.bundle.name
    stream.write(f"{name} {shown.bundle.version} copied to {shown.folder}\n")
    lacking = [("vars", shown.bundle.values_key, *one.field) for one in shown.values if one.must]
    if lacking:
        wanted = ", ".join(map(problems.field_text, lacking))
        _paragraph(f"Without a default, to be given: {wanted}", stream)
    stream.write(f"Look at it:  fleetctl bundle show {name}\n")
    stream.write(f"Try it:      fleetctl bundle test {name}\n")
    stream.write(f"Assign it:   bundles: {{{name}: {{}}}} in the defaults, a group or a site of the inventory\n")


def show(shown: describing.Shown, stream: TextIO, *, wide: bool) -> None:
    """Write a bundle with the values that it takes, and what it makes of them at a site."""
    bundle = shown.bundle
    _paragraph(f"{bundle.name} {bundle.version}  {bundle.description}".rstrip(), stream)
    stream.write("\n")
    facts = {
        "Folder": shown.folder,
        "Namespace": bundle.namespace,
        "Values": f"vars.{bundle.values_key}",
        "Assigned": _count(shown.sites, "site"),
        "Examples": ", ".join(shown.examples) or "none",
    }
    stream.writelines(f"{name:<10} {text}\n" for name, text in facts.items())
    if shown.values:
        stream.write("\n")
        _values(shown, stream, wide=wide)
    if shown.release is not None:
        stream.write("\n")
        rows = ([str(one.id), one.template] for one in shown.release.objects)
        tables.table(["OBJECT", "TEMPLATE"], rows, stream)
        count = _count(len(shown.release.objects), "object")
        stream.write(f"\n{count} at {shown.release.site}: {shown.release.digest}\n")


def _values(shown: describing.Shown, stream: TextIO, *, wide: bool) -> None:
    """Write values as a table, and below each what it means; beside it there would be no room at 80 columns."""
    rows = [("VALUE", "TYPE", f"AT {shown.release.site}" if shown.release else "DEFAULT", "", "")]
    rows += [_row(one, shown, wide=wide) for one in shown.values]
    names, types = (max(len(row[column]) for row in rows) for column in range(2))
    columns = terminals.width(stream)
    for name, kind, value, *below in rows:
        head = f"{name.ljust(names)}  {kind.ljust(types)}  "
        stream.writelines(f"{line.rstrip()}\n" for line in terminals.wrapped(value, columns, " " * 8, head))
        for text in filter(None, below):
            stream.writelines(f"{line}\n" for line in terminals.wrapped(text, columns, " " * 4, " " * 4))


def _row(one: describing.Described, shown: describing.Shown, *, wide: bool) -> tuple[str, str, str, str, str]:
    if shown.merged is not None:
        value = _text(problems.value_at(shown.merged, one.field))
    else:
        value = "required" if one.must else _text(one.default)
    used = f"used by {' '.join(map(str, one.used))}" if wide and one.used else ""
    return one.name, one.type, value, terminals.visible(one.description), terminals.visible(used)


def _text(value: object) -> str:
    if value is problems.NOTHING:
        return "-"
    text = terminals.visible(yamltext.inline(value))
    if isinstance(value, list | dict) and len(text) > _LONGEST:
        return _count(len(value), "key" if isinstance(value, dict) else "item")
    return text


def tested(found: Sequence[examples.Tested], stream: TextIO) -> None:
    """Say how each example fared, and what differs as a unified diff; the last line says what to do."""
    for one in found:
        stream.write(f"{one.bundle}/{one.case}: {_verdict(one)}\n")
        if not one.updated:
            for difference in one.differences:
                stream.writelines(f"{terminals.visible(line)}\n" for line in _diff(one, difference))
    wrong = [one for one in found if one.differences and not one.updated]
    if wrong:
        names = " ".join(dict.fromkeys(one.bundle for one in wrong))
        verb = "differs" if len(wrong) == 1 else "differ"
        stream.write(f"\n{len(wrong):,} of {_count(len(found), 'example')} {verb}.")
        stream.write(f" If that is what you meant: fleetctl bundle test {names} --update\n")


def _verdict(one: examples.Tested) -> str:
    if not one.differences:
        return f"{_count(one.files, 'file')} as expected"
    if one.updated:
        removed = sum(difference.made is None for difference in one.differences)
        return f"{_count(len(one.differences) - removed, 'file')} of expected/ written, {removed:,} removed"
    return f"{_count(len(one.differences), 'file')} {'differs' if len(one.differences) == 1 else 'differ'}"


def _diff(one: examples.Tested, difference: examples.Difference) -> Iterator[str]:
    before, after = difference.expected, difference.made
    path = f"{one.expected}/{difference.path}"
    yield from difflib.unified_diff(
        (before or "").splitlines(),
        (after or "").splitlines(),
        path if before is not None else "/dev/null",
        f"{path} (rendered)" if after is not None else "/dev/null",
        lineterm="",
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _paragraph(text: str, stream: TextIO) -> None:
    lines = terminals.wrapped(terminals.visible(text), terminals.width(stream), "  ")
    stream.writelines(f"{line}\n" for line in lines)
