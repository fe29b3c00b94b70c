"""Sites left alone, by the commands that a user gives: skipped, owed, let go, and paid."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.cli import simulated


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[simulated.Shop]:
    """A bundle that was rolled out to three sites."""
    with simulated.opened(tmp_path) as opened:
        _write(opened, "1")
        opened.rollout()
        yield opened


def _write(shop: simulated.Shop, value: str) -> None:
    shop.write(
        "templates/app/a.yaml.j2", f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{v: '{value}'}}\n"
    )
    shop.bundle(f"1.{value}.0")


def _value(shop: simulated.Shop, site: str) -> str:
    [found] = [one for one in shop.cluster(site).store.of("", "ConfigMap") if one["metadata"]["name"] == "a"]
    return str(found["data"]["v"])


def _json(shop: simulated.Shop, *words: str) -> Any:  # noqa: ANN401 - JSON is anything
    said = shop.run(*words, "-o", "json")
    assert said.exit_code == 0, said.stderr
    return json.loads(said.stdout)


def test_held_owed_let_go_and_paid(shop: simulated.Shop) -> None:
    """The plan says who is left out; the run ends with 4; a catch-up waits for the hold to end, then pays."""
    said = shop.run("hold", "--site", "s2", "--until", "2d", "--reason", "router swap")
    assert said.exit_code == 0, said.stderr
    assert said.stdout.startswith("s2 is on hold until 20")
    _write(shop, "2")
    said = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", str(shop.root / "all.yaml"))
    assert said.exit_code == 4
    assert "left out: 1 on hold (owed)" in said.stderr
    assert [_value(shop, site) for site in ("s1", "s2", "s3")] == ["2", "1", "2"]
    [held] = _json(shop, "get", "holds")["items"]
    assert (held["name"], held["reason"]) == ("s2", "router swap")
    [debt] = _json(shop, "get", "debts", "--site", "s2")["items"]
    assert (debt["name"], debt["version"], debt["expired"]) == ("s2/app", "1.2.0", False)
    said = shop.run("rollout", "catchup", "--yes")
    assert (said.exit_code, "1 on hold (owed): s2" in said.stdout) == (0, True)
    said = shop.run("unhold", "--site", "s2")
    assert said.stdout == "s2 is let go\nWhat they are owed is paid by:  fleetctl --sim rollout catchup\n"
    assert shop.run("rollout", "catchup", "--yes").exit_code == 0
    assert _value(shop, "s2") == "2"
    assert _json(shop, "get", "debts")["items"] == []
    assert shop.run("unhold", "--site", "s2").stdout == "none of them was on hold\n"


def test_a_freeze_of_all(shop: simulated.Shop) -> None:
    """Nobody is visited, and no site can be let go alone."""
    said = shop.run("hold", "--site", "s1", "--site", "s2", "--until", "1h", "--reason", "stocktaking")
    assert said.stdout.startswith("2 sites (s1, s2) are on hold until 20")
    said = shop.run("hold", "--all", "--until", "12h", "--reason", "black friday")
    assert said.stdout.startswith("the whole fleet is on hold until 20")
    _write(shop, "2")
    said = shop.run("rollout", "start", "app", "--all", "--yes")
    assert said.exit_code == 4, said.stdout
    assert {_value(shop, site) for site in ("s1", "s2", "s3")} == {"1"}
    said = shop.run("unhold", "--site", "s1")
    assert (said.exit_code, "[hold/fleet]" in said.stderr) == (9, True)
    assert "the whole fleet is let go" in shop.run("unhold", "--all").stdout
    assert shop.run("rollout", "catchup", "--yes").exit_code == 0
    assert {_value(shop, site) for site in ("s1", "s2", "s3")} == {"2"}


def test_a_saved_plan_made_before_the_hold(shop: simulated.Shop) -> None:
    """It is carried out as it was looked at, save for the site that is on hold now; one made after it, too."""
    _write(shop, "2")
    plan = str(shop.root / "plan.json")
    made = ("rollout", "plan", "app", "--all", "--out", plan)
    assert shop.run(*made).exit_code == 0
    shop.run("hold", "--site", "s1", "--until", "2d", "--reason", "x")
    said = shop.run("rollout", "start", "--plan", plan)
    assert said.exit_code == 4, said.stderr
    assert [_value(shop, site) for site in ("s1", "s2", "s3")] == ["1", "2", "2"]
    _write(shop, "3")
    assert shop.run(*made).exit_code == 0
    shop.run("unhold", "--site", "s1")
    assert shop.run("rollout", "start", "--plan", plan).exit_code == 4
    assert [_value(shop, site) for site in ("s1", "s2", "s3")] == ["1", "3", "3"]


def test_an_undo_leaves_them_alone(shop: simulated.Shop) -> None:
    """What is on hold is owed the undo."""
    _write(shop, "2")
    shop.rollout()
    shop.run("hold", "--site", "s3", "--until", "2d", "--reason", "x")
    run = _json(shop, "rollout", "history")["items"][0]["name"]
    assert shop.run("rollout", "undo", run, "--yes").exit_code == 4
    assert [_value(shop, site) for site in ("s1", "s2", "s3")] == ["1", "1", "2"]
    shop.run("unhold", "--all")
    assert shop.run("rollout", "catchup", "--yes").exit_code == 0
    assert _value(shop, "s3") == "1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--all", "--until", "soon", "--reason", "x"], '--until "soon" is no time'),
        (["--all", "--until", "2020-01-01", "--reason", "x"], "is over already"),
        (["--all", "--until", "9000d", "--reason", "x"], "more than a year away"),
        (["--all", "--until", "2d", "--reason", " "], "--reason says nothing"),
        (["--until", "2d", "--reason", "x"], "say which sites"),
        (["--site", "s1", "--reason", "x"], "--until"),
    ],
)
def test_what_is_refused(shop: simulated.Shop, words: list[str], message: str) -> None:
    """Before anything is written."""
    said = shop.run("hold", *words)
    assert said.exit_code == 2
    assert message in said.stderr
    assert _json(shop, "get", "holds")["items"] == []
