"""What a rendering could not check, told on standard error: not checked is never the same as right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from fleetctl.model import releases

__all__ = ["notes"]


def notes(found: releases.Limits, stream: TextIO) -> None:
    """Say which kinds were not checked, and which minors of Kubernetes stood in for another; nothing when all was."""
    stream.writelines(f"note: {line}\n" for line in _lines(found))


def _lines(found: releases.Limits) -> Iterator[str]:
    for near in found.nearest:
        run = "runs" if near.sites == 1 else "run"
        yield (
            f"{_count(near.sites, 'site')} {run} Kubernetes {near.stated}, e.g. {near.example};"
            f" what they get was checked as for {near.taken}, the nearest that fleetctl knows"
        )
    for one in found.unchecked:
        was = "was" if one.objects == 1 else "were"
        yield (
            f"{_count(one.objects, 'object')} of {one.api_version} {one.kind} {was} not checked:"
            f" no definition of that kind is known ({_where(one)})"
        )


def _where(one: releases.Unchecked) -> str:
    return f"at {one.example}" if one.sites == 1 else f"at {one.sites:,} sites, e.g. {one.example}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
