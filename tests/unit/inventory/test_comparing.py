"""Two states of a fleet: what differs is said once, and putting it on gives the other."""

from typing import Any

from hypothesis import given, settings

from fleetctl.inventory import comparing
from fleetctl.model import sites
from tests.unit.inventory import writing


def _fleet(data: dict[str, Any]) -> sites.Fleet:
    files = {
        "inventory/defaults.yaml": writing.document("Defaults", data["defaults"]),
        "inventory/sites.yaml": writing.document("SiteList", {"defaults": data["file"], "sites": data["sites"]}),
        **{f"inventory/{i}.yaml": writing.document("Group", group) for i, group in enumerate(data["groups"])},
    }
    return writing.loaded(files).fleet


@settings(max_examples=40)
@given(writing.inventories(), writing.inventories())
def test_every_site_that_differs_is_named_once(one: dict[str, Any], two: dict[str, Any]) -> None:
    """A site is added, removed, or in exactly one fold; alike sites are in none."""
    before, after = _fleet(one), _fleet(two)
    found = comparing.compare(before, after)
    assert set(found.added) == after.sites.keys() - before.sites.keys()
    assert set(found.removed) == before.sites.keys() - after.sites.keys()
    folded = [name for fold in found.folds for name in fold.sites]
    assert len(folded) == len(set(folded))
    for name in after.sites.keys() & before.sites.keys():
        alike = repr(before.sites[name]) == repr(after.sites[name])
        assert alike or name in folded
    assert all(fold.changes for fold in found.folds)
    assert comparing.compare(after, after).differs is False


def test_the_same_changes_are_one_fold() -> None:
    """The fold with most sites comes first."""
    before = {name: sites.Site(name, vars={"a": 1}) for name in ("s1", "s2", "s3")}
    after = {
        "s1": sites.Site("s1", vars={"a": True}),
        "s2": sites.Site("s2", vars={"a": 2}),
        "s3": sites.Site("s3", vars={"a": 2}),
    }
    found = comparing.compare(sites.Fleet("x", before, {}), sites.Fleet("x", after, {}))
    assert [(fold.sites, [(one.before, one.after) for one in fold.changes]) for fold in found.folds] == [
        (("s2", "s3"), [(1, 2)]),
        (("s1",), [(1, True)]),
    ]
