"""The Lease in a cluster that keeps operators with different journals apart, and who may take it: pure decisions.

One of its kind per bundle, made for a visit and deleted after it. Its times are the server's own, as the Date headers
of its answers tell them, never those of a laptop: whoever holds it writes a time that the server has not reached
yet or just has, whoever wants it compares with a time that the server has passed for sure. Where a server tells no
time, a Lease that was seen unchanged for its whole term is over as well.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from fleetctl.kube import answers

__all__ = [
    "COLLECTION",
    "GRACE",
    "NAMESPACE",
    "RENEW",
    "TERM",
    "Lease",
    "Seen",
    "Verdict",
    "body",
    "decide",
    "holder",
    "name",
    "path",
    "read",
]

NAMESPACE: Final = "fleetctl-system"
COLLECTION: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
TERM: Final = 60.0
"""Seconds it is held for unless it is renewed."""
RENEW: Final = 20.0
"""Seconds after which it is renewed."""
GRACE: Final = 40.0
"""Seconds beyond its end until it may be taken: a server may commit what its holder sent 34 seconds after that."""

_LONGEST: Final = 600.0
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
Verdict = Literal["ours", "free", "held"]


class _Spec(msgspec.Struct):
    holderIdentity: str | None = None  # noqa: N815  # as Kubernetes spells it
    leaseDurationSeconds: int | None = None  # noqa: N815
    renewTime: str | None = None  # noqa: N815
    leaseTransitions: int | None = None  # noqa: N815


class _Read(msgspec.Struct):
    metadata: answers.Meta = answers.Meta()
    spec: _Spec = msgspec.field(default_factory=_Spec)


class Lease(msgspec.Struct, frozen=True):
    """A Lease as it was read; times are seconds since the epoch, by the server's clock."""

    uid: str
    version: str
    holder: str = ""
    term: float = TERM
    renewed: float | None = None
    """None where nobody wrote a time that makes sense."""
    transitions: int = 0


class Seen(msgspec.Struct, frozen=True):
    """A Lease that was seen before, and when: by a clock of ours that passes while the machine sleeps."""

    uid: str
    version: str
    at: float

    def still(self, found: Lease) -> bool:
        """Tell whether nobody has written it since."""
        return (self.uid, self.version) == (found.uid, found.version)


def name(bundle: str) -> str:
    """Return the name of a bundle's Lease."""
    return f"fleetctl-{bundle}"


def path(bundle: str) -> str:
    """Return where a bundle's Lease stands."""
    return f"{COLLECTION}/{name(bundle)}"


def holder(project: str, site: str, run: str, attempt: int) -> str:
    """Return what a visit calls itself: its attempt last."""
    return f"{project} {site} {run} {attempt}"


def read(found: bytes) -> Lease:
    """Return a Lease; raises ``answers.Failure`` for what is none."""
    said = answers.decode(found, _Read)
    spec = said.spec
    return Lease(
        uid=said.metadata.uid,
        version=said.metadata.resourceVersion,
        holder=spec.holderIdentity or "",
        term=float(min(max(spec.leaseDurationSeconds or 0, TERM), _LONGEST)),
        renewed=_seconds(spec.renewTime),
        transitions=spec.leaseTransitions or 0,
    )


def _seconds(text: str | None) -> float | None:
    try:
        return msgspec.convert(text, _Moment).timestamp() if text else None
    except (msgspec.ValidationError, OverflowError, ValueError):
        return None


def body(bundle: str, us: str, now: float | None, last: Lease | None = None) -> bytes:
    """Return a Lease that we hold from ``now`` on by the server's clock; ``last`` is the one that it takes over."""
    metadata = {"name": name(bundle), "namespace": NAMESPACE}
    transitions = 0
    if last is not None:
        metadata |= {"uid": last.uid, "resourceVersion": last.version}
        transitions = last.transitions + (last.holder != us)
    spec: dict[str, object] = {
        "holderIdentity": us,
        "leaseDurationSeconds": int(TERM),
        "leaseTransitions": transitions,
    }
    if now is not None:
        moment = dt.datetime.fromtimestamp(now, dt.UTC)
        spec["renewTime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    made = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
    return msgspec.json.encode(made, order="deterministic")


def decide(found: Lease, us: str, told: float | None, seen: Seen | None, now: float) -> Verdict:
    """Tell whose a Lease is.

    ``told`` is a time that the server's clock has passed, ``now`` one of the clock of ``seen``. Of two attempts at one
    site in one run the journal says which counts, and that the earlier one is over.
    """
    if found.holder == us:
        return "ours"
    if not found.holder or _earlier(found.holder, us):
        return "free"
    over = found.term + GRACE
    if found.renewed is not None and told is not None and told >= found.renewed + over:
        return "free"
    if seen is not None and seen.still(found) and now >= seen.at + over:
        return "free"
    return "held"


def _earlier(theirs: str, ours: str) -> bool:
    """Tell whether one attempt came before another at the same site in the same run."""
    (their_run, _, their_attempt), (our_run, _, our_attempt) = theirs.rpartition(" "), ours.rpartition(" ")
    if their_run != our_run or not their_attempt.isdecimal() or len(their_attempt) > 9:
        return False
    return int(their_attempt) < int(our_attempt)
