"""Every screen of a run, at 80 and 120 columns, as text that is read line by line when it changes.

``FLEETCTL_WRITE_GOLDEN=1 pytest tests/golden`` writes the screens anew: read the diff.
"""

import io
import os
import pathlib
import time
from collections.abc import Callable

import pytest

from fleetctl.console import counting, live, plain, plans, runs, why
from fleetctl.model import events, objects, outcomes
from fleetctl.model import plans as plan_records
from fleetctl.rollout import accounts, folding, planning

FOLDER = pathlib.Path(__file__).parent / "screens"
WRITE = os.environ.get("FLEETCTL_WRITE_GOLDEN") == "1"

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


def _waves() -> tuple[plan_records.Wave, ...]:
    return (
        plan_records.Wave("canary", 3, 0, 2, 0),
        plan_records.Wave("2", 60, 1, 12, 3),
        plan_records.Wave("3", 303, 6, 60, 15),
        plan_records.Wave("4", 846, 16, 169, 42),
    )


def _id(kind: str, name: str, group: str = "") -> objects.ObjectId:
    return objects.ObjectId(group, kind, "pos", name)


def _names(count: int, start: int = 1) -> tuple[str, ...]:
    return tuple(f"store-{number:05}" for number in range(start, start + count))


def _preview(**more: object) -> planning.Preview:
    image = folding.Change("~", _id("Deployment", "gateway", "apps"), "image 1.3.2 -> 1.4.0")
    replicas = folding.Change("~", image.id, "image 1.3.2 -> 1.4.0, replicas 2 -> 3")
    policy = folding.Change("+", _id("NetworkPolicy", "allow-peripherals", "networking.k8s.io"))
    waiting = tuple(plan_records.Member(name, 0, "r1:x", skip="maintenance") for name in _names(20, 5001))
    plan = plan_records.Plan(
        kind=plan_records.Kind.ROLLOUT,
        project="retail",
        bundle="retail-pos",
        version="1.4.0",
        namespace="pos",
        waves=_waves(),
        strategy=plan_records.Strategy(),
        options=plan_records.Options(),
        members=(*(plan_records.Member(name, 1, "r1:x") for name in _names(1212)), *waiting),
    )
    shown = {
        "before": (("1.3.2", 1190), ("1.4.0", 18), ("unknown", 4)),
        "folds": (
            folding.Fold(_names(1180), (image,)),
            folding.Fold(_names(14, 1181), (replicas, policy)),
            folding.Fold(_names(18, 1195), ()),
        ),
        "prunes": (planning.Prune(_id("ConfigMap", "legacy-tls"), _names(14, 1181)),),
        "left_out": (planning.LeftOut("not assigned retail-pos", _names(8, 6001)),),
        "silent": ((REFUSED, _names(4, 900)),),
        "covered": 3,
        "kinds": 4,
        **more,
    }
    return planning.Preview(plan=plan, digest="p1:7f3a9c1e" + "0" * 56, **shown)  # type: ignore[arg-type]


def _summary(**more: object) -> accounts.Summary:
    counts: list[dict[outcomes.Outcome, int]] = [
        {CHANGED: 3},
        {CHANGED: 58, UNCHANGED: 1, SILENT: 1},
        {CHANGED: 292, UNCHANGED: 2, FAILED: 7, SILENT: 2},
        {},
    ]
    lines = tuple(
        accounts.WaveLine(number, wave.name, wave.members, found, {}, wave.max_failed, wave.max_unreachable)
        for number, (wave, found) in enumerate(zip(_waves(), counts, strict=True), 1)
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
            accounts.CauseGroup(PULL, FAILED, _names(7, 871)),
            accounts.CauseGroup(REFUSED, SILENT, _names(3, 400)),
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


def _finished() -> accounts.Summary:
    halted = _summary()
    last = accounts.WaveLine(4, "4", 846, {CHANGED: 840, SILENT: 5, SKIPPED: 1}, {outcomes.Reason.MOVED: 1}, 16, 169)
    return _summary(
        state=events.RunState.FINISHED,
        why="",
        waves=(*halted.waves[:3], last),
        not_started=0,
        causes=(
            *halted.causes,
            accounts.CauseGroup(MEMORY, FAILED, _names(1, 1113)),
            *(
                accounts.CauseGroup(outcomes.Cause(f"Odd{number}", "something", "else"), FAILED, _names(1, number))
                for number in range(5)
            ),
        ),
    )


def _evidence() -> dict[str, object]:
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


def _explanation(**more: object) -> accounts.Explanation:
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
        "evidence": _evidence(),
        "template": "templates/retail-pos/gateway.yaml.j2",
        "same_cause": 6,
        "owed": False,
        **more,
    }
    return accounts.Explanation(**shown)  # type: ignore[arg-type]


def _events() -> list[events.Event]:
    """A run in its third wave: some failed, some owed, many under way."""
    found: list[events.Event] = [
        events.RunStarted(
            RUN,
            "rollout",
            "retail-pos",
            "1.4.0",
            "p1:7f3a9c1e" + "0" * 56,
            tuple((wave.name, wave.members) for wave in _waves()),
            tuple((wave.max_failed, wave.max_unreachable) for wave in _waves()),
            total_failed=24,
            total_unreachable=242,
        )
    ]
    none, applied = outcomes.Effect.NONE, outcomes.Effect.APPLIED
    names = iter(_names(1212))
    for number, (changed, failed, silent) in enumerate([(3, 0, 0), (58, 0, 2), (117, 2, 1)], 1):
        wave = _waves()[number - 1]
        found.append(events.WaveStarted(number, wave.members, wave.max_failed, wave.max_unreachable))
        for outcome, count in ((CHANGED, changed), (FAILED, failed), (SILENT, silent)):
            for _ in range(count):
                cause = {FAILED: PULL, SILENT: REFUSED}.get(outcome)
                effect = none if outcome is SILENT else applied
                found.append(
                    events.SiteEnded(next(names), number, outcome, effect, cause=cause, owed=outcome is SILENT)
                )
    detail = f"Deployment pos/gateway 1 of 2 pods of the new template ready, {MEMORY}"
    found.append(events.SiteMoved(next(names), 3, events.Phase.OBSERVING, detail))
    found += [events.SiteMoved(next(names), 3, events.Phase.APPLYING) for _ in range(48)]
    found += [events.SiteMoved(next(names), 3, events.Phase.OBSERVING) for _ in range(15)]
    found += [events.SiteMoved(next(names), 3, events.Phase.SOAKING) for _ in range(41)]
    return found


def _live(stream: Screen, columns: int) -> None:
    clock = [0.0]
    progress = counting.Progress(lambda: clock[0])
    for event in _events():
        progress.take(event)
    clock[0] = 221.0
    stream.writelines(f"{line}\n" for line in live.lines(progress, columns))


def _plain(stream: Screen, _: int) -> None:
    clock = [0.0]
    view = plain.Plain(stream, clock=lambda: clock[0], wall=lambda: 36_000 + clock[0])
    for event in [*_events(), events.RunEnded(RUN, events.RunState.PAUSED, "interrupted")]:
        clock[0] += 0.5
        view.observe(event)


def _plan(stream: Screen, _: int) -> None:
    plans.show(_preview(), stream)
    plans.saved(_preview(), "plans/a.json", stream)


SCREENS: dict[str, Callable[[Screen, int], None]] = {
    "plan": _plan,
    "plan-of-nothing": lambda stream, _: plans.show(
        _preview(folds=(folding.Fold(_names(1212), ()),), prunes=(), silent=(), left_out=(), covered=4), stream
    ),
    "plan-of-many-kinds": lambda stream, _: plans.show(
        _preview(
            folds=tuple(
                folding.Fold(
                    _names(10 - number, number * 10),
                    tuple(folding.Change("~", _id("ConfigMap", f"c{one}"), "data.a 1 -> 2") for one in range(9)),
                    known=number != 1,
                )
                for number in range(9)
            ),
            simulated=True,
        ),
        stream,
    ),
    "run-halted": lambda stream, _: runs.show(_summary(), stream),
    "run-finished": lambda stream, _: runs.show(_finished(), stream),
    "run-paused": lambda stream, _: runs.show(
        _summary(state=events.RunState.PAUSED, why="interrupted", simulated=True), stream
    ),
    "run-aborted": lambda stream, _: runs.show(_summary(state=events.RunState.ABORTED, why="by hand", owed=0), stream),
    "why": lambda stream, _: why.show(_explanation(), stream),
    "why-owed": lambda stream, _: why.show(
        _explanation(
            outcome=SILENT,
            effect=outcomes.Effect.UNKNOWN,
            cause=REFUSED,
            evidence=None,
            template="",
            same_cause=0,
            owed=True,
            simulated=True,
        ),
        stream,
    ),
    "live": _live,
    "plain": _plain,
}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen says exactly what it said when somebody last read it, and no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    stream = Screen()
    SCREENS[name](stream, min(columns, 100))
    text = stream.getvalue()
    file = FOLDER / f"{name}-{columns}.txt"
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > columns and name != "plain"] == []
    if name != "plain":
        assert len(text.splitlines()) <= 25


def test_times_are_short() -> None:
    """Durations read as people say them."""
    found = [counting.duration(seconds) for seconds in (0, 41, 252, 7500, 300_000)]
    assert found == ["0s", "41s", "4m12s", "2h05m", "3d"]
