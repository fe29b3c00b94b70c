"""What is wrong with text that cannot be read at all: libyaml's complaints in our words, at the place to look at."""

from __future__ import annotations

import re

import yaml

from fleetctl.model import codes, problems

__all__ = ["characters", "encoding", "syntax"]

_SURROGATE = re.compile("[\ud800-\udfff]")
# YAML 1.1 (libyaml is a reader of it) ends lines at these, in comments too; for YAML 1.2 and editors they are text.
_LINE_BREAK_11 = re.compile("[\x85\u2028\u2029]")
_BREAK = re.compile("\r\n|\r|\n")
_STRUCTURE = 'a ": " stands inside an unquoted text, or indentation is wrong; quote the text'
_FRIENDLIER = {
    "mapping values are not allowed in this context": _STRUCTURE,
    "could not find expected ':'": 'a key without ":" (or indentation that ends a text too early)',
    "did not find expected key": "indentation does not fit the lines above",
    "did not find expected '-' indicator": "indentation does not fit the list above",
    "did not find expected whitespace or line break": "a blank is missing after the tag (as in `!unset }`)",
    "did not find expected <document start>": 'a new document begins here; put "---" on a line above it',
    "did not find expected node content": "a value is missing here",
    "did not find expected comment or line break": "the text of a block begins on the line after its | or >",
    "exceeded maximum nesting depth": "nested too deeply to be read",
    "did not find expected alphabetic or numeric character": "& and * begin anchors and aliases; quote the text",
    "block sequence entries are not allowed in this context": "a list begins on the line after its key",
    "found undefined alias": "the alias stands for no anchor above it",
    "second occurrence": "the anchor is given twice in one document",
    "found character that cannot start any token": "an unquoted text cannot begin with this character; quote the text",
    "found unknown escape character": "no such escape; in double quotes write \\\\ for \\, or use single quotes",
    "found undefined tag handle": "the tag's handle is declared nowhere; remove the tag",
    "found incompatible YAML document": "the %YAML line asks for another version than 1.2; remove it",
}
_MISSING = {
    "did not find expected ',' or ']'": ("list", '"," or "]"'),
    "did not find expected ',' or '}'": ("map", '"," or "}"'),
}


def encoding(error: UnicodeDecodeError, path: str) -> problems.Problem:
    """Return the problem that a file is not UTF-8, at the first byte that is not."""
    line, column = _position(error.object[: error.start].decode("utf-8-sig"))
    message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
    return problems.Problem(codes.Code.YAML_ENCODING, message, problems.Mark(path, line + 1, column + 1))


def characters(text: str, path: str, first_line: int) -> problems.Problem | None:
    """Return the first character that no file may hold or that ends a line for some readers only."""
    if text.isascii():
        return None
    for pattern, code, why in (
        (_SURROGATE, codes.Code.YAML_ENCODING, "is half a character; it has no place in UTF-8"),
        (
            _LINE_BREAK_11,
            codes.Code.YAML_SYNTAX,
            "ends a line in YAML 1.1 and is text in 1.2; write {} in double quotes",
        ),
    ):
        found = pattern.search(text)
        if found is not None:
            sign = found.group()
            message = f"the character U+{ord(sign):04X} " + why.format(_escaped(sign))
            line, column = _position(text[: found.start()])
            return problems.Problem(code, message, problems.Mark(path, line + first_line, column + 1))
    return None


def syntax(error: yaml.YAMLError, text: str, path: str, first_line: int) -> problems.Problem:
    """Return the problem behind an error of libyaml, with the line of text that it is about."""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    code = codes.Code.YAML_TOO_DEEP if said == "exceeded maximum nesting depth" else codes.Code.YAML_SYNTAX
    lines = _BREAK.split(text)
    message, line, column = _placed(error, said, text, first_line)
    source = lines[line] if line < len(lines) else ""
    if "\t" in source[: len(source) - len(source.lstrip())] or source[column : column + 1] == "\t":
        message = "a tab stands where only spaces may; indent with spaces"
    shown = "".join(sign if sign.isprintable() or sign == "\t" else _escaped(sign) for sign in source[:200])
    notes = (shown,) if shown.strip() and code is codes.Code.YAML_SYNTAX else ()
    return problems.Problem(code, message, problems.Mark(path, line + first_line, column + 1), (), notes)


def _placed(error: yaml.YAMLError, said: str, text: str, first_line: int) -> tuple[str, int, int]:
    """Return the sentence, and the line and column (from 0) that the reader should look at."""
    mark, begin = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return _unreadable(error, said, text)
    before, after = _cut(text, mark)
    if begin is not None and getattr(error, "context", None) == "while scanning a quoted scalar":
        if said in ("found unexpected end of stream", "found unexpected document indicator"):
            return "the text in quotes that begins here never ends", begin.line, begin.column
    elif begin is not None and said == "could not find expected ':'":
        mark = begin
    elif begin is not None and said in _MISSING:
        what, signs = _MISSING[said]
        if not after.strip():
            return f"the {what} that begins here never ends", begin.line, begin.column
        return f"{signs} is missing in the {what} that begins in line {begin.line + first_line}", mark.line, mark.column
    elif getattr(error, "context", None) == "while parsing a flow node" and not after.strip():
        return 'the file ends inside a list or map: "]" or "}" is missing', mark.line, mark.column
    elif said == "did not find expected key" and before.strip():
        if before.rstrip().endswith("}}"):
            return "a text that begins with {{ must be quoted", mark.line, mark.column
        return "nothing may follow here; is a quote or bracket closed too early?", mark.line, mark.column
    return _FRIENDLIER.get(said, said), mark.line, mark.column


def _cut(text: str, mark: yaml.Mark) -> tuple[str, str]:
    """Return what stands before a place on its line, and everything after it."""
    lines = _BREAK.split(text)[mark.line :]
    rest = "\n".join(lines)
    return rest[: mark.column], rest[mark.column :]


def _unreadable(error: yaml.YAMLError, said: str, text: str) -> tuple[str, int, int]:
    """Place a character that libyaml refuses; it counts bytes."""
    position, character = getattr(error, "position", 0), getattr(error, "character", None)
    before = text.encode()[: position if isinstance(position, int) else 0].decode(errors="ignore")
    if said == "control characters are not allowed" and isinstance(character, int):
        said = f"the control character U+{character:04X} is not allowed; write it as an escape in double quotes"
    return said, *_position(before)


def _position(before: str) -> tuple[int, int]:
    """Return the line and column (from 0) that follow a text."""
    lines = _BREAK.split(before)
    return len(lines) - 1, len(lines[-1])


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
