"""Rollouts of a commit: planned, started and recorded as what the commit has, whatever lies in the folder."""

import os
import pathlib
import subprocess

from tests.unit.cli import simulated

_TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: %s}\n"


def _git(folder: pathlib.Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{what}": what for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def test_a_rollout_of_a_commit(tmp_path: pathlib.Path) -> None:
    """A plan made of a commit is started with the same revision, and refused against other files."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.write(".gitignore", ".fleetctl/\n")
        _git(tmp_path, "init", "-q")
        _git(tmp_path, "add", "-A")
        _git(tmp_path, "commit", "-q", "-m", "red")
        commit = _git(tmp_path, "rev-parse", "HEAD")
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "blue")
        file = str(tmp_path / "plan.json")
        said = shop.run("rollout", "plan", "app", "--all", "--rev", "HEAD", "--out", file)
        assert said.stdout.endswith(f"rollout start --plan plan.json --rev {commit[:10]}\n")
        assert shop.run("rollout", "start", "--plan", file).exit_code == 9
        said = shop.run("rollout", "start", "--plan", file, "--rev", commit, "-o", "json")
        assert said.exit_code == 0, said.stderr
        plan = pathlib.Path(file).read_text(encoding="utf-8")
        assert f'"commit": "{commit}"' in plan
        assert '"dirty": false' in plan
        assert '"who": "' in plan
        # What lies in the folder is no commit, and the plan says so.
        shop.bundle("1.0.1")
        assert shop.run("rollout", "plan", "app", "--all", "--out", file).exit_code == 0
        assert '"dirty": true' in pathlib.Path(file).read_text(encoding="utf-8")
