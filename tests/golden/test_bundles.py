"""The bundles and fleets that ship with fleetctl, rendered: what comes out is in the repository and read by people.

``fleetctl bundle test BUNDLE --update``, or ``FLEETCTL_WRITE_GOLDEN=1 pytest tests/golden`` for all, writes the
``expected/`` of examples: read the diff.
"""

import collections
import fractions
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fleetctl.inventory import fleets, locating
from fleetctl.model import layering, projects, quantities, releases
from fleetctl.reading import yamltext
from fleetctl.rendering import bundles, examples, rendering, trees
from tests.architecture import sources

TEMPLATES = sources.ROOT / "templates"
RETAIL = sources.ROOT / "inventories" / "retail"
WRITE = os.environ.get("FLEETCTL_WRITE_GOLDEN") == "1"
WORKLOADS = {"DaemonSet", "Deployment", "StatefulSet"}
BUNDLES = bundles.catalogue(TEMPLATES)
EXAMPLES = [
    pytest.param(name, case, id=f"{name}-{case.name}")
    for name in BUNDLES
    for case in examples.cases(bundles.load(TEMPLATES, name, str), TEMPLATES / name, str)
]


def _render(project: projects.Project) -> list[releases.Release]:
    """Render every bundle of a project for every site, as ``fleetctl render --all`` does."""
    loaded = fleets.load(project)
    names = sorted({name for site in loaded.fleet.sites.values() for name in site.bundles})
    asked = [bundles.load(project.templates, name, project.shown) for name in names]
    members = loaded.fleet.sites.values()
    return rendering.render(loaded.fleet, asked, members, lambda *_: None).releases


def _texts(folder: pathlib.Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("name", "case"), EXAMPLES)
def test_example(name: str, case: examples.Case, tmp_path: pathlib.Path) -> None:
    """An example renders to exactly the files in expected/, which are those that ``fleetctl render`` writes."""
    made = examples.release(bundles.load(TEMPLATES, name, str), case)
    texts = examples.texts(made)
    if WRITE:
        examples.update(case, examples.compare(case, texts, str), str)
    assert examples.compare(case, texts, str) == ()
    trees.write([made], tmp_path / "out", "yaml", lambda *_: True)
    assert _texts(tmp_path / "out" / made.site) == _texts(case.expected)


@pytest.mark.parametrize("name", BUNDLES)
def test_every_bundle_has_two_examples_a_schema_and_a_page(name: str) -> None:
    """A bundle that ships can be tried, checks its values, and says what it is."""
    folder = TEMPLATES / name
    assert len([one for one in EXAMPLES if one.values[0] == name]) > 1
    assert (folder / bundles.VALUES_SCHEMA).exists()
    assert bundles.load(TEMPLATES, name, str).document.data["description"]  # type: ignore[index]  # a map
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    wanted = ["What it deploys", "What must be there first", "Values", "Sizing", "Try it", "Operations"]
    assert [title for title in titles if title in wanted] == wanted


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundles_size_is_what_its_default_example_asks_for(name: str) -> None:
    """``size`` is the sum of the requests of all pods at a site with one node and the values of the bundle."""
    bundle = bundles.load(TEMPLATES, name, str)
    case = next(one for one in examples.cases(bundle, TEMPLATES / name, str) if one.name == "default")
    asked: dict[str, fractions.Fraction] = collections.defaultdict(fractions.Fraction)
    for made in examples.release(bundle, case).objects:
        spec = json.loads(made.body).get("spec", {})
        pod = spec["template"]["spec"] if made.id.kind in WORKLOADS else {}
        assert not pod.get("initContainers"), "whose requests would count otherwise"
        for container in pod.get("containers", []):
            for resource, text in container["resources"]["requests"].items():
                asked[resource] += spec.get("replicas", 1) * quantities.parse(text).number
    data: Any = bundle.document.data
    size = data.get("size", {})
    assert {resource: quantities.parse(text).number for resource, text in size.items()} == asked


def _leaves(schema: dict[str, Any], one: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each value that a schema knows, by its path; ``*`` stands for names that are free."""
    if "$ref" in one:
        one = {**schema["$defs"][one["$ref"].rpartition("/")[2]], **one}
    below = {**one.get("properties", {})}
    if isinstance(one.get("additionalProperties"), dict):
        below["*"] = one["additionalProperties"]
    for key, inner in below.items():
        yield from _leaves(schema, inner, f"{path}.{key}" if path else key)
    if not below:
        yield path, one


def _covered(path: str, rows: dict[str, str]) -> str | None:
    """Return the row of a page's table that speaks of a value: its own, or that of a map above it."""
    parts = path.split(".")
    known = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((row for one in known for row in (one, f"{one.rpartition('.')[0]}.*") if row in rows), None)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundles_page_has_its_values(name: str) -> None:
    """The table has a row for each value of the schema and no other, and the defaults that it shows are true."""
    bundle = bundles.load(TEMPLATES, name, str)
    page = (TEMPLATES / name / "README.md").read_text(encoding="utf-8").split("\n## Values\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|", page, re.MULTILINE))
    schema = json.loads((TEMPLATES / name / bundles.VALUES_SCHEMA).read_bytes())
    paths = [path for path, _ in _leaves(schema, schema)]
    assert [path for path in paths if _covered(path, rows) is None] == []
    stale = {row for row in rows if not any(f"{path}.".startswith(f"{row.removesuffix('.*')}.") for path in paths)}
    assert stale == set()
    for path, shown in rows.items():
        value: Any = bundle.values
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if re.fullmatch(r"`[^`]*`", shown) and value is not None:
            assert shown.strip("`") in {yamltext.inline(value), value if isinstance(value, str) else None} - {""}, path
        elif shown == "**no default**":
            assert value in ("", []), path


@pytest.mark.parametrize("name", BUNDLES)
def test_every_value_is_described_and_every_map_closed(name: str) -> None:
    """A schema that ships explains each of its values, and takes a misspelt key for the mistake that it is."""
    schema = json.loads((TEMPLATES / name / bundles.VALUES_SCHEMA).read_bytes())
    assert [path for path, one in _leaves(schema, schema) if not one.get("description")] == []

    def open_maps(one: Any) -> Iterator[Any]:  # noqa: ANN401  # JSON
        if isinstance(one, dict):
            if one.get("type") == "object" and "additionalProperties" not in one:
                yield one
            yield from itertools.chain.from_iterable(map(open_maps, one.values()))
        elif isinstance(one, list):
            yield from itertools.chain.from_iterable(map(open_maps, one))

    assert list(open_maps(schema)) == []


@pytest.mark.parametrize(("name", "case"), EXAMPLES)
def test_example_renders_without_taking_anything_else_for_granted(name: str, case: examples.Case) -> None:
    """The name of the site, where it matters, is all that differs between two sites with these values."""
    bundle = bundles.load(TEMPLATES, name, str)
    one = examples.release(bundle, case)
    other = msgspec.structs.replace(case, site=msgspec.structs.replace(case.site, name="store-00002"))
    two = examples.release(bundle, other)
    first = {item.id: item.body.replace(one.site.encode(), two.site.encode()) for item in one.objects}
    assert first == {item.id: item.body for item in two.objects}


def test_the_point_of_sale_can_be_pinned() -> None:
    """A digest follows the tag of the component that it is given for, and no other."""
    bundle = bundles.load(TEMPLATES, "retail-pos", str)
    case = examples.cases(bundle, TEMPLATES / "retail-pos", str)[0]
    digest = f"sha256:{64 * 'a'}"
    pinned = layering.merge(case.site.vars, {"pos": {"image": {"digests": {"gateway": digest}}}}, [])
    site = msgspec.structs.replace(case.site, vars=pinned)
    made = examples.texts(examples.release(bundle, msgspec.structs.replace(case, site=site)))
    assert f"image: registry.example/pos/gateway:{bundle.version}@{digest}\n" in made["pos/deployment-gateway.yaml"]
    assert f"image: registry.example/pos/journal:{bundle.version}\n" in made["pos/statefulset-journal.yaml"]


def test_the_retail_fleet_renders() -> None:
    """Each of its sites has a release of every bundle; the distribution centre has none of the point of sale."""
    made = _render(locating.find(RETAIL))
    counts = collections.Counter(release.bundle for release in made)
    assert counts == {"base": 60, "node-monitoring": 60, "retail-pos": 59}
    assert {release.bundle for release in made if release.site == "hub-00390"} == {"base", "node-monitoring"}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("base", None),
        ("node-monitoring", "ConfigMap monitoring/monitoring-site"),
        ("retail-pos", "ConfigMap pos/pos-site"),
    ],
)
def test_only_one_object_differs_from_store_to_store(name: str, own: str | None) -> None:
    """What the bundles' pages promise: a diff for a thousand stores is a handful of diffs."""
    made = [release for release in _render(locating.find(RETAIL)) if release.bundle == name]
    distinct: dict[str, set[bytes]] = {}
    for release in made:
        for one in release.objects:
            distinct.setdefault(f"{one.id}", set()).add(one.body)
    if own:
        assert len(distinct.pop(own)) == len(made)
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
