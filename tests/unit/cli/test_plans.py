"""Plans that are saved and started later, on a simulated fleet: what was said when they were made still counts."""

import json
import pathlib

from tests.unit.cli import simulated

_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: {{ vars.color | k }}}\n"
_TILL = "apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: a}\n"


def test_a_saved_plan_keeps_its_words(tmp_path: pathlib.Path) -> None:
    """What ``--set`` said is in the plan and rolled out by it; without the words the same files are other ones."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _CONFIG_MAP)
        shop.write("inventory/defaults.yaml", "kind: Defaults\nbundles: {app: {}}\nvars: {color: red}\n")
        file = str(tmp_path / "plan.json")
        said = shop.run("rollout", "plan", "app", "--all", "--set", "color=blue", "--out", file)
        assert said.exit_code == 0, said.stderr
        said = shop.run("rollout", "start", "--plan", file, "--yes")
        assert said.exit_code == 0, said.stderr
        assert shop.run("diff", "app", "--against", "last", "--set", "color=blue").exit_code == 0
        said = shop.run("diff", "app", "--against", "last")
        assert (said.exit_code, "data.color blue -> red" in said.stdout) == (1, True)


def test_what_was_not_checked_is_told_with_a_plan(tmp_path: pathlib.Path) -> None:
    """To people and to machines when it is made, and again when it is started."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TILL)
        file = str(tmp_path / "plan.json")
        said = shop.run("rollout", "plan", "app", "--all", "--out", file, "-o", "json")
        note = "note: 3 objects of shop.example/v1 Till were not checked: "
        assert note in said.stderr
        assert json.loads(said.stdout)["unchecked"] == [
            {"apiVersion": "shop.example/v1", "kind": "Till", "objects": 3, "sites": 3, "example": "s1"}
        ]
        assert note in shop.run("rollout", "start", "--plan", file, "--yes").stderr
