"""Secrets in rollouts, on a simulated fleet: a value goes into the cluster's Secret and nowhere else."""

import base64
import json
import pathlib
from collections.abc import Iterator

import pytest

from fleetctl.sim import faults
from tests.unit.cli import simulated

_VALUE, _NEXT = "correct-horse-battery", "staple-and-rotated"
_TEMPLATE = """\
apiVersion: v1
kind: Secret
metadata: {name: till}
data: {token: {{ secret("token") | b64enc }}}
stringData: {url: "https://till:{{ secret("token") }}@db"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till}
spec:
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}, annotations: {checksum/till: {{ secret_hash("token") | quote }}}}
    spec: {containers: [{name: till, image: "till:1"}]}
"""
_SITES = ("s1", "s2", "s3")


@pytest.fixture
def shop(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[simulated.Shop]:
    """Return a project whose bundle needs a secret, with a key."""
    monkeypatch.setenv("TILL_TOKEN", _VALUE)
    with simulated.opened(tmp_path / "shop", _SITES) as made:
        made.write("templates/app/a.yaml.j2", _TEMPLATE)
        made.write(
            "inventory/defaults.yaml",
            "kind: Defaults\nbundles: {app: {}}\nvars: {app: {token: {secretRef: {provider: env, key: TILL_TOKEN}}}}\n",
        )
        said = made.run("keys", "init", "--provider", "file", "--key", str(tmp_path / "project.key"))
        assert said.exit_code == 0, said.stderr
        yield made


def _token(shop: simulated.Shop, site: str) -> str:
    found = shop.cluster(site).store.of("", "Secret")
    data = next(one["data"] for one in found if one["metadata"]["name"] == "till")
    assert base64.b64decode(data["url"]).decode() == f"https://till:{base64.b64decode(data['token']).decode()}@db"
    return base64.b64decode(data["token"]).decode()


def _hash(shop: simulated.Shop, site: str) -> str:
    found = shop.cluster(site).store.of("apps", "Deployment")
    return str(next(iter(found))["spec"]["template"]["metadata"]["annotations"]["checksum/till"])


def test_a_value_is_in_the_cluster_and_nowhere_else(shop: simulated.Shop) -> None:
    """Not in the journal, the plan, events or output; neither as it is nor in base64."""
    strategy, plan, events = str(shop.root / "all.yaml"), str(shop.root / "plan.json"), str(shop.root / "events.jsonl")
    planned = shop.run("rollout", "plan", "app", "--all", "--strategy", strategy, "--out", plan)
    said = [planned, shop.run("--events", events, "rollout", "start", "--plan", plan, "--yes")]
    assert [one.exit_code for one in said] == [0, 0], said[-1].stderr
    assert [_token(shop, site) for site in _SITES] == [_VALUE] * 3
    assert len(_hash(shop, "s1")) == 64
    said += [shop.run("rollout", "status", "-o", "json"), shop.run("diff", "app", "--against", "live")]
    assert said[-1].exit_code == 0, said[-1].stdout + said[-1].stderr
    forms = [_VALUE.encode(), base64.b64encode(_VALUE.encode()).rstrip(b"=")]
    written = [path.read_bytes() for path in shop.root.rglob("*") if path.is_file()]
    written += [f"{one.stdout}{one.stderr}".encode() for one in said]
    assert len(written) > 10
    assert [form for form in forms for text in written if form in text] == []


def test_a_rotated_value_is_a_change(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not rotate is none; the plan names the secret, and pods are made anew by its hash."""
    shop.rollout()
    assert "3 unchanged" in shop.rollout().stdout
    before = _hash(shop, "s2")
    monkeypatch.setenv("TILL_TOKEN", _NEXT)
    said = shop.run("rollout", "plan", "app", "--all")
    assert "~ Secret app/till   another value of env TILL_TOKEN" in said.stdout
    live = shop.run("diff", "app", "--against", "live")
    assert (live.exit_code, "(masked, changed)" in live.stdout) == (1, True)
    assert "3 changed" in shop.rollout().stdout
    assert (_token(shop, "s2"), _hash(shop, "s2") != before) == (_NEXT, True)


def test_a_value_that_moved_since_the_plan(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sites are skipped as moved, and are not owed; what is there stays."""
    shop.rollout()
    shop.write("templates/app/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
    shop.bundle("1.1.0")
    strategy, plan = str(shop.root / "all.yaml"), str(shop.root / "plan.json")
    assert shop.run("rollout", "plan", "app", "--all", "--strategy", strategy, "--out", plan).exit_code == 0
    monkeypatch.setenv("TILL_TOKEN", _NEXT)
    said = shop.run("rollout", "start", "--plan", plan, "--yes")
    assert said.exit_code == 4, said.stderr
    assert "SecretMoved env TILL_TOKEN: has another value than when the plan was made" in said.stdout + said.stderr
    assert [_token(shop, site) for site in _SITES] == [_VALUE] * 3
    assert [one["metadata"]["name"] for one in shop.cluster("s1").store.of("", "ConfigMap")] == []
    assert json.loads(shop.run("get", "debts", "-o", "json").stdout)["items"] == []


def test_undo_applies_todays_value(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so: the one of then is nowhere."""
    shop.rollout()
    monkeypatch.setenv("TILL_TOKEN", _NEXT)
    shop.write("templates/app/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
    shop.bundle("1.1.0")
    shop.rollout()
    run = json.loads(shop.run("rollout", "history", "-o", "json").stdout)["items"][0]["name"]
    said = shop.run("rollout", "undo", run, "--yes", "--strategy", str(shop.root / "all.yaml"))
    assert said.exit_code == 0, said.stderr
    assert "secrets get the values they have today, not those of then, at 3 sites" in said.stderr
    assert [_token(shop, site) for site in _SITES] == [_NEXT] * 3
    assert list(shop.cluster("s1").store.of("", "ConfigMap")) == []
    shop.bundle("1.0.0")
    (shop.root / "templates/app/b.yaml").unlink()
    assert "3 unchanged" in shop.rollout().stdout


def test_a_debt_is_paid_with_todays_value(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that was dark while the secret rotated gets the one that counts."""
    assert shop.fleet
    shop.rollout()
    monkeypatch.setenv("TILL_TOKEN", _NEXT)
    shop.fleet.suffer("s3", faults.Fault(refuse=True))
    started = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", str(shop.root / "all.yaml"))
    assert started.exit_code == 4, started.stderr
    shop.fleet.suffer("s3", faults.Fault())
    monkeypatch.setenv("TILL_TOKEN", "third-and-last-one")
    said = shop.run("rollout", "catchup", "--strategy", str(shop.root / "all.yaml"))
    assert said.exit_code == 0, said.stderr
    assert [_token(shop, site) for site in _SITES] == [_NEXT, _NEXT, "third-and-last-one"]
    assert json.loads(shop.run("get", "debts", "-o", "json").stdout)["items"] == []


def test_a_run_that_goes_on_after_a_rotation(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites that wait get nothing that the plan did not say; what a resumed run needs is asked before it goes on."""
    assert shop.fleet
    for site in _SITES:
        shop.fleet.suffer(site, faults.Fault(workloads="stuck"))
    strategy = str(shop.root / "two.yaml")
    shop.write("two.yaml", "kind: Strategy\nwaves: [{count: 1}, {}]\nsoak: 0s\nmaxFailed: 0\nsiteTimeout: 2s\n")
    said = shop.run("rollout", "start", "app", "--site", "s1,s2,s3", "--yes", "--strategy", strategy)
    assert said.exit_code == 7, said.stdout
    for site in _SITES:
        shop.fleet.suffer(site, faults.Fault())
    monkeypatch.delenv("TILL_TOKEN")
    missing = shop.run("rollout", "resume", "--accept-failed")
    assert (missing.exit_code, "secret env TILL_TOKEN" in missing.stderr) == (8, True), said.stdout + missing.stderr
    monkeypatch.setenv("TILL_TOKEN", _NEXT)
    resumed = shop.run("rollout", "resume", "--accept-failed")
    assert "2x  SecretMoved env TILL_TOKEN" in resumed.stdout, resumed.stdout
    assert sum(any(shop.cluster(site).store.of("", "Secret")) for site in _SITES) == 1


def test_what_cannot_be_had_is_told_before_contact(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing value, a value that is no text, a missing key: exit 8, and no request was made."""
    assert shop.fleet
    for site in _SITES:
        shop.fleet.suffer(site, faults.Fault(refuse=True))
    monkeypatch.delenv("TILL_TOKEN")
    said = shop.run("rollout", "start", "app", "--all", "--yes")
    assert (said.exit_code, "the secret env TILL_TOKEN: " in said.stderr, "3 sites" in said.stderr) == (8, True, True)
    monkeypatch.setenv("TILL_TOKEN", "\udcff\udcfe")
    said = shop.run("rollout", "start", "app", "--all", "--yes")
    assert (said.exit_code, said.stderr.count("is no text, as Secret")) == (8, 1), said.stderr
    monkeypatch.setenv("TILL_TOKEN", _VALUE)
    (shop.root.parent / "project.key").unlink()
    said = shop.run("rollout", "start", "app", "--all", "--yes")
    assert (said.exit_code, "the project's key" in said.stderr) == (8, True)
    assert json.loads(shop.run("rollout", "history", "-o", "json").stdout)["items"] == []
