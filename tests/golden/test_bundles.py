"""The bundles and fleets that ship with fleetctl, rendered: what comes out is in the repository and read by people.

Each ``templates/<bundle>/examples/<case>/`` holds ``values.yaml`` (what stands under the bundle's key of vars), perhaps
``site.yaml`` (an entry of a site list) and ``expected/``, laid out as ``fleetctl render`` lays out a site.
``FLEETCTL_WRITE_GOLDEN=1 pytest tests/golden`` writes ``expected/``: read the diff.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

from fleetctl.inventory import fleets, locating
from fleetctl.model import projects, releases
from fleetctl.rendering import bundles, rendering, trees
from tests.architecture import sources

TEMPLATES = sources.ROOT / "templates"
RETAIL = sources.ROOT / "inventories" / "retail"
WRITE = os.environ.get("FLEETCTL_WRITE_GOLDEN") == "1"
EXAMPLES = sorted(TEMPLATES.glob("*/examples/*/"))


def _render(project: projects.Project) -> list[releases.Release]:
    """Render every bundle of a project for every site, as ``fleetctl render --all`` does."""
    loaded = fleets.load(project)
    names = sorted({name for site in loaded.fleet.sites.values() for name in site.bundles})
    asked = [bundles.load(project.templates, name, project.shown) for name in names]
    members = loaded.fleet.sites.values()
    return rendering.render(loaded.fleet, asked, members, lambda *_: None).releases


def _example(example: pathlib.Path, folder: pathlib.Path) -> projects.Project:
    """Make a project of one site, which has the example's values."""
    bundle = bundles.load(TEMPLATES, example.parent.parent.name, str)
    head = {"apiVersion": "fleetctl.dev/v1alpha1", "kind": "SiteList"}
    site = {"name": "store-00001"}
    if (example / "site.yaml").exists():
        site = yaml.load((example / "site.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    own = yaml.load((example / "values.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    entry = {**site, "bundles": {bundle.name: {}}, "vars": {bundle.values_key: own or {}}}
    (folder / "inventory").mkdir(parents=True)
    (folder / "inventory" / "sites.yaml").write_text(json.dumps({**head, "sites": [entry]}), encoding="utf-8")
    return projects.Project("examples", folder, folder / "inventory", TEMPLATES)


def _texts(folder: pathlib.Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("example", [pytest.param(path, id=f"{path.parts[-3]}-{path.name}") for path in EXAMPLES])
def test_example(example: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """An example renders to exactly the files in expected/, and to exactly their text."""
    (release,) = _render(_example(example, tmp_path / "project"))
    trees.write([release], tmp_path / "out", "yaml", lambda *_: True)
    made = tmp_path / "out" / release.site
    if WRITE:
        shutil.rmtree(example / "expected", ignore_errors=True)
        shutil.copytree(made, example / "expected")
    assert _texts(made) == _texts(example / "expected")


@pytest.mark.parametrize("name", bundles.catalogue(TEMPLATES))
def test_every_bundle_has_examples_a_schema_and_a_page(name: str) -> None:
    """A bundle that ships can be tried, checks its values, and says what it is."""
    folder = TEMPLATES / name
    assert [path for path in EXAMPLES if path.parent.parent == folder]
    assert (folder / bundles.VALUES_SCHEMA).exists()
    assert (folder / "README.md").exists()


@pytest.mark.parametrize("example", [pytest.param(path, id=f"{path.parts[-3]}-{path.name}") for path in EXAMPLES])
def test_example_renders_without_taking_anything_else_for_granted(
    example: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """The name of the site, where it matters, is all that differs between two sites with these values."""
    project = _example(example, tmp_path)
    path = project.inventory / "sites.yaml"
    sites = json.loads(path.read_text(encoding="utf-8"))
    sites["sites"].append({**sites["sites"][0], "name": "store-00002"})
    path.write_text(json.dumps(sites), encoding="utf-8")
    one, two = _render(project)
    first = {item.id: item.body.replace(one.site.encode(), two.site.encode()) for item in one.objects}
    assert first == {item.id: item.body for item in two.objects}


def test_the_retail_fleet_renders() -> None:
    """Each of its sites that is assigned the point of sale has a release; the distribution centre has none."""
    made = _render(locating.find(RETAIL))
    assert len({release.site for release in made}) == len(made) == 59
    assert {release.bundle for release in made} == {"retail-pos"}
    assert "hub-00390" not in {release.site for release in made}


def test_only_one_object_differs_from_store_to_store() -> None:
    """What the bundle's page promises: a diff for a thousand stores is a handful of diffs."""
    made = _render(locating.find(RETAIL))
    distinct: dict[str, set[bytes]] = {}
    for release in made:
        for one in release.objects:
            distinct.setdefault(f"{one.id}", set()).add(one.body)
    assert len(distinct.pop("ConfigMap pos/pos-site")) == len(made)
    assert max(map(len, distinct.values())) < len(made) / 2


def test_rendering_the_retail_fleet_twice_touches_no_file(tmp_path: pathlib.Path) -> None:
    """Not even its time; what a bundle no longer makes goes away."""
    made = _render(locating.find(RETAIL))
    first = trees.write(made, tmp_path, "yaml", lambda *_: True)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.yaml")}
    assert trees.write(_render(locating.find(RETAIL)), tmp_path, "yaml", lambda *_: True) == trees.Written(
        0, first.written, 0
    )
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.yaml")} == times
    fewer = [releases.Release(one.site, one.bundle, one.version, "r1:0", one.objects[:1]) for one in made]
    assert trees.write(fewer, tmp_path, "yaml", lambda *_: True).removed == len(times) - len(made)
    assert len(list(tmp_path.rglob("*.yaml"))) == len(made)


def test_digests_do_not_depend_on_hashing(tmp_path: pathlib.Path) -> None:
    """Sets iterate differently in every process; neither releases nor their files may show it."""
    said, trees_made = set(), []
    for seed in ("0", "1", "4242"):
        out = tmp_path / seed
        command = [
            sys.executable,
            "-m",
            "fleetctl",
            "-C",
            str(RETAIL),
            "render",
            "--all",
            "-o",
            "json",
            "--out",
            str(out),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=sources.ROOT, env=environment, check=True, capture_output=True, text=True)
        said.add(done.stdout)
        trees_made.append(_texts(out))
    assert len(said) == 1
    assert trees_made[0] == trees_made[1] == trees_made[2]
    assert json.loads(said.pop())["items"][0]["digest"].startswith("r1:")
