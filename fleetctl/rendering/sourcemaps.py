"""Which template line made a line of rendered text.

Asked only when something is wrong: the template is rendered once more with a marker in front of every piece of text
and every expression. The markers travel through macros, includes and filters into the output, so the answer is the
line that a person has to change, not the line that called it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import jinja2
import jinja2.ext
import jinja2.lexer
import msgspec

from fleetctl.model import problems
from fleetctl.rendering import bundles, environments

__all__ = ["Place", "SourceMap"]

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Private characters, which no text of Kubernetes holds; a value that does is only kept from fooling us."""
_MARKER = re.compile(f"{_OPEN}([0-9]{{1,9}}):([0-9]{{1,9}}){_CLOSE}")
_LEADING = re.compile(rf"^(\s|{_MARKER.pattern})+")
_TRAILING = re.compile(rf"(\s|{_MARKER.pattern})+$")


class _Marking(jinja2.ext.Extension):
    """Puts a marker before each line of template text that is not empty, and before each expression."""

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        environment.filters["trim"] = _trim

    def filter_stream(self, stream: jinja2.lexer.TokenStream) -> Iterator[jinja2.lexer.Token]:
        numbers: dict[str, int] = self.environment.marked_sources  # type: ignore[attr-defined]  # set by SourceMap
        number = numbers[stream.filename or ""]
        for token in stream:
            marker = f"{_OPEN}{number}:{token.lineno}{_CLOSE}"
            if token.type == jinja2.lexer.TOKEN_DATA:
                lines = str(token.value).split("\n")
                # Empty lines stay empty, because filters such as indent treat them apart.
                marked = [
                    f"{_OPEN}{number}:{token.lineno + i}{_CLOSE}{line}" if line else "" for i, line in enumerate(lines)
                ]
                yield jinja2.lexer.Token(token.lineno, token.type, "\n".join(marked))
            elif token.type == jinja2.lexer.TOKEN_VARIABLE_BEGIN:
                yield jinja2.lexer.Token(token.lineno, jinja2.lexer.TOKEN_DATA, marker)
                yield token
            else:
                yield token


class Place(msgspec.Struct, frozen=True):
    """Where a place of rendered text came from, and what else took part in its line, in order."""

    mark: problems.Mark
    of_line: tuple[problems.Mark, ...]


class SourceMap:
    """Finds template lines for the templates of one bundle."""

    def __init__(self, sources: Mapping[str, bundles.Source]) -> None:
        self._paths = [source.path for source in sources.values()]
        self._environment = environments.Environment(sources, [_Marking])
        self._environment.mark_sources({path: number for number, path in enumerate(self._paths)})

    def place(
        self, source: bundles.Source, context: Mapping[str, object], made: str, at: problems.Mark
    ) -> Place | None:
        """Return what made a line and column (from 1) of a source's output ``made``; None when it cannot be told."""
        try:
            marked = self._environment.render(self._environment.compile(source), context)
        except environments.TemplateFault:
            return None
        if _MARKER.sub("", marked).count("\n") != made.count("\n"):
            return None  # the template looks at its own output, and the markers changed what it does
        line = column = 1
        best: problems.Mark | None = None
        of_line: list[problems.Mark] = []
        end = 0
        for marker in _MARKER.finditer(marked):
            line, column = _advance(line, column, marked[end : marker.start()])
            end = marker.end()
            if best is not None and line > at.line:
                break
            if int(marker[1]) >= len(self._paths):
                continue
            mark = problems.Mark(self._paths[int(marker[1])], int(marker[2]))
            if line == at.line:
                of_line.append(mark)
            if best is None or (line, column) <= (at.line, at.column):
                best = mark
        return Place(best, tuple(of_line)) if best else None


def _advance(line: int, column: int, text: str) -> tuple[int, int]:
    breaks = text.count("\n")
    if breaks:
        return line + breaks, len(text) - text.rfind("\n")
    return line, column + len(text)


def _trim(value: object, chars: str | None = None) -> str:
    """Do what Jinja's ``trim`` does to the text between markers."""
    text = str(value)
    if chars is not None:
        return text.strip(chars)
    for edge in (_LEADING, _TRAILING):
        text = edge.sub(lambda match: "".join(marker.group() for marker in _MARKER.finditer(match.group())), text)
    return text
