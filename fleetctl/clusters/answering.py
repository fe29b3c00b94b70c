"""Whether the API servers of sites answer: one request each, for their version."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from fleetctl.kube import answers, client, transport
from fleetctl.model import checkups

__all__ = ["Answer", "ask", "told"]

_LIMIT: Final = 10.0
"""Seconds for one site, all in all; who asks a doctor waits."""
_PACE: Final = client.Pace(request=_LIMIT, unreachable=2.0)
_MOST_VERSIONS: Final = 4


class _Version(msgspec.Struct, rename="camel"):
    git_version: str


class Answer(msgspec.Struct, frozen=True):
    """What one site's API server said: its version, or why there is none."""

    site: str
    version: str = ""
    cause: str = ""
    unreachable: bool = False


async def ask(
    wire: transport.Transport,
    endpoints: Mapping[str, transport.Endpoint],
    concurrency: int,
    pace: client.Pace = _PACE,
) -> list[Answer]:
    """Ask every site for ``/version``; one that does not answer costs its own time only."""
    found: list[Answer] = []
    waiting = iter(endpoints.items())

    async def worker() -> None:
        for site, endpoint in waiting:
            found.append(await _ask(wire, site, endpoint, pace))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(endpoints))):
            group.create_task(worker())
    return sorted(found, key=lambda one: one.site)


async def _ask(wire: transport.Transport, site: str, endpoint: transport.Endpoint, pace: client.Pace) -> Answer:
    with client.Client(wire.session(endpoint), deadline=time.monotonic() + _LIMIT, pace=pace) as api:
        try:
            body = await api.get_raw("/version")
            return Answer(site, answers.line(answers.decode(body, _Version).git_version))
        except answers.Failure as failure:
            if failure.reason == "UnreadableAnswer":
                return Answer(site, cause="what answers at this address is no API server of Kubernetes")
            return Answer(site, cause=failure.cause().fingerprint, unreachable=failure.kind == "unreachable")


def told(found: Iterable[Answer]) -> list[checkups.Checkup]:
    """Fold answers: one line for those that answered, and one a cause for the others."""
    versions = Counter(one.version for one in found if one.version)
    silent: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if not one.version:
            silent[one.cause].append(one.site)
    lines = []
    if versions:
        shown = ", ".join(f"{count:,}x {version}" for version, count in versions.most_common(_MOST_VERSIONS))
        more = f" and {len(versions) - _MOST_VERSIONS} other versions" if len(versions) > _MOST_VERSIONS else ""
        lines.append(checkups.Checkup("api servers", checkups.Verdict.OK, f"{shown}{more}"))
    for cause, names in sorted(silent.items(), key=lambda item: -len(item[1])):
        example = f"{len(names):,}x {cause}  e.g. {names[0]}" if len(names) > 1 else f"{names[0]}: {cause}"
        remedy = f"Look closer: fleetctl doctor --site {names[0]}"
        lines.append(checkups.Checkup("api servers", checkups.Verdict.FAIL, example, remedy if len(names) > 1 else ""))
    return lines
