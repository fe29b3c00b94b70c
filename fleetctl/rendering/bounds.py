"""How much a template may do: counted, not timed, since whether it renders must not depend on the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import jinja2.nodes
import jinja2.runtime

__all__ = ["COUNTED", "LONGEST", "OutOfBounds", "Work", "output", "turn", "within"]

LONGEST: Final = 4_000_000
"""Characters of a text, or entries of a list, that a template puts together."""
_LONGEST_OUTPUT = 16_000_000
_MOST_TURNS = 100_000
_TURN = "~turn"
"""A filter's name that no template can write."""

COUNTED: Final = (jinja2.nodes.For, jinja2.nodes.Macro, jinja2.nodes.CallBlock, jinja2.nodes.Block)
"""What may run more than once, beside whole templates."""


class OutOfBounds(Exception):
    """A template asks for more than anything sensible needs; the message says of what."""


class Work:
    """Counts turns of loops and calls of macros, blocks and includes, so that no template runs for ever."""

    def __init__(self) -> None:
        self._turns = 0

    def begin(self) -> None:
        """Start the count of a new rendering."""
        self._turns = 0

    @jinja2.pass_context  # which also keeps Jinja from working it out while compiling
    def turn(self, _context: jinja2.runtime.Context, _value: object) -> None:
        """Count one turn; raises ``OutOfBounds``."""
        self._turns += 1
        if self._turns > _MOST_TURNS:
            msg = f"loops and macros took more than {_MOST_TURNS:,} turns to render one template for one site"
            raise OutOfBounds(msg)

    @property
    def filters(self) -> Mapping[str, Callable[..., object]]:
        """The filter that compiled templates count with."""
        return {_TURN: self.turn}


def turn(part: jinja2.nodes.Node) -> jinja2.nodes.Node:
    """Return the statement that counts a turn of a part."""
    counted = jinja2.nodes.Filter(jinja2.nodes.Const(None), _TURN, [], [], None, None)
    made = jinja2.nodes.ExprStmt(counted).set_lineno(part.lineno, override=True)
    return made.set_environment(part.environment) if part.environment is not None else made


def within(length: int) -> None:
    """Raise ``OutOfBounds`` for what would be longer than anything may be."""
    if length > LONGEST:
        msg = f"what is put together is longer than {LONGEST:,}"
        raise OutOfBounds(msg)


def output(parts: Iterable[object]) -> None:
    """Raise ``OutOfBounds`` for the parts of an output, of a template or a macro, before they take the memory."""
    if sum(len(part) for part in parts if isinstance(part, str)) > _LONGEST_OUTPUT:
        msg = f"the text that a template makes is longer than {_LONGEST_OUTPUT:,}"
        raise OutOfBounds(msg)
