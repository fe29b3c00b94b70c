"""Plain data to YAML text that every reader reads alike, whichever version of YAML it follows.

Block style, two spaces, keys in the order given. Text is written unquoted only where ``scalars`` knows it to be that
text for everybody; otherwise as a JSON string, which is YAML too. Nothing is wrapped, no tags, no aliases.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Final

from fleetctl.model import values
from fleetctl.reading import scalars

__all__ = ["FORMATS", "block", "inline", "kyaml", "quoted", "scalar"]

_PLAIN = re.compile(r"[A-Za-z0-9_/.~+-](?:[A-Za-z0-9_/.,()@%+=~ -]|:(?=[^\s])|#(?<=[^\s]#))*")
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\x85\u2028\u2029]"
)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def block(value: object) -> str:
    """Return a document in block style, ending in a line feed; raises ``TypeError`` for what YAML core cannot hold."""
    if isinstance(value, dict | list) and value:
        return "".join(f"{line}\n" for line in _lines(value))
    return f"{scalar(value)}\n"


def inline(value: object) -> str:
    """Return a value on one line, as JSON with sorted keys; it can stand wherever YAML takes a value."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(_checked_key(key))}: {inline(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return quoted(value) if isinstance(value, str) else scalar(value)


def kyaml(value: object) -> str:
    """Return a document as KYAML: flow style with braces, every text double-quoted (KEP-5295)."""
    return f"---\n{_flow(value, '')}\n"


FORMATS: Final[dict[str, Callable[[object], str]]] = {
    "yaml": block,
    "kyaml": kyaml,
    "json": lambda value: json.dumps(value, ensure_ascii=False, indent=2) + "\n",
}
"""How a manifest may be written, by the name that ``--format`` takes."""


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{_text(_checked_key(key))}:", inner)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list) and inner:
                first, *rest = _lines(inner)
                yield f"- {first}"
                yield from (f"  {line}" if line else line for line in rest)
            else:
                yield from _entry("-", inner)


def _entry(head: str, value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from (f"  {line}" if line else line for line in _lines(value))
    elif isinstance(value, list) and value:
        yield head
        yield from _lines(value)  # a list may stand at its key's own indent, as kubectl writes it
    elif isinstance(value, str) and _fits_block(value):
        chomping = "" if value.endswith("\n") else "-"
        yield f"{head} |{chomping}"
        yield from (f"  {line}" if line else line for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {scalar(value)}"


def _fits_block(text: str) -> bool:
    """Tell whether a literal block gives exactly this text back: lines, printable, no edge that YAML would trim."""
    body = text.removesuffix("\n")
    return (
        "\n" in text
        and body != ""
        and not body.startswith((" ", "\n", "\t"))
        and not body.endswith("\n")
        and "\t" not in body
        and "\r" not in body
        and not _UNPRINTABLE.search(text)
        and not any(line != line.rstrip(" ") for line in body.split("\n"))
    )


def scalar(value: object) -> str:
    """Return a scalar, or an empty map or list; a text of several lines as one of JSON. Raises as ``block`` does."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return values.float_text(value)
        case str():
            return _text(value)
        case dict() if not value:
            return "{}"
        case list() if not value:
            return "[]"
        case _:
            msg = f"{value!r:.80} has no place in YAML core"
            raise TypeError(msg)


def _text(text: str) -> str:
    looks_like_structure = text.startswith(("- ", "--- ", "... ")) or text in ("-", "---", "...")
    plain = _PLAIN.fullmatch(text) and not text.endswith((" ", ":")) and scalars.is_plain_text(text)
    return text if plain and not looks_like_structure else quoted(text)


def quoted(text: str) -> str:
    """Return text between double quotes: a JSON string, with what YAML cannot hold literally escaped."""
    return _UNPRINTABLE.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _checked_key(key: object) -> str:
    if isinstance(key, str):
        return key
    msg = f"a key must be text, not {type(key).__name__}"
    raise TypeError(msg)


def _flow(value: object, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{_flow_key(_checked_key(key))}: {_flow(item, inner)},\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inner}{_flow(item, inner)},\n" for item in value) + indent + "]"
    return quoted(value) if isinstance(value, str) else scalar(value)


def _flow_key(key: str) -> str:
    return key if _KEY.fullmatch(key) and scalars.is_plain_text(key) else quoted(key)
