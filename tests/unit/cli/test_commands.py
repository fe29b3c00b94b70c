"""The commands' own results: version and explain, and that every format of a whole command reads back."""

import json
import pathlib
import platform

import pytest
import typer.testing
import yaml

import fleetctl
from fleetctl.cli import main
from fleetctl.model import codes
from fleetctl.reading import shipped
from tests.unit.cli import processes


def _said(*arguments: str) -> str:
    result = typer.testing.CliRunner().invoke(main.app, list(arguments), prog_name="fleetctl")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_version_names_what_a_report_needs() -> None:
    """One line: fleetctl, Python, system, machine."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    assert _said("version") == f"fleetctl {fleetctl.__version__} ({system})\n"


def test_version_as_json() -> None:
    """The same for machines."""
    assert json.loads(_said("version", "-o", "json")) == {
        "apiVersion": "fleetctl.dev/v1alpha1",
        "kind": "Version",
        "version": fleetctl.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


@pytest.mark.parametrize("code", list(codes.Code))
def test_every_code_is_explained_offline(code: codes.Code) -> None:
    """The page that the documentation has too, which starts with the code."""
    text = _said("explain", code)
    assert text == (shipped.folder("errors") / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}\n")


@pytest.fixture
def project(tmp_path: pathlib.Path) -> str:
    """A project of two sites and a bundle."""
    nodes = "  nodes: [{name: n0, address: 10.0.0.1, taints: [{key: edge, effect: NoSchedule}]}]\n"
    sites = f"- name: store-00001\n{nodes}  bundles: {{app: {{}}}}\n- name: store-00002\n  bundles: {{app: {{}}}}"
    configmap = "kind: ConfigMap\nmetadata: {name: x}\n"
    folder = processes.project(
        tmp_path / "project",
        sites,
        **{"templates/app/bundle.yaml": "kind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n"},
    )
    (folder / "templates/app/x.yaml.j2").write_text(f"apiVersion: v1\n{configmap}", encoding="utf-8")
    return str(folder)


COMMANDS = {
    "SiteList": ["inventory", "list"],
    "Site": ["inventory", "show", "store-00001"],
    "ExplanationList": ["inventory", "explain", "store-00001", "nodes"],
    "ProblemList": ["inventory", "validate"],
    "ReleaseList": ["render"],
}


@pytest.mark.parametrize("kind", list(COMMANDS))
def test_all_formats_of_a_command_agree(project: str, kind: str) -> None:
    """JSON, YAML, JSON lines and names are one result in four writings."""
    texts = {style: _said("-C", project, *COMMANDS[kind], "-o", style) for style in ("json", "yaml", "jsonl", "name")}
    read = json.loads(texts["json"])
    assert (read["apiVersion"], read["kind"]) == ("fleetctl.dev/v1alpha1", kind)
    assert yaml.safe_load(texts["yaml"]) == read
    items = read.get("items", [read])
    assert [json.loads(line) for line in texts["jsonl"].splitlines()] == items
    assert texts["name"].splitlines() == [item["name"] for item in items]


def test_the_names_of_one_command_select_in_the_next(project: str) -> None:
    """``list -o name`` is what ``--site -`` reads."""
    names = _said("-C", project, "inventory", "list", "-o", "name")
    result = typer.testing.CliRunner().invoke(
        main.app, ["-C", project, "inventory", "list", "--site", "-", "-o", "name"], input=names
    )
    assert result.stdout == names
