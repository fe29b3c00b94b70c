"""All kinds that a cluster serves, from one answer: aggregated discovery (KEP-3352), which bears a mark.

With the mark of what is known, the same question is answered by 304 and no body. Which mark goes with which answer is
known by cluster. On the first contact the last answer of another cluster is tried, if its mark is the hash that API
servers make of it (``aggregated/etag.go``): then no cluster can have another take its own words for that cluster's.
"""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

import msgspec

from fleetctl.kube import answers, transport

__all__ = ["ACCEPT", "NOTHING", "Document", "Kept", "Known", "Served", "proven", "read"]

_AS: Final = "as=APIGroupDiscoveryList"
ACCEPT: Final = (
    f"application/json;g=apidiscovery.k8s.io;v=v2;{_AS},"
    f"application/json;g=apidiscovery.k8s.io;v=v2beta1;{_AS},application/json"
)
"""Asks for the aggregated form; a server before 1.27 tells its groups alone."""


class Served(msgspec.Struct, frozen=True):
    """How a version serves a kind."""

    plural: str
    namespaced: bool
    has_status: bool


class Document(msgspec.Struct, frozen=True):
    """What one answer tells; a version that is stale there is left out, and to be asked for by itself."""

    versions: dict[str, tuple[str, ...]]
    """API versions by group, the preferred one first; a group with a stale version is left out."""
    kinds: dict[str, dict[str, Served]]
    """Kinds by API version."""


NOTHING: Final = Document({}, {})
"""What a server tells that knows no such answer."""


class Kept(msgspec.Struct, frozen=True):
    """An answer that is kept: its mark, and the hash that it is kept under."""

    etag: str
    body: str


class Known(Protocol):
    """What is known of one cluster's discovery."""

    def suggested(self) -> Kept | None:
        """Return the answer to ask about, which need not be this cluster's; None when there is none."""
        ...

    def confirm(self, kept: Kept) -> Document | None:
        """Return the answer that the cluster said holds; None when it is there no more."""
        ...

    def take(self, answer: transport.Answer) -> Document:
        """Return what a new answer tells, and keep it; raises ``Failure`` (broken)."""
        ...


class _Kind(msgspec.Struct):
    kind: str = ""


class _Below(msgspec.Struct):
    subresource: str = ""


class _Resource(msgspec.Struct):
    resource: str
    scope: str
    responseKind: _Kind | None = None  # noqa: N815  # as Kubernetes spells it
    subresources: list[_Below] | None = None


class _Version(msgspec.Struct):
    version: str
    resources: list[_Resource] | None = None
    freshness: str = ""


class _Meta(msgspec.Struct):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _Meta
    versions: list[_Version] | None = None


class _Said(msgspec.Struct):
    kind: str = ""
    items: list[_Group] | None = None


def read(body: bytes) -> Document:
    """Return what an answer tells, ``NOTHING`` for the list of groups of an old server; raises ``Failure`` (broken).

    As in client-go (``aggregated_discovery.go``), what has no kind is no resource, and what is stale counts as
    unanswered: the server got no answer from the extension that serves it, and repeats an old one.
    """
    said = answers.decode(body, _Said)
    if said.kind != "APIGroupDiscoveryList":
        return NOTHING
    versions: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, dict[str, Served]] = {}
    for group in said.items or ():
        name = group.metadata.name
        found = {f"{name}/{one.version}" if name else one.version: one for one in group.versions or ()}
        if all(one.freshness != "Stale" for one in found.values()):
            versions[name] = tuple(found)
        for api_version, one in found.items():
            if one.freshness != "Stale":
                kinds[api_version] = _kinds(one)
    return Document(versions, kinds)


def _kinds(version: _Version) -> dict[str, Served]:
    return {
        one.responseKind.kind: Served(
            one.resource,
            one.scope == "Namespaced",
            any(below.subresource == "status" for below in one.subresources or ()),
        )
        for one in version.resources or ()
        if one.responseKind is not None and one.responseKind.kind and "/" not in one.resource
    }


def proven(etag: str, body: bytes) -> bool:
    """Tell whether a mark is the hash of its answer as API servers make it: over the JSON without type and line end."""
    start = body.find(b'"metadata"')
    made = hashlib.sha512(b"{" + body[start:].rstrip(b"\n")).hexdigest().upper()
    return start > 0 and etag == f'"{made}"'
