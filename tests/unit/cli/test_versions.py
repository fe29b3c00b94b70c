"""The same version with other templates is refused, where it was rolled out before."""

import pathlib

from tests.unit.cli import simulated

_TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: %s, size: {{ vars.size | default("small") | k }}}
"""


def test_a_version_is_one_set_of_templates(tmp_path: pathlib.Path) -> None:
    """Once 1.0.0 was rolled out, it is what it was; plan and start say so, and a new version goes."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "blue")
        said = shop.run("rollout", "plan", "app", "--all")
        assert said.exit_code == 3
        problem, _, more = said.stderr.partition("\n")
        assert problem.startswith("templates/app/bundle.yaml:4:10  version: r-")
        assert problem.endswith(
            " has rolled 1.0.0 out with other files; give what is new a version of its own  [bundle/version-reused]"
        )
        assert more.endswith("Explain any code: fleetctl explain bundle/version-reused\n")
        assert shop.run("rollout", "start", "app", "--all", "--yes").exit_code == 3
        shop.bundle("1.0.1")
        shop.rollout()
        # 1.0.0 is still taken, though another version was rolled out since.
        shop.bundle("1.0.0")
        assert shop.run("rollout", "plan", "app", "--all").exit_code == 3
        # What it was before may come back.
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()


def test_values_are_not_the_bundles(tmp_path: pathlib.Path) -> None:
    """The inventory may change as it likes; what is never rendered may, too."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()
        shop.write("inventory/defaults.yaml", "kind: Defaults\nbundles: {app: {}}\nvars: {size: large}\n")
        shop.write("templates/app/README.md", "More words.\n")
        shop.write("templates/app/examples/one/values.yaml", "size: large\n")
        shop.rollout()


def test_a_saved_plan_of_other_templates(tmp_path: pathlib.Path) -> None:
    """A plan that was approved before a file moved is refused, though no release would differ."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        file = str(tmp_path / "plan.json")
        assert shop.run("rollout", "plan", "app", "--all", "--out", file).exit_code == 0
        shop.write("templates/app/a.yaml.j2", "# a comment\n" + _TEMPLATE % "red")
        said = shop.run("rollout", "start", "--plan", file)
        assert said.exit_code == 9
        assert "its templates changed since  [plan/moved]" in said.stderr
