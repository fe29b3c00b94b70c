"""One value of a record to the value that a field of a site takes; every rule of docs/reference/sources.md is here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetctl.model import labels, problems, values
from fleetctl.reading import scalars

__all__ = ["Unfit", "convert"]

_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NUMBERS: Final[dict[problems.Field, str]] = {
    ("location", "lat"): "number",
    ("location", "lon"): "number",
    ("access", "ssh", "port"): "integer",
}
_LABELS: Final = (("labels",), ("node", "labels"))
_MAPS: Final = (("vars",), ("node", "vars"), ("cluster", "config"))


class Unfit(Exception):
    """A value that a field cannot take; the message is a phrase that follows the field."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def convert(
    target: problems.Field,
    value: object,
    sort: str | None = None,
    table: Mapping[str, str] | None = None,
    prefix: str = "",
) -> Any:  # noqa: ANN401  # what YAML core can hold
    """Return what a field is filled with; None when the value is none (null, empty text). Raises ``Unfit``."""
    if value is None or value == "":
        return None
    if table is not None:
        value = _translated(value, table)
    if target in _LABELS:
        return _label_map(value, sort, prefix)
    if target == ("bundles",):
        return {name: {} for name in _texts(value)}
    if target in _MAPS:
        if not isinstance(value, dict):
            raise Unfit(f"expected a map, got {values.kind_of(value)}")
        return {key: inner for key, inner in value.items() if inner is not None}
    if target[:-1] in _LABELS:
        return _label_value(f"{prefix}{_text(value)}")
    if _is_free(target):
        return value if sort is None else _SORTS[sort](value)
    converted = _SORTS[_NUMBERS.get(target, "text")](value)
    return _named(target, f"{prefix}{converted}") if isinstance(converted, str) else converted


def _is_free(target: problems.Field) -> bool:
    return any(target[: len(one)] == one for one in _MAPS)


def _named(target: problems.Field, text: str) -> str:
    """Bring names and addresses into the form that inventories have them in."""
    if target in (("name",), ("node", "name")):
        name = labels.as_dns_label(text)
        if not name:
            raise Unfit(f'nothing of "{text}" can stand in a name')
        if fault := labels.dns_label_fault(name):
            raise Unfit(f'"{text}", written as {name}, {fault}')
        return name
    if target == ("node", "address"):
        try:
            return str(ipaddress.ip_interface(text).ip)
        except ValueError:
            return text
    return text


def _translated(value: object, table: Mapping[str, str]) -> str:
    text = _text(value)
    if text not in table:
        near = scalars.did_you_mean(text, table) or f"; there is: {', '.join(table) or 'none'}"
        raise Unfit(f'"{text}" is not in the table of values{near}')
    return table[text]


def _label_map(value: object, sort: str | None, prefix: str) -> dict[str, str]:
    if sort == "flags" or isinstance(value, str | list):
        return {_label_key(prefix, item): "true" for item in _texts(value)}
    if not isinstance(value, dict):
        raise Unfit(f"expected a list or a map, got {values.kind_of(value)}")
    made = {}
    for key, inner in value.items():
        if inner is not None and inner != "":
            if isinstance(inner, dict | list):
                raise Unfit(f'"{key}" is {values.kind_of(inner)}, and a label is text; take single fields of it')
            made[_label_key(prefix, key)] = _label_value(_text(inner))
    return made


def _label_key(prefix: str, text: str) -> str:
    name = labels.as_value(text)
    key = f"{prefix}{name}"
    if not name or labels.key_fault(key):
        raise Unfit(f'"{text}" cannot be written as a label key{f" behind {prefix}" if prefix else ""}')
    return key


def _label_value(text: str) -> str:
    made = labels.as_value(text)
    if not made:
        raise Unfit(f'nothing of "{text}" can stand in a label value')
    return made


def _text(value: object) -> str:
    if isinstance(value, str | int | float):
        return values.text_of(value)
    raise Unfit(f"expected text, got {values.kind_of(value)}")


def _texts(value: object) -> list[str]:
    """Return a list of texts; in one text they are divided by ``;``."""
    listed = value if isinstance(value, list) else [part.strip() for part in _text(value).split(";")]
    return [_text(item) for item in listed if item not in (None, "")]


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise Unfit(f"expected a whole number, got {values.kind_of(value)}")


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value) if _INTEGER.fullmatch(value.strip()) else float(value)
    raise Unfit(f"expected a number, got {values.kind_of(value)}")


def _boolean(value: object) -> bool:
    text = value.strip().lower() if isinstance(value, str) else value
    if text in (True, "true"):
        return True
    if text in (False, "false"):
        return False
    raise Unfit(f"expected true or false, got {values.kind_of(value)}")


_SORTS: Final[dict[str, Callable[[object], Any]]] = {
    "boolean": _boolean,
    "flags": _texts,
    "integer": _integer,
    "list": _texts,
    "number": _number,
    "text": _text,
}
