"""From a site to a client of its API: which file names its address, authority and credentials."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from fleetctl.kube import kubeconfigs, transport
from fleetctl.model import codes, errors, sites

__all__ = ["SIMULATED_KUBECONFIG", "Directory", "file_of"]

SIMULATED_KUBECONFIG = pathlib.PurePath("sim", "kubeconfig")
"""Where a simulated fleet writes how it is reached, below the project's ``.fleetctl``: one context per site."""

_MOST_NAMED = 3


def file_of(root: pathlib.Path, site: sites.Site) -> pathlib.Path | None:
    """Return the kubeconfig that a site of the project in ``root`` names, if it names one."""
    path = (site.access.kube.kubeconfig or "").partition("#")[0]
    return root / pathlib.Path(path).expanduser() if path else None


class Directory:
    """Knows how each site's API is reached; files are read once however many sites they serve."""

    def __init__(self, root: pathlib.Path, simulated: pathlib.Path | None = None) -> None:
        """Take the project's folder, against which paths are read, and the kubeconfig of a simulated fleet if any."""
        self._root = root
        self._simulated = simulated
        self._files = kubeconfigs.Files()

    def endpoint(self, site: sites.Site) -> transport.Endpoint:
        """Return where and as whom to talk to a site's API; raises ``NotConfigured``."""
        if self._simulated is not None:
            self._require_simulated(self._simulated)
            return self._files.endpoint(self._simulated, site.name)
        access = site.access.kube
        if access.via == "ssh":
            message = f"{site.name} is reached through SSH (access.kube.via), which fleetctl cannot do yet"
            raise errors.NotConfigured(codes.Code.CLUSTER_NO_ACCESS, message, "Use via: direct with a kubeconfig.")
        if access.kubeconfig is None:
            message = f"{site.name} has no access.kube.kubeconfig, so its API cannot be reached"
            hint = "Set access.kube.kubeconfig: PATH#CONTEXT in the inventory, for the site or in defaults."
            raise errors.NotConfigured(codes.Code.CLUSTER_NO_ACCESS, message, hint)
        path, _, context = access.kubeconfig.partition("#")
        found = self._files.endpoint(self._root / pathlib.Path(path).expanduser(), context or None)
        return found if access.proxy is None else found.through(access.proxy)

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
