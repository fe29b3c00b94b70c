"""What may become text in a template, however it gets there: printed, joined, formatted or sent through a filter.

A boolean prints as YAML spells it. Null, maps, lists and anything that is no data are refused, since Python's own text
for them is no YAML, and for some of them differs between two runs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import jinja2
import jinja2.compiler
import jinja2.filters
import jinja2.nodes
import jinja2.sandbox

from fleetctl.model import placeholders, values
from fleetctl.rendering import bounds, hiding

__all__ = [
    "FILTERS",
    "OPERATORS",
    "REMOVED",
    "CodeGenerator",
    "Formatter",
    "Unprintable",
    "defined",
    "emitted",
    "finalize",
    "operate",
]

OPERATORS: Final = frozenset({"%", "*", "**", "+"})
"""Operators that ``operate`` stands in for: one formats text, the others can ask for more memory than there is."""
REMOVED: Final = ("pprint", "random", "urlize", "xmlattr")
"""Filters of Jinja that print Python, HTML or chance."""
_MOST_BITS = 4096
_JOINED = "~"
"""A filter's name that no template can write."""


class Unprintable(Exception):
    """A value has no one spelling in YAML; the message says what to write instead."""


def finalize(value: object) -> object:
    """Turn the result of ``{{ ... }}`` into text; raises ``Unprintable``. What is undefined fails by itself."""
    if isinstance(value, str | jinja2.Undefined):
        return value
    if isinstance(value, hiding.Hidden):
        msg = "a secret cannot be changed by this: its value is not known when templates are rendered"
        raise hiding.Misuse(msg)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return values.text_of(value)
    if value is None:
        msg = "this is null here, which would print as None; give it a default, or write it with | k"
    elif isinstance(value, dict | list | tuple):
        what = "a map" if isinstance(value, dict) else "a list"
        msg = f"{what} is no text; write it with | k or | toyaml"
    elif isinstance(value, float):
        msg = f"{value} is no number that YAML and JSON both know"
    else:
        what = "a method" if callable(value) else f"a {type(value).__name__}"
        msg = f"{what} is no text; is a call, a filter or a key missing?"
    raise Unprintable(msg)


def emitted(value: object) -> object:
    """Do what ``finalize`` does where text goes into output: there a secret stands as its placeholder."""
    return value.written() if isinstance(value, hiding.Hidden) else finalize(value)


def defined(value: object) -> object:
    """Return a value that is there; Jinja's ``UndefinedError`` names what is missing."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises
    return value


def operate(operator: str, left: object, right: object, otherwise: Callable[[Any, Any], object]) -> object:
    """Do what an operator of ``OPERATORS`` does, within bounds; raises ``OutOfBounds`` and ``Unprintable``."""
    if operator == "%" and isinstance(left, str):
        return left % (_arguments(right) if "%(" in left or isinstance(right, tuple) else _argument(right))
    if operator == "**" and isinstance(left, int) and isinstance(right, int):
        if left.bit_length() * right > _MOST_BITS:
            msg = (
                f"{left:.6g} ** {right:.6g} has more than {_MOST_BITS:,} bits" if right < 1e9 else "** is out of bounds"
            )
            raise bounds.OutOfBounds(msg)
    elif operator == "*":
        for many, times in ((left, right), (right, left)):
            if isinstance(many, str | list | tuple) and isinstance(times, int) and len(many) * times > bounds.LONGEST:
                msg = f"{values.kind_of(many)} repeated {times:,} times is longer than {bounds.LONGEST:,}"
                raise bounds.OutOfBounds(msg)
    elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        bounds.within(len(left) + len(right))
    return otherwise(left, right)


class Formatter(jinja2.sandbox.SandboxedFormatter):
    """``str.format`` whose fields are what may be printed."""

    def format_field(self, value: object, format_spec: str) -> Any:  # noqa: ANN401  # signature of string.Formatter
        """Format one field; numbers are left to its own format."""
        return super().format_field(_argument(value), format_spec)

    def convert_field(self, value: object, conversion: Any) -> Any:  # noqa: ANN401  # signature of string.Formatter
        """Apply ``!r``, ``!s`` or ``!a``."""
        return super().convert_field(_argument(value) if conversion else value, conversion)


class CodeGenerator(jinja2.compiler.CodeGenerator):
    """Compiles ``a ~ b`` so that each side is what may be printed, and that a secret in it stays one."""

    def visit_Template(self, node: jinja2.nodes.Template, frame: jinja2.compiler.Frame | None = None) -> None:  # noqa: N802  # name of Jinja
        """Send what is joined through ``finalize``, and count every turn."""
        for part in (node, *node.find_all(bounds.COUNTED)):
            part.body.insert(0, bounds.turn(part))  # type: ignore[attr-defined]  # all of them have one
        for join in list(node.find_all(jinja2.nodes.Concat)):
            said = {"lineno": join.lineno, "environment": join.environment}
            whole = jinja2.nodes.List(join.nodes, **said)
            join.nodes = [jinja2.nodes.Filter(whole, _JOINED, [], [], None, None, **said)]
        super().visit_Template(node, frame)

    def visit_Concat(self, node: jinja2.nodes.Concat, frame: jinja2.compiler.Frame) -> None:  # noqa: N802  # name of Jinja
        """Write the one filter that ``visit_Template`` has put in place of the sides."""
        self.visit(node.nodes[0], frame)


def _argument(value: object) -> object:
    """Return what a format may be given: text and numbers as they are, all else as it would be printed."""
    text = finalize(defined(value))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text


def _arguments(given: object) -> object:
    if isinstance(given, tuple):
        return tuple(_argument(one) for one in given)
    if isinstance(given, dict):
        return {key: _argument(one) for key, one in given.items()}
    return _argument(given)


def _format(value: object, *given: object, **named: object) -> str:
    """Apply ``printf`` format to values, as Jinja's ``format`` does."""
    text = str(finalize(value))
    return text % _arguments(named or given)


def _joined(sides: Iterable[object]) -> object:
    """Do what ``~`` does."""
    parts = [str(emitted(defined(side))) for side in sides]
    bounds.within(sum(map(len, parts)))
    return hiding.concat(parts)


@jinja2.pass_environment
def _join(environment: jinja2.Environment, value: Iterable[Any], d: object = "", attribute: object = None) -> str:
    """Join what may be printed, as Jinja's ``join`` does."""
    if attribute is not None:
        value = map(jinja2.filters.make_attrgetter(environment, attribute), value)  # type: ignore[arg-type]  # name or number
    between, parts = str(finalize(d)), [str(finalize(one)) for one in value]
    bounds.within(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def _replace(value: object, old: object, new: object, count: int | None = None) -> str:
    """Replace text, as Jinja's ``replace`` does."""
    text, gone, come = str(finalize(value)), str(finalize(old)), str(finalize(new))
    bounds.within(len(text) + text.count(gone) * len(come))
    return text.replace(gone, come, -1 if count is None else count)


def _of_text(original: Callable[..., object]) -> Callable[..., object]:
    """Make a filter of Jinja take only what may be printed."""
    position = 1 if hasattr(original, "jinja_pass_arg") else 0

    @functools.wraps(original)
    def checked(*given: object, **named: object) -> object:
        return original(*given[:position], finalize(given[position]), *given[position + 1 :], **named)

    return checked


def _moving(original: Callable[..., object]) -> Callable[..., object]:
    """Make a filter that only moves lines take secrets too."""

    @functools.wraps(original)
    def checked(value: object, *given: object, **named: object) -> object:
        if isinstance(value, hiding.Hidden):
            return hiding.moved(lambda text: str(original(text, *given, **named)), value)
        return original(finalize(value), *given, **named)

    return checked


def _trim(value: str, chars: str | None = None) -> str:
    """Take blanks, or these characters, off both ends, as Jinja's ``trim`` does."""
    if chars is not None and placeholders.MARK in value:
        msg = "a secret can be trimmed of blanks only"
        raise hiding.Misuse(msg)
    return value.strip(chars)


_TEXT = (
    *("capitalize", "center", "e", "escape", "forceescape", "lower", "safe", "string", "striptags", "title"),
    *("truncate", "upper", "urlencode", "wordcount", "wordwrap"),
)

FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    **{name: _of_text(jinja2.filters.FILTERS[name]) for name in _TEXT},
    _JOINED: _joined,
    "indent": _moving(jinja2.filters.do_indent),
    "trim": _moving(_trim),
    "format": _format,
    "join": _join,
    "replace": _replace,
}
"""Filters of Jinja that make text, with text going in."""
