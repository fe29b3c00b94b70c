"""Examples of bundles: read, rendered, compared and written."""

import pathlib

import pytest

from fleetctl.model import codes, errors
from fleetctl.rendering import examples
from tests.unit.rendering import making

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  said: {{ [site.name, site.nodes | length, site.cluster.distribution, values.x | default("-")] | join(" ") | k }}
"""


def _case(folder: pathlib.Path, **files: str) -> examples.Case:
    named = {f"examples/one/{name}.yaml": text for name, text in files.items()}
    bundle = making.loaded(folder, {"a.yaml.j2": TEMPLATE, **named})
    return examples.cases(bundle, folder / "app", str)[0]


def _said(folder: pathlib.Path, **files: str) -> str:
    case = _case(folder, **files)
    (text,) = examples.texts(examples.release(making.loaded(folder, {}), case)).values()
    return text.partition("said: ")[2].partition("\n")[0]


def test_the_site_where_none_is_described(tmp_path: pathlib.Path) -> None:
    """It has a name and the example's values, and nothing else."""
    assert _said(tmp_path, values="{}\n") == "store-00001 0 k3s -"


def test_the_site_that_is_described(tmp_path: pathlib.Path) -> None:
    """Its own vars stay, but those of the bundle are the example's; nodes have the site's vars."""
    site = "name: s9\nnodes: [{name: n0, address: 10.0.0.1}]\ncluster: {distribution: microk8s}\n"
    case = _case(tmp_path, values="x: 3\n", site=f"{site}vars: {{b: 1, app: {{z: 2}}}}\n")
    assert case.site.vars == {"b": 1, "app": {"z": 2, "x": 3}}
    assert case.site.nodes[0].vars == case.site.vars
    assert _said(tmp_path) == "s9 1 microk8s 3"


def test_places_are_those_of_the_example(tmp_path: pathlib.Path) -> None:
    """What is wrong is said of the line in values.yaml or site.yaml."""
    case = _case(tmp_path, values="x:\n  z: 3\n", site="name: s9\nlabels: {a: b}\n")
    assert str(case.origin("s9", ("vars", "app", "x", "z"))).endswith("examples/one/values.yaml:2:6")
    assert str(case.origin("s9", ("labels", "a"))).endswith("examples/one/site.yaml:2:13")
    assert case.origin("s9", ("vars", "app", "w")) is None
    assert _case(tmp_path / "other", values="{}\n").origin("s9", ("labels",)) is None


def test_writing_makes_equal(tmp_path: pathlib.Path) -> None:
    """After an update nothing differs; files and folders that nobody expects are gone, and others untouched."""
    case = _case(tmp_path, values="{}\n")
    for name in ("old/gone.yaml", "home/stale.yaml"):
        (case.expected / name).parent.mkdir(parents=True, exist_ok=True)
        (case.expected / name).write_text("a: 1\n", encoding="utf-8")
    made = {"home/new.yaml": "b: 1\n", "home/same.yaml": "c: 1\n"}
    (case.expected / "home/same.yaml").write_text("c: 1\n", encoding="utf-8")
    found = examples.compare(case, made, str)
    assert [(one.path, one.expected, one.made) for one in found] == [
        ("home/new.yaml", None, "b: 1\n"),
        ("home/stale.yaml", "a: 1\n", None),
        ("old/gone.yaml", "a: 1\n", None),
    ]
    examples.update(case, found, str)
    assert examples.compare(case, made, str) == ()
    assert sorted(path.name for path in case.expected.rglob("*")) == ["home", "new.yaml", "same.yaml"]


def test_updating_away_the_last_file_keeps_the_example(tmp_path: pathlib.Path) -> None:
    """Empty folders go, but never what the example is made of."""
    case = _case(tmp_path, values="{}\n")
    (case.expected / "home").mkdir(parents=True)
    (case.expected / "home" / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    examples.update(case, examples.compare(case, {}, str), str)
    assert [path.name for path in case.folder.iterdir()] == ["values.yaml"]


def test_what_cannot_be_read_is_told(tmp_path: pathlib.Path) -> None:
    """A link to nowhere below expected/ is a problem, not a missing file."""
    case = _case(tmp_path, values="{}\n")
    case.expected.mkdir()
    (case.expected / "a.yaml").symlink_to("nowhere")
    with pytest.raises(errors.InvalidInput) as raised:
        examples.compare(case, {}, str)
    assert raised.value.code == codes.Code.PROJECT_UNREADABLE
