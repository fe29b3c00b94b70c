"""From a site to a client of its API: which files name its address, authority and credentials."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable

from fleetctl.kube import endpoints, transport
from fleetctl.model import codes, errors, sites

__all__ = ["SIMULATED_KUBECONFIG", "Directory", "files_of"]

SIMULATED_KUBECONFIG = pathlib.PurePath("sim", "kubeconfig")
"""Where a simulated fleet writes how it is reached, below the project's ``.fleetctl``: one context per site."""

_MOST_NAMED = 3


def files_of(root: pathlib.Path, site: sites.Site) -> tuple[pathlib.Path, ...]:
    """Return the kubeconfigs that a site of the project in ``root`` names: one, or several as ``KUBECONFIG`` does.

    The variable itself is never read: which clusters a fleet has must not depend on who looks.
    """
    written = (site.access.kube.kubeconfig or "").partition("#")[0]
    return tuple(root / pathlib.Path(path).expanduser() for path in written.split(os.pathsep) if path)


class Directory:
    """Knows how each site's API is reached; files are read once however many sites they serve."""

    def __init__(self, root: pathlib.Path, simulated: pathlib.Path | None = None) -> None:
        """Take the project's folder, against which paths are read, and the kubeconfig of a simulated fleet if any."""
        self._root = root
        self._simulated = simulated
        self._endpoints = endpoints.Endpoints()

    def endpoint(self, site: sites.Site) -> transport.Endpoint:
        """Return where and as whom to talk to a site's API; raises ``NotConfigured``."""
        if self._simulated is not None:
            self._require_simulated(self._simulated)
            return self._endpoints.endpoint([self._simulated], site.name)
        access = site.access.kube
        if access.via == "ssh":
            message = f"{site.name} is reached through SSH (access.kube.via), which fleetctl cannot do yet"
            raise errors.NotConfigured(codes.Code.CLUSTER_NO_ACCESS, message, "Use via: direct with a kubeconfig.")
        files = files_of(self._root, site)
        if not files:
            message = f"{site.name} has no access.kube.kubeconfig, so its API cannot be reached"
            hint = "Set access.kube.kubeconfig: PATH#CONTEXT in the inventory, for the site or in defaults."
            raise errors.NotConfigured(codes.Code.CLUSTER_NO_ACCESS, message, hint)
        context = (access.kubeconfig or "").partition("#")[2]
        return self._endpoints.endpoint(files, context or None, access.proxy)

    def require(self, chosen: Iterable[sites.Site]) -> dict[str, transport.Endpoint]:
        """Return the endpoints of sites by name; raises ``NotConfigured`` that counts all that are missing."""
        found: dict[str, transport.Endpoint] = {}
        faults: list[tuple[str, errors.FleetctlError]] = []
        if self._simulated is not None:
            self._require_simulated(self._simulated)
        for site in chosen:
            try:
                found[site.name] = self.endpoint(site)
            except errors.NotConfigured as error:
                faults.append((site.name, error))
        if faults:
            first = faults[0][1]
            others = [name for name, _ in faults[1:]]
            more = ""
            if others:
                named = ", ".join(others[:_MOST_NAMED]) + (", ..." if len(others) > _MOST_NAMED else "")
                more = f"; {len(others):,} more {'site' if len(others) == 1 else 'sites'} cannot be reached: {named}"
            raise errors.NotConfigured(first.code, f"{first.message}{more}", first.hint)
        return found

    def _require_simulated(self, kubeconfig: pathlib.Path) -> None:
        if not kubeconfig.exists():
            message = "the project's simulated fleet is not up"
            raise errors.NotConfigured(codes.Code.SIM_DOWN, message, "Start it: fleetctl sim up")
