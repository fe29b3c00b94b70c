"""Pydantic shapes of every kind of file. They check and describe; the data that passed stays plain.

Layers (Defaults, a site list's ``defaults``, groups, sites) are merged before they are complete, so nearly every key
is optional here and any layered key may be ``!unset``. Free-form maps (vars, bundles, cluster.config) take anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic

from fleetctl.model import sites
from fleetctl.schema import bundleparts, fields, gateparts

__all__ = [
    "API_VERSION",
    "KINDS",
    "Access",
    "Bundle",
    "Cluster",
    "Defaults",
    "Flags",
    "Group",
    "GroupLayer",
    "Helm",
    "KubeAccess",
    "Kustomize",
    "Layer",
    "Location",
    "Node",
    "Paths",
    "Patience",
    "Project",
    "ProjectKey",
    "Settings",
    "Shape",
    "Site",
    "SiteList",
    "Spread",
    "SshAccess",
    "Strategy",
    "Taint",
    "WaveRule",
    "Window",
]

API_VERSION = "fleetctl.dev/v1alpha1"


class Shape(pydantic.BaseModel):
    """Every key is known, every type is strict: text is not a number, 1 is not true."""

    model_config = bundleparts.STRICT


class Taint(Shape):
    """A taint of a node."""

    key: fields.LabelKey
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: fields.LabelValue = ""


class Node(Shape):
    """One SSH host of a site."""

    name: fields.DnsLabel
    address: fields.Address
    role: sites.Role = "server"
    arch: sites.Architecture = "amd64"
    labels: dict[fields.LabelKey, fields.LabelValue] = {}
    taints: list[Taint] = []
    vars: fields.Free = {}


class SshAccess(Shape):
    """How nodes are reached over SSH."""

    user: Annotated[str, fields.Unsettable] = ""
    port: Annotated[int, pydantic.Field(ge=1, le=65535), fields.Unsettable] = 22
    jump: Annotated[str, fields.Unsettable] = ""
    host_key: Annotated[fields.HostKey, fields.Unsettable] = ""


class KubeAccess(Shape):
    """How the API server is reached."""

    via: Annotated[sites.Via, fields.Unsettable] = "direct"
    proxy: Annotated[fields.Proxy, fields.Unsettable] = ""
    kubeconfig: Annotated[str, fields.Unsettable] = ""


class Access(Shape):
    """The two ways into a site."""

    ssh: Annotated[SshAccess, fields.Unsettable] = SshAccess()
    kube: Annotated[KubeAccess, fields.Unsettable] = KubeAccess()


class Cluster(Shape):
    """What runs at a site."""

    distribution: Annotated[sites.Distribution, fields.Unsettable] = "k3s"
    version: Annotated[fields.KubernetesVersion, fields.Unsettable] = ""
    hardening: Annotated[sites.Hardening, fields.Unsettable] = "none"
    config: Annotated[fields.Free, fields.Unsettable] = {}
    endpoint: Annotated[fields.Endpoint, fields.Unsettable] = ""


class Location(Shape):
    """Where a site stands."""

    lat: Annotated[float, pydantic.Field(ge=-90, le=90), fields.Unsettable] = 0.0
    lon: Annotated[float, pydantic.Field(ge=-180, le=180), fields.Unsettable] = 0.0
    timezone: Annotated[fields.Timezone, fields.Unsettable] = "UTC"


class Window(Shape):
    """When a site may be changed."""

    cron: Annotated[fields.Cron, fields.Unsettable] = ""
    duration: Annotated[fields.Duration, fields.Unsettable] = ""


class GroupLayer(Shape):
    """What a group may lay over its sites: everything but labels, state and identity."""

    location: Annotated[Location, fields.Unsettable] = Location()
    access: Annotated[Access, fields.Unsettable] = Access()
    cluster: Annotated[Cluster, fields.Unsettable] = Cluster()
    bundles: Annotated[
        dict[fields.DnsLabel, Annotated[dict[str, Any], pydantic.Field(max_length=0), fields.Unsettable]],
        fields.Unsettable,
    ] = {}
    window: Annotated[Window, fields.Unsettable] = Window()
    vars: Annotated[fields.Free, fields.Unsettable] = {}


class Layer(GroupLayer):
    """What defaults and sites may set."""

    labels: Annotated[fields.SiteLabels, fields.Unsettable] = {}
    state: Annotated[sites.State, fields.Unsettable] = "active"


class Site(Layer):
    """One entry of a site list."""

    name: fields.DnsLabel
    nodes: list[Node] = []


class _Document(Shape):
    api_version: Literal["fleetctl.dev/v1alpha1"]
    kind: str


class Defaults(Layer, _Document):
    """kind: Defaults; the lowest layer that people write."""


class SiteList(_Document):
    """kind: SiteList; many sites per file, or one."""

    defaults: Layer = Layer()
    sites: list[Site]


class Group(GroupLayer, _Document):
    """kind: Group; a named selector with a priority."""

    name: fields.DnsLabel
    match: fields.Match
    priority: int


class Flags(Shape):
    """Defaults of flags; what is not here can be no default."""

    output: Literal["table", "wide", "name", "json", "yaml", "jsonl"] = "table"
    events: Annotated[str, pydantic.Field(min_length=1)] = ""
    strategy: Annotated[str, pydantic.Field(min_length=1)] = ""
    concurrency: Annotated[int, pydantic.Field(ge=1, le=4096)] = 256
    timeout: fields.Span = "10m"


class Paths(Shape):
    """Where a project keeps its folders, relative to fleetctl.yaml."""

    inventory: str = "inventory"
    templates: str = "templates"


class ProjectKey(Shape):
    """Which key makes fingerprints of secrets, and where it is kept: a reference to a secret."""

    id: fields.KeyId
    kept_in: fields.Free


class Project(_Document):
    """kind: Project; fleetctl.yaml."""

    name: fields.DnsLabel
    paths: Paths = Paths()
    flags: Flags = Flags()
    project_key: ProjectKey | None = None


class Settings(_Document):
    """kind: Settings; the user's own file."""

    flags: Flags = Flags()


class Helm(Shape):
    """A chart in the bundle that Helm renders with the site's values."""

    chart: Annotated[str, pydantic.Field(min_length=1)]
    release: fields.DnsLabel = ""
    hooks: Literal["refuse", "leave-out"] = "refuse"


class Kustomize(Shape):
    """A folder in the bundle that kustomize builds; ``build`` is the part of it to begin with."""

    folder: Annotated[str, pydantic.Field(min_length=1)]
    build: Annotated[str, pydantic.Field(min_length=1)] = "."


class WaveRule(Shape):
    """One wave of a strategy: a number of sites, a percentage of all, or (with neither) the rest."""

    name: fields.DnsLabel = ""
    count: Annotated[int, pydantic.Field(ge=1)] | None = None
    percent: Annotated[float, pydantic.Field(gt=0, le=100)] | None = None
    canary: bool = False


class Patience(Shape):
    """How long trouble of a new pod may last before it counts as a failure."""

    image_pull: fields.Span = "120s"
    config_error: fields.Span = "120s"
    unschedulable: fields.Span = "60s"
    crash_restarts: Annotated[int, pydantic.Field(ge=1)] = 3


class Spread(Shape):
    """How a rollout spreads and when it stops."""

    waves: Annotated[list[WaveRule], pydantic.Field(min_length=1)] | None = None
    max_failed: fields.Limit | None = None
    max_unreachable: fields.Limit | None = None
    max_unauthorized: fields.Limit | None = None
    site_timeout: fields.Span = "10m"
    soak: fields.Span = "60s"
    concurrency: Annotated[int, pydantic.Field(ge=1, le=4096)] = 256
    patience: Patience = Patience()
    gates: list[gateparts.Gate] = []
    windows: list[gateparts.Opening] = []


class Bundle(_Document):
    """kind: Bundle; bundle.yaml."""

    name: fields.DnsLabel
    version: fields.SemanticVersion
    description: str = ""
    namespace: fields.DnsLabel
    values_key: Annotated[str, pydantic.Field(min_length=1)] = ""
    values: fields.Free = {}
    allow_literal: bool = False
    requires: bundleparts.Requires = bundleparts.Requires()
    size: bundleparts.Size = bundleparts.Size()
    health: bundleparts.Health = bundleparts.Health()
    strategy: Spread | None = None
    prune: bundleparts.Prune = bundleparts.Prune()
    helm: Helm | None = None
    kustomize: Kustomize | None = None


class Strategy(Spread, _Document):
    """kind: Strategy; a spread in a file of its own."""


KINDS: dict[str, type[_Document]] = {
    "Bundle": Bundle,
    "Defaults": Defaults,
    "Group": Group,
    "Project": Project,
    "Settings": Settings,
    "SiteList": SiteList,
    "Strategy": Strategy,
}
"""The shape of each kind of file."""
