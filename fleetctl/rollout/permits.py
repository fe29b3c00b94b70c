"""What a visit would not be allowed to do, asked at each site for the plan, and gathered over sites."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from fleetctl.kube import answers, client, needs, rights
from fleetctl.model import outcomes

__all__ = ["Doubt", "Lack", "ask", "doubts", "lacks"]


class Lack(msgspec.Struct, frozen=True):
    """Rights that are missing at some sites: the same at each."""

    gaps: tuple[rights.Gap, ...]
    sites: tuple[str, ...]


class Doubt(msgspec.Struct, frozen=True):
    """Sites of which it is not known what may be done there, for one cause."""

    cause: outcomes.Cause
    sites: tuple[str, ...]


async def ask(api: client.Client, step: needs.Step) -> rights.Answer:
    """Ask what of a visit would be refused at a site: one request where everything may be done."""
    return await rights.ask(api, functools.partial(_needs, api, step))


async def _needs(api: client.Client, step: needs.Step) -> list[needs.Need]:
    """Return what a visit needs; asks for kinds that are not Kubernetes' own, and whether the home namespace is there.

    Raises ``answers.Failure``.
    """
    served = dict(needs.defined(step.new))
    for (group, kind), version in needs.kinds_of(step).items():
        if (group, kind) not in served and (found := await api.resources.of(group, kind, version)) is not None:
            served[group, kind] = (found.plural, found.namespaced)
    if not step.parent and step.new is not None:
        try:
            there = await answers.optional(api.get(f"/api/v1/namespaces/{step.home}", metadata_only=True))
        except answers.Failure as failure:
            if failure.kind != "forbidden":
                raise
            there = None
        step = msgspec.structs.replace(step, home_exists=there is not None)
    return needs.of(step, served)


def lacks(found: Mapping[str, rights.Answer]) -> tuple[Lack, ...]:
    """Gather sites where the same is missing, most sites first."""
    groups: dict[tuple[rights.Gap, ...], list[str]] = {}
    for site, answer in found.items():
        if answer.gaps:
            groups.setdefault(answer.gaps, []).append(site)
    made = (Lack(gaps, tuple(sorted(sites))) for gaps, sites in groups.items())
    return tuple(sorted(made, key=lambda one: (-len(one.sites), one.sites)))


def doubts(found: Mapping[str, rights.Answer]) -> tuple[Doubt, ...]:
    """Gather sites where not everything is known, by why."""
    groups: dict[str, tuple[outcomes.Cause, list[str]]] = {}
    for site, answer in found.items():
        if answer.unknown is not None:
            groups.setdefault(answer.unknown.fingerprint, (answer.unknown, []))[1].append(site)
    made = (Doubt(cause, tuple(sorted(sites))) for cause, sites in groups.values())
    return tuple(sorted(made, key=lambda one: (-len(one.sites), one.sites)))
