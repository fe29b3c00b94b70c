"""CSV files: one row for each site, or for each node of one; the first line names the columns."""

from __future__ import annotations

import csv
import hashlib
import io
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from fleetctl.inventory.sources import mapping, records
from fleetctl.model import codes, problems
from fleetctl.reading import disk
from fleetctl.schema import sources

__all__ = ["MOST", "digest", "gather", "read"]

MOST = 64 * 2**20
"""Bytes of a file, as for YAML."""
_SORTS = ("text", "integer", "number", "boolean", "list", "flags")


def digest(text: bytes) -> str:
    """Return what a lock keeps of a file that it was made from."""
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def read(path: pathlib.Path, shown: str) -> bytes:
    """Return a file that a source is made from; raises ``Failed``."""
    text, found = disk.read(path, shown)
    if found:
        raise records.Failed(found)
    if len(text) > MOST:
        message = f"has {len(text):,} bytes; at most {MOST:,} are read"
        raise records.one(codes.Code.SOURCE_BAD_FILE, message, problems.Mark(shown))
    return text


def gather(source: sources.Csv, own: Mapping[str, sources.Taken], folder: pathlib.Path, shown: str) -> records.Gathered:
    """Return the sites of a table; ``shown`` is its path as people see it. Raises ``Failed``."""
    text = read(folder / source.file, shown)
    columns, rows = _rows(text, shown, source.delimiter)
    by = mapping.rules({}, own, whole=True) if own else _named_alike(columns, shown)
    _require_columns(own, columns, shown)
    gathered = mapping.sites(rows, by)
    gathered.inputs = {source.file: digest(text)}
    return gathered


def _rows(text: bytes, shown: str, delimiter: str) -> tuple[list[str], list[records.Record]]:
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text; save it as UTF-8"
        raise records.one(codes.Code.SOURCE_BAD_FILE, message, problems.Mark(shown, line)) from None
    lines = _lines(decoded, shown, delimiter)
    _, columns = next(lines, (1, []))
    found = list(_faults(columns, shown, delimiter, decoded))
    rows: list[records.Record] = []
    for line, cells in lines:
        mark = problems.Mark(shown, line)
        if len(cells) != len(columns):
            cell = "cell" if len(cells) == 1 else "cells"
            message = f"has {len(cells)} {cell}, and the first line names {len(columns)} columns"
            found.append(problems.Problem(codes.Code.SOURCE_BAD_FILE, message, mark))
        elif any(cells):
            rows.append(records.Record(mark, dict(zip(columns, cells, strict=True))))
    if found:
        raise records.Failed(found)
    return columns, rows


def _lines(text: str, shown: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise records.one(codes.Code.SOURCE_BAD_FILE, f"is no CSV: {error}", problems.Mark(shown, line)) from None
        if cells is None:
            return
        if cells:
            yield line, [cell.strip() for cell in cells]
        line = reader.line_num + 1


def _faults(columns: Sequence[str], shown: str, delimiter: str, text: str) -> Iterator[problems.Problem]:
    mark = problems.Mark(shown, 1)
    if not columns:
        yield problems.Problem(codes.Code.SOURCE_BAD_FILE, "is empty; its first line names the columns", mark)
    for index, name in enumerate(columns):
        if not name:
            yield problems.Problem(codes.Code.SOURCE_BAD_FILE, f"column {index + 1} has no name", mark)
        elif name in columns[:index]:
            yield problems.Problem(codes.Code.SOURCE_BAD_FILE, f'two columns have the name "{name}"', mark)
    other = next((sign for sign in ";\t|," if sign != delimiter and sign in text.partition("\n")[0]), "")
    if len(columns) == 1 and other:
        message = f"has one column only; perhaps it needs delimiter: {other!r}".replace("'", '"')
        yield problems.Problem(codes.Code.SOURCE_BAD_FILE, message, mark)


def _named_alike(columns: Sequence[str], shown: str) -> list[mapping.Rule]:
    """Return the rules of a table whose columns are called as the fields that they fill, ``FIELD:TYPE`` if need be."""
    found = []
    own: dict[str, sources.Taken] = {}
    for column in columns:
        name, _, sort = column.partition(":")
        fault = sources.target_fault(name)
        if not fault and sort and sort not in _SORTS:
            fault = f"has the type {sort}; there is: {', '.join(_SORTS)}"
        if fault:
            message = f'the column "{column}" {fault}'
            found.append(problems.Problem(codes.Code.SOURCE_UNKNOWN_FIELD, message, problems.Mark(shown, 1)))
        else:
            own[name] = sources.Taken.model_validate({"from": column, "type": sort or None})
    if found:
        raise records.Failed(found)
    return mapping.rules({}, own, whole=True)


def _require_columns(own: Mapping[str, sources.Taken], columns: Sequence[str], shown: str) -> None:
    found = [
        problems.Problem(
            codes.Code.SOURCE_UNKNOWN_FIELD,
            f'there is no column "{one.from_}"; there is: {", ".join(columns)}',
            problems.Mark(shown, 1),
            ("map", target),
        )
        for target, one in own.items()
        if one.from_ not in columns
    ]
    if found:
        raise records.Failed(found)
