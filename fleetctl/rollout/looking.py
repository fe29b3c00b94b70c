"""What became of a run, from the journal alone: status, history, why. Contacts nothing."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from fleetctl.model import codes, errors, events, outcomes, plans, releases
from fleetctl.model import sites as fleet
from fleetctl.reading import scalars
from fleetctl.rollout import accounts, leasing, saving
from fleetctl.runs import budgets
from fleetctl.state import blobs, claims, databases, debts, gating, runs
from fleetctl.state import releases as stored

__all__ = [
    "NOT_STARTED",
    "expired",
    "explain",
    "find",
    "goals",
    "history",
    "knower",
    "members",
    "payable",
    "plan_of",
    "sites",
    "summary",
    "touched",
    "unfinished",
]

NOT_STARTED = "not-started"
"""What ``--only`` calls sites that a run never came to."""

_FAILURES = (outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE)


def find(store: databases.Store, name: str | None) -> runs.Run:
    """Return the run of a name, or the latest; raises ``UsageError`` when there is none."""
    run = store.read(lambda conn: runs.latest(conn) if name is None else runs.find(conn, name))
    if run is None:
        message = "there is no run yet" if name is None else f"there is no run {name}"
        raise errors.UsageError(codes.Code.RUN_UNKNOWN, message, "List them: fleetctl rollout history")
    return run


def knower(store: databases.Store) -> Callable[[str], releases.Release | None]:
    """Return what gives a release of this store by its digest."""
    return lambda digest: store.read(lambda conn: stored.get(conn, digest))


def payable(store: databases.Store) -> list[debts.Debt]:
    """Return the debts that may be paid now, by site."""
    return store.read(lambda conn: debts.payable(conn, store.now()))


def expired(store: databases.Store) -> list[debts.Debt]:
    """Return the open debts that were owed for too long to be paid."""
    now = store.now()
    return [debt for debt in store.read(debts.open_ones) if debt.expires <= now]


def unfinished(store: databases.Store, run: str) -> list[str]:
    """Return the sites of a run that have no outcome yet."""
    return [row.site for row in store.read(lambda conn: runs.sites(conn, run)) if row.outcome is None]


def goals(store: databases.Store, run: str) -> list[releases.Release]:
    """Return the releases that sites of a run wait for, each once."""
    rows = store.read(lambda conn: runs.sites(conn, run))
    wanted = dict.fromkeys(row.goal for row in rows if row.outcome is None and row.goal is not None)
    return [one for one in map(knower(store), wanted) if one is not None]


def members(store: databases.Store, name: str, only: Iterable[str] = ()) -> frozenset[str]:
    """Return the sites of a run, or those with one of some outcomes; ``not-started`` are those it never came to.

    Raises ``UsageError`` for a run that is not there and for words that are no outcomes.
    """
    wanted = set(only)
    known = [*map(str, outcomes.Outcome), NOT_STARTED]
    for word in sorted(wanted.difference(known)):
        near = scalars.did_you_mean(word, known)
        message = f'--only: "{word}" is no outcome{near}'
        raise errors.UsageError(codes.Code.USAGE, message, f"Outcomes: {', '.join(known)}")
    run = find(store, name)
    rows = store.read(lambda conn: runs.sites(conn, run.id))
    return frozenset(row.site for row in rows if not wanted or wanted & _ended(row))


def _ended(row: runs.Row) -> set[str]:
    """Return the words for how a site ended; while it is being visited there is none."""
    unvisited = row.outcome is None and not row.attempt
    left = row.reason in {outcomes.Reason.HALTED, outcomes.Reason.ABORTED}
    ended = {str(row.outcome)} if row.outcome is not None else set()
    return ended | ({NOT_STARTED} if unvisited or left else set())


def touched(store: databases.Store, run: str) -> list[str]:
    """Return the sites that a run may have changed."""
    return [row.site for row in store.read(lambda conn: runs.changed_by(conn, run))]


def sites(store: databases.Store, run: str, *, failed: bool) -> list[accounts.SiteLine]:
    """Return the members of a run, or only those that failed or did not answer."""
    rows = store.read(lambda conn: runs.sites(conn, run))
    return [
        accounts.SiteLine(
            site=row.site,
            wave=row.wave,
            phase=row.phase,
            outcome=row.outcome,
            effect=row.effect,
            reason=row.reason,
            cause=row.cause,
            started=row.started,
            ended=row.ended,
        )
        for row in rows
        if not failed or row.outcome in _FAILURES
    ]


def summary(store: databases.Store, name: str, *, simulated: bool = False) -> accounts.Summary:
    """Return how a run stands."""
    run = store.read(lambda conn: runs.get(conn, name))
    rows = store.read(lambda conn: runs.sites(conn, name))
    plan = plan_of(store, run)
    known = knower(store)
    changed = [row for row in rows if row.touched]
    restorable = [row for row in changed if row.previous is not None]
    versions = Counter(_version(known, row.previous) for row in restorable)
    return accounts.Summary(
        run=run.id,
        kind=run.kind,
        bundle=run.bundle,
        version=run.version,
        plan=run.plan,
        state=run.state,
        why=_why(store, run, plan),
        who=run.who,
        created=run.created,
        ended=run.ended,
        waves=_waves(plan, rows),
        causes=_causes(rows),
        owed=store.read(lambda conn: debts.count(conn, name)),
        not_started=sum(row.outcome is None and row.phase is events.Phase.WAITING for row in rows),
        in_flight=sum(row.outcome is None and row.phase is not events.Phase.WAITING for row in rows),
        broken=sum(row.outcome is outcomes.Outcome.FAILED for row in changed),
        restorable=len(restorable),
        fresh=len(changed) - len(restorable),
        going_back_to=tuple(version for version, _ in versions.most_common()),
        undoes=run.undoes,
        simulated=simulated,
        accepted=sum(row.accepted for row in rows),
        unguarded=sum(leasing.UNGUARDED in row.notes for row in rows),
        waiting=dict(Counter(row.reason for row in rows if not row.wave)),
        gates=_gates(store, run, plan),
    )


def history(store: databases.Store, bundle: str | None) -> list[accounts.RunLine]:
    """Return the runs of this store, newest first."""
    return [
        accounts.RunLine(
            run=run.id,
            kind=run.kind,
            bundle=run.bundle,
            version=run.version,
            state=run.state,
            created=run.created,
            counts=store.read(functools.partial(runs.counts, run=run.id)),
            who=run.who,
            owed=store.read(functools.partial(debts.count, run=run.id)),
        )
        for run in store.read(lambda conn: runs.all_of(conn, bundle))
    ]


def explain(
    store: databases.Store, site: fleet.Site, name: str | None, *, simulated: bool = False
) -> accounts.Explanation:
    """Return why a site is as it is, as its latest run (or the named one) left it; raises ``UsageError``."""
    found = store.read(lambda conn: runs.latest_row(conn, site.name, name))
    if found is None:
        message = f"no run has visited {site.name}" if name is None else f"{site.name} is no member of {name}"
        raise errors.UsageError(codes.Code.RUN_UNKNOWN, message, "List the runs: fleetctl rollout history")
    row = found
    run = store.read(lambda conn: runs.get(conn, row.run))
    rows = store.read(lambda conn: runs.sites(conn, row.run))
    plan = plan_of(store, run)
    seen = store.read(functools.partial(blobs.get, digest=row.evidence)) if row.evidence else None
    evidence = msgspec.json.decode(seen) if seen else None
    print_of = row.cause.fingerprint if row.cause else None
    same = sum(other.cause is not None and other.cause.fingerprint == print_of for other in rows) - 1
    release = knower(store)(row.goal) if row.goal else None
    return accounts.Explanation(
        site=site.name,
        place=_place(site),
        run=run.id,
        kind=run.kind,
        bundle=run.bundle,
        version=run.version,
        wave=row.wave,
        wave_name=plan.waves[row.wave - 1].name if row.wave else "",
        outcome=row.outcome,
        effect=row.effect,
        reason=row.reason,
        cause=row.cause,
        ended=row.ended,
        took=(row.ended - row.started) if row.ended and row.started else None,
        evidence=evidence,
        template=_template(release, evidence),
        same_cause=max(0, same),
        owed=store.read(lambda conn: debts.of(conn, site.name, run.bundle)) is not None,
        simulated=simulated,
    )


def _why(store: databases.Store, run: runs.Run, plan: plans.Plan) -> str:
    """Say why a run stands still; of a halt with the numbers of now, as visits under way ended after it."""
    if run.state is not events.RunState.HALTED:
        return run.why
    return budgets.decider(plan)(store.read(functools.partial(claims.tallies, run=run.id))) or run.why


def plan_of(store: databases.Store, run: runs.Run) -> plans.Plan:
    """Return the plan that a run executes."""
    text = store.read(lambda conn: blobs.get(conn, run.plan_blob))
    return saving.decode(text, f"the plan of {run.id}")


def _version(known: Callable[[str], releases.Release | None], digest: str | None) -> str:
    release = known(digest) if digest else None
    return release.version if release else "an earlier release"


def _waves(plan: plans.Plan, rows: Sequence[runs.Row]) -> tuple[accounts.WaveLine, ...]:
    return tuple(
        accounts.WaveLine(
            number=number,
            name=wave.name,
            members=wave.members,
            counts=dict(Counter(row.outcome for row in rows if row.wave == number and row.outcome)),
            skipped=dict(
                Counter(row.reason for row in rows if row.wave == number and row.outcome is outcomes.Outcome.SKIPPED)
            ),
            budget_failed=wave.max_failed,
            budget_unreachable=wave.max_unreachable,
        )
        for number, wave in enumerate(plan.waves, 1)
    )


def _gates(store: databases.Store, run: runs.Run, plan: plans.Plan) -> tuple[accounts.GateLine, ...]:
    order = [gate.name for gate in plan.strategy.gates]
    found = store.read(lambda conn: gating.of(conn, run.id))
    return tuple(
        accounts.GateLine(
            one.gate, one.kind, one.wave, plans.place(plan, one.wave), one.state, one.seen, one.who, one.since
        )
        for one in sorted(found, key=lambda one: (one.wave, order.index(one.gate)))
    )


def _causes(rows: Iterable[runs.Row]) -> tuple[accounts.CauseGroup, ...]:
    groups: dict[tuple[outcomes.Outcome, str], list[runs.Row]] = {}
    for row in rows:
        if row.cause is not None and row.outcome is not None:
            groups.setdefault((row.outcome, row.cause.fingerprint), []).append(row)
    made = [
        accounts.CauseGroup(found[0].cause, outcome, tuple(sorted(row.site for row in found)))
        for (outcome, _), found in groups.items()
        if found[0].cause is not None
    ]
    order = (*_FAILURES, outcomes.Outcome.SKIPPED, outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED)
    return tuple(sorted(made, key=lambda group: (order.index(group.outcome), -len(group.sites), group.sites)))


def _place(site: fleet.Site) -> str:
    architectures = "+".join(sorted({node.arch for node in site.nodes}))
    parts = (site.cluster.distribution, site.cluster.version, architectures, site.labels.get("region"))
    return " ".join(part for part in parts if part)


def _template(release: releases.Release | None, evidence: object) -> str:
    """Return the template that made the object that the evidence is about."""
    if release is None or not isinstance(evidence, dict):
        return ""
    wanted = tuple(evidence.get(key, "") for key in ("group", "kind", "namespace", "name"))
    return next((one.template for one in release.objects if msgspec.structs.astuple(one.id) == wanted), "")
