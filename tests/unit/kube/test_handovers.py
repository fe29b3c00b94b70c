"""What a parent says when a set changes hands, and what is given up of it."""

import json
from typing import Any

import pytest

from fleetctl.kube import answers, applysets, handovers

DIGEST, OLDER = "r1:" + "b" * 64, "r1:" + "a" * 64
SHARED = {"additional-namespaces", "contains-group-kinds", "tooling"}
OURS = applysets.Parent(
    exists=True,
    uid="u",
    resource_version="7",
    tooling="fleetctl/1.0.0",
    release=DIGEST,
    previous=OLDER,
    kinds=frozenset({"ConfigMap", "Till.shop.example"}),
    run="r-1",
    commit="c0ffee",
    project="shops",
    site="s1",
)
THEIRS = applysets.Parent(
    exists=True, uid="u", resource_version="9", tooling="kubectl/v1.36.3", kinds=frozenset({"ConfigMap"})
)


def _said(body: bytes) -> tuple[dict[str, str], Any]:
    """Return annotations by the name behind the slash, and all of the metadata, which is bound to what was read."""
    metadata = json.loads(body)["metadata"]
    assert {"name", "namespace", "uid", "resourceVersion"} <= metadata.keys()
    return {key.partition("/")[2]: value for key, value in metadata.get("annotations", {}).items()}, metadata


def test_kubectl_gets_what_it_reads_and_nothing_of_ours() -> None:
    """The tooling is kubectl's, kinds that are not served are left out, and the id is there."""
    notes, metadata = _said(handovers.given("pos", "shop", OURS, frozenset({"ConfigMap"})))
    assert notes.keys() == SHARED
    assert (notes["tooling"], notes["contains-group-kinds"]) == ("kubectl/v1.27.0", "ConfigMap")
    assert metadata["labels"] == {applysets.ID: applysets.set_id("pos", "shop")}


def test_a_version_of_kubectl_that_is_there_stays() -> None:
    """Given once more, a parent that kubectl has written since is as it was."""
    notes, _ = _said(handovers.given("pos", "shop", THEIRS, THEIRS.kinds))
    assert notes["tooling"] == "kubectl/v1.36.3"


def test_we_keep_who_it_was() -> None:
    """What is left of ours neither claims a release nor shares a note with kubectl."""
    notes, metadata = _said(handovers.kept("pos", "shop", OURS))
    assert notes == {"previous": DIGEST, "project": "shops", "site": "s1"}
    assert "labels" not in metadata


@pytest.mark.parametrize(("release", "previous"), [(DIGEST, DIGEST), (None, OLDER)])
def test_what_is_adopted_was_never_verified(release: str | None, previous: str) -> None:
    """No ``release`` is left, so that the next visit applies in full; the last one stays as the way back."""
    parent = answers.Partial("v1", "Secret", answers.Meta("pos", "shop", "u", "9"))
    notes, _ = _said(handovers.taken("pos", "shop", applysets.read(parent), "shops", "s1"))
    assert notes.keys() == SHARED | {"project", "site"}
    marked = applysets.Parent(
        exists=True, tooling="kubectl/v1", release=release, previous=OLDER, uid="u", resource_version="9"
    )
    notes, _ = _said(handovers.taken("pos", "shop", marked, "shops", "s1"))
    assert (notes.get("release"), notes["previous"]) == (None, previous)
    assert notes["tooling"].startswith("fleetctl/")


def test_letting_go_says_nothing() -> None:
    """No label and no annotation: whatever the manager had written is given up."""
    notes, metadata = _said(handovers.let_go("pos", "shop", THEIRS))
    assert notes == {}
    assert "labels" not in metadata
