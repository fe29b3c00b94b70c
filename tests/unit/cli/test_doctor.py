"""``fleetctl doctor`` as a whole: its exit codes, that it goes on past what is broken, and what it never does."""

import json
import pathlib
from typing import Any

import pytest
import typer.testing

from fleetctl.cli import main
from fleetctl.sim import behaviours, faults, fleets

HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"


def _project(folder: pathlib.Path, kubeconfig: str = "sim/kubeconfig#") -> None:
    (folder / "inventory").mkdir()
    (folder / "fleetctl.yaml").write_text(f"{HEAD}kind: Project\nname: demo\n", encoding="utf-8")
    listed = "".join(f"- {{name: s{n}, access: {{kube: {{kubeconfig: '{kubeconfig}s{n}'}}}}}}\n" for n in (1, 2))
    (folder / "inventory" / "sites.yaml").write_text(f"{HEAD}kind: SiteList\nsites:\n{listed}", encoding="utf-8")


def _doctor(folder: pathlib.Path, *arguments: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Run it, and return the exit code and the findings by what was looked at."""
    result = typer.testing.CliRunner().invoke(main.app, ["-C", str(folder), "doctor", "-o", "json", *arguments])
    found: dict[str, list[dict[str, str]]] = {}
    said: dict[str, Any] = json.loads(result.stdout)
    for one in said["items"]:
        found.setdefault(one["name"], []).append(one)
    return result.exit_code, found


def test_without_a_project_the_rest_is_checked_all_the_same(tmp_path: pathlib.Path) -> None:
    """The project is what fails, with 8."""
    code, found = _doctor(tmp_path)
    assert (code, found["project"][0]["verdict"]) == (8, "fail")
    assert "open files" in found


def test_broken_files_are_findings(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inventory and settings that cannot be read do not end it."""
    _project(tmp_path)
    (tmp_path / "inventory" / "more.yaml").write_text("kind: Nonsense\n", encoding="utf-8")
    monkeypatch.setenv("FLEETCTL_TIMEOUT", "soon")
    code, found = _doctor(tmp_path)
    assert (code, found["project"][0]["verdict"], found["settings"][0]["verdict"]) == (8, "fail", "fail")


def test_clusters_are_asked_where_sites_are_selected(tmp_path: pathlib.Path) -> None:
    """All well is 0; silence is 4, bad credentials of one site 6; nobody is asked without a selection."""
    _project(tmp_path)
    rules = behaviours.Behaviours((behaviours.Behaviour(),))
    with fleets.running(("s1", "s2"), tmp_path / "sim", rules) as fleet:
        code, found = _doctor(tmp_path)
        assert (code, "api servers" in found) == (0, False)
        assert found["kubeconfigs"][0]["found"] == "2 sites have an address and credentials"
        code, found = _doctor(tmp_path, "--all")
        assert (code, found["api servers"][0]["verdict"]) == (0, "ok")
        fleet.suffer("s2", faults.Fault(status=401))
        code, found = _doctor(tmp_path, "--site", "s2")
        assert (code, found["api servers"][0]["verdict"]) == (6, "fail")


def test_a_screen_has_a_line_each_and_a_sum(tmp_path: pathlib.Path) -> None:
    """Verdict, name, what was found; the remedy below; the numbers last."""
    result = typer.testing.CliRunner().invoke(main.app, ["-C", str(tmp_path), "doctor"])
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["ok", "python"]
    assert lines[-1].startswith(f"{sum(not line.startswith(' ') for line in lines[:-2])} checks: ")
    assert any(line.lstrip() == "Give the project's folder with -C DIR." for line in lines)
