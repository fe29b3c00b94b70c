"""Rendered text to objects: cut into documents, each distinct one read and checked once for the whole fleet."""

from __future__ import annotations

import re

import msgspec

from fleetctl.model import codes, labels, objects, problems, releases, values
from fleetctl.reading import yaml12
from fleetctl.rendering import bundles, lints

__all__ = ["Parsed", "Parser", "Piece", "split"]

# A line that starts with three dashes is a document's start wherever it stands, inside a block scalar too
# (YAML 1.2.2, rule c-forbidden); an indented one is text.
_START = re.compile(r"^---(?=[ \t\r]|$)", re.MULTILINE)
_NOTHING = re.compile(r"(\s|#[^\n]*(\n|$))*")


class Piece(msgspec.Struct, frozen=True):
    """The text of one document, and the line of the rendered text (from 1) that it begins on."""

    text: str
    first_line: int


class Parsed(msgspec.Struct, frozen=True):
    """What one document amounts to: an object, or the problems that keep it from being one."""

    made: releases.RenderedObject | None
    problems: tuple[problems.Problem, ...] = ()


def split(text: str) -> list[Piece]:
    """Cut rendered text at ``---`` lines; documents of nothing but comments and space are left out."""
    pieces: list[Piece] = []
    start, line = 0, 1
    for match in _START.finditer(text):
        _add(pieces, text[start : match.start()], line)
        line += text.count("\n", start, match.end())
        start = match.end()
    _add(pieces, text[start:], line)
    return pieces


def _add(pieces: list[Piece], text: str, line: int) -> None:
    if not _NOTHING.fullmatch(text):
        pieces.append(Piece(text, line))


class Parser:
    """Reads the documents of one bundle; equal text costs one look-up."""

    def __init__(self, bundle: bundles.Bundle) -> None:
        self._bundle = bundle
        self._known: dict[tuple[str, str], Parsed] = {}

    def parse(self, piece: Piece, path: str) -> Parsed:
        """Return a document's object; problems carry lines of the rendered text."""
        key = (path, piece.text)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._parse(piece, path)
        if known.made is None and piece.first_line != 1:
            return self._parse(piece, path)  # the same fault on another line; only faults pay this twice
        return known

    def _parse(self, piece: Piece, path: str) -> Parsed:
        documents, found = yaml12.read(piece.text, path, first_line=piece.first_line)
        if not found and len(documents) > 1:
            message = 'a document ends here with "..."; separate documents with "---"'
            found = [problems.Problem(codes.Code.YAML_SYNTAX, message, documents[1].mark(()))]
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
        for field in (("apiVersion",), ("kind",), ("metadata", "name")):
            value = problems.value_at(data, field)
            if not isinstance(value, str) or not value:
                given = "it is missing" if value is problems.NOTHING else f"got {values.kind_of(value)}"
                hint = "; generateName makes a new object on every apply" if _generates(data) else ""
                message = f"{problems.field_text(field)} must be text that is not empty; {given}{hint}"
                return problems.Problem(codes.Code.OBJECT_NO_IDENTITY, message, document.mark(field), field)
        return self._name_fault(document)

    def _name_fault(self, document: yaml12.Document) -> problems.Problem | None:
        rules = {"name": _path_fault, "namespace": labels.dns_label_fault}
        for key, rule in rules.items():
            field = ("metadata", key)
            value = problems.value_at(document.data, field)
            if value is problems.NOTHING:
                continue
            fault = rule(value) if isinstance(value, str) else f"is {values.kind_of(value)}, not text"
            if fault:
                message = f'the {key} "{value}" {fault}'
                return problems.Problem(codes.Code.OBJECT_BAD_NAME, message, document.mark(field), field)
        return None

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


def _generates(data: values.Vars) -> bool:
    return problems.value_at(data, ("metadata", "generateName")) is not problems.NOTHING


def _path_fault(name: str) -> str:
    """Check a name as the API server's path segment rule does (apimachinery ``IsValidPathSegmentName``)."""
    if name in (".", "..") or "/" in name or "%" in name:
        return 'cannot stand in a URL: "." and ".." and names with "/" or "%" are refused'
    if any(sign.isspace() or not sign.isprintable() for sign in name) or len(name) > 253:
        return "has blanks or control characters, or more than 253 characters"
    return ""
