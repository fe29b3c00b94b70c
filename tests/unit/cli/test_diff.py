"""Differences from what sites got last, after real rollouts to a simulated fleet."""

import pathlib

from tests.unit.cli import simulated

_TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: %s}\n"


def test_against_the_last_releases(tmp_path: pathlib.Path) -> None:
    """Right after a rollout nothing differs; what was edited since does, and a run that follows takes it away."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()
        same = shop.run("diff", "app", "--against", "last")
        assert (same.exit_code, same.stdout) == (
            0,
            "SIMULATED\napp 1.0.0 against the last releases: nothing differs at 3 sites\n",
        )
        shop.bundle("1.1.0")
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "blue")
        shop.write("inventory/defaults.yaml", "kind: Defaults\nbundles: {app: {}}\nlabels: {env: prod}\n")
        said = shop.run("diff", "app", "--against", "last")
        assert said.exit_code == 1
        assert "3 sites, e.g. s1\n  ~ ConfigMap app/settings   data.color red -> blue" in said.stdout
        assert "    -  color: red\n    +  color: blue\n" in said.stdout
        assert shop.run("diff", "app", "--against", "last", "--site", "s2", "-o", "name").stdout == "s2\n"
        shop.rollout()
        assert shop.run("diff", "app", "--against", "last").exit_code == 0


def test_what_was_not_checked_is_told(tmp_path: pathlib.Path) -> None:
    """As render tells it: a kind without a known definition is a note on standard error, whatever the result is."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", "apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: a}\n")
        said = shop.run("diff", "app", "--against", "last", "-o", "name")
        assert said.stdout == "s1\ns2\ns3\n"
        assert "note: 3 objects of shop.example/v1 Till were not checked: " in said.stderr
