"""Pods as a cluster shows them: where they run, which containers they have, and how these fare."""

from __future__ import annotations

from fleetctl.kube import observed

__all__ = ["Container", "Pod", "PodSpec", "PodStatus", "Terminated"]


class _Waiting(observed.Seen, frozen=True):
    reason: str = ""
    message: str = ""


class _Running(observed.Seen, frozen=True):
    started_at: str | None = None


class Terminated(observed.Seen, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""


class _State(observed.Seen, frozen=True):
    waiting: _Waiting | None = None
    running: _Running | None = None
    terminated: Terminated | None = None


class Container(observed.Seen, frozen=True):
    """How a container of a pod fares."""

    name: str = ""
    image: str = ""
    ready: bool = False
    restart_count: int = 0
    state: _State | None = None
    last_state: _State | None = None

    @property
    def waiting(self) -> str:
        """Return the reason why the container does not run yet, or ""."""
        return self.state.waiting.reason if self.state and self.state.waiting else ""

    @property
    def waiting_message(self) -> str:
        """Return the kubelet's words for it, or ""."""
        return self.state.waiting.message if self.state and self.state.waiting else ""

    @property
    def running(self) -> bool:
        """Tell whether the container runs."""
        return self.state is not None and self.state.running is not None

    @property
    def ended(self) -> Terminated | None:
        """Return how the container ended, if it is not to run again or not yet."""
        return self.state.terminated if self.state else None

    @property
    def last_end(self) -> Terminated | None:
        """Return how the container's latest run ended, be it the one before this."""
        return self.ended or (self.last_state.terminated if self.last_state else None)


class _ContainerSpec(observed.Seen, frozen=True):
    name: str = ""
    image: str = ""


class _ClaimSource(observed.Seen, frozen=True):
    claim_name: str = ""


class _Volume(observed.Seen, frozen=True):
    persistent_volume_claim: _ClaimSource | None = None


class PodSpec(observed.Seen, frozen=True):
    """Where a pod runs, what it is asked to run, and which claims it uses."""

    node_name: str = ""
    containers: tuple[_ContainerSpec, ...] | None = None
    init_containers: tuple[_ContainerSpec, ...] | None = None
    volumes: tuple[_Volume, ...] | None = None


class PodStatus(observed.Seen, frozen=True):
    """How a pod fares."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[observed.Condition, ...] | None = None
    container_statuses: tuple[Container, ...] | None = None
    init_container_statuses: tuple[Container, ...] | None = None


class Pod(observed.Seen, frozen=True):
    """A pod."""

    metadata: observed.Meta = observed.Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Tell whether the pod serves: its condition Ready is true, and it is not being deleted."""
        found = observed.condition(self.status.conditions, "Ready")
        return found is not None and found.status == "True" and not self.metadata.terminating

    @property
    def active(self) -> bool:
        """Tell whether the pod's controller counts it: neither ended nor being deleted."""
        return self.status.phase not in {"Succeeded", "Failed"} and not self.metadata.terminating

    @property
    def containers(self) -> tuple[Container, ...]:
        """Return how its containers fare, those that run first first."""
        return (*(self.status.init_container_statuses or ()), *(self.status.container_statuses or ()))

    @property
    def claims(self) -> frozenset[str]:
        """Return the names of the PersistentVolumeClaims that the pod uses."""
        sources = (volume.persistent_volume_claim for volume in self.spec.volumes or ())
        return frozenset(source.claim_name for source in sources if source)

    def image_of(self, container: str) -> str:
        """Return a container's image as the pod asks for it: the status may hold another name of the same image."""
        asked = (*(self.spec.init_containers or ()), *(self.spec.containers or ()))
        return next((one.image for one in asked if one.name == container), "")
