"""Releases as one stream of manifests, for pipes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

import msgspec

from fleetctl.model import releases
from fleetctl.reading import yamltext

__all__ = ["write"]


def write(made: Iterable[releases.Release], style: str, stream: TextIO) -> None:
    """Write every object; YAML documents say in a comment whose they are, JSON stands one object a line."""
    for release in made:
        for one in release.objects:
            if style == "json":
                stream.write(one.body.decode() + "\n")
                continue
            text = yamltext.FORMATS[style](msgspec.json.decode(one.body)).removeprefix("---\n")
            stream.write(f"---\n# {release.site}  {release.bundle} {release.version}  {one.id}\n{text}")
