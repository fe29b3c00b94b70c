"""Custom resources whose definition is in no file, held against what their clusters serve before anything is applied.

Each cluster is asked for its OpenAPI document of the group versions that its release needs (``/openapi/v3/apis/...``),
with the hash of the one that is known: it answers by a 304 and no body where it serves the same. (The index of all
documents, which has the hashes, is eleven kilobytes and would not spare a request.)
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from fleetctl.kube import answers, client
from fleetctl.model import codes, errors, problems, releases, sites
from fleetctl.openapi import learned, minors, validators
from fleetctl.rollout import planning, surveying
from fleetctl.runs import loops

__all__ = ["check"]

_Kind = tuple[str, str]  # API version, kind
_Found = list[tuple[_Kind, releases.RenderedObject]]
_Fault = tuple[str, codes.Code, problems.Field, str]
"""A template, and what is wrong with what came of it."""
_MOST: Final = 50
"""Faults that are told; whoever has more has one mistake many times."""


class _Said(msgspec.Struct, rename="camel"):
    api_version: str


async def check(
    wanted: Iterable[planning.Wanted],
    unchecked: Sequence[releases.Unchecked],
    readings: Mapping[str, planning.Reading],
    connect: surveying.Connect,
    known: learned.Learned,
    *,
    concurrency: int,
) -> tuple[releases.Unchecked, ...]:
    """Return what of the unchecked stays so; raises ``InvalidInput`` with what clusters would refuse.

    A cluster that did not answer, does not serve a kind, or whose document is none keeps its objects unchecked.
    """
    checks = _Checks(known)
    members = [(one.site, one.release) for one in wanted if one.release is not None] if unchecked else []
    waiting = [(site, release, found) for site, release in members if (found := _of(release, unchecked))]

    async def ask(one: tuple[sites.Site, releases.Release, _Found]) -> None:
        site, release, found = one
        reading = readings.get(site.name)
        if reading is not None and reading.answered and reading.release != release.digest:
            await _learn(site.name, sorted({version for (version, _), _ in found}), connect, known)
            checks.take(site, found, served=True)
        elif reading is None or not reading.answered:
            checks.take(site, found, served=False)

    if unchecked:
        await loops.each(waiting, ask, at_once=concurrency)
        known.save()
        checks.refuse()
    return checks.left()


def _of(
    release: releases.Release, unchecked: Sequence[releases.Unchecked]
) -> list[tuple[_Kind, releases.RenderedObject]]:
    """Return the objects of a release that were not checked."""
    wanted = {(one.api_version, one.kind) for one in unchecked}
    kinds = {one.kind for one in unchecked}
    found = []
    for one in release.objects:
        if one.id.kind in kinds:
            key = msgspec.json.decode(one.body, type=_Said).api_version, one.id.kind
            if key in wanted:
                found.append((key, one))
    return found


async def _learn(site: str, versions: Iterable[str], connect: surveying.Connect, known: learned.Learned) -> None:
    """Ask a cluster for the documents of API versions; what it does not tell is not known."""
    with connect(site) as api:
        for version in versions:
            path = f"apis/{version}" if "/" in version else f"api/{version}"
            try:
                await _ask(site, path, api, known)
            except (answers.Failure, TimeoutError):
                known.confirm(site, path, "")


async def _ask(site: str, path: str, api: client.Client, known: learned.Learned) -> None:
    name = known.suggested(site, path)
    url = f"/openapi/v3/{urllib.parse.quote(path)}"
    answer = await api.conditional(url, "application/json", f'"{name}"' if name else "")
    if answer.status != 304:
        name = known.take(site, path, answer.etag.decode("latin-1"), answer.body)
    known.confirm(site, path, name)


class _Checks:
    """What is found out about objects while clusters answer."""

    def __init__(self, known: learned.Learned) -> None:
        self._known = known
        self._validators: dict[tuple[str, _Kind], validators.Validator | None] = {}
        self._answers: dict[tuple[str, bytes], tuple[validators.Complaint, ...]] = {}
        self._faults: dict[_Fault, list[str]] = {}
        self._left: dict[_Kind, list[str]] = {}

    def take(self, site: sites.Site, found: list[tuple[_Kind, releases.RenderedObject]], *, served: bool) -> None:
        """Hold objects against what a cluster serves."""
        hashes = dict(self._known.paths(site.name)) if served else {}
        minor = minors.nearest(minors.stated(site.cluster.version))
        for key, one in found:
            version, kind = key
            name = hashes.get(f"apis/{version}", "")
            validator = self._validator(minor, name, key) if name else None
            if validator is None:
                self._left.setdefault(key, []).append(site.name)
                continue
            place = name, one.body
            if place not in self._answers:
                self._answers[place] = validator.complaints(msgspec.json.decode(one.body))
            for said in self._answers[place]:
                fault = one.template, said.code, said.field, f"{kind} {one.id.name}: {said.bare}"
                self._faults.setdefault(fault, []).append(site.name)

    def _validator(self, minor: str, name: str, key: _Kind) -> validators.Validator | None:
        place = f"{minor} {name}", key
        if place not in self._validators:
            version, kind = key
            schemas = (one.schemas.get(version) for one in self._known.document(name) if one.kind == kind)
            schema = next(schemas, None)
            try:
                made = validators.of_custom(minors.get(minor), schema) if schema else None
            except RecursionError:
                made = None
            self._validators[place] = made
        return self._validators[place]

    def refuse(self) -> None:
        """Raise ``InvalidInput`` if anything is wrong."""
        if self._faults:
            found = [
                problems.Problem(code, f"{message} ({_served_by(names)})", problems.Mark(template), field)
                for (template, code, field, message), names in list(self._faults.items())[:_MOST]
            ]
            raise errors.InvalidInput(found, asked=True)

    def left(self) -> tuple[releases.Unchecked, ...]:
        """Return what could not be checked."""
        return tuple(
            releases.Unchecked(version, kind, len(names), len(set(names)), min(names))
            for (version, kind), names in sorted(self._left.items())
        )


def _served_by(names: Sequence[str]) -> str:
    several = sorted(set(names))
    if len(several) == 1:
        return f"by what the cluster of {several[0]} serves"
    return f"by what {len(several):,} clusters serve, e.g. that of {several[0]}"
