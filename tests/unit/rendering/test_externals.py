"""Charts and overlays, rendered by the real Helm and kustomize."""

import os
import pathlib
import shutil
import stat

import pytest
import typer.testing

from fleetctl.cli import main
from fleetctl.model import codes, errors
from fleetctl.rendering import programs

_HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"
_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  names: {kind: Foo, plural: foos}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
_CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "values.yaml": "color: grey\n",
    "templates/a.yaml": (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: {{ .Release.Name }}-a, labels: {kube: {{ .Capabilities.KubeVersion.Version | quote }}}}\n"
        'data: {color: {{ .Values.color | quote }}, size: {{ required "size is needed" .Values.size | quote }}}\n'
    ),
    "templates/tests/t.yaml": (
        'apiVersion: v1\nkind: Pod\nmetadata: {name: try, annotations: {"helm.sh/hook": test}}\n'
    ),
    "crds/c.yaml": _DEFINITION,
}
_HOOK = 'apiVersion: v1\nkind: Pod\nmetadata: {name: migrate, annotations: {"helm.sh/hook": pre-install}}\n'


def _write(root: pathlib.Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((_HEAD if text.startswith("kind: ") else "") + text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: pathlib.Path, renderers: None) -> pathlib.Path:  # noqa: ARG001  # for PATH
    """A project whose bundle is a chart."""
    sites = "".join(f"- {{name: store-{number}, vars: {{app: {{size: {number % 3}}}}}}}\n" for number in range(1, 31))
    _write(
        tmp_path,
        {
            "fleetctl.yaml": "kind: Project\nname: demo\n",
            "inventory/defaults.yaml": (
                "kind: Defaults\nbundles: {app: {}}\ncluster: {distribution: k3s, version: v1.36.3+k3s1}\n"
            ),
            "inventory/sites.yaml": f"kind: SiteList\nsites:\n{sites}",
            "templates/app/bundle.yaml": (
                "kind: Bundle\nname: app\nversion: 1.0.0\nnamespace: shop\nvalues: {color: red}\nhelm: {chart: chart}\n"
            ),
            **{f"templates/app/chart/{name}": text for name, text in _CHART.items()},
        },
    )
    return tmp_path


def _render(root: pathlib.Path, *arguments: str) -> typer.testing.Result:
    words = ["-C", str(root), "render", "--out", "-", *arguments]
    return typer.testing.CliRunner().invoke(main.app, words, prog_name="fleetctl")


@pytest.mark.renderers
def test_a_chart(project: pathlib.Path) -> None:
    """Values of bundle and site reach the chart, as do release, namespace and version; its tests do not run."""
    said = _render(project, "--site", "store-1")
    assert said.exit_code == 0, said.stderr
    definition, _, config = said.stdout.partition("---\n# store-1  app 1.0.0  ConfigMap shop/app-a\n")
    assert definition.startswith("---\n# store-1  app 1.0.0  CustomResourceDefinition foos.example.com\n")
    assert config == (
        'apiVersion: v1\ndata:\n  color: red\n  size: "1"\nkind: ConfigMap\nmetadata:\n  labels:\n'
        "    kube: v1.36.3+k3s1\n  name: app-a\n  namespace: shop\n"
    )


@pytest.mark.renderers
def test_equal_input_is_rendered_once(project: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty sites with three kinds of values are three calls, and one that asks for the version."""
    real, calls, folder = shutil.which("helm"), project / "calls", project / "bin"
    folder.mkdir()
    (folder / "helm").write_text(f'#!/bin/sh\necho "$1" >>{calls}\nexec {real} "$@"\n', encoding="utf-8")
    (folder / "helm").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert _render(project).exit_code == 0
    assert sorted(calls.read_text(encoding="utf-8").split()) == ["template"] * 3 + ["version"]


@pytest.mark.renderers
def test_what_helm_complains_of(project: pathlib.Path) -> None:
    """Its message stands at the chart's line, once, with the number of sites and an example."""
    _write(project, {"inventory/sites.yaml": "kind: SiteList\nsites: [{name: s1}, {name: s2}]\n"})
    said = _render(project)
    assert said.exit_code == 3
    first, notes, *_ = said.stderr.splitlines()
    assert first.startswith("templates/app/chart/templates/a.yaml:4:")
    assert first.endswith("size is needed  [helm/failed]")
    assert notes.strip() == "at 2 sites, e.g. s1"


@pytest.mark.renderers
def test_hooks(project: pathlib.Path) -> None:
    """A hook is refused by its name; or left out, if the bundle says so."""
    _write(project, {"templates/app/chart/templates/hook.yaml": _HOOK})
    said = _render(project)
    assert said.exit_code == 3
    assert "chart/templates/hook.yaml  Pod migrate is a hook (pre-install)" in said.stderr
    assert "[helm/hook]" in said.stderr
    described = (project / "templates/app/bundle.yaml").read_text(encoding="utf-8")
    _write(project, {"templates/app/bundle.yaml": described.replace("chart: chart", "chart: chart, hooks: leave-out")})
    said = _render(project)
    assert said.exit_code == 0, said.stderr
    assert "migrate" not in said.stdout


@pytest.mark.renderers
def test_objects_of_a_chart_are_checked(project: pathlib.Path) -> None:
    """What a chart makes is held to the same rules as templates are, and named by the chart's file."""
    broken = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {a: "1", a: "2"}\n'
    _write(project, {"templates/app/chart/templates/b.yaml": broken})
    said = _render(project)
    assert said.exit_code == 3
    assert "templates/app/chart/templates/b.yaml (rendered)" in said.stderr


@pytest.mark.renderers
def test_kustomize(project: pathlib.Path) -> None:
    """A folder is built for all sites, beside the chart; what kustomize complains of is told."""
    described = (project / "templates/app/bundle.yaml").read_text(encoding="utf-8")
    _write(
        project,
        {
            "templates/app/bundle.yaml": f"{described}kustomize: {{folder: k, build: overlays/eu}}\n",
            "templates/app/k/base/kustomization.yaml": "resources: [a.yaml]\n",
            "templates/app/k/base/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
            "templates/app/k/overlays/eu/kustomization.yaml": "resources: [../../base]\nnamePrefix: eu-\n",
        },
    )
    said = _render(project, "--site", "store-1,store-2")
    assert said.exit_code == 0, said.stderr
    assert said.stdout.count("  name: eu-b\n  namespace: shop\n") == 2
    assert said.stdout.count("  name: app-a\n") == 2
    _write(project, {"templates/app/k/base/a.yaml": "no: object\n"})
    said = _render(project, "--site", "store-1,store-2")
    assert said.exit_code == 3
    assert "templates/app/bundle.yaml:8:21  kustomize: " in said.stderr
    assert said.stderr.count("[kustomize/failed]") == 1


def _program(folder: pathlib.Path, text: str) -> programs.Program:
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    return programs.Program(str(path), "")


def test_a_program_knows_nothing_of_this_machine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours is passed on, its home is empty, and standard input is what it was given."""
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("SECRET", "hunter2")
    said = programs.run(_program(tmp_path, 'while read -r line; do echo "$line"; done; export'), (), b"given\n")
    assert said.startswith("given\n")
    assert "hunter2" not in said
    assert "elsewhere" not in said
    assert str(pathlib.Path.home()) + "'" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo nope >&2; exit 3", "nope"),
        ("exit 3", "it ended with 3 and said nothing"),
        (r"printf '\377'", "what it made is not UTF-8 text"),
    ],
)
def test_a_program_that_fails(tmp_path: pathlib.Path, text: str, words: str) -> None:
    """Its own words are the reason, or what happened where it has none."""
    with pytest.raises(programs.Failed) as failed:
        programs.run(_program(tmp_path, text), ())
    assert str(failed.value) == words


def test_a_program_that_does_not_stop(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed, with what it started, when its time is up or when it says too much."""
    monkeypatch.setattr(programs, "_TIMEOUT", 0.2)
    with pytest.raises(programs.Failed, match="it did not end within 0 s"):
        programs.run(_program(tmp_path, "while :; do :; done"), ())
    monkeypatch.setattr(programs, "_TIMEOUT", 60.0)
    monkeypatch.setattr(programs, "_LARGEST", 1024 * 1024)
    with pytest.raises(programs.Failed, match="it made more than 1 MiB of text"):
        programs.run(_program(tmp_path, "while :; do echo more and more; done"), ())


@pytest.mark.parametrize("version", ["v3.11.9", "v2.17.0", "unknown"])
def test_a_version_that_is_too_old(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """It is not used; what is there and what to install is said."""
    (tmp_path / "helm").write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    (tmp_path / "helm").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.NotConfigured) as refused:
        programs.find("helm", (3, 12), ("version",), codes.Code.HELM_MISSING)
    assert refused.value.message == f"{tmp_path}/helm is version {version}, and a bundle needs helm 3.12 or newer"
