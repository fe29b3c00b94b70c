"""One object of a release as it is looked at: what was applied, what the cluster shows, and how long it has had."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from fleetctl.kube import causes, observed, pods, surroundings
from fleetctl.model import objects, outcomes, plans

__all__ = ["View", "not_created", "troubles", "waiting"]


class View(msgspec.Struct, frozen=True):
    """All that a verdict is made of."""

    id: objects.ObjectId
    body: bytes
    """The object as the API server returned it, read after it was applied."""
    generation: int = 0
    """The generation that our apply returned; 0 stands for the one that the object has."""
    since: float = 0.0
    """Seconds since the object was applied, by our own clock."""
    around: surroundings.Surroundings = surroundings.NOTHING
    patience: plans.Patience = plans.Patience()
    lasted: Callable[[str], float] | None = None
    """Tells for how long a trouble has been seen (``causes.Memory``); without it, since the object was applied."""
    load_balancers: bool = True
    """Whether a Service of that type needs an address; ``health.loadBalancer: ignore`` of a bundle says no."""
    declares_status: bool = True
    """Whether the kind has a status, as discovery tells (``widgets/status``)."""

    def verdict(
        self, state: outcomes.State, message: str = "", cause: outcomes.Cause | None = None
    ) -> outcomes.Verdict:
        """Return a verdict on the object; what a cluster says in it is bounded, be it a name or a reason."""
        if cause is not None:
            cause = outcomes.Cause(*map(observed.words, (cause.reason, cause.subject, cause.message)))
        return outcomes.Verdict(self.id, state, observed.words(message), cause)

    def is_final(self, trouble: causes.Trouble) -> bool:
        """Tell whether waiting for a trouble to pass is of no use any more."""
        seconds = self.lasted(trouble.key) if self.lasted else self.since
        return causes.final(trouble.cause, seconds, trouble.restarts, self.patience)


def waiting(view: View, message: str, found: list[causes.Trouble]) -> outcomes.Verdict:
    """Return the verdict on an object that is not as wanted: ``failed`` as soon as one trouble will not pass."""
    final = causes.worst([trouble for trouble in found if view.is_final(trouble)])
    if final is not None:
        return view.verdict(outcomes.State.FAILED, message, final.cause)
    shown = causes.worst(found)
    return view.verdict(outcomes.State.PROGRESSING, message, shown.cause if shown else None)


def troubles(view: View, found: Iterable[pods.Pod]) -> list[causes.Trouble]:
    """Return all that is wrong with some pods of an object."""
    owner, around = str(view.id), view.around
    return [one for pod in found for one in causes.troubles(pod, around.events_about(pod.metadata.uid), owner)]


def not_created(view: View, maker: str, told: Iterable[observed.Condition] | None = None) -> list[causes.Trouble]:
    """Return why what makes an object's pods, given by UID and with its conditions, cannot make them."""
    cause = causes.not_created(told, view.around.events_about(maker), str(view.id))
    return [causes.Trouble(cause, f"{maker}:create")] if cause else []
