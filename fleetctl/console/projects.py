"""What ``fleetctl init`` made, and what to type next."""

from __future__ import annotations

import pathlib
import shlex
from collections import Counter
from typing import TextIO

from fleetctl.console import terminals
from fleetctl.inventory import founding

__all__ = ["founded"]


def founded(made: founding.Founded, folder: pathlib.Path, stream: TextIO) -> None:
    """Write what was made, folders folded, and the next three commands."""
    sites = f"{len(made.sites):,} site{'' if len(made.sites) == 1 else 's'}"
    bundles = f"{len(made.bundles)} bundle{'' if len(made.bundles) == 1 else 's'} ({', '.join(made.bundles)})"
    head = terminals.visible(f"Made the project {made.name} in {folder}: {sites}, {bundles}")
    stream.writelines(f"{line}\n" for line in terminals.wrapped(head, terminals.width(stream), "  "))
    inner = Counter(path.partition("/")[0] for path in made.files)
    for name, count in sorted(inner.items()):
        counted = "" if name in made.files else f"/  {count} file{'' if count == 1 else 's'}"
        stream.write(f"  {name}{counted}\n")
    place = "" if folder == pathlib.Path() else f" -C {shlex.quote(str(folder))}"
    stream.write("Next:\n")
    asked = f"inventory explain {made.sites[0]}" if made.sites else "inventory validate"
    stream.writelines(f"  fleetctl{place} {command}\n" for command in ("inventory list", asked, "render --all"))
