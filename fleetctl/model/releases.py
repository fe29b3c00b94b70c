"""A bundle rendered for one site: ordered objects and a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from fleetctl.model import objects, placeholders, secretrefs

__all__ = [
    "Limits",
    "Nearest",
    "Release",
    "RenderedObject",
    "Unchecked",
    "digest",
    "has_secrets",
    "in_apply_order",
    "references",
    "references_of",
]

_DIGEST_VERSION = "r1"
_MARK = placeholders.MARK.encode()


class RenderedObject(msgspec.Struct, frozen=True):
    """One object as it will be sent: canonical JSON, and the template that made it (path as shown to people)."""

    id: objects.ObjectId
    body: bytes
    template: str


class Unchecked(msgspec.Struct, frozen=True, rename="camel"):
    """Objects of a kind that no definition is known of."""

    api_version: str
    kind: str
    objects: int
    sites: int
    example: str


class Nearest(msgspec.Struct, frozen=True):
    """Sites whose minor is not shipped, and the one that took its place."""

    stated: str
    taken: str
    sites: int
    example: str


class Limits(msgspec.Struct, frozen=True):
    """How far the check of objects against Kubernetes' schemas could go."""

    unchecked: tuple[Unchecked, ...] = ()
    nearest: tuple[Nearest, ...] = ()


class Release(msgspec.Struct, frozen=True):
    """What one bundle amounts to at one site; objects stand in apply order."""

    site: str
    bundle: str
    version: str
    digest: str
    objects: tuple[RenderedObject, ...]
    fingerprints: tuple[tuple[str, str], ...] = ()
    """Keyed hashes of the values that its secrets had, each beside the placeholder; the digest covers them."""

    @property
    def rendered(self) -> str:
        """Return the digest over the objects alone: values that rotate leave it as it is."""
        return digest(self.objects) if self.fingerprints else self.digest


def in_apply_order(rendered: Iterable[RenderedObject]) -> tuple[RenderedObject, ...]:
    """Sort by rank of the kind, then identity, so that order never depends on files or hashing."""
    return tuple(sorted(rendered, key=lambda one: (objects.rank(one.id), one.id)))


def has_secrets(release: Release) -> bool:
    """Tell whether objects hold placeholders of secrets: then the digest says nothing about the values."""
    return any(_MARK in one.body for one in release.objects)


def references(release: Release) -> list[secretrefs.Reference]:
    """Return the secrets that a release needs, each once, in the order of their placeholders."""
    found = {reference for one in release.objects for reference in references_of(one)}
    return sorted(found, key=placeholders.text)


def references_of(one: RenderedObject) -> Iterator[secretrefs.Reference]:
    """Yield the secrets that an object has placeholders for, as often as it has."""
    if _MARK in one.body:
        yield from (place.reference for place in placeholders.found(one.body.decode()))


def digest(
    ordered: Iterable[RenderedObject], fingerprints: Mapping[secretrefs.Reference, str] = {}
) -> str:  # read only
    """Return ``r1:`` and the SHA-256 over the canonical objects in apply order, one per line.

    ``fingerprints`` are keyed hashes of the secrets that the objects have placeholders for: with them a value that
    rotates is a change. Canonical JSON holds no line feed and begins with a brace, so no two inputs share a text.
    """
    total = hashlib.sha256()
    for one in ordered:
        total.update(one.body)
        total.update(b"\n")
    for reference in sorted(fingerprints, key=placeholders.text):
        total.update(f"{placeholders.text(reference)} {fingerprints[reference]}\n".encode())
    return f"{_DIGEST_VERSION}:{total.hexdigest()}"
