"""Whole journeys on a simulated fleet over real TLS: rollout, halt, undo, catch-up, prune, remove."""

import pathlib
import time

import pytest

from fleetctl.model import codes, errors, events, outcomes, plans
from fleetctl.state import debts
from tests.unit.rollout import shops

CHANGED, UNCHANGED = outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED
FAILED, SILENT, SKIPPED = outcomes.Outcome.FAILED, outcomes.Outcome.UNREACHABLE, outcomes.Outcome.SKIPPED


def test_a_rollout_changes_every_site_and_marks_it(tmp_path: pathlib.Path) -> None:
    """Objects, the set's labels and the parent's notes are there; nothing is left half done."""
    with shops.opened(tmp_path) as shop:
        done = shop.rollout()
        assert done.state is events.RunState.FINISHED
        assert shop.outcomes(done.run) == {"s1": CHANGED, "s2": CHANGED, "s3": CHANGED}
        for site in shop.fleet.servers:
            notes = shop.parent(site)
            assert notes.keys() == {"project", "release", "run", "site"}
            assert (notes["project"], notes["site"], notes["run"]) == ("shops", site, done.run)
            assert shop.row(done.run, site).effect is outcomes.Effect.APPLIED
            labels = shop.objects(site, "ConfigMap")["settings"]["metadata"]["labels"]  # type: ignore[index]
            assert labels["applyset.kubernetes.io/part-of"].startswith("applyset-")


def test_a_plan_tells_whose_credentials_end_soon(tmp_path: pathlib.Path) -> None:
    """Within a week, the first to end first; the plan is the same plan."""
    with shops.opened(tmp_path, ("s1", "s2", "s3", "s4")) as shop:
        before, now = shop.proposed(), time.time()
        assert before.expiring == ()
        shop.ends = {"s1": now + 6.9 * 86400, "s2": now + 7.1 * 86400, "s3": now + 3600}
        found = shop.proposed()
        assert found.expiring == (("s3", shop.ends["s3"]), ("s1", shop.ends["s1"]))
        assert found.digest == before.digest


def test_a_second_start_asks_each_cluster_once(tmp_path: pathlib.Path) -> None:
    """A site whose parent names the release is unchanged after one request."""
    with shops.opened(tmp_path) as shop:
        shop.rollout()
        before = shop.fleet.requests()
        done = shop.rollout()
        assert set(shop.outcomes(done.run).values()) == {UNCHANGED}
        assert {site: count - before[site] for site, count in shop.fleet.requests().items()} == dict.fromkeys(before, 1)
        assert {shop.row(done.run, site).requests for site in before} == {1}


def test_a_bad_image_halts_at_the_canary(tmp_path: pathlib.Path) -> None:
    """The cause is known in words, evidence is stored, the other sites are untouched; undo brings back what was."""
    with shops.opened(tmp_path) as shop:
        good = shop.rollout()
        shop.bundle("1.1.0", "app:2-missing")
        bad = shop.rollout()
        assert bad.state is events.RunState.HALTED
        assert bad.why == "1 of 1 site in wave 1 (canary) failed (budget 0)"
        [group] = bad.causes
        assert (group.cause.reason, group.cause.subject) == ("ImagePullBackOff", "app:2-missing")
        [canary] = group.sites
        assert shop.row(bad.run, canary).evidence is not None
        assert (bad.not_started, bad.broken, bad.restorable) == (2, 1, 1)
        back = shop.undo(bad.run)
        assert shop.outcomes(back.run) == {canary: CHANGED}
        assert shop.parent(canary)["release"] == shop.row(good.run, canary).after
        web = shop.objects(canary, "Deployment", "apps")["web"]
        assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"  # type: ignore[index]


def test_a_halted_run_goes_on_without_its_failures(tmp_path: pathlib.Path) -> None:
    """With --accept-failed the rest is visited, budgets count anew, and the failed site is left alone."""
    with shops.opened(tmp_path) as shop:
        shop.bundle("1.0.0", "app:2-crash")
        bad = shop.rollout()
        assert bad.state is events.RunState.HALTED
        shop.fleet.servers["s1"].cluster.requests = 0
        with pytest.raises(errors.Refused):
            shop.resume(bad.run)
        again = shop.resume(bad.run, accept_failed=True)
        assert again.state is events.RunState.HALTED
        assert sum(outcome is FAILED for outcome in shop.outcomes(bad.run).values()) >= 2


def test_a_dark_site_is_owed_and_paid(tmp_path: pathlib.Path) -> None:
    """Out of reach is neither failed nor forgotten; when the site answers again, catch-up brings the release."""
    with shops.opened(tmp_path) as shop:
        first = shop.rollout()
        shop.bundle("1.1.0")
        shop.suffer("s2", refuse=True)
        run = shop.rollout()
        assert run.state is events.RunState.FINISHED
        assert shop.outcomes(run.run)["s2"] is SILENT
        assert run.owed == 1
        shop.suffer("s2")
        [paid] = shop.catchup()
        assert shop.outcomes(paid.run) == {"s2": CHANGED}
        assert shop.parent("s2")["release"] != shop.row(first.run, "s2").after
        assert shop.store.read(debts.open_ones) == []
        assert shop.catchup() == []


def test_a_site_that_is_still_dark_stays_owed(tmp_path: pathlib.Path) -> None:
    """A catch-up leaves out who does not answer; the debt stays."""
    with shops.opened(tmp_path) as shop:
        shop.suffer("s2", refuse=True)
        shop.rollout()
        [empty] = shop.catchup()
        assert shop.outcomes(empty.run) == {}
        assert len(shop.store.read(debts.open_ones)) == 1


def test_what_the_bundle_no_longer_makes_is_pruned(tmp_path: pathlib.Path) -> None:
    """An object of the set that is not in the release goes; one that only stands beside it stays."""
    with shops.opened(tmp_path) as shop:
        shop.bundle("1.0.0", extra=("old",))
        shop.rollout()
        shop.fleet.servers["s1"].cluster.store.make(
            "", "ConfigMap", {"metadata": {"name": "theirs", "namespace": "app"}, "data": {}}
        )
        shop.bundle("1.1.0")
        done = shop.rollout()
        assert set(shop.outcomes(done.run).values()) == {CHANGED}
        assert "old" not in shop.objects("s1", "ConfigMap")
        assert "theirs" in shop.objects("s1", "ConfigMap")


def test_undo_brings_pruned_objects_back(tmp_path: pathlib.Path) -> None:
    """The release that the visit found is applied in full, with what the undone run had pruned."""
    with shops.opened(tmp_path) as shop:
        shop.bundle("1.0.0", extra=("old",))
        shop.rollout()
        shop.bundle("1.1.0")
        run = shop.rollout()
        shop.undo(run.run)
        assert "old" in shop.objects("s3", "ConfigMap")


def test_somebody_elses_object_is_neither_adopted_nor_changed(tmp_path: pathlib.Path) -> None:
    """A new object of the release that exists without our label fails the site before anything is sent."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        cluster = shop.fleet.servers["s1"].cluster.store
        cluster.make("", "Namespace", {"metadata": {"name": "app"}})
        run = shop.rollout()
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.effect, row.reason) == (FAILED, outcomes.Effect.NONE, outcomes.Reason.FOREIGN)
        assert row.cause is not None
        assert (row.cause.reason, row.cause.subject) == ("ForeignObject", "Namespace app")
        assert shop.objects("s1", "Secret") == {}


def test_a_site_that_had_nothing_is_left_out_of_an_undo(tmp_path: pathlib.Path) -> None:
    """Undo of a first installation removes it only when it is told to."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        run = shop.rollout()
        assert (run.fresh, run.restorable) == (1, 0)
        empty = shop.undo(run.run)
        assert shop.outcomes(empty.run) == {}
        done = shop.undo(run.run, remove_new=True)
        assert shop.outcomes(done.run) == {"s1": CHANGED}
        assert shop.objects("s1", "ConfigMap") == {}
        assert shop.objects("s1", "Secret") == {}
        assert list(shop.objects("s1", "Namespace")) >= ["app"]


def test_remove_takes_the_bundle_off(tmp_path: pathlib.Path) -> None:
    """Every object of the set goes, protected kinds stay, the parent goes last."""
    with shops.opened(tmp_path) as shop:
        shop.rollout()
        done = shop.rollout(kind=plans.Kind.REMOVE)
        assert set(shop.outcomes(done.run).values()) == {CHANGED}
        assert shop.objects("s1", "Deployment", "apps") == {}
        assert shop.objects("s1", "Pod") == {}
        assert shop.objects("s1", "Secret") == {}
        again = shop.rollout(kind=plans.Kind.REMOVE)
        assert set(shop.outcomes(again.run).values()) == {UNCHANGED}


def test_a_cluster_that_moved_since_the_plan_is_skipped(tmp_path: pathlib.Path) -> None:
    """What another run changed between plan and visit is not overwritten."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        shop.bundle("1.1.0")
        parent = shop.objects("s1", "Secret")["app"]
        taken = shop.fleet.servers["s1"].cluster

        class Moving(list[events.Event]):
            def append(self, event: events.Event) -> None:
                if isinstance(event, events.WaveStarted):
                    parent["metadata"]["annotations"]["fleetctl.dev/release"] = "r1:other"  # type: ignore[index]
                    taken.store.touch(parent)
                super().append(event)

        shop.heard = Moving()
        run = shop.rollout()
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.reason, row.owed) == (SKIPPED, outcomes.Reason.MOVED, False)


def test_a_wrong_token_is_never_owed(tmp_path: pathlib.Path) -> None:
    """Refused credentials are a failure of their own kind, counted apart from others."""
    with shops.opened(tmp_path, ("s1", "s2")) as shop:
        shop.suffer("s2", status=401)
        run = shop.rollout()
        row = shop.row(run.run, "s2")
        assert (row.outcome, row.reason, row.owed) == (FAILED, outcomes.Reason.CREDENTIALS, False)


def test_another_cluster_of_the_same_name_is_not_touched(tmp_path: pathlib.Path) -> None:
    """A cluster whose kube-system has another UID than last time fails, with nothing sent."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        store = shop.fleet.servers["s1"].cluster.store
        found = next(one for one in store.of("", "Namespace") if one["metadata"]["name"] == "kube-system")
        found["metadata"]["uid"] = "another"
        shop.bundle("1.1.0")
        run = shop.rollout()
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.effect, row.reason) == (FAILED, outcomes.Effect.NONE, outcomes.Reason.IDENTITY)


def test_fields_of_another_manager(tmp_path: pathlib.Path) -> None:
    """A conflict names field and manager; the run takes over from those it was told to, and from no other."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        found = shop.objects("s1", "ConfigMap")["settings"]
        found["data"]["image"] = "changed"  # type: ignore[index]
        [entry] = found["metadata"]["managedFields"]  # type: ignore[index]
        del entry["fieldsV1"]["f:data"]["f:image"]
        theirs = {**entry, "manager": "somebody", "fieldsV1": {"f:data": {"f:image": {}}}}
        found["metadata"]["managedFields"].append(theirs)  # type: ignore[index]
        shop.bundle("1.1.0", "app:2")
        run = shop.rollout()
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.reason) == (FAILED, outcomes.Reason.FOREIGN)
        assert row.cause is not None
        assert row.cause.message == "would take .data.image of somebody"
        other = plans.Options(force=plans.Force(managers=("nobody",)))
        assert shop.row(shop.rollout(options=other, supersedes=run.run).run, "s1").outcome is FAILED
        force = plans.Options(force=plans.Force(managers=("somebody",)))
        unfinished = next(line.run for line in _unfinished(shop))
        assert shop.row(shop.rollout(options=force, supersedes=unfinished).run, "s1").outcome is CHANGED


def _unfinished(shop: shops.Shops) -> list[events.RunEnded]:
    return [event for event in shop.heard[::-1] if isinstance(event, events.RunEnded)]


def test_a_half_applied_site_is_brought_back(tmp_path: pathlib.Path) -> None:
    """A release whose last object is refused leaves a partial effect; undo restores the release before it."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        good = shop.rollout()
        shop.bundle("1.1.0", "app:2", extra=("new",))
        broken = tmp_path / "templates" / "app" / "zz.yaml.j2"
        broken.write_text(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n"
            "  serviceName: db\n  selector: {matchLabels: {app: db}}\n"
            "  template: {metadata: {labels: {app: other}}, spec: {containers: [{name: db, image: 'db:1'}]}}\n",
            encoding="utf-8",
        )
        run = shop.rollout()
        row = shop.row(run.run, "s1")
        assert (row.outcome, row.effect) == (FAILED, outcomes.Effect.PARTIAL)
        assert "applying" in shop.parent("s1")
        assert "new" in shop.objects("s1", "ConfigMap")
        back = shop.undo(run.run)
        assert shop.outcomes(back.run) == {"s1": CHANGED}
        assert shop.parent("s1")["release"] == shop.row(good.run, "s1").after
        assert "applying" not in shop.parent("s1")
        assert "new" not in shop.objects("s1", "ConfigMap")


def test_a_plan_that_prunes_too_much_is_refused(tmp_path: pathlib.Path) -> None:
    """More than five objects and a tenth of them: nothing is begun."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.bundle("1.0.0", extra=tuple(f"x{number}" for number in range(6)))
        shop.rollout()
        shop.bundle("1.1.0")
        with pytest.raises(errors.Refused) as refused:
            shop.rollout()
        assert refused.value.code is codes.Code.PLAN_PRUNES_TOO_MUCH


def test_a_soak_notices_a_restart(tmp_path: pathlib.Path) -> None:
    """Pods that were well and restart while they are left alone fail the site."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.bundle("1.0.0", "app:1-restarts")
        strategy = plans.Strategy(waves=shops.STRATEGY.waves, soak=2.0, site_timeout=10.0)
        run = shop.rollout(strategy=strategy)
        row = shop.row(run.run, "s1")
        assert row.outcome is FAILED
        assert row.cause is not None
        assert row.cause.reason == "ContainerRestarted"
        assert row.effect is outcomes.Effect.APPLIED


_STATEFUL = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: {{ values.image | k }}}]}
"""


def test_undo_frees_a_stuck_stateful_set(tmp_path: pathlib.Path) -> None:
    """A broken pod that the controller would leave for ever (kubernetes#67250) is deleted by the undo."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        (tmp_path / "templates" / "app" / "app.yaml.j2").write_text(_STATEFUL, encoding="utf-8")
        shop.rollout()
        shop.bundle("1.1.0", "app:2-missing")
        bad = shop.rollout()
        assert bad.state is events.RunState.HALTED
        back = shop.undo(bad.run)
        assert shop.outcomes(back.run) == {"s1": CHANGED}
        pods = shop.objects("s1", "Pod").values()
        assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {"app:1"}  # type: ignore[index]


def test_protected_kinds_stay_and_are_marked(tmp_path: pathlib.Path) -> None:
    """A claim that leaves the bundle is kept, with a label that says of which bundle it is left."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        claim = tmp_path / "templates" / "app" / "claim.yaml.j2"
        claim.write_text(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
            encoding="utf-8",
        )
        shop.rollout()
        claim.unlink()
        shop.bundle("1.1.0")
        run = shop.rollout()
        found = shop.objects("s1", "PersistentVolumeClaim")["data"]
        assert found["metadata"]["labels"]["fleetctl.dev/retained"] == "app"  # type: ignore[index]
        assert shop.row(run.run, "s1").notes == (
            "PersistentVolumeClaim app/data was kept: a PersistentVolumeClaim is never pruned",
        )


def test_an_undo_may_take_away_whatever_its_run_added(tmp_path: pathlib.Path) -> None:
    """The limit on deletions is for changes of a bundle; what a run has added, its undo removes."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.rollout()
        shop.bundle("1.1.0", extra=tuple(f"x{number}" for number in range(9)))
        run = shop.rollout()
        back = shop.undo(run.run)
        assert shop.outcomes(back.run) == {"s1": CHANGED}
        assert set(shop.objects("s1", "ConfigMap")) == {"settings"}


def test_an_undo_takes_back_what_was_paid_later(tmp_path: pathlib.Path) -> None:
    """A site that got the release by catch-up goes back with the others of the run that owed it."""
    with shops.opened(tmp_path) as shop:
        good = shop.rollout()
        shop.bundle("1.1.0")
        shop.suffer("s2", refuse=True)
        run = shop.rollout()
        shop.suffer("s2")
        shop.catchup()
        back = shop.undo(run.run)
        assert shop.outcomes(back.run) == {"s1": CHANGED, "s2": CHANGED, "s3": CHANGED}
        for site in ("s1", "s2", "s3"):
            assert shop.parent(site)["release"] == shop.row(good.run, site).after
