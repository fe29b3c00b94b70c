"""Gates between waves, by the commands that a user gives: approved, failed, asked again, passed by."""

import json
import pathlib
import stat
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.cli import processes, simulated

_SITES = ("s1", "s2", "s3", "s4")
_HEAD = "kind: Strategy\nwaves: [{name: first, count: 1}, {}]\nsoak: 0s\ngates:\n"


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[simulated.Shop]:
    """Four sites without the bundle."""
    with simulated.opened(tmp_path, _SITES) as opened:
        opened.write(
            "templates/app/a.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: '1'}\n"
        )
        yield opened


def _start(shop: simulated.Shop, gates: str, *more: str) -> simulated.Said:
    shop.write("gated.yaml", _HEAD + gates)
    return shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", str(shop.root / "gated.yaml"), *more)


def _program(shop: simulated.Shop, text: str) -> None:
    path = shop.root / "gate.sh"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _status(shop: simulated.Shop) -> Any:  # noqa: ANN401  # JSON is anything
    return json.loads(shop.run("rollout", "status", "-o", "json").stdout)


def _there(shop: simulated.Shop, site: str) -> bool:
    return any(one["metadata"]["name"] == "a" for one in shop.cluster(site).store.of("", "ConfigMap"))


def _visited(shop: simulated.Shop) -> int:
    return sum(_there(shop, site) for site in _SITES)


def test_an_approval(shop: simulated.Shop) -> None:
    """The run pauses with 10 and resume alone does not help; the plan's digest does, and who gave it is kept."""
    said = _start(shop, "- {name: sign-off, approval: {}}\n")
    assert said.exit_code == 10, said.stderr
    assert "paused (waits for approval sign-off after wave 1 (first))" in said.stdout
    assert _visited(shop) == 1
    assert shop.run("rollout", "resume").exit_code == 10
    found = _status(shop)
    run, digest = found["name"], found["plan"]
    assert f"Approve:     fleetctl --sim rollout approve {run} --plan {digest[3:11]}" in said.stdout
    refused = shop.run("rollout", "approve", run, "--plan", "p1:" + "0" * 64)
    assert (refused.exit_code, "[run/other-plan]" in refused.stderr) == (9, True)
    assert shop.run("rollout", "approve", run, "--plan", digest[3:10]).exit_code == 9, "too short to be sure of"
    assert shop.run("rollout", "approve", run, "--plan", digest[3:11]).exit_code == 0
    again = shop.run("rollout", "approve", run, "--plan", digest)
    assert (again.exit_code, "waits for no approval" in again.stderr) == (9, True)
    assert shop.run("rollout", "resume").exit_code == 0
    [gate] = _status(shop)["gates"]
    assert (gate["state"], "@" in gate["who"], _visited(shop)) == ("approved", True, 4)


def test_a_program_that_says_no(shop: simulated.Shop) -> None:
    """The run halts with 7 and the program's last line; it is asked again, or passed by, and that is kept."""
    _program(shop, 'echo "$FLEETCTL_GATE_WAVE_NAME: 3 tills are down"; exit 4')
    said = _start(shop, "- {name: tills, exec: {command: [./gate.sh]}}\n")
    assert said.exit_code == 7, said.stderr
    assert "halted: gate tills after wave 1 (first): ./gate.sh ended with 4: first: 3 tills are down." in said.stdout
    assert shop.run("rollout", "resume").exit_code == 7
    assert _visited(shop) == 1
    said = shop.run("rollout", "resume", "--accept-failed")
    assert said.exit_code == 0, said.stdout
    [gate] = _status(shop)["gates"]
    assert (gate["state"], gate["seen"]) == ("accepted", "./gate.sh ended with 4: first: 3 tills are down")
    assert _visited(shop) == 4


def test_a_gate_that_is_asked_again(shop: simulated.Shop) -> None:
    """What it said before the run was resumed does not count."""
    _program(shop, "exit 1")
    gates = "- {name: a, exec: {command: [./gate.sh]}}\n- {name: b, approval: {}}\n"
    assert _start(shop, gates).exit_code == 7
    _program(shop, "echo all is well")
    assert shop.run("rollout", "resume").exit_code == 10
    assert [one["state"] for one in _status(shop)["gates"]] == ["passed", "waiting"]
    assert shop.run("rollout", "approve", "--plan", _status(shop)["plan"]).exit_code == 0
    _program(shop, "exit 1")
    assert shop.run("rollout", "resume").exit_code == 7, "it has changed its mind since the approval was asked for"
    assert [(one["name"], one["state"]) for one in _status(shop)["gates"]] == [("a", "failed"), ("b", "approved")]


def test_what_a_program_gets(shop: simulated.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts of the run, and nothing of ours that may be a secret."""
    monkeypatch.setenv("POS_TOKEN", "s3cret")
    _program(shop, "env | sort > seen.txt; pwd >> seen.txt")
    assert _start(shop, "- {name: look, exec: {command: [./gate.sh]}}\n").exit_code == 0
    seen = (shop.root / "seen.txt").read_text(encoding="utf-8")
    assert "s3cret" not in seen
    found = _status(shop)
    for line in (
        f"RUN={found['name']}",
        "WAVE=1",
        "WAVE_NAME=first",
        "MEMBERS=1",
        f"PLAN={found['plan']}",
        "NAME=look",
    ):
        assert f"FLEETCTL_GATE_{line}\n" in seen
    assert seen.splitlines()[-1] == str(shop.root)


@pytest.mark.parametrize(
    ("program", "message"),
    [("sleep 60", "took more than 1 s"), ("yes", "printed more than 1 MiB"), ("kill -9 $$", "was killed by signal 9")],
)
def test_programs_that_do_not_end_well(shop: simulated.Shop, program: str, message: str) -> None:
    """Time and output are bounded."""
    _program(shop, program)
    said = _start(shop, "- {name: a, exec: {command: [./gate.sh], timeout: 1s}}\n")
    assert (said.exit_code, message in said.stdout) == (7, True), said.stdout


def test_a_secret_that_is_not_there(shop: simulated.Shop) -> None:
    """It is missed before anything is begun."""
    gate = "- {name: a, http: {url: 'https://gate.example/', bearer: {secretRef: {provider: env, key: NO_TOKEN}}}}\n"
    said = _start(shop, gate)
    assert (said.exit_code, _visited(shop)) == (8, 0), said.stderr
    assert "NO_TOKEN" in said.stderr


def test_gates_between_waves_only(shop: simulated.Shop) -> None:
    """Named waves have them, the last one never; an undo asks none."""
    _program(shop, "exit 1")
    shop.write(
        "gated.yaml",
        "kind: Strategy\nwaves: [{count: 1}, {name: second, count: 1}, {}]\nsoak: 0s\n"
        "gates: [{name: a, after: [second], exec: {command: [./gate.sh]}}]\n",
    )
    strategy = ("--strategy", str(shop.root / "gated.yaml"))
    assert shop.run("rollout", "start", "app", "--all", "--yes", *strategy).exit_code == 7
    assert _visited(shop) == 2
    run = _status(shop)["name"]
    assert shop.run("rollout", "undo", run, "--yes", "--remove-new", *strategy).exit_code == 0
    assert _visited(shop) == 0


def test_what_the_plan_and_the_events_say(shop: simulated.Shop) -> None:
    """Whoever approves sees which gates there will be; a watcher hears of each."""
    _program(shop, "echo fine")
    gates = "- {name: a, exec: {command: [./gate.sh]}}\n- {name: ok, after: [first], approval: {}}\n"
    shop.write("gated.yaml", _HEAD + gates)
    strategy = ("--strategy", str(shop.root / "gated.yaml"))
    said = shop.run("rollout", "plan", "app", "--all", *strategy)
    assert "  gate a (exec) after wave 1 (first)\n  gate ok (approval) after wave 1 (first)\n" in said.stdout
    said = shop.run("rollout", "plan", "app", "--site", "s1", *strategy)
    assert "never asked, as no wave comes after: a, ok" in said.stdout
    lines = shop.root / "events.jsonl"
    said = shop.run("--events", str(lines), "rollout", "start", "app", "--all", "--yes", *strategy)
    assert "wave 1/2 gate a is asked\n" in said.stderr
    assert "wave 1/2 gate a passed: fine\n" in said.stderr
    assert "wave 1/2 gate ok waits for an approval\n" in said.stderr
    heard = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    moved = [(one["gate"], one["state"], one["seen"]) for one in heard if one.get("event") == "GateMoved"]
    assert moved == [("a", "asking", ""), ("a", "passed", "fine"), ("ok", "waiting", "")]


def test_health_is_looked_at_anew(shop: simulated.Shop) -> None:
    """What was well when its visit ended, and broke since, halts the run; mended, it goes on."""
    shop.write(
        "gated.yaml",
        _HEAD.replace("count: 1", "count: 2")
        + "- {name: breaks, exec: {command: [./gate.sh]}}\n- {name: well, health: {percent: 100}}\n",
    )
    strategy = ("--strategy", str(shop.root / "gated.yaml"))
    _program(shop, "exit 1")
    assert shop.run("rollout", "start", "app", "--all", "--yes", *strategy).exit_code == 7
    first = min(site for site in _SITES if _there(shop, site))
    _program(shop, "exit 0")
    cluster = shop.cluster(first)
    token = {"authorization": f"Bearer {cluster.token}"}
    assert cluster.answer("DELETE", "/api/v1/namespaces/app/configmaps/a", token, b"").code == 200
    said = shop.run("rollout", "resume")
    assert said.exit_code == 7, said.stdout
    seen = _status(shop)["gates"][-1]["seen"]
    assert seen == (
        f"less than 100 %: 1 of 2 sites are as wanted (50 %); no longer 1, e.g. {first}: ConfigMap app/a is gone"
    )
    assert shop.run("rollout", "resume", "--accept-failed").exit_code == 0


def test_a_run_that_waits_on_a_terminal(shop: simulated.Shop) -> None:
    """Its process stays, and goes on by itself when somebody approves at another one."""
    shop.write("gated.yaml", _HEAD + "- {name: sign-off, approval: {}}\n")
    where = ("-C", str(shop.root), "--sim", "rollout")
    given: list[int] = []

    def approve() -> None:
        for _ in range(300):
            said = processes.run(*where, "status", "-o", "json")
            found = json.loads(said.stdout) if said.stdout else {}
            if [one["state"] for one in found.get("gates", ())] == ["waiting"]:
                assert found["state"] == "paused"
                given.append(processes.run(*where, "approve", "--plan", found["plan"]).returncode)
                return

    other = threading.Thread(target=approve)
    other.start()
    strategy = str(shop.root / "gated.yaml")
    screen = processes.on_terminal(*where, "start", "app", "--all", "--yes", "--strategy", strategy, columns=120)
    other.join()
    assert (given, screen.code, _visited(shop)) == ([0], 0, 4), screen.text
    assert "gate sign-off waits for an approval" in screen.text
    assert "gate sign-off after wave 1 (first) approved by" in screen.text
