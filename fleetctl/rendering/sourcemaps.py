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

from fleetctl.model import problems
from fleetctl.rendering import bundles, environments

__all__ = ["SourceMap"]

_MARKER = re.compile("\ue000([0-9]+):([0-9]+)\ue001")


class _Marking(jinja2.ext.Extension):
    """Puts a marker before each piece of template text, each of its lines, and each expression."""

    def filter_stream(self, stream: jinja2.lexer.TokenStream) -> Iterator[jinja2.lexer.Token]:
        numbers: dict[str, int] = self.environment.marked_sources  # type: ignore[attr-defined]  # set by SourceMap
        number = numbers[stream.filename or ""]
        for token in stream:
            marker = f"\ue000{number}:{token.lineno}\ue001"
            if token.type == jinja2.lexer.TOKEN_DATA:
                lines = str(token.value).split("\n")
                marked = [f"\ue000{number}:{token.lineno + i}\ue001{line}" for i, line in enumerate(lines)]
                yield jinja2.lexer.Token(token.lineno, token.type, "\n".join(marked))
            elif token.type == jinja2.lexer.TOKEN_VARIABLE_BEGIN:
                yield jinja2.lexer.Token(token.lineno, jinja2.lexer.TOKEN_DATA, marker)
                yield token
            else:
                yield token


class SourceMap:
    """Finds template lines for the templates of one bundle."""

    def __init__(self, sources: Mapping[str, bundles.Source]) -> None:
        self._paths = [source.path for source in sources.values()]
        self._environment = environments.Environment(sources, [_Marking])
        self._environment.mark_sources({path: number for number, path in enumerate(self._paths)})

    def mark(
        self, source: bundles.Source, context: Mapping[str, object], line: int, column: int
    ) -> problems.Mark | None:
        """Return the place that made a line and column (from 1) of a source's output; None when it cannot be told."""
        try:
            marked = self._environment.render(self._environment.compile(source), context)
        except environments.TemplateFault:
            return None  # markers changed what the template does (it looks at its own output)
        at_line = at_column = 1
        best: problems.Mark | None = None
        end = 0
        for marker in _MARKER.finditer(marked):
            at_line, at_column = _advance(at_line, at_column, marked[end : marker.start()])
            if (at_line, at_column) > (line, column):
                break
            best = problems.Mark(self._paths[int(marker[1])], int(marker[2]))
            end = marker.end()
        return best


def _advance(line: int, column: int, text: str) -> tuple[int, int]:
    breaks = text.count("\n")
    if breaks:
        return line + breaks, len(text) - text.rfind("\n")
    return line, column + len(text)
