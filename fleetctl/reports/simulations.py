"""The simulated fleet for machines."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import msgspec

from fleetctl.reports import envelopes
from fleetctl.sim import faults, folders

__all__ = ["fleet"]


def fleet(
    found: folders.Served | None, broken: Mapping[str, faults.Fault], kubeconfig: pathlib.Path
) -> dict[str, object]:
    """Return whether a fleet is up, and an item for each of its sites, with what is wrong with it."""
    sites = found.spec.sites if found else ()
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "SimulatedFleet",
        "pid": found.pid if found else None,
        "kubeconfig": str(kubeconfig) if found else None,
        "items": [
            {"name": site, "fault": msgspec.to_builtins(broken[site]) if site in broken else None} for site in sites
        ],
    }
