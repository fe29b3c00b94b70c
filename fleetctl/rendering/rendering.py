"""Releases for sites: the loop that renders every assigned bundle, and what went wrong on the way, folded."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fleetctl.model import codes, errors, objects, problems, releases, sites
from fleetctl.openapi import learned
from fleetctl.rendering import bundles, checking, faults, renderers, requirements

__all__ = ["LeftOut", "Rendered", "nobody", "render", "unassigned"]

_Limits = releases.Limits


class LeftOut(msgspec.Struct, frozen=True):
    """Sites that a bundle is assigned to and not rendered for; ``why`` is what they lack, as a phrase."""

    bundle: str
    why: str
    sites: tuple[str, ...]


class Rendered(msgspec.Struct, frozen=True):
    """Releases in the order of sites, then bundles; how many distinct documents they hold, and what was not checked."""

    releases: list[releases.Release]
    documents: int
    distinct: int
    limits: _Limits = _Limits()
    left_out: tuple[LeftOut, ...] = ()


def render(
    fleet: sites.Fleet,
    loaded: Iterable[bundles.Bundle],
    members: Iterable[sites.Site],
    origin: renderers.Origin,
    known: learned.Learned | None = None,
) -> Rendered:
    """Render bundles for every member site they are assigned to; raises ``InvalidInput`` with every fault, folded.

    A site that does not meet what a bundle requires is left out of that bundle, and named. ``known`` is what the
    sites' clusters serve beside Kubernetes' own kinds, as far as it was learned.
    """
    every = [renderers.Renderer(bundle, fleet, origin) for bundle in loaded]
    checks = checking.Checks(known)
    made: list[releases.Release] = []
    clashes = faults.Faults()
    lacking: dict[tuple[str, str], list[str]] = {}
    members = list(members)
    for one in every:
        one.prepare(members)
    for site in members:
        taking: list[tuple[renderers.Renderer, renderers.Draft]] = []
        for one in every:
            if one.bundle.name not in site.bundles:
                continue
            if why := requirements.unmet(one.bundle.requires, site):
                lacking.setdefault((one.bundle.name, why), []).append(site.name)
            elif draft := one.draft(site):
                taking.append((one, draft))
        defined = {one.bundle.name: one.definitions(draft) for one, draft in taking}
        of_site = [
            (one, release)
            for one, draft in taking
            if (release := one.release(draft, checks.view(site, one.bundle.name, defined))) is not None
        ]
        made += [release for _, release in of_site]
        if len(of_site) > 1:
            _note_clashes(site, of_site, clashes)
    found = [problem for one in every for problem in one.found()]
    found += clashes.found()
    if found:
        raise errors.InvalidInput(found)
    bodies = {one.body for release in made for one in release.objects}
    left_out = tuple(LeftOut(*key, tuple(names)) for key, names in sorted(lacking.items()))
    total = sum(len(release.objects) for release in made)
    return Rendered(made, total, len(bodies), checks.limits(), left_out)


def unassigned(chosen: int, wanted: str) -> tuple[codes.Code, str, str]:
    """Return the code, the message and the way out where none of so many selected sites is assigned what is wanted."""
    none = "the selected site is not" if chosen == 1 else f"none of the {chosen:,} selected sites is"
    return codes.Code.RENDER_NOT_ASSIGNED, f"{none} assigned {wanted}", "Assign it under bundles: in the inventory."


def nobody(left_out: Iterable[LeftOut]) -> tuple[codes.Code, str, str]:
    """Return the code, the message and the way out where no site meets what the bundles require."""
    said = "; ".join(f"{len(one.sites):,} {one.why} ({one.bundle})" for one in left_out)
    message = f"no selected site meets what the bundle requires: {said}"
    hint = "What a bundle requires is in its bundle.yaml, what a site has in the inventory."
    return codes.Code.BUNDLE_REQUIRES, message, hint


def _note_clashes(
    site: sites.Site, made: list[tuple[renderers.Renderer, releases.Release]], clashes: faults.Faults
) -> None:
    """Find objects that two bundles of one site both make: neither could own them."""
    owners: dict[objects.ObjectId, renderers.Renderer] = {}
    for renderer, release in made:
        for one in release.objects:
            other = owners.setdefault(one.id, renderer)
            if other is not renderer:
                clashes.note(
                    ("clash", one.id, other.bundle.name, renderer.bundle.name),
                    site.name,
                    lambda one=one, other=other, renderer=renderer: _clash(site, one.id, other, renderer),  # type: ignore[misc]
                )


def _clash(
    site: sites.Site, wanted: objects.ObjectId, one: renderers.Renderer, two: renderers.Renderer
) -> problems.Problem:
    first, second = one.places(site, wanted)[0], two.places(site, wanted)[0]
    message = f"{wanted} is also made by bundle {one.bundle.name}, at {first}; an object belongs to one bundle"
    return problems.Problem(codes.Code.OBJECT_CLASH, message, second)
