"""Why pods are not well, seen early: from their status, conditions and events, long before a controller gives up.

A cause says the same at every site that suffers the same: its subject is an image, ``container NAME``, or the object
that made the pod; names of pods and times are left to the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from fleetctl.kube import observed, pods
from fleetctl.model import outcomes, plans

__all__ = ["Memory", "Trouble", "ending", "final", "not_created", "not_provided", "of_pod", "troubles", "worst"]

_NO_IMAGE: Final = frozenset(
    {"ErrImagePull", "ImageInspectError", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"}
)
_BAD_IMAGE: Final = frozenset({"ErrImageNeverPull", "InvalidImageName"})
_BAD_CONTAINER: Final = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "PostStartHookError",
        "PreCreateHookError",
        "PreStartHookError",
        "RunContainerError",
    }
)
_CRASHING: Final = frozenset({"CrashLoopBackOff", "OOMKilled"})
_NOT_MADE: Final = frozenset(
    {"FailedAttachVolume", "FailedCreatePodContainer", "FailedCreatePodSandBox", "FailedMount", "NetworkNotReady"}
)

# What kubelet, CRI and containerd put before the words of the registry, outermost first.
_WRAPPINGS: Final = re.compile(
    r"""(?:
        Back-off\ pulling\ image\ "[^"]*"(?::\ |$)
      | (?:ErrImagePull|ImagePullBackOff|RegistryUnavailable|SignatureValidationFailed|image\ pull\ failed):[ ]
      | [Ff]ailed\ to\ pull\ image\ "[^"]*":[ ]
      | rpc\ error:\ code\ =\ \w+\ desc\ =[ ]
      | failed\ to\ (?:pull\ and\ )?unpack\ image\ "[^"]*":[ ]
      | failed\ to\ resolve\ (?:reference\ "[^"]*"|image):[ ]
      | failed\ to\ (?:copy|do\ request|authorize):[ ]
      | initializing\ source\ \S+:\ | reading\ manifest\ \S+\ in\ \S+:[ ]
    )""",
    re.VERBOSE,
)
_NODES_LACK: Final = re.compile(r"^\d+/\d+ nodes are available: (.*?)\.?(?: preemption: .*| no new claims.*)?$")
_PER_NODE: Final = re.compile(r", (?=\d+ )")


class Trouble(msgspec.Struct, frozen=True):
    """Something wrong with a pod; ``key`` stays the same for as long as it is the same trouble of the same pod."""

    cause: outcomes.Cause
    key: str
    restarts: int = 0


class Memory:
    """When each trouble was first seen in a visit, by the visit's own clock: the clusters' clocks may be wrong."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}

    def at(self, now: float) -> Callable[[str], float]:
        """Return what tells for how many seconds a trouble, given by key, has lasted ``now``."""
        return lambda key: now - self._first.setdefault(key, now)


def final(cause: outcomes.Cause, since: float, restarts: int, patience: plans.Patience) -> bool:
    """Tell whether waiting longer is of no use, when the cause has been there ``since`` so many seconds."""
    if cause.reason in _BAD_IMAGE:
        return True
    if cause.reason in _NO_IMAGE:
        return since >= patience.image_pull
    if cause.reason in _BAD_CONTAINER:
        return since >= patience.config_error
    if cause.reason in _CRASHING:
        return restarts >= patience.crash_restarts
    return cause.reason == "Unschedulable" and since >= patience.unschedulable


def of_pod(pod: pods.Pod, events: Sequence[observed.Event] = (), owner: str = "") -> outcomes.Cause | None:
    """Return why a pod is not well, the reason that weighs most, if there is one to be seen."""
    found = worst(troubles(pod, events, owner))
    return found.cause if found else None


def worst(found: Iterable[Trouble]) -> Trouble | None:
    """Return the trouble that will not pass by itself rather than one that may."""
    order = (_BAD_IMAGE, _CRASHING, _BAD_CONTAINER, _NO_IMAGE, frozenset({"Unschedulable"}))
    last = len(order)

    def weight(one: Trouble) -> tuple[int, int]:
        at = next((at for at, reasons in enumerate(order) if one.cause.reason in reasons), last)
        return at, -one.restarts

    return min(found, key=weight, default=None)


def troubles(pod: pods.Pod, events: Sequence[observed.Event] = (), owner: str = "") -> list[Trouble]:
    """Return all that is wrong with a pod; ``owner`` names, alike at every site, what made it.

    ``events`` are those about the pod.
    """
    if pod.ready or pod.status.phase == "Succeeded":
        return []
    uid = pod.metadata.uid
    scheduled = observed.condition(pod.status.conditions, "PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        reason = scheduled.reason or "Unschedulable"
        cause = outcomes.Cause(reason, owner, _unschedulable(scheduled.message))
        return [Trouble(cause, f"{uid}:scheduled")]
    found = [one for each in pod.containers if (one := _of_container(pod, each, events)) is not None]
    if found:
        return found
    if pod.status.phase == "Failed" or pod.status.reason:
        cause = outcomes.Cause(pod.status.reason or "PodFailed", owner, observed.words(pod.status.message))
        return [Trouble(cause, f"{uid}:pod")]
    noted = _noted(pod, events, owner)
    return [Trouble(noted, f"{uid}:event")] if noted else []


def not_created(
    told: Iterable[observed.Condition] | None, events: Iterable[observed.Event], owner: str
) -> outcomes.Cause | None:
    """Return why a controller cannot make pods at all: quota, admission, a missing account.

    A ReplicaSet's condition ReplicaFailure goes away with its reason; other controllers only write events.
    """
    failure = observed.condition(told, "ReplicaFailure")
    if failure is not None and failure.status == "True":
        return outcomes.Cause(failure.reason or "FailedCreate", owner, _refusal(failure.message or ""))
    failed = _latest(events, {"FailedCreate"})
    return outcomes.Cause("FailedCreate", owner, _refusal(failed.message)) if failed else None


def not_provided(events: Iterable[observed.Event], owner: str) -> outcomes.Cause | None:
    """Return why a claim gets no volume."""
    failed = _latest(events, {"ProvisioningFailed", "FailedBinding", "VolumeMismatch"})
    return outcomes.Cause(failed.reason, owner, observed.words(failed.message)) if failed else None


def ending(container: pods.Container) -> str:
    """Return how a container's latest run ended, in words, or ""."""
    end = container.last_end
    if end is None:
        return ""
    why = f" ({end.reason})" if end.reason else ""
    return f"killed by signal {end.signal}{why}" if end.signal else f"exit code {end.exit_code}{why}"


def _of_container(pod: pods.Pod, container: pods.Container, events: Sequence[observed.Event]) -> Trouble | None:
    uid, name, reason = pod.metadata.uid, container.name, container.waiting
    subject = f"container {name}"
    image = pod.image_of(name) or container.image
    if reason in _NO_IMAGE:
        # ErrImagePull and ImagePullBackOff take turns: they are one trouble.
        known = "ImagePullBackOff" if reason == "ErrImagePull" else reason
        cause = outcomes.Cause(known, image, _pull_error(container.waiting_message, image, events))
        return Trouble(cause, f"{uid}:{name}:image")
    if reason in _BAD_IMAGE:
        return Trouble(outcomes.Cause(reason, image, observed.words(container.waiting_message)), f"{uid}:{name}:image")
    if reason in _BAD_CONTAINER:
        cause = outcomes.Cause(reason, subject, observed.words(container.waiting_message))
        return Trouble(cause, f"{uid}:{name}:config")
    end = container.last_end
    ended_badly = container.ended is not None and bool(container.ended.exit_code or container.ended.signal)
    if reason == "CrashLoopBackOff" or (ended_badly and container.restart_count):
        # Between its end and the next try a container is not backed off yet: it is one trouble.
        killed = end is not None and end.reason == "OOMKilled"
        restarts = f"restarts: {container.restart_count:,}"
        message = ", ".join(part for part in (ending(container), restarts) if part)
        cause = outcomes.Cause("OOMKilled" if killed else "CrashLoopBackOff", subject, message)
        return Trouble(cause, f"{uid}:{name}:crash", container.restart_count)
    if ended_badly:
        return Trouble(outcomes.Cause("ContainerExited", subject, ending(container)), f"{uid}:{name}:exit")
    return None


def _pull_error(message: str, image: str, events: Sequence[observed.Event]) -> str:
    """Return the registry's own words; before Kubernetes 1.31 only the events have them."""
    said = _unwrapped(message, image)
    if said:
        return said
    failed = [event for event in events if f'pull image "{image}": ' in event.message]
    latest = _latest(failed, {"Failed"})
    return _unwrapped(latest.message, image) if latest else ""


def _unwrapped(message: str, image: str) -> str:
    text = observed.words(message)
    while match := _WRAPPINGS.match(text):
        text = text[match.end() :]
    named, _, rest = text.partition(": ")
    return rest if rest and named.strip('"').endswith(image) else text


def _unschedulable(message: str | None) -> str:
    """Return what the nodes lack, without how many of them: ``insufficient memory``."""
    text = observed.words(message)
    match = _NODES_LACK.match(text)
    if not match:
        return text
    lacking = [re.sub(r"^\d+ (?:node\(s\) )?", "", part).strip() for part in _PER_NODE.split(match[1])]
    return ", ".join(f"{part[:1].lower()}{part[1:]}" for part in lacking if part)


def _refusal(message: str) -> str:
    """Return why a pod could not be made, without the pod's name, which is another each time."""
    text = observed.words(message).removeprefix("Error creating: ")
    return re.sub(r'^pods "[^"]*" is ', "pods are ", text)


def _noted(pod: pods.Pod, events: Sequence[observed.Event], owner: str) -> outcomes.Cause | None:
    """Return what only events tell: probes that fail, volumes and networks that are not there."""
    running = any(container.running for container in pod.containers)
    if not running:
        missing = _latest(events, _NOT_MADE)
        return outcomes.Cause(missing.reason, owner, observed.words(missing.message)) if missing else None
    probe = _latest(events, {"Unhealthy"})
    if probe is None:
        return None
    subject = f"container {probe.container}" if probe.container else owner
    return outcomes.Cause("Unhealthy", subject, observed.words(probe.message))


def _latest(events: Iterable[observed.Event], reasons: Iterable[str]) -> observed.Event | None:
    wanted = frozenset(reasons)
    return max((event for event in events if event.reason in wanted), key=lambda event: event.last, default=None)
