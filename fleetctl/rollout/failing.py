"""How a visit ends early: what an answer that says no, or silence, means for a site."""

from __future__ import annotations

from fleetctl.kube import answers, client
from fleetctl.model import outcomes

__all__ = ["Stopped", "identity", "outcome_of", "reason_of"]

_IDENTITY = "/api/v1/namespaces/kube-system"


def outcome_of(failure: answers.Failure) -> outcomes.Outcome:
    """Return ``unreachable`` for the link and for silence, ``failed`` for an answer that says no."""
    return outcomes.Outcome.UNREACHABLE if failure.kind == "unreachable" else outcomes.Outcome.FAILED


def reason_of(failure: answers.Failure, *, first: bool) -> outcomes.Reason:
    """Return the kind of failure; refused credentials count as such on the ``first`` read only."""
    if failure.kind == "tls":
        return outcomes.Reason.IDENTITY
    if failure.kind == "credentials" or (first and failure.kind == "forbidden"):
        return outcomes.Reason.CREDENTIALS
    return outcomes.Reason.NONE


class Stopped(Exception):
    """The visit is over, before all its steps were taken."""

    def __init__(
        self,
        outcome: outcomes.Outcome,
        cause: outcomes.Cause,
        reason: outcomes.Reason = outcomes.Reason.NONE,
    ) -> None:
        super().__init__()
        self.outcome = outcome
        self.cause = cause
        self.reason = reason


async def identity(api: client.Client, known: str | None) -> str:
    """Return the cluster's identity, the UID of kube-system; raises ``Stopped`` for another than is known."""
    found = (await api.get(_IDENTITY)).metadata.uid
    if known not in {None, found}:
        cause = outcomes.Cause("AnotherCluster", "Namespace kube-system", "its UID is not the one this site had")
        raise Stopped(outcomes.Outcome.FAILED, cause, outcomes.Reason.IDENTITY)
    return found
