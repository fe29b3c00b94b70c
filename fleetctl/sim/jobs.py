"""Jobs of a simulated cluster: pods side by side, tried again after a pause, until enough have done their work.

As ``syncJob`` in pkg/controller/job has it.
"""

from __future__ import annotations

from typing import Any, Final

from fleetctl.sim import objects, pods, templates

__all__ = ["Jobs"]

_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 600.0
_ACTIVE: Final = frozenset({"Pending", "Running"})
_LATE: Final = ("DeadlineExceeded", "Job was active longer than specified deadline")
_TRIED: Final = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_DONE: Final = ("CompletionsReached", "Reached expected number of succeeded pods")


class _Counted:
    """What became of a Job's pods, those that are gone by now included."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.succeeded: set[str] = set()
        self.failed: set[str] = set()
        self.tries = 0
        """Failures since the last success."""
        self.last = 0.0
        self.active: set[str] = set()


class Jobs:
    """The controller of Jobs."""

    def __init__(self, store: objects.Objects, made: pods.Pods) -> None:
        self._store = store
        self._pods = made
        self._counted: dict[str, _Counted] = {}

    def advance(self, one: objects.Object) -> None:
        """Do what is to be done for a Job now. One that has ended stays so, pods or no pods."""
        uid, before = one["metadata"]["uid"], one.get("status", {}).get("conditions", ())
        if "deletionTimestamp" in one["metadata"] or any(told["type"] in {"Complete", "Failed"} for told in before):
            self._counted.pop(uid, None)
            return
        counted = self._counted.setdefault(uid, _Counted(self._store.clock()))
        active = self._count(one, counted)
        if one["spec"].get("suspend"):
            self._suspend(one, counted, active)
            return
        if any(told["type"] == "Suspended" and told["status"] == "True" for told in before):
            counted.begun = self._store.clock()
        why = self._why_over(one, counted, active)
        if why is not None:
            self._delete(counted, active)
            counted.failed |= {pod["metadata"]["uid"] for pod in active}  # there is no word from them any more
            active = []
        else:
            active = self._scale(one, counted, active)
        self._tell(one, counted, active, why)

    def _count(self, one: objects.Object, counted: _Counted) -> list[objects.Object]:
        """Note which pods have ended, and return those that have not. One that somebody deleted has failed."""
        found = self._pods.of(one)
        by_phase: dict[str, set[str]] = {}
        for pod in found:
            by_phase.setdefault(pod["status"]["phase"], set()).add(pod["metadata"]["uid"])
        there = {pod["metadata"]["uid"] for pod in found}
        succeeded = by_phase.get("Succeeded", set()) - counted.succeeded
        failed = (by_phase.get("Failed", set()) | (counted.active - there)) - counted.failed
        counted.succeeded |= succeeded
        counted.failed |= failed
        if succeeded:
            counted.tries = 0
        if failed:
            counted.tries += len(failed)
            counted.last = self._store.clock()
        active = [pod for pod in found if pod["status"]["phase"] in _ACTIVE]
        counted.active = {pod["metadata"]["uid"] for pod in active}
        return active

    def _why_over(self, one: objects.Object, counted: _Counted, active: list[objects.Object]) -> tuple[str, str] | None:
        """Return why a Job is given up, if it is."""
        spec, now = one["spec"], self._store.clock()
        restarts, limit = 0, spec["backoffLimit"]
        if spec["template"]["spec"].get("restartPolicy") == "OnFailure":
            states = (pod["status"].get(key, ()) for pod in active for key in pods.STATUSES)
            restarts = sum(state["restartCount"] for found in states for state in found)
        if len(counted.failed) > limit or restarts >= max(1, limit):
            return _TRIED
        seconds = spec.get("activeDeadlineSeconds")
        if seconds is None:
            return None
        if now >= counted.begun + seconds:
            return _LATE
        self._pods.wake(counted.begun + seconds)
        return None

    def _scale(self, one: objects.Object, counted: _Counted, active: list[objects.Object]) -> list[objects.Object]:
        """Make pods that are missing, after a pause where some have failed, and delete those too many."""
        spec, done = one["spec"], len(counted.succeeded)
        wanted = spec["parallelism"] if not done else len(active)
        if "completions" in spec:
            wanted = max(0, min(spec["completions"] - done, spec["parallelism"]))
        if len(active) > wanted:
            self._delete(counted, active[wanted:])
            return active[:wanted]
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (min(counted.tries, 10) - 1)) if counted.tries else 0.0
        if wanted > len(active) and self._store.clock() < counted.last + pause:
            self._pods.wake(counted.last + pause)
            return active
        name = one["metadata"]["name"]
        template = spec["template"]
        for prefix in ("", "batch.kubernetes.io/"):
            template = templates.labelled(template, f"{prefix}job-name", name)
            template = templates.labelled(template, f"{prefix}controller-uid", one["metadata"]["uid"])
        made = [self._pods.make(one, f"{name}-{self._store.suffix()}", template) for _ in range(wanted - len(active))]
        counted.active |= {pod["metadata"]["uid"] for pod in made}
        return active + made

    def _delete(self, counted: _Counted, found: list[objects.Object]) -> None:
        """Delete pods that have not ended; that is no failure of theirs."""
        for pod in found:
            self._pods.delete(pod)
            counted.active.discard(pod["metadata"]["uid"])

    def _suspend(self, one: objects.Object, counted: _Counted, active: list[objects.Object]) -> None:
        self._delete(counted, active)
        told = templates.condition("Suspended", "True", "JobSuspended", "Job suspended", self._now())
        self._store.tell(one, {**_counts(counted), "conditions": [told]})

    def _tell(
        self, one: objects.Object, counted: _Counted, active: list[objects.Object], why: tuple[str, str] | None
    ) -> None:
        spec, now = one["spec"], self._now()
        told = [
            templates.condition("Suspended", "False", "JobResumed", "Job resumed", now)
            for told in one.get("status", {}).get("conditions", ())
            if told["type"] == "Suspended"
        ]
        status: dict[str, Any] = {"startTime": objects.stamp(counted.begun), **_counts(counted)}
        if active:
            status |= {"active": len(active), "ready": sum(map(self._pods.ready, active))}
        enough = len(counted.succeeded) >= spec.get("completions", 1)
        if why is not None:
            told += [templates.condition(sort, "True", *why, now) for sort in ("FailureTarget", "Failed")]
        elif enough and not active:
            told += [templates.condition(sort, "True", *_DONE, now) for sort in ("SuccessCriteriaMet", "Complete")]
            status["completionTime"] = now
        self._store.tell(one, status | ({"conditions": told} if told else {}))

    def _now(self) -> str:
        return objects.stamp(self._store.clock())


def _counts(counted: _Counted) -> dict[str, Any]:
    ended = {"succeeded": len(counted.succeeded), "failed": len(counted.failed)}
    zero: dict[str, Any] = {"ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}
    return {**{key: count for key, count in ended.items() if count}, **zero}
