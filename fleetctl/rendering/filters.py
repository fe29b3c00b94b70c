"""What templates may do to values. Pure: no clock, no randomness, no environment, no files."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final

import jinja2

from fleetctl.model import secretrefs, values
from fleetctl.reading import yamltext
from fleetctl.rendering import hiding, measures, printing

__all__ = [
    "FILTERS",
    "FilterError",
    "b64enc",
    "dns1123",
    "k",
    "nindent",
    "quote",
    "required",
    "sha256",
    "ternary",
    "toyaml",
]


class FilterError(Exception):
    """A filter cannot do what a template asks; the message says why."""


def k(value: object) -> str | hiding.Hidden:
    """Write any value on one line as JSON, which is always valid YAML: the safe way to put a value into a template."""
    return _written(yamltext.inline, value)


def toyaml(value: object) -> str | hiding.Hidden:
    """Write a value as block YAML without a line feed at the end; use with ``nindent``."""
    return _written(lambda said: yamltext.block(said).removesuffix("\n"), value)


def nindent(value: object, width: int) -> str | hiding.Hidden:
    """Start a new line and indent every line that is not empty by ``width`` spaces."""
    if isinstance(value, dict | list):
        msg = f"nindent takes text, not {values.kind_of(value)}; make it text first: | toyaml | nindent({width})"
        raise FilterError(msg)
    if isinstance(value, hiding.Hidden):
        return hiding.moved(lambda text: str(nindent(text, width)), value)
    pad = " " * width
    return "\n" + "\n".join(f"{pad}{line}" if line else line for line in _text(value, "nindent").split("\n"))


def quote(value: object) -> str | hiding.Hidden:
    """Write a scalar as double-quoted text."""
    if isinstance(value, hiding.Hidden):
        return hiding.quoted(value)
    return yamltext.quoted(_text(value, "quote"))


def b64enc(value: object) -> str | hiding.Hidden:
    """Encode text (as UTF-8) in base64; the whole value of a secret is encoded when it is there."""
    if isinstance(value, hiding.Hidden):
        return hiding.encoded(value)
    return base64.b64encode(_text(value, "b64enc").encode()).decode()


def sha256(value: object) -> str:
    """Return the SHA-256 of text (as UTF-8) in hex; a map or list is hashed as ``k`` writes it."""
    text = str(_written(yamltext.inline, value)) if isinstance(value, dict | list) else _text(value, "sha256")
    return hashlib.sha256(text.encode()).hexdigest()


def required(value: object, message: str) -> object:
    """Return the value, or fail with ``message`` where it is undefined, null or empty text."""
    if isinstance(value, jinja2.Undefined) or value is None or (isinstance(value, str) and not value):
        raise FilterError(message)
    return value


def dns1123(value: object) -> str:
    """Make a DNS-1123 label of text; what had to be shortened ends in a hash, so that it stays unique."""
    text = _text(value, "dns1123")
    name = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
    if not name:
        msg = f"dns1123: nothing of {text!r} can stand in a name"
        raise FilterError(msg)
    if len(name) <= _LONGEST_LABEL:
        return name
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_LABEL - 9].rstrip('-')}-{mark}"


def ternary(value: object, true: object, false: object) -> object:
    """Return the first of two values where a boolean is true, else the second."""
    if not isinstance(printing.defined(value), bool):
        msg = f"ternary takes a boolean, not {values.kind_of(value)}; compare: (x == y) | ternary(...)"
        raise FilterError(msg)
    return true if value else false


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "b64enc": b64enc,
    "cpu": measures.cpu,
    "dns1123": dns1123,
    "ipnet": measures.ipnet,
    "k": k,
    "mem": measures.mem,
    "nindent": nindent,
    "quote": quote,
    "required": required,
    "sha256": sha256,
    "ternary": ternary,
    "tojson": k,
    "toyaml": toyaml,
}
"""The filters beside Jinja's own, by name; ``tojson`` is ``k``, because Jinja's escapes for HTML."""

_LONGEST_LABEL = 63


def _written(style: Callable[[object], str], value: object) -> str | hiding.Hidden:
    if isinstance(value, hiding.Hidden):
        return hiding.quoted(value)
    try:
        text = style(printing.defined(value))
    except TypeError:
        if hiding.holds(value):
            return hiding.hidden_in(style, value)
        msg = "only data can be written: maps with text keys, lists, text, finite numbers, booleans and null"
        raise FilterError(msg) from None
    if secretrefs.KEY in text and hiding.refers(value):
        msg = 'a reference to a secret is in here, which is not the secret; write secret("NAME")'
        raise hiding.Misuse(msg)
    return text


def _text(value: object, name: str) -> str:
    if isinstance(value, hiding.Hidden):
        hint = '; use secret_hash("NAME")' if name == "sha256" else ""
        msg = f"{name} cannot be done to a secret: its value is not known when templates are rendered{hint}"
        raise hiding.Misuse(msg)
    if isinstance(printing.defined(value), bool | int | float | str):
        return values.text_of(value)  # type: ignore[arg-type]  # narrowed through defined
    msg = f"{name} takes text, a number or a boolean, not {values.kind_of(value)}"
    raise FilterError(msg)
