"""From what is wrong with rendered text back to the template: the line to change, quoted, and how to change it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import msgspec

from fleetctl.model import codes, problems
from fleetctl.rendering import bundles, documents, environments, sourcemaps

__all__ = ["SECRET", "Tracer"]

_LONGEST = 160
"""Characters of a line that are quoted."""
# An expression that makes a whole YAML scalar by itself: no quote or text touches it.
_ALONE = re.compile(r"""(?<![^\s,\[{])\{\{[-+]?\s*(?P<said>[^{}]+?)\s*[-+]?\}\}(?![^\s,\]}])""")
_SAFE = re.compile(r"\|\s*(k|tojson|toyaml|quote|n?indent)\b|^[\w.]+\(")
_IN_LINE = re.compile(r"\bin line ([0-9]+)$")
SECRET = re.compile(r"\bSecret\b")
"""Too wide rather than too narrow: a kind can be written in many ways, and only an error's detail is lost."""
_QUOTING = (
    codes.Code.YAML_AMBIGUOUS_SCALAR,
    codes.Code.YAML_KEY_NOT_TEXT,
    codes.Code.YAML_UNKNOWN_TAG,
    codes.Code.OBJECT_BAD_NAME,
    codes.Code.OBJECT_NO_IDENTITY,
)
"""Codes whose sentence quotes what it is about."""
_TAG_AT_END = re.compile(r"[^\s{].*%\}\s*$")


class Tracer:
    """Explains faults of one bundle; the templates are marked only when there is a fault."""

    def __init__(self, bundle: bundles.Bundle, environment: environments.Environment) -> None:
        self._environment = environment
        self._lines = {source.path: source.text.split("\n") for source in bundle.sources.values()}
        self._sources = bundle.sources
        self._maps: sourcemaps.SourceMap | None = None

    def of_template(self, fault: environments.TemplateFault) -> problems.Problem:
        """Return a template's own fault as a problem."""
        mark = problems.Mark(fault.source, fault.line)
        return problems.Problem(fault.code, fault.message, mark, (), self._quoted(mark))

    def place(
        self, rendered: problems.Mark, source: bundles.Source, context: Mapping[str, object]
    ) -> sourcemaps.Place | None:
        """Return what made a place of rendered text; None when it cannot be told."""
        if not source.is_template:
            return sourcemaps.Place(rendered, ())
        if self._maps is None:
            self._maps = sourcemaps.SourceMap(self._sources)
        return self._maps.place(source, context, self._render(source, context), rendered)

    def of_document(
        self,
        problem: problems.Problem,
        source: bundles.Source,
        context: Mapping[str, object],
        piece: documents.Piece,
    ) -> problems.Problem:
        """Move a problem from a line of rendered text to the line of the template that made it."""
        if SECRET.search(piece.text):
            problem = _masked(problem)
        if not source.is_template:
            return problem
        rendered = problem.mark or problems.Mark(source.path, piece.first_line, 1)
        place = self.place(rendered, source, context)
        mark = place.mark if place else problems.Mark(source.path)
        if SECRET.search(piece.text):
            return msgspec.structs.replace(problem, mark=mark)
        made = self._render(source, context).split("\n")
        shown = made[rendered.line - 1].rstrip()[:_LONGEST] if rendered.line <= len(made) else ""
        notes = [*self._quoted(mark), f"rendered line {rendered.line} ({documents.title(piece)}): {shown or '(empty)'}"]
        if problem.code is codes.Code.YAML_SYNTAX and place:
            notes += self._run_together(place)
        if problem.code.startswith("yaml/") or problem.code is codes.Code.OBJECT_NULL:
            notes += self._unquoted(mark)
        message = _IN_LINE.sub(lambda match: self._at(match[1], source, context), problem.message)
        return msgspec.structs.replace(problem, message=message, mark=mark, notes=tuple(notes))

    def _at(self, line: str, source: bundles.Source, context: Mapping[str, object]) -> str:
        """Say where something stands, such as the first of two equal keys, that the reader told by its line."""
        place = self.place(problems.Mark(source.path, int(line), sys.maxsize), source, context)
        return f"at {place.mark}" if place else f"in rendered line {line}"

    def _render(self, source: bundles.Source, context: Mapping[str, object]) -> str:
        return self._environment.render(self._environment.compile(source), context)

    def _text(self, mark: problems.Mark) -> str:
        lines = self._lines.get(mark.path, [])
        return lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""

    def _quoted(self, mark: problems.Mark) -> tuple[str, ...]:
        line = self._text(mark).strip()[:_LONGEST]
        return (line,) if line else ()

    def _unquoted(self, mark: problems.Mark) -> list[str]:
        """Name the cure for an expression that puts a bare value into YAML."""
        bare = [said for match in _ALONE.finditer(self._text(mark)) if not _SAFE.search(said := match["said"])]
        if not bare:
            return []
        whole = f"({bare[0]})" if " " in bare[0] and "|" not in bare[0] else bare[0]
        example = f": {{{{ {whole} | k }}}}" if len(bare) == 1 else ""
        return [f"a value goes into YAML with | k, which quotes what needs it{example}"]

    def _run_together(self, place: sourcemaps.Place) -> list[str]:
        """Name the cure where a block tag took away the line break between two lines of a template."""
        for one, two in zip(place.of_line, place.of_line[1:], strict=False):
            if one.path == two.path and two.line == one.line + 1 and _TAG_AT_END.search(self._text(one)):
                lines = f"lines {one.line} and {two.line} of the template run together"
                return [f"{lines}: a block tag at the end of a line takes the line break away; end it with +%}}"]
        return []


def _masked(problem: problems.Problem) -> problems.Problem:
    """Take out of a problem what it quotes from a Secret: nothing of one is ever shown."""
    message = problem.message
    if problem.code in _QUOTING:
        message = "this has to be text; write it in double quotes, or with | k (not shown: it stands in a Secret)"
    return msgspec.structs.replace(problem, message=message, notes=())
