"""The cache of what clusters serve: read where it is sound, unknown where it is not."""

import json
import pathlib

import pytest

from fleetctl.openapi import learned

DOCUMENT = {
    "paths": {
        "/apis/shop.example/v1/tills/{name}": {
            "get": {"x-kubernetes-group-version-kind": {"group": "shop.example", "version": "v1", "kind": "Till"}}
        }
    }
}
SITES = {
    "apiVersion": "fleetctl.dev/v1alpha1",
    "kind": "ServedDefinitions",
    "sites": {"s1": {"apis/shop.example/v1": "0A"}},
}


def _cache(root: pathlib.Path, files: dict[str, object]) -> learned.Learned:
    folder = root / learned.FOLDER
    folder.mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return learned.Learned(root)


def test_kinds_of_a_site(tmp_path: pathlib.Path) -> None:
    """A site's kinds are those of the documents that its cluster serves."""
    cache = _cache(tmp_path, {"sites.json": SITES, "0A.json": DOCUMENT})
    assert cache.paths("s1") == (("apis/shop.example/v1", "0A"),)
    assert [one.kind for one in cache.kinds("shop.example", cache.paths("s1"))] == ["Till"]
    assert cache.kinds("shop", cache.paths("s1")) == []
    assert cache.paths("s2") == ()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"sites.json": "{"}, id="no JSON"),
        pytest.param({"sites.json": {**SITES, "kind": "Other"}}, id="another kind"),
        pytest.param({"sites.json": SITES}, id="no document"),
        pytest.param({"sites.json": SITES, "0A.json": "[1]"}, id="no map"),
        pytest.param({"sites.json": SITES, "0A.json": {"paths": {"/a/{name}": {"get": 1}}}}, id="no OpenAPI"),
        pytest.param({"sites.json": {**SITES, "sites": {"s1": {"apis/shop.example/v1": "../x"}}}}, id="a path"),
    ],
)
def test_what_is_damaged_is_not_known(tmp_path: pathlib.Path, files: dict[str, object]) -> None:
    """A cache that is missing or damaged knows nothing, and nothing fails."""
    (tmp_path / ".fleetctl" / "cache").mkdir(parents=True)
    (tmp_path / ".fleetctl" / "cache" / "x.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    cache = _cache(tmp_path, files)
    assert cache.kinds("shop.example", cache.paths("s1")) == []
