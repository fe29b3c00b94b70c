"""Rendered text to objects: cut into documents, each distinct one read and checked once for the whole fleet."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from fleetctl.model import codes, labels, objects, problems, releases, values
from fleetctl.reading import yaml12
from fleetctl.rendering import bundles, lints

__all__ = ["Parsed", "Parser", "Piece", "mark_of_name", "scope_fault", "split", "title"]

# A line that starts with three dashes is a document's start wherever it stands, inside a block scalar too
# (YAML 1.2.2, rule c-forbidden); an indented one is text.
_START = re.compile(r"^---(?=[ \t\r]|$)", re.MULTILINE)
_END = re.compile(r"^\.\.\.(?=[ \t\r\n]|$)[^\n]*", re.MULTILINE)
# Possessive: a comment has one reading, or a long header would have two to the power of its lines.
_NOTHING = re.compile(rf"(?:\s|#[^\n]*+|{_END.pattern})*+", re.MULTILINE)


class Piece(msgspec.Struct, frozen=True):
    """The text of one document, the line of the rendered text (from 1) that it begins on, and its place (from 1)."""

    text: str
    first_line: int
    number: int


class Parsed(msgspec.Struct, frozen=True):
    """What one document amounts to: an object, or the problems that keep it from being one."""

    made: releases.RenderedObject | None
    problems: tuple[problems.Problem, ...] = ()


def split(text: str, first_line: int = 1) -> list[Piece]:
    """Cut rendered text before ``---`` lines; documents of nothing but comments and space are left out."""
    pieces: list[Piece] = []
    start, line = 0, first_line
    for match in _START.finditer(text):
        _add(pieces, text[start : match.start()], line)
        line += text.count("\n", start, match.start())
        start = match.start()
    _add(pieces, text[start:], line)
    return pieces


def _add(pieces: list[Piece], text: str, line: int) -> None:
    if not _NOTHING.fullmatch(text.removeprefix("---")):
        pieces.append(Piece(text, line, len(pieces) + 1))


def title(piece: Piece) -> str:
    """Name a document by its kind and name as far as they can be read, or else by its number."""
    documents, _ = yaml12.read(piece.text, "")
    data = documents[0].data if documents else None
    kind, name = problems.value_at(data, ("kind",)), problems.value_at(data, ("metadata", "name"))
    return f"{kind} {name}" if isinstance(kind, str) and isinstance(name, str) and name else f"document {piece.number}"


def mark_of_name(piece: Piece, path: str) -> problems.Mark:
    """Return where a document that makes an object names it."""
    documents, _ = yaml12.read(piece.text, path, first_line=piece.first_line)
    return documents[0].mark(("metadata", "name"))


class Parser:
    """Reads the documents of one bundle; equal text costs one look-up."""

    def __init__(self, bundle: bundles.Bundle) -> None:
        self._bundle = bundle
        self._known: dict[tuple[str, str], Parsed] = {}

    def parse(self, piece: Piece, path: str) -> Parsed:
        """Return a document's object; problems carry lines of the rendered text."""
        key = (path, piece.text)
        known = self._known.get(key)
        if known is None or known.made is None:  # faults are read again: the same text may stand on another line
            known = self._known[key] = self._parse(piece, path)
        return known

    def _parse(self, piece: Piece, path: str) -> Parsed:
        end = _END.search(piece.text)
        if end is not None and not _NOTHING.fullmatch(piece.text, end.end()):
            message = 'the document ends here, and more follows; separate documents with "---"'
            mark = problems.Mark(path, piece.first_line + piece.text.count("\n", 0, end.start()), 1)
            return Parsed(None, (problems.Problem(codes.Code.YAML_SYNTAX, message, mark),))
        documents, found = yaml12.read(piece.text, path, first_line=piece.first_line)
        if not found and len(documents) != 1:
            message = "a stray carriage return or byte order mark hides here where documents begin"
            found = [problems.Problem(codes.Code.YAML_SYNTAX, message, problems.Mark(path, piece.first_line, 1))]
        if found:
            return Parsed(None, tuple(found))
        document = documents[0]
        fault = self._identity_fault(document)
        if fault is not None:
            return Parsed(None, (fault,))
        data: values.Vars = document.data  # type: ignore[assignment]  # a map, as just checked
        faults = lints.check(data, allow_literal=self._bundle.allow_literal)
        if faults:
            found = [problems.Problem(code, message, document.mark(field), field) for field, code, message in faults]
            return Parsed(None, tuple(found))
        return Parsed(self._made(data, path))

    def _identity_fault(self, document: yaml12.Document) -> problems.Problem | None:
        """Check that a document names its kind and itself, and names them soundly."""
        data = document.data
        if not isinstance(data, dict):
            message = f"expected a Kubernetes object, got {values.kind_of(data)}"
            return problems.Problem(codes.Code.OBJECT_NO_IDENTITY, message, document.mark(()))
        if lints.is_list(data):
            message = 'a list of objects; write them as documents of their own, separated by "---"'
            return problems.Problem(codes.Code.OBJECT_KIND_LIST, message, document.mark(("kind",)), ("kind",))
        for field in (("apiVersion",), ("kind",), ("metadata", "name")):
            value = problems.value_at(data, field)
            if not isinstance(value, str) or not value:
                missing = value in (problems.NOTHING, "")
                message = "this key is required" if missing else f"expected text, got {values.kind_of(value)}"
                if _generates(data):
                    message += "; generateName makes a new object on every apply"
                return problems.Problem(codes.Code.OBJECT_NO_IDENTITY, message, document.mark(field), field)
        return self._name_fault(document)

    def _name_fault(self, document: yaml12.Document) -> problems.Problem | None:
        for field, rule in _RULES.items():
            value = problems.value_at(document.data, field)
            if value is problems.NOTHING:
                continue
            if not isinstance(value, str):
                message = f"must be text, not {values.kind_of(value)}"
                return problems.Problem(codes.Code.OBJECT_BAD_NAME, message, document.mark(field), field)
            fault = rule(value)
            if fault:
                message = f'"{value}" {fault}'
                return problems.Problem(codes.Code.OBJECT_BAD_NAME, message, document.mark(field), field)
        data: values.Vars = document.data  # type: ignore[assignment]  # a map, as checked before
        key = objects.group_of(str(data["apiVersion"])), str(data["kind"])
        return scope_fault(document) if key in objects.CLUSTER_SCOPED else None

    def _made(self, data: values.Vars, path: str) -> releases.RenderedObject:
        """Build the object; one without a namespace goes to the bundle's home namespace if its kind has one."""
        metadata: values.Vars = data["metadata"]  # type: ignore[assignment]  # a map, as checked by identity
        group, kind = objects.group_of(str(data["apiVersion"])), str(data["kind"])
        if (group, kind) in objects.CLUSTER_SCOPED:
            namespace = ""
        else:
            namespace = str(metadata.get("namespace") or self._bundle.namespace)
            data = {**data, "metadata": {**metadata, "namespace": namespace}}
        identity = objects.ObjectId(group, kind, namespace, str(metadata["name"]))
        return releases.RenderedObject(identity, objects.canonical(data), path)


def scope_fault(document: yaml12.Document) -> problems.Problem | None:
    """Refuse a namespace on what lives outside of all, as API servers do."""
    field = ("metadata", "namespace")
    data: values.Vars = document.data  # type: ignore[assignment]  # a map, as checked before
    if problems.value_at(data, field) is problems.NOTHING:
        return None
    message = f"a {data['kind']} lives outside of namespaces; take this line away"
    return problems.Problem(codes.Code.OBJECT_BAD_NAME, message, document.mark(field), field)


def _generates(data: values.Vars) -> bool:
    return problems.value_at(data, ("metadata", "generateName")) is not problems.NOTHING


def _version_fault(version: str) -> str:
    group, slash, name = version.rpartition("/")
    if not _WORD.fullmatch(name) or (slash and labels.subdomain_fault(group)):
        return 'is not an API version such as "v1" or "apps/v1"'
    return ""


def _kind_fault(kind: str) -> str:
    return "" if _WORD.fullmatch(kind) else 'is not a kind such as "ConfigMap" (letters and digits)'


def _path_fault(name: str) -> str:
    """Check a name as the API server's path segment rule does (apimachinery ``IsValidPathSegmentName``)."""
    if name in (".", "..") or "/" in name or "%" in name:
        return 'cannot stand in a URL: "." and ".." and names with "/" or "%" are refused'
    if any(sign.isspace() or not sign.isprintable() for sign in name) or len(name) > 253:
        return "has blanks or control characters, or more than 253 characters"
    return ""


_WORD = re.compile(r"[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_RULES: dict[problems.Field, Callable[[str], str]] = {
    ("apiVersion",): _version_fault,
    ("kind",): _kind_fault,
    ("metadata", "name"): _path_fault,
    ("metadata", "namespace"): labels.dns_label_fault,
}
"""What each part of an identity must be; kind and group become parts of file names and of URLs."""
