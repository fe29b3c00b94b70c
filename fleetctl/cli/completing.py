"""What Tab offers for names: of sites, groups, bundles and codes, from files and the cache, never from the network.

A shell in the middle of a line is no place for an error: what cannot be read offers nothing.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from fleetctl.cli import opening

__all__ = ["bundles", "codes", "groups", "site", "sites"]


def site(ctx: Any, incomplete: str) -> list[str]:  # noqa: ANN401  # vendored type
    """Return names of sites that begin so."""
    return _offered(incomplete, lambda: _opened(ctx).fleet().fleet.sites)


def sites(ctx: Any, incomplete: str) -> list[str]:  # noqa: ANN401  # vendored type
    """Return lists of sites that begin so: what follows the last comma is completed."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in site(ctx, last)]


def groups(ctx: Any, incomplete: str) -> list[str]:  # noqa: ANN401  # vendored type
    """Return names of groups that begin so."""
    return _offered(incomplete, lambda: _opened(ctx).fleet().fleet.groups)


def bundles(ctx: Any, incomplete: str) -> list[str]:  # noqa: ANN401  # vendored type
    """Return names of bundles that begin so."""

    def catalogue() -> list[str]:
        return sorted(path.parent.name for path in _opened(ctx).project().templates.glob("*/bundle.yaml"))

    return _offered(incomplete, catalogue)


def codes(incomplete: str) -> list[str]:
    """Return codes of errors that begin so."""
    from fleetctl.model import codes

    return _offered(incomplete, lambda: [code.value for code in codes.Code])


def _opened(ctx: Any) -> opening.Opening:  # noqa: ANN401  # vendored type
    """Open what ``-C`` names: nothing has run yet that would have prepared it."""
    folder = ctx.find_root().params.get("folder")
    return opening.Opening(pathlib.Path(folder) if folder else None)


def _offered(incomplete: str, known: Callable[[], Iterable[str]]) -> list[str]:
    try:
        return [name for name in known() if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  # whatever it is, it is told by the command, when it runs
        return []
