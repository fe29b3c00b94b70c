"""What a bundle requires of a site, and of the bundles beside it."""

import pathlib

import pytest

from fleetctl.model import errors, problems, sites, versions
from fleetctl.rendering import bundles, requirements
from tests.unit.rendering import making

SITE = sites.Site(
    "s1",
    bundles={"app": {}, "base": {}},
    nodes=(sites.Node("n0", "10.0.0.1", arch="arm64"), sites.Node("n1", "10.0.0.2", arch="arm")),
    cluster=sites.Cluster(version="v1.36.3+k3s1"),
)


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        (requirements.Requires(), ""),
        (requirements.Requires(versions.parse(">=1.30 <1.37"), ("arm", "arm64"), ("base",)), ""),
        (requirements.Requires(versions.parse(">=1.37")), "lacking Kubernetes >=1.37"),
        (requirements.Requires(arches=("arm64", "amd64")), "with nodes that are arm, not arm64 or amd64"),
        (requirements.Requires(bundles=("base", "net")), "not assigned net, which it requires"),
    ],
)
def test_unmet(requires: requirements.Requires, said: str) -> None:
    """The first thing that a site lacks, in words that follow a number of sites."""
    assert requirements.unmet(requires, SITE) == said


def test_what_the_inventory_does_not_say_is_not_held_against_a_site() -> None:
    """Neither a version nor nodes: a site known by its kubeconfig only has neither."""
    requires = requirements.Requires(versions.parse(">=1.37"), ("amd64",))
    assert requirements.unmet(requires, sites.Site("s1")) == ""


def _faults(folder: pathlib.Path, **requires: str) -> list[problems.Problem]:
    """Load the first of some bundles, each with the names that it requires, and return what is wrong."""
    for name, wanted in requires.items():
        (folder / name).mkdir()
        said = making.BUNDLE.replace("app", name) + f"requires: {{bundles: [{wanted}]}}\n"
        (folder / name / "bundle.yaml").write_text(said, encoding="utf-8")
    try:
        bundles.load(folder, next(iter(requires)), str)
    except errors.InvalidInput as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ({"a": "b, c", "b": "c", "c": ""}, []),
        ({"a": "b", "b": "c", "c": "b"}, []),  # a circle beside it is told when b is loaded
        ({"a": "b", "b": "a"}, ["a -> b -> a"]),
        ({"a": "b, c", "b": "d", "c": "a", "d": "a"}, ["a -> b -> d -> a", "a -> c -> a"]),
        ({"a": "a"}, ["a -> a"]),
    ],
)
def test_circles(tmp_path: pathlib.Path, requires: dict[str, str], said: list[str]) -> None:
    """Each way back is told once, the shortest, at the name that leads there."""
    found = [one.message for one in _faults(tmp_path, **requires)]
    assert found == [f"bundles require each other in a circle: {way}; one must come first" for way in said]


def test_another_bundle_that_cannot_be_read_is_no_fault_of_this_one(tmp_path: pathlib.Path) -> None:
    """It is told when that one is loaded."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "bundle.yaml").write_text("a: [", encoding="utf-8")
    assert _faults(tmp_path, a="b") == []
