"""The fleet as data: sites, their nodes and how to reach them. Keys in files are these names in camelCase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from fleetctl.model import problems, selectors, values

__all__ = [
    "Access",
    "Architecture",
    "Cluster",
    "Distribution",
    "Fleet",
    "Group",
    "Hardening",
    "KubeAccess",
    "Location",
    "Node",
    "Role",
    "Site",
    "SshAccess",
    "State",
    "Taint",
    "Via",
    "Window",
    "selectable_labels",
]

Architecture = Literal["amd64", "arm64", "arm"]
Distribution = Literal["k3s", "microk8s", "kubeedge"]
Hardening = Literal["none", "cis", "edge-baseline"]
Role = Literal["server", "agent", "cloud", "edge"]
State = Literal["planned", "active", "maintenance", "retired"]
Via = Literal["direct", "ssh", "proxy"]


class Taint(msgspec.Struct, frozen=True, rename="camel"):
    """A taint that a node carries from its registration on."""

    key: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: str = ""


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """One SSH host of a site; ``vars`` are the site's, overlaid by the node's own."""

    name: str
    address: str
    role: Role = "server"
    arch: Architecture = "amd64"
    labels: dict[str, str] = {}
    taints: tuple[Taint, ...] = ()
    vars: values.Vars = {}


class SshAccess(msgspec.Struct, frozen=True, rename="camel"):
    """How the nodes of a site are reached over SSH; ``host_key`` is a SHA256 fingerprint or a public key."""

    user: str | None = None
    port: int = 22
    jump: str | None = None
    host_key: str | None = None


class KubeAccess(msgspec.Struct, frozen=True, rename="camel"):
    """How the site's API server is reached.

    ``kubeconfig`` is ``PATH#context`` or ``PATH:PATH#context``, used until the site is registered.
    """

    via: Via = "direct"
    proxy: str | None = None
    kubeconfig: str | None = None


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """The two ways into a site."""

    ssh: SshAccess = SshAccess()
    kube: KubeAccess = KubeAccess()


class Cluster(msgspec.Struct, frozen=True, rename="camel"):
    """What runs at the site, or shall run there; ``config`` is the distribution's own configuration."""

    distribution: Distribution = "k3s"
    version: str | None = None
    hardening: Hardening | None = None
    config: values.Vars = {}
    endpoint: str | None = None


class Location(msgspec.Struct, frozen=True, rename="camel"):
    """Where the site stands: degrees, and an IANA time zone in which its windows are read."""

    lat: float | None = None
    lon: float | None = None
    timezone: str = "UTC"


class Window(msgspec.Struct, frozen=True, rename="camel"):
    """When a site may be changed: opens at ``cron`` (five fields, site time), stays open for ``duration``."""

    cron: str
    duration: str


class Site(msgspec.Struct, frozen=True, rename="camel"):
    """One location after all layers were merged. ``labels`` are the declared ones, without the built-in two."""

    name: str
    state: State = "active"
    labels: dict[str, str] = {}
    location: Location = Location()
    nodes: tuple[Node, ...] = ()
    access: Access = Access()
    cluster: Cluster = Cluster()
    bundles: dict[str, values.Vars] = {}
    window: Window | None = None
    vars: values.Vars = {}


class Group(msgspec.Struct, frozen=True):
    """A named selector over declared labels; ``layer`` is what it lays over matching sites, as written."""

    name: str
    match: selectors.Selector
    priority: int
    layer: values.Written
    mark: problems.Mark


class Fleet(msgspec.Struct, frozen=True):
    """All sites of a project, by name in sorted order, and its groups by name."""

    name: str
    sites: Mapping[str, Site]
    groups: dict[str, Group]
    known_labels: Mapping[str, Mapping[str, str]] = {}
    """What ``-l`` sees of each site, where that is known without the site; sites may be expensive to come by."""

    def labels_of(self, name: str) -> Mapping[str, str]:
        """Return what ``-l`` sees of a site."""
        known = self.known_labels.get(name)
        return selectable_labels(self.sites[name]) if known is None else known


def selectable_labels(site: Site) -> Mapping[str, str]:
    """Return what ``-l`` sees: the declared labels and the built-in ``state`` and ``distribution``."""
    return {**site.labels, "state": site.state, "distribution": site.cluster.distribution}
