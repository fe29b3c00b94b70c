"""Objects of somebody else: taken over when the run may, given back by an undo, let go of by a prune."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fleetctl.kube import adoptions, applysets, leases
from fleetctl.model import objects, outcomes, plans
from fleetctl.sim import faults, replies
from fleetctl.state import snapshots
from tests.unit.rollout import shops

CHANGED, FAILED = outcomes.Outcome.CHANGED, outcomes.Outcome.FAILED
ADOPT = plans.Options(adopt=True)
_BASE = "/api/v1/namespaces/app"
LAST = "kubectl.kubernetes.io/last-applied-configuration"
EXTRA = objects.ObjectId("", "ConfigMap", "app", "prices")


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[shops.Shops]:
    """One site that runs version 1; version 2 adds the ConfigMap ``prices``, and what it holds is ``a: b``."""
    with shops.opened(tmp_path, ("s1",)) as found:
        found.rollout()
        found.bundle("2.0.0", extra=("prices",))
        yield found


def _call(shop: shops.Shops, method: str, path: str, body: object = None, content: str = "application/json") -> Any:  # noqa: ANN401 - JSON
    cluster = shop.fleet.servers["s1"].cluster
    headers = {"authorization": f"Bearer {cluster.token}", "content-type": content}
    raw = b"" if body is None else json.dumps(body).encode()
    status, found = cluster.answer(method, path if path[0] == "/" else f"{_BASE}/{path}", headers, raw)[:2]
    assert status < 400, found
    return json.loads(found)


def _made(shop: shops.Shops, data: dict[str, str], manager: str = "kubectl-create", **meta: object) -> Any:  # noqa: ANN401 - JSON
    """Make ``prices`` as somebody's client does that knows nothing of server-side apply."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices", **meta}, "data": data}
    return _call(shop, "POST", f"configmaps?fieldManager={manager}", body)


def _by_kubectl(shop: shops.Shops, data: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Make ``prices`` as ``kubectl apply`` does."""
    return _made(shop, data, "kubectl-client-side-apply", annotations={LAST: json.dumps({"data": data})})


def _prices(shop: shops.Shops) -> Any:  # noqa: ANN401 - JSON
    return shop.objects("s1", "ConfigMap")["prices"]


def _content(found: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an object without its version, and managed fields without their times."""
    meta = {key: value for key, value in found["metadata"].items() if key != "resourceVersion"}
    managed = [{key: value for key, value in one.items() if key != "time"} for one in meta["managedFields"]]
    return {**found, "metadata": {**meta, "managedFields": managed}}


def test_what_exists_is_refused_without_the_option(shop: shops.Shops) -> None:
    """Nothing is sent."""
    before = _made(shop, {"a": "b"})
    run = shop.rollout()
    row = shop.row(run.run, "s1")
    assert (row.outcome, row.effect, row.reason) == (FAILED, outcomes.Effect.NONE, outcomes.Reason.FOREIGN)
    assert _prices(shop) == before


def test_an_adopted_object_is_of_the_set(shop: shops.Shops) -> None:
    """It has the label, the run's name, and what was kept of it in the journal."""
    made = _made(shop, {"a": "b", "more": "1"})
    run = shop.rollout(options=ADOPT)
    row, found = shop.row(run.run, "s1"), _prices(shop)
    assert (row.outcome, row.notes) == (CHANGED, ("ConfigMap app/prices was adopted",))
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert found["metadata"]["labels"] == {applysets.PART_OF: applysets.set_id("app", "app")}
    assert found["metadata"]["annotations"] == {adoptions.ADOPTED: run.run}
    assert found["data"] == {"a": "b", "more": "1"}, "what another manager has is left to it"
    kept = shop.store.read(lambda conn: snapshots.get(conn, run.run, "s1", EXTRA))
    assert kept is not None
    assert json.loads(kept)["object"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prices", "namespace": "app"},
        "data": {"a": "b", "more": "1"},
    }


def test_what_was_applied_by_a_client_goes_when_the_release_does_not_name_it(shop: shops.Shops) -> None:
    """Without a conflict: it was made the bundle's first."""
    _by_kubectl(shop, {"a": "old", "gone": "1"})
    run = shop.rollout(options=ADOPT)
    found = _prices(shop)
    assert found["data"] == {"a": "b"}
    assert found["metadata"]["annotations"] == {adoptions.ADOPTED: run.run}
    managers = {(one["manager"], one["operation"]) for one in found["metadata"]["managedFields"]}
    assert managers == {("fleetctl:app", "Apply"), (applysets.MANAGER, "Update")}


def test_fields_of_other_managers_are_still_a_conflict(shop: shops.Shops) -> None:
    """What somebody made and did not apply is not taken, unless the run may force it; the option counts the whole."""
    _made(shop, {"a": "theirs"})
    run = shop.rollout(options=ADOPT)
    row = shop.row(run.run, "s1")
    assert (row.outcome, row.reason) == (FAILED, outcomes.Reason.FOREIGN)
    assert row.cause is not None
    assert str(row.cause) == "FieldConflict ConfigMap app/prices: would take .data.a of kubectl-create"
    assert _prices(shop)["data"] == {"a": "theirs"}
    forced = plans.Options(adopt=True, force=plans.Force(managers=("kubectl-create",)))
    assert shop.outcomes(shop.rollout(options=forced, supersedes=run.run).run) == {"s1": CHANGED}
    assert _prices(shop)["data"] == {"a": "b"}


def test_an_object_of_another_set_is_never_adopted(shop: shops.Shops) -> None:
    """Whatever the run may."""
    before = _made(shop, {"a": "b"}, labels={applysets.PART_OF: "applyset-another-v1"})
    run = shop.rollout(options=plans.Options(adopt=True, force=plans.Force(everybody=True)))
    row = shop.row(run.run, "s1")
    assert (row.outcome, row.effect, row.reason) == (FAILED, outcomes.Effect.NONE, outcomes.Reason.FOREIGN)
    assert row.cause is not None
    assert "belongs to another set" in row.cause.message
    assert _prices(shop) == before


def test_an_undo_brings_back_what_a_client_had_applied(shop: shops.Shops) -> None:
    """Content, notes and managers are what they were; nothing of ours is left, and the client can go on."""
    before = _by_kubectl(shop, {"a": "old", "gone": "1"})
    run = shop.rollout(options=ADOPT)
    done = shop.undo(run.run)
    row = shop.row(done.run, "s1")
    assert (row.outcome, row.notes) == (
        CHANGED,
        ("ConfigMap app/prices is again what it was before it was adopted",),
    )
    assert _content(_prices(shop)) == _content(before)
    assert set(shop.objects("s1", "ConfigMap")) == {"prices", "settings"}


def test_an_undo_leaves_to_others_what_is_theirs(shop: shops.Shops) -> None:
    """What another manager took, or added, since the object was adopted stays."""
    _by_kubectl(shop, {"a": "old", "gone": "1"})
    run = shop.rollout(options=ADOPT)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"a": "n", "gone": "2"}}
    path = "configmaps/prices?fieldManager=night&force=true"
    _call(shop, "PATCH", path, theirs, "application/apply-patch+yaml")
    shop.undo(run.run)
    found = _prices(shop)
    assert found["data"] == {"a": "n", "gone": "2"}
    assert "labels" not in found["metadata"]
    assert LAST in found["metadata"]["annotations"]
    assert adoptions.ADOPTED not in found["metadata"]["annotations"]


def test_an_undo_of_a_first_installation_keeps_what_was_adopted(tmp_path: pathlib.Path) -> None:
    """Taken off with everything else, the namespace and the object of somebody are as they were."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        store = shop.fleet.servers["s1"].cluster.store
        store.make("", "Namespace", {"metadata": {"name": "app", "labels": {"mine": "1"}}})
        shop.bundle("1.0.0", extra=("prices",))
        before = _by_kubectl(shop, {"a": "b"})
        run = shop.rollout(options=ADOPT)
        assert shop.outcomes(run.run) == {"s1": CHANGED}
        done = shop.undo(run.run, remove_new=True)
        assert shop.outcomes(done.run) == {"s1": CHANGED}
        assert _content(_prices(shop)) == _content(before)
        assert set(shop.objects("s1", "ConfigMap")) == {"prices"}
        space = next(one for one in store.of("", "Namespace") if one["metadata"]["name"] == "app")
        assert applysets.PART_OF not in space["metadata"]["labels"]
        assert applysets.RETAINED not in space["metadata"]["labels"]
        assert "annotations" not in space["metadata"]


def test_a_removed_object_that_was_adopted_is_let_go(shop: shops.Shops) -> None:
    """It stays, out of the set and nobody's; the next release may have it again only by being told so."""
    _by_kubectl(shop, {"a": "old"})
    first = shop.rollout(options=ADOPT)
    shop.bundle("3.0.0")
    run = shop.rollout()
    row, found = shop.row(run.run, "s1"), _prices(shop)
    words = (
        f"ConfigMap app/prices was let go, not deleted: {first.run} adopted it (--prune-adopted deletes such objects)"
    )
    assert (row.outcome, row.notes) == (CHANGED, (words,))
    assert found["data"] == {"a": "b"}
    assert "labels" not in found["metadata"] or applysets.PART_OF not in found["metadata"]["labels"]
    assert found["metadata"]["annotations"] == {adoptions.RELEASED: run.run}
    assert not [one for one in found["metadata"]["managedFields"] if one["manager"] == "fleetctl:app"]
    shop.bundle("4.0.0", extra=("prices",))
    refused = shop.rollout()
    assert shop.row(refused.run, "s1").reason is outcomes.Reason.FOREIGN
    again = shop.rollout(options=ADOPT, supersedes=refused.run)
    assert _prices(shop)["metadata"]["annotations"] == {adoptions.ADOPTED: again.run}


def test_an_undo_takes_back_what_its_run_let_go(shop: shops.Shops) -> None:
    """The release before held it: no word is needed to make it whole again. Then the adoption can be undone."""
    before = _by_kubectl(shop, {"a": "old"})
    adopted = shop.rollout(options=ADOPT)
    shop.bundle("3.0.0")
    run = shop.rollout()
    done = shop.undo(run.run)
    assert shop.outcomes(done.run) == {"s1": CHANGED}
    assert _prices(shop)["metadata"]["labels"] == {applysets.PART_OF: applysets.set_id("app", "app")}
    done = shop.undo(adopted.run)
    assert shop.outcomes(done.run) == {"s1": CHANGED}
    assert _content(_prices(shop)) == _content(before)


def test_an_adopted_object_is_deleted_where_the_run_may(shop: shops.Shops) -> None:
    """As any other object that left the bundle."""
    _by_kubectl(shop, {"a": "b"})
    shop.rollout(options=ADOPT)
    shop.bundle("3.0.0")
    shop.rollout(options=plans.Options(prune_adopted=True))
    assert "prices" not in shop.objects("s1", "ConfigMap")


@pytest.mark.parametrize("prune", [False, True])
def test_taking_a_bundle_off_keeps_what_was_adopted(shop: shops.Shops, *, prune: bool) -> None:
    """Unless it may be deleted."""
    _by_kubectl(shop, {"a": "b"})
    shop.rollout(options=ADOPT)
    shop.rollout(options=plans.Options(prune_adopted=prune), kind=plans.Kind.REMOVE)
    assert set(shop.objects("s1", "ConfigMap")) == (set() if prune else {"prices"})


def test_without_what_it_was_an_undo_lets_it_go(shop: shops.Shops) -> None:
    """A journal that lost it says so; the object is neither deleted nor kept in the set."""
    _by_kubectl(shop, {"a": "old"})
    run = shop.rollout(options=ADOPT)
    shop.store.write_now(lambda conn: conn.execute("DELETE FROM snapshots").rowcount)
    done = shop.undo(run.run)
    words = (
        f"ConfigMap app/prices was let go, not deleted: {run.run} adopted it, and this store does not hold what it was"
    )
    assert shop.row(done.run, "s1").notes == (words,)
    assert _prices(shop)["data"] == {"a": "b"}
    assert applysets.PART_OF not in _prices(shop)["metadata"].get("labels", {})


@pytest.mark.parametrize("cut", ["before the mark", "after the mark", "before the apply", "after the apply"])
def test_a_visit_that_is_cut_off_is_repaired(shop: shops.Shops, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was done of it, a later visit adopts the object, by what its run may; and what it was is known."""
    before = _by_kubectl(shop, {"a": "old", "gone": "1"})
    server = shop.fleet.servers["s1"]
    answer, (when, what) = server.cluster.answer, cut.split(" the ")

    def dying(method: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
        step = "mark" if b'"op"' in body else "apply"
        if method != "PATCH" or not target.partition("?")[0].endswith("/prices") or step != what:
            return answer(method, target, headers, body)
        if when == "after":
            answer(method, target, headers, body)
        server.fault = faults.Fault(reset=True)  # from its own thread, which must not wait for itself
        return replies.Reply(503, b"")

    monkeypatch.setattr(server.cluster, "answer", dying)
    run = shop.rollout(options=ADOPT, strategy=msgspec.structs.replace(shops.STRATEGY, waves=(plans.WaveRule(),)))
    monkeypatch.undo()
    assert shop.outcomes(run.run) == {"s1": outcomes.Outcome.UNREACHABLE}
    assert shop.store.read(lambda conn: snapshots.get(conn, run.run, "s1", EXTRA)) is not None
    shop.suffer("s1")
    _call(shop, "DELETE", leases.path("app"))  # both leases end by themselves after a while
    shop.store.write_now(lambda conn: conn.execute("DELETE FROM leases").rowcount)
    [paid] = shop.catchup()
    assert shop.outcomes(paid.run) == {"s1": CHANGED}
    assert _prices(shop)["data"] == {"a": "b"}
    done = shop.undo(run.run if cut == "after the apply" else paid.run)
    assert shop.outcomes(done.run) == {"s1": CHANGED}
    assert _content(_prices(shop)) == _content(before)
