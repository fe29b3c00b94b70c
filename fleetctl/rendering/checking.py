"""Rendered objects against the schema of the Kubernetes version that their site runs.

Each distinct object is checked once per version; a kind's schema is compiled when the first object of it is met. What
cannot be checked, custom resources whose definition nobody has shown us, is counted and told, never taken for right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from fleetctl.model import codes, objects, problems, releases, sites, values
from fleetctl.openapi import customs, learned, minors, validators
from fleetctl.reading import yaml12
from fleetctl.rendering import documents, outputs, tracing

__all__ = ["Checks", "View"]

_Paths = tuple[tuple[str, str], ...]
_Bodies = tuple[bytes, ...]


class Checks:
    """What is found out about objects during one rendering."""

    def __init__(self, known: learned.Learned | None = None) -> None:
        self._learned = known
        self._views: dict[tuple[str, _Bodies, _Bodies, _Paths], View] = {}
        self._taken: dict[str, str] = {}
        self._nearest: dict[str, list[str]] = {}
        self._unchecked: dict[tuple[str, str], list[str]] = {}

    def view(self, site: sites.Site, bundle: str, definitions: Mapping[str, _Bodies]) -> View:
        """Return how a site's cluster sees a bundle's objects; ``definitions`` are those of the site, by bundle."""
        own = definitions.get(bundle, ())
        others = tuple(body for name, bodies in definitions.items() if name != bundle for body in bodies)
        paths = self._learned.paths(site.name) if self._learned else ()
        key = (self._minor(site), own, others, paths)
        if key not in self._views:
            kinds = _Kinds(minors.get(key[0]), _defined(own), _defined(others), self._learned, paths)
            self._views[key] = View(kinds, self._skip)
        return self._views[key]

    def _minor(self, site: sites.Site) -> str:
        """Return the minor to check a site's objects by; KubeEdge has versions of its own."""
        stated = minors.stated(site.cluster.version) if site.cluster.distribution != "kubeedge" else None
        key = stated or ""
        if key not in self._taken:
            self._taken[key] = minors.nearest(stated)
        if stated is not None and stated != self._taken[key]:
            self._nearest.setdefault(stated, []).append(site.name)
        return self._taken[key]

    def _skip(self, site: sites.Site, made: releases.RenderedObject) -> None:
        self._unchecked.setdefault((_version(made.body), made.id.kind), []).append(site.name)

    def limits(self) -> releases.Limits:
        """Return what could not be checked, by kind, and which minors had to stand in for another."""
        unchecked = tuple(
            releases.Unchecked(api_version, kind, len(names), len(set(names)), min(names))
            for (api_version, kind), names in sorted(self._unchecked.items())
        )
        nearest = tuple(
            releases.Nearest(stated, self._taken[stated], len(set(names)), min(names))
            for stated, names in sorted(self._nearest.items())
        )
        return releases.Limits(unchecked, nearest)


class _Kinds:
    """The kinds that clusters of one sort serve, and their validators."""

    def __init__(
        self,
        minor: minors.Minor,
        own: list[customs.Custom],
        others: list[customs.Custom],
        known: learned.Learned | None,
        paths: _Paths,
    ) -> None:
        self.outside = {(one.group, one.kind) for one in own if not one.namespaced}
        """Kinds that the bundle itself defines as living outside of namespaces."""
        self._minor = minor
        self._customs = [*own, *others]
        self._known = known
        self._paths = paths
        self._validators: dict[tuple[str, str], validators.Validator | None] = {}

    def complaints(self, data: values.Vars) -> tuple[validators.Complaint, ...] | None:
        """Return what is wrong with an object; None when nothing is known of its kind."""
        key = str(data["apiVersion"]), str(data["kind"])
        if key not in self._validators:
            found = self._validator(*key)
            if isinstance(found, str):
                return (validators.Complaint(("apiVersion",), codes.Code.OBJECT_UNKNOWN_KIND, found),)
            self._validators[key] = found
        validator = self._validators[key]
        return validator.complaints(data) if validator is not None else None

    def _validator(self, api_version: str, kind: str) -> validators.Validator | str | None:
        """Return what checks a kind, or why there is no such kind; None when that cannot be told."""
        own = self._minor.kinds.get((api_version, kind))
        if own is not None:
            return validators.of_kind(self._minor, own)
        group = objects.group_of(api_version)
        served = self._known.kinds(group, self._paths) if self._known else []
        known = [one for one in (*self._customs, *served) if (one.group, one.kind) == (group, kind)]
        for one in known:
            if api_version in one.schemas:
                schema = one.schemas[api_version]
                return validators.of_custom(self._minor, schema) if schema else None
        if known:
            return f"{kind} is defined and served as {', '.join(sorted(known[0].schemas)) or 'nothing'}"
        return self._minor.absence(api_version, kind) if self._minor.knows_group(group) else None


class View:
    """How clusters of one sort see a bundle's objects; answers are kept by object."""

    def __init__(self, kinds: _Kinds, skip: Callable[[sites.Site, releases.RenderedObject], None]) -> None:
        self._kinds = kinds
        self._skip = skip
        self._answers: dict[bytes, tuple[validators.Complaint, ...] | None] = {}
        self._settled: dict[bytes, documents.Parsed] = {}

    def checked(
        self, site: sites.Site, path: str, piece: documents.Piece, parsed: documents.Parsed
    ) -> documents.Parsed:
        """Return a document as the cluster takes it: its object, or the problems that keep it from being one."""
        made = parsed.made
        if made is not None and self._kinds.outside and (made.id.group, made.id.kind) in self._kinds.outside:
            parsed = self._outside(path, piece, made)
            made = parsed.made
        if made is None:
            return parsed
        found = self._complaints(site.name, made.body)
        if found is None:
            self._skip(site, made)
        return documents.Parsed(None, _located(found, piece, path)) if found else parsed

    def _complaints(self, site: str, body: bytes) -> tuple[validators.Complaint, ...] | None:
        """Check an object, or know it: itself, or another site's that differs in nothing but the site's name.

        For that, the name gives way to a text of its length that no word, pattern or format would take. If nothing is
        wrong with that object, no rule looks at what stands in the place of the name.
        """
        name = site.encode()
        if len(site) >= outputs.SHORTEST and name in body:
            key = body.replace(name, _poison(len(site)))
            if self._answer(key) in ((), None):
                return self._answers[key]
        return self._answer(body)

    def _answer(self, body: bytes) -> tuple[validators.Complaint, ...] | None:
        if body not in self._answers:
            self._answers[body] = self._kinds.complaints(msgspec.json.decode(body))
        return self._answers[body]

    def _outside(self, path: str, piece: documents.Piece, made: releases.RenderedObject) -> documents.Parsed:
        """Take an object out of the namespace that it was given because nobody knew its kind."""
        if made.body not in self._settled:
            read, _ = yaml12.read(piece.text, path, first_line=piece.first_line)
            fault = documents.scope_fault(read[0])
            if fault is not None:
                return documents.Parsed(None, (fault,))
            data = msgspec.json.decode(made.body)
            del data["metadata"]["namespace"]
            identity = msgspec.structs.replace(made.id, namespace="")
            settled = releases.RenderedObject(identity, objects.canonical(data), made.template)
            self._settled[made.body] = documents.Parsed(settled)
        return self._settled[made.body]


@functools.cache
def _poison(length: int) -> bytes:
    """Return text of so many characters, of every kind, that JSON writes as it is."""
    return ("a~9Z-_\u00fc " * length)[:length].encode()


def _located(found: Sequence[validators.Complaint], piece: documents.Piece, path: str) -> tuple[problems.Problem, ...]:
    """Return complaints as problems at lines of the rendered text."""
    read, _ = yaml12.read(piece.text, path, first_line=piece.first_line)
    secret = tracing.SECRET.search(piece.text) is not None
    return tuple(
        problems.Problem(
            one.code,
            one.bare if secret else one.message,
            read[0].mark(one.field, key=one.code is codes.Code.OBJECT_UNKNOWN_FIELD),
            one.field,
        )
        for one in found
    )


def _defined(bodies: Iterable[bytes]) -> list[customs.Custom]:
    return [found for found in map(customs.of_definition, bodies) if found is not None]


class _Said(msgspec.Struct, rename="camel"):
    api_version: str


def _version(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Said).api_version
