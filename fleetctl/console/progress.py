"""Watching a run: a live view where somebody looks, lines everywhere else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from fleetctl.console import plain
from fleetctl.model import events

__all__ = ["showing"]


@contextlib.contextmanager
def showing(stream: TextIO) -> Iterator[events.Observe]:
    """Give what takes a run's events; a terminal of CI, or one that cannot move its cursor, gets lines."""
    animated = stream.isatty() and os.environ.get("CI") != "true" and os.environ.get("TERM", "") != "dumb"
    if not animated:
        yield plain.Plain(stream).observe
        return
    from fleetctl.console import live  # noqa: PLC0415  # rich is for people who watch

    with live.Live(stream, leave=not sys.stdout.isatty()) as view:
        yield view.observe
