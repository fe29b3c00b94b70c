"""Plans, runs and explanations of a fleet of 1,240 sites, as screens and reports show them."""

import io
from typing import TypeVar

import msgspec

from fleetctl.model import events, objects, outcomes
from fleetctl.model import plans as plan_records
from fleetctl.rollout import accounts, folding, planning

_Record = TypeVar("_Record", bound=msgspec.Struct)

CHANGED, UNCHANGED = outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED
FAILED, SILENT, SKIPPED = outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.SKIPPED
RUN = "r-20261122-a81f03"
PULL = outcomes.Cause("ImagePullBackOff", "reg.eu.example:5000/pos-gateway:1.4.0", "no match for platform linux/arm64")
REFUSED = outcomes.Cause("ConnectTimeout", "reading the parent", "no connection after 10s")
MEMORY = outcomes.Cause("Unschedulable", "Deployment pos/gateway", "0/1 nodes are available: 1 Insufficient memory")


class Screen(io.StringIO):
    """A terminal of a width."""

    def isatty(self) -> bool:
        """Tell that somebody looks."""
        return True

    def fileno(self) -> int:
        """Have no size of its own: COLUMNS counts."""
        raise OSError


def waves() -> tuple[plan_records.Wave, ...]:
    """Return four waves of 1,212 sites."""
    return (
        plan_records.Wave("canary", 3, 0, 2, 0),
        plan_records.Wave("2", 60, 1, 12, 3),
        plan_records.Wave("3", 303, 6, 60, 15),
        plan_records.Wave("4", 846, 16, 169, 42),
    )


def identity(kind: str, name: str, group: str = "") -> objects.ObjectId:
    """Return the identity of an object of the bundle."""
    return objects.ObjectId(group, kind, "pos", name)


def names(count: int, start: int = 1) -> tuple[str, ...]:
    """Return names of sites, from a number on."""
    return tuple(f"store-{number:05}" for number in range(start, start + count))


def replaced(record: _Record, **more: object) -> _Record:
    """Return a record with other fields."""
    return msgspec.structs.replace(record, **more)


def preview(**more: object) -> planning.Preview:
    """Return a plan of 1,212 sites; ``more`` replaces fields."""
    image = folding.Change("~", identity("Deployment", "gateway", "apps"), "image 1.3.2 -> 1.4.0")
    replicas = folding.Change("~", image.id, "image 1.3.2 -> 1.4.0, replicas 2 -> 3")
    policy = folding.Change("+", identity("NetworkPolicy", "allow-peripherals", "networking.k8s.io"))
    waiting = tuple(plan_records.Member(name, 0, "r1:x", skip="maintenance") for name in names(20, 5001))
    plan = plan_records.Plan(
        kind=plan_records.Kind.ROLLOUT,
        project="retail",
        bundle="retail-pos",
        version="1.4.0",
        namespace="pos",
        waves=waves(),
        strategy=plan_records.Strategy(),
        options=plan_records.Options(),
        members=(*(plan_records.Member(name, 1, "r1:x") for name in names(1212)), *waiting),
    )
    shown = {
        "before": (("1.3.2", 1190), ("1.4.0", 18), ("unknown", 4)),
        "folds": (
            folding.Fold(names(1180), (image,)),
            folding.Fold(names(14, 1181), (replicas, policy)),
            folding.Fold(names(18, 1195), ()),
        ),
        "prunes": (planning.Prune(identity("ConfigMap", "legacy-tls"), names(14, 1181)),),
        "left_out": (planning.LeftOut("not assigned retail-pos", names(8, 6001)),),
        "silent": ((REFUSED, names(4, 900)),),
        "covered": 3,
        "kinds": 4,
        **more,
    }
    return planning.Preview(**{"plan": plan, "digest": "p1:7f3a9c1e" + "0" * 56, **shown})  # type: ignore[arg-type]


def summary(**more: object) -> accounts.Summary:
    """Return a run that was halted in its third wave; ``more`` replaces fields."""
    counts: list[dict[outcomes.Outcome, int]] = [
        {CHANGED: 3},
        {CHANGED: 58, UNCHANGED: 1, SILENT: 1},
        {CHANGED: 292, UNCHANGED: 2, FAILED: 7, SILENT: 2},
        {},
    ]
    lines = tuple(
        accounts.WaveLine(number, wave.name, wave.members, found, {}, wave.max_failed, wave.max_unreachable)
        for number, (wave, found) in enumerate(zip(waves(), counts, strict=True), 1)
    )
    shown = {
        "run": RUN,
        "kind": "rollout",
        "bundle": "retail-pos",
        "version": "1.4.0",
        "plan": "p1:7f3a9c1e",
        "state": events.RunState.HALTED,
        "why": "7 of 303 sites in wave 3 failed (budget 6)",
        "who": "ops@laptop",
        "created": 1_000_000.0,
        "ended": 1_000_221.0,
        "waves": lines,
        "causes": (
            accounts.CauseGroup(PULL, FAILED, names(7, 871)),
            accounts.CauseGroup(REFUSED, SILENT, names(3, 400)),
        ),
        "owed": 23,
        "not_started": 846,
        "in_flight": 0,
        "broken": 7,
        "restorable": 360,
        "fresh": 2,
        "going_back_to": ("1.3.2",),
        "waiting": {outcomes.Reason.MAINTENANCE: 20},
        **more,
    }
    return accounts.Summary(**shown)  # type: ignore[arg-type]


def finished() -> accounts.Summary:
    """Return a run that went to its end, with many causes."""
    halted = summary()
    last = accounts.WaveLine(4, "4", 846, {CHANGED: 840, SILENT: 5, SKIPPED: 1}, {outcomes.Reason.MOVED: 1}, 16, 169)
    return summary(
        state=events.RunState.FINISHED,
        why="",
        waves=(*halted.waves[:3], last),
        not_started=0,
        causes=(
            *halted.causes,
            accounts.CauseGroup(MEMORY, FAILED, names(1, 1113)),
            *(
                accounts.CauseGroup(outcomes.Cause(f"Odd{number}", "something", "else"), FAILED, names(1, number))
                for number in range(5)
            ),
        ),
    )


def lines() -> list[accounts.SiteLine]:
    """Return sites that failed, one that did not answer, and one that is under way."""
    made = []
    for name, outcome, effect, cause in (
        ("store-00871", FAILED, outcomes.Effect.APPLIED_UNVERIFIED, PULL),
        ("store-00900", SILENT, outcomes.Effect.UNKNOWN, REFUSED),
        ("store-01113", None, None, None),
    ):
        phase = events.Phase.SOAKING if outcome is None else events.Phase.DONE
        made.append(accounts.SiteLine(name, 3, phase, outcome, effect, outcomes.Reason.NONE, cause, 1.0, None))
    return made


def history(now: float) -> list[accounts.RunLine]:
    """Return an undo, and the run that it took back."""
    made = []
    for number, kind, version, state, failed, age in (
        (2, "undo", "2 versions", events.RunState.FINISHED, 0, 260.5),
        (1, "rollout", "1.4.0", events.RunState.HALTED, 1207, 300_000.0),
    ):
        counts = {FAILED: failed, CHANGED: 3}
        run = f"r-2026112{number}-a81f03"
        made.append(accounts.RunLine(run, kind, "retail-pos", version, state, now - age, counts, "ops@laptop", 23))
    return made


def evidence() -> dict[str, object]:
    """Return the chain of a Deployment whose image cannot be pulled."""
    container = {
        "kind": "container",
        "name": "gateway",
        "state": "waiting",
        "reason": "ImagePullBackOff",
        "message": 'Back-off pulling image "reg.eu.example:5000/pos-gateway:1.4.0": no match for platform in manifest',
    }
    event = {"reason": "Failed", "message": f"Failed to pull: {PULL.message}", "count": 5, "seconds": 38}
    pod = {"kind": "Pod", "name": "gateway-7d9c4f-x2x8p", "node": "n0", "phase": "Pending", "events": [event]}
    chain: dict[str, object] = {
        "group": "apps",
        "kind": "Deployment",
        "namespace": "pos",
        "name": "gateway",
        "state": "failed",
        "message": "1 of 2 pods of the new template ready",
        "children": [{"kind": "ReplicaSet", "name": "gateway-7d9c4f", "children": [{**pod, "children": [container]}]}],
    }
    return chain


def explanation(**more: object) -> accounts.Explanation:
    """Return why a site failed; ``more`` replaces fields."""
    shown = {
        "site": "store-00871",
        "place": "k3s v1.36.3 arm64 eu-north",
        "run": RUN,
        "kind": "rollout",
        "bundle": "retail-pos",
        "version": "1.4.0",
        "wave": 3,
        "wave_name": "3",
        "outcome": FAILED,
        "effect": outcomes.Effect.APPLIED_UNVERIFIED,
        "reason": outcomes.Reason.NONE,
        "cause": PULL,
        "ended": 1_000_027.0,
        "took": 41.0,
        "evidence": evidence(),
        "template": "templates/retail-pos/gateway.yaml.j2",
        "same_cause": 6,
        "owed": False,
        **more,
    }
    return accounts.Explanation(**shown)  # type: ignore[arg-type]


def happened() -> list[events.Event]:
    """A run in its third wave: some failed, some owed, many under way."""
    found: list[events.Event] = [
        events.RunStarted(
            RUN,
            "rollout",
            "retail-pos",
            "1.4.0",
            "p1:7f3a9c1e" + "0" * 56,
            tuple((wave.name, wave.members) for wave in waves()),
            tuple((wave.max_failed, wave.max_unreachable) for wave in waves()),
            total_failed=24,
            total_unreachable=242,
        )
    ]
    none, applied = outcomes.Effect.NONE, outcomes.Effect.APPLIED
    waiting = iter(names(1212))
    for number, (changed, failed, silent) in enumerate([(3, 0, 0), (58, 0, 2), (117, 2, 1)], 1):
        wave = waves()[number - 1]
        found.append(events.WaveStarted(number, wave.members, wave.max_failed, wave.max_unreachable))
        for outcome, count in ((CHANGED, changed), (FAILED, failed), (SILENT, silent)):
            for _ in range(count):
                cause = {FAILED: PULL, SILENT: REFUSED}.get(outcome)
                effect = none if outcome is SILENT else applied
                found.append(
                    events.SiteEnded(next(waiting), number, outcome, effect, cause=cause, owed=outcome is SILENT)
                )
    detail = f"Deployment pos/gateway 1 of 2 pods of the new template ready, {MEMORY}"
    found.append(events.SiteMoved(next(waiting), 3, events.Phase.OBSERVING, detail))
    found += [events.SiteMoved(next(waiting), 3, events.Phase.APPLYING) for _ in range(48)]
    found += [events.SiteMoved(next(waiting), 3, events.Phase.OBSERVING) for _ in range(15)]
    found += [events.SiteMoved(next(waiting), 3, events.Phase.SOAKING) for _ in range(41)]
    return found
