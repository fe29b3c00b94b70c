"""The project's key on screen: its id and place, never the key."""

from __future__ import annotations

from typing import TextIO

__all__ = ["show"]


def show(identity: str, place: str, stream: TextIO, *, new: bool) -> None:
    """Say which key there is, and what its owner has to do."""
    if not new:
        stream.write(f"{identity} in {place}: the project's key\n")
        return
    stream.write(f"{identity} is the project's key now, kept in {place}\n")
    stream.write("Its id stands in fleetctl.yaml: commit that. Keep a copy of the key; nobody can make it again.\n")
