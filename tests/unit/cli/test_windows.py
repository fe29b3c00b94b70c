"""Sites that may be changed at some times of day only, by the commands that a user gives."""

import datetime as dt
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import typer.testing

from fleetctl.cli import main
from tests.unit.cli import simulated

_SITES = ("s1", "s2", "s3", "s4")


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[simulated.Shop]:
    """Four sites without the bundle."""
    with simulated.opened(tmp_path, _SITES) as opened:
        opened.write(
            "templates/app/a.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: '1'}\n"
        )
        yield opened


def _windows(shop: simulated.Shop, **of: bool) -> None:
    """Give sites a window that is open now for a day, or one that opens in three days, for an hour.

    They are reached as real ones are: of a simulated fleet, windows are not held.
    """
    now = dt.datetime.now(dt.UTC)
    lines = ["kind: SiteList", "sites:"]
    for site in _SITES:
        if site not in of:
            lines.append(f"- {{name: {site}, {_access(site)}}}")
            continue
        begins = now - dt.timedelta(hours=3) if of[site] else now + dt.timedelta(days=3)
        cron = f"{begins.minute} {begins.hour} {begins.day} {begins.month} *"
        window = f'{{cron: "{cron}", duration: {"1d" if of[site] else "1h"}}}'
        lines.append(f"- {{name: {site}, {_access(site)}, window: {window}}}")
    shop.write("inventory/sites.yaml", "\n".join(lines) + "\n")


def _access(site: str) -> str:
    return f'access: {{kube: {{kubeconfig: ".fleetctl/sim/kubeconfig#{site}"}}}}'


def _run(shop: simulated.Shop, *words: str) -> simulated.Said:
    return typer.testing.CliRunner().invoke(main.app, ["-C", str(shop.root), *words], prog_name="fleetctl")


def _json(shop: simulated.Shop, *words: str) -> Any:  # noqa: ANN401  # JSON is anything
    return json.loads(_run(shop, *words, "-o", "json").stdout)


def _having(shop: simulated.Shop) -> list[str]:
    """Return the sites that have the bundle."""
    return [
        site
        for site in _SITES
        if any(one["metadata"]["name"] == "a" for one in shop.cluster(site).store.of("", "ConfigMap"))
    ]


def _start(shop: simulated.Shop, *more: str, strategy: str = "all.yaml") -> simulated.Said:
    return _run(shop, "rollout", "start", "app", "--all", "--yes", "--strategy", str(shop.root / strategy), *more)


def test_skipped_owed_and_paid_inside_only(shop: simulated.Shop) -> None:
    """The plan says who is outside; they are skipped and owed, and a catch-up pays when they are inside."""
    _windows(shop, s2=True, s3=False)
    said = _run(shop, "rollout", "plan", "app", "--all", "--strategy", str(shop.root / "all.yaml"))
    assert "outside their window now: 1 of 4 sites; the first may at 20" in said.stdout
    lines = shop.root / "events.jsonl"
    said = _run(
        shop,
        "--events",
        str(lines),
        "rollout",
        "start",
        "app",
        "--all",
        "--yes",
        "--strategy",
        str(shop.root / "all.yaml"),
    )
    assert said.exit_code == 4, said.stderr
    assert "1 owed (window)" in said.stdout
    assert _having(shop) == ["s1", "s2", "s4"]
    heard = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    [ended] = [one for one in heard if one.get("reason") == "window"]
    assert (ended["site"], ended["outcome"], ended["owed"], ended["effect"]) == ("s3", "skipped", True, "none")
    said = _run(shop, "rollout", "catchup", "--yes")
    assert (said.exit_code, "1 outside their window (owed): s3" in said.stdout) == (0, True), said.stdout
    _windows(shop, s3=True)
    assert _run(shop, "rollout", "catchup", "--yes").exit_code == 0
    assert _having(shop) == list(_SITES)
    assert _json(shop, "get", "debts")["items"] == []


def test_a_wave_of_which_nobody_is_inside(shop: simulated.Shop) -> None:
    """It would prove nothing: the run waits, and goes on when it is resumed in somebody's window."""
    _windows(shop, s1=False, s2=False, s3=False, s4=False)
    said = _start(shop)
    assert said.exit_code == 10, said.stderr
    assert "no site of wave 1 may be changed now, the first may at" in " ".join(said.stdout.split())
    assert _run(shop, "rollout", "resume").exit_code == 10
    assert _having(shop) == []
    _windows(shop, s1=False, s2=True, s3=False, s4=False)
    assert _run(shop, "rollout", "resume").exit_code == 4
    assert _having(shop) == ["s2"]


def test_a_canary_that_may_be_changed(shop: simulated.Shop) -> None:
    """Of sites of one kind, the canary is one that is inside its window when the plan is made."""
    for site in _SITES:
        _windows(shop, **{other: other == site for other in _SITES})
        shop.write("canary.yaml", "kind: Strategy\nwaves: [{count: 1, canary: true}, {}]\nsoak: 0s\n")
        plan = _json(shop, "rollout", "plan", "app", "--all", "--strategy", str(shop.root / "canary.yaml"))
        assert [one["site"] for one in plan["plan"]["members"] if one["wave"] == 1] == [site]
        assert sorted(plan["outside"]) == sorted(set(_SITES) - {site})


def test_windows_of_the_run(shop: simulated.Shop) -> None:
    """Those of a strategy hold beside the sites' own."""
    _windows(shop, s1=True)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    cron = f"{now.minute} {now.hour} {now.day} {now.month} *"
    head = "kind: Strategy\nwaves: [{}]\nsoak: 0s\nwindows:\n"
    shop.write("never.yaml", f'{head}- {{cron: "{cron}", duration: 1h}}\n')
    assert _start(shop, strategy="never.yaml").exit_code == 10
    shop.write("now.yaml", f'{head}- {{cron: "{cron}", duration: 1h}}\n- {{cron: "* * * * *", duration: 1m}}\n')
    run = _json(shop, "rollout", "status")["name"]
    assert _start(shop, "--supersede", run, strategy="now.yaml").exit_code == 0
    assert _having(shop) == list(_SITES)


def test_a_simulated_fleet(shop: simulated.Shop) -> None:
    """Nobody works there: the sites' own windows are not held, those of a strategy are."""
    _windows(shop, s1=False, s2=False, s3=False, s4=False)
    said = shop.rollout()
    assert "outside" not in said.stderr
    assert _having(shop) == list(_SITES)
    begins = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    cron = f"{begins.minute} {begins.hour} {begins.day} {begins.month} *"
    shop.write("never.yaml", f'kind: Strategy\nwindows: [{{cron: "{cron}", duration: 1h}}]\n')
    said = shop.run(
        "rollout", "start", "app", "--all", "--yes", "--reapply", "--strategy", str(shop.root / "never.yaml")
    )
    assert said.exit_code == 10, said.stdout
