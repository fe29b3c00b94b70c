"""Plans, runs and explanations for machines; keys are stable, times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fleetctl.model import outcomes, releases
from fleetctl.reports import envelopes
from fleetctl.rollout import accounts, planning

__all__ = ["cause_of", "explanation", "history", "preview", "sites", "summary"]

_Envelope = dict[str, Any]


def preview(found: planning.Preview, limits: releases.Limits) -> _Envelope:
    """Return a plan with what it would change, and what of it no schema could check."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "Plan",
        "name": found.digest,
        "simulated": found.simulated,
        "plan": msgspec.json.decode(msgspec.json.encode(found.plan)),  # lists, which YAML has, for tuples
        "before": dict(found.before),
        "changes": [
            {
                "sites": list(fold.sites),
                "known": fold.known,
                "objects": [{"verb": one.verb, "object": str(one.id), "details": one.details} for one in fold.changes],
            }
            for fold in found.folds
        ],
        "leftOut": [{"reason": one.reason, "sites": list(one.sites), "owed": one.owed} for one in found.left_out],
        "silent": [{"cause": cause_of(cause), "sites": list(names)} for cause, names in found.silent],
        "outside": list(found.outside),
        "rights": [
            {"sites": list(one.sites), "missing": [msgspec.to_builtins(gap) for gap in one.gaps]} for one in found.lacks
        ],
        "rightsUnknown": [{"cause": cause_of(one.cause), "sites": list(one.sites)} for one in found.doubts],
        "expiring": [{"site": site, "ends": end} for site, end in found.expiring],
        **envelopes.unchecked(limits),
    }


def summary(found: accounts.Summary) -> _Envelope:
    """Return how a run stands."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "Run",
        "name": found.run,
        "does": found.kind,
        "bundle": found.bundle,
        "version": found.version,
        "plan": found.plan,
        "state": str(found.state),
        "why": found.why,
        "who": found.who,
        "simulated": found.simulated,
        "created": found.created,
        "ended": found.ended,
        "undoes": found.undoes,
        "waves": [
            {
                "name": wave.name,
                "members": wave.members,
                "outcomes": {str(outcome): count for outcome, count in wave.counts.items()},
                "maxFailed": wave.budget_failed,
                "maxUnreachable": wave.budget_unreachable,
            }
            for wave in found.waves
        ],
        "causes": [
            {"cause": cause_of(one.cause), "outcome": str(one.outcome), "sites": list(one.sites)}
            for one in found.causes
        ],
        "gates": [
            {
                "name": one.gate,
                "kind": one.kind,
                "wave": one.wave,
                "state": str(one.state),
                "seen": one.seen,
                "who": one.who,
                "since": one.since,
            }
            for one in found.gates
        ],
        "owed": found.owed,
        "notStarted": found.not_started,
        "inFlight": found.in_flight,
        "broken": found.broken,
        "unguarded": found.unguarded,
    }


def sites(lines: Iterable[accounts.SiteLine]) -> _Envelope:
    """Return the sites of a run."""
    return _list(
        "RunSiteList",
        [
            {
                "name": one.site,
                "wave": one.wave,
                "phase": str(one.phase),
                "outcome": one.outcome and str(one.outcome),
                "effect": one.effect and str(one.effect),
                "reason": str(one.reason),
                "cause": cause_of(one.cause),
                "started": one.started,
                "ended": one.ended,
            }
            for one in lines
        ],
    )


def history(lines: Iterable[accounts.RunLine]) -> _Envelope:
    """Return runs, newest first."""
    return _list(
        "RunList",
        [
            {
                "name": one.run,
                "does": one.kind,
                "bundle": one.bundle,
                "version": one.version,
                "state": str(one.state),
                "created": one.created,
                "who": one.who,
                "owed": one.owed,
                "outcomes": {str(outcome): count for outcome, count in one.counts.items()},
            }
            for one in lines
        ],
    )


def explanation(found: accounts.Explanation) -> _Envelope:
    """Return why a site is as it is."""
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "Explanation",
        "name": found.site,
        "run": found.run,
        "bundle": found.bundle,
        "version": found.version,
        "wave": found.wave,
        "outcome": found.outcome and str(found.outcome),
        "effect": found.effect and str(found.effect),
        "reason": str(found.reason),
        "cause": cause_of(found.cause),
        "ended": found.ended,
        "seconds": found.took,
        "evidence": found.evidence,
        "madeBy": found.template,
        "sameCause": found.same_cause,
        "owed": found.owed,
        "simulated": found.simulated,
    }


def cause_of(found: outcomes.Cause | None) -> _Envelope | None:
    """Return why something is as it is; null for no cause."""
    return None if found is None else {"reason": found.reason, "subject": found.subject, "message": found.message}


def _list(kind: str, items: list[_Envelope]) -> _Envelope:
    return {"apiVersion": envelopes.API_VERSION, "kind": kind, "items": items}
