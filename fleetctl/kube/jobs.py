"""Health of Jobs, and of pods that nothing else made."""

from __future__ import annotations

from typing import Final

from fleetctl.kube import causes, observed, pods, views
from fleetctl.model import outcomes

__all__ = ["job", "pod"]

_CRASHES: Final = frozenset({"CrashLoopBackOff", "ContainerExited", "OOMKilled", "PodFailed"})
"""Troubles that a Job may overcome with another try; its own limit decides how often, not our patience."""


class _Spec(observed.Seen, frozen=True):
    completions: int | None = None
    parallelism: int | None = None
    suspend: bool | None = None


class _Status(observed.Seen, frozen=True):
    active: int = 0
    failed: int = 0
    succeeded: int = 0
    conditions: tuple[observed.Condition, ...] | None = None


class _Job(observed.Seen, frozen=True):
    metadata: observed.Meta = observed.Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


def job(view: views.View) -> outcomes.Verdict:
    """Judge a Job by its end: unlike kstatus, one that runs has not done what it is for."""
    found = observed.decode(view.body, _Job)
    if found.metadata.terminating:
        return view.verdict(outcomes.State.TERMINATING, "being deleted")
    told = found.status.conditions
    troubles = views.troubles(view, view.around.pods_of(found.metadata.uid))
    if _is_true(told, "Complete"):
        return view.verdict(outcomes.State.CURRENT)
    failed = _is_true(told, "Failed")
    if failed:
        return view.verdict(outcomes.State.FAILED, _words(found), _failure(view, failed, troubles))
    if found.spec.suspend:
        return view.verdict(outcomes.State.CURRENT, "suspended: it does not run until somebody resumes it")
    if found.spec.parallelism == 0:
        return view.verdict(outcomes.State.CURRENT, "parallelism 0: it does not run until somebody raises it")
    doomed = _is_true(told, "FailureTarget")  # it will be Failed as soon as its last pods are gone (KEP-3998)
    if doomed:
        return view.verdict(outcomes.State.PROGRESSING, _words(found), _failure(view, doomed, troubles))
    troubles = troubles or views.not_created(view, found.metadata.uid)
    lasting = [one for one in troubles if one.cause.reason not in _CRASHES]
    if lasting:
        return views.waiting(view, _words(found), lasting)
    shown = causes.worst(troubles)
    return view.verdict(outcomes.State.PROGRESSING, _words(found), shown.cause if shown else None)


def pod(view: views.View) -> outcomes.Verdict:
    """Judge a pod of its own; unlike kstatus, one that ended in failure is not as wanted."""
    found = observed.decode(view.body, pods.Pod)
    if found.metadata.terminating:
        return view.verdict(outcomes.State.TERMINATING, "being deleted")
    if found.ready or found.status.phase == "Succeeded":
        return view.verdict(outcomes.State.CURRENT)
    troubles = views.troubles(view, [found])
    if found.status.phase == "Failed":
        worst = causes.worst(troubles)
        return view.verdict(outcomes.State.FAILED, "failed", worst.cause if worst else None)
    phase = found.status.phase.lower() or "not seen by a kubelet yet"
    return views.waiting(view, f"{phase}, not ready" if phase == "running" else phase, troubles)


def _is_true(told: tuple[observed.Condition, ...] | None, kind: str) -> observed.Condition | None:
    found = observed.condition(told, kind)
    return found if found is not None and found.status == "True" else None


def _words(found: _Job) -> str:
    status = found.status
    wanted = found.spec.completions if found.spec.completions is not None else found.spec.parallelism
    parts = [f"{status.succeeded:,} of {1 if wanted is None else wanted:,} done"]
    if status.active:
        parts.append(f"{status.active:,} running")
    if status.failed:
        parts.append(f"{status.failed:,} failed")
    return ", ".join(parts)


def _failure(view: views.View, told: observed.Condition, troubles: list[causes.Trouble]) -> outcomes.Cause:
    """Return the Job's own reason together with what its last pods died of."""
    worst = causes.worst(troubles)
    parts = (observed.words(told.message), f"{worst.cause.subject}: {worst.cause.message}" if worst else "")
    return outcomes.Cause(told.reason or "JobFailed", str(view.id), "; ".join(part for part in parts if part))
