"""``--adopt`` and ``--prune-adopted`` as users give them: what is told, what is rehearsed, and what is never kept."""

import base64
import json
import pathlib
import sqlite3
from typing import Any

import pytest

from fleetctl.kube import applysets
from fleetctl.model import exits
from tests.unit.cli import simulated

_PRICES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: prices}\ndata: {a: b}\n"
_SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: door}\nstringData: {code: PRICELESS-1}\n"  # noqa: S105 - made up
_CLIENT = "kubectl-client-side-apply"


def _make(shop: simulated.Shop, plural: str, body: dict[str, Any], manager: str = _CLIENT) -> None:
    cluster = shop.cluster("s1")
    headers = {"authorization": f"Bearer {cluster.token}", "content-type": "application/json"}
    for path, what in (
        ("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app"}}),
        (f"/api/v1/namespaces/app/{plural}?fieldManager={manager}", body),
    ):
        assert cluster.answer("POST", path, headers, json.dumps(what).encode()).code in {201, 409}


def _prices(shop: simulated.Shop, manager: str = _CLIENT, **meta: Any) -> None:  # noqa: ANN401 - JSON
    meta = {"name": "prices", **meta}
    _make(shop, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "x"}}, manager)


def _plan(shop: simulated.Shop, *more: str, code: int = 0) -> dict[str, Any]:
    said = shop.run("rollout", "plan", "app", "--all", "-o", "json", *more)
    assert said.exit_code == code, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def _options(shop: simulated.Shop, *more: str) -> dict[str, Any]:
    file = shop.root / "plan.json"
    assert shop.run("rollout", "plan", "app", "--all", "--out", str(file), *more).exit_code == 0
    found: dict[str, Any] = json.loads(file.read_bytes())["options"]
    return found


def test_a_plan_says_what_may_be_taken(tmp_path: pathlib.Path) -> None:
    """And holds it; a plan that takes nothing over is as it was before there was such an option."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _PRICES)
        assert not _options(shop).keys() & {"adopt", "pruneAdopted"}
        given = _options(shop, "--adopt", "--prune-adopted")
        assert (given["adopt"], given["pruneAdopted"]) == (True, True)
        shown = shop.run("rollout", "plan", "app", "--all", "--adopt", "--prune-adopted").stdout
        assert "objects that exist and belong to no set are taken over (--adopt)" in shown
        assert "adopted objects that leave the set are deleted (--prune-adopted)" in shown


def test_a_rehearsal_adopts_as_the_rollout_would(tmp_path: pathlib.Path) -> None:
    """What a client applied is no conflict then; what somebody else holds is, and without the option it is refused."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _PRICES)
        _prices(shop)
        (group,) = _plan(shop, "--dry-run", "server", code=exits.Exit.FAILED)["dryRun"]["groups"]
        assert [one["object"] for one in group["refused"]] == ["ConfigMap app/prices"]
        (group,) = _plan(shop, "--dry-run", "server", "--adopt")["dryRun"]["groups"]
        assert (group["configured"], group["refused"], group["conflicts"]) == (1, [], [])


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_rehearsal_adopts_no_more_than_that(tmp_path: pathlib.Path, *, elsewhere: bool) -> None:
    """A field of another manager is a conflict, an object of another set is refused."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _PRICES)
        _prices(shop, "edit", **({"labels": {applysets.PART_OF: "applyset-other-v1"}} if elsewhere else {}))
        (group,) = _plan(shop, "--dry-run", "server", "--adopt", code=exits.Exit.FAILED)["dryRun"]["groups"]
        assert [len(group["refused"]), len(group["conflicts"])] == [int(elsewhere), int(not elsewhere)]


@pytest.mark.parametrize("same", [False, True])
def test_no_journal_holds_what_an_adopted_secret_holds(tmp_path: pathlib.Path, *, same: bool) -> None:
    """So one whose values would be lost is refused; another is taken over, and given back with its values."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        head = "kind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n"
        shop.write("templates/app/bundle.yaml", f"{head}allowLiteral: true\n")
        shop.write("templates/app/a.yaml.j2", _SECRET)
        held = base64.b64encode(b"PRICELESS-1" if same else b"PRICELESS-2").decode()
        data = {"code": held}
        note = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": data})}
        meta = {"name": "door", "annotations": note}
        _make(shop, "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
        words = ["rollout", "start", "app", "--all", "--yes", "--adopt", "-o", "json"]
        said = shop.run(*words, "--strategy", str(shop.root / "all.yaml"))
        assert said.exit_code == (0 if same else exits.Exit.FAILED), said.stderr
        run = json.loads(said.stdout)["name"]
        if not same:
            told = shop.run("rollout", "status", run, "-o", "json").stdout
            assert "SecretNotAdopted" in told
            assert "its code would change" in told
            assert "PRICELESS" not in told
        state = shop.root / ".fleetctl" / "sim" / "state.db"
        with sqlite3.connect(state) as journal:
            kept = journal.execute("SELECT count(*) FROM snapshots").fetchone()[0]
            journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert kept == int(same)
        if same:
            undo = shop.run("rollout", "undo", run, "--yes", "--remove-new", "--strategy", str(shop.root / "all.yaml"))
            assert undo.exit_code == 0, undo.stderr
        secrets = shop.cluster("s1").store.of("", "Secret")
        (door,) = [one for one in secrets if one["metadata"]["name"] == "door"]
        assert (door["data"], door["metadata"]["annotations"]) == (data, note)
        assert "labels" not in door["metadata"]
