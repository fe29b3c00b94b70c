"""Releases as one stream: ``fleetctl render --out -``."""

import io
import json

import pytest
import yaml

from fleetctl.model import objects, releases, values
from fleetctl.reports import manifests


def _object(name: str) -> releases.RenderedObject:
    body: values.Vars = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "pos"},
        "data": {"a": "NO"},
    }
    return releases.RenderedObject(objects.ObjectId("", "ConfigMap", "pos", name), objects.canonical(body), "x.yaml.j2")


RELEASES = [
    releases.Release("store-00001", "retail-pos", "1.2.0", "r1:a", (_object("one"), _object("two"))),
    releases.Release("store-00002", "retail-pos", "1.2.0", "r1:b", (_object("one"),)),
]


def _written(style: str) -> str:
    out = io.StringIO()
    manifests.write(RELEASES, style, out)
    return out.getvalue()


@pytest.mark.parametrize("style", ["yaml", "kyaml"])
def test_documents_read_back(style: str) -> None:
    """Every object is a document, in order, with its text unchanged."""
    read = list(yaml.safe_load_all(_written(style)))
    assert [(one["metadata"]["name"], one["data"]["a"]) for one in read] == [
        ("one", "NO"),
        ("two", "NO"),
        ("one", "NO"),
    ]


@pytest.mark.parametrize("style", ["yaml", "kyaml"])
def test_documents_say_whose_they_are(style: str) -> None:
    """Site, bundle, version and object stand in a comment above each."""
    heads = [line for line in _written(style).splitlines() if line.startswith("#")]
    assert heads[0].startswith("# store-00001  retail-pos 1.2.0  ")
    assert [head.split()[1] for head in heads] == ["store-00001", "store-00001", "store-00002"]


def test_json_is_an_object_a_line() -> None:
    """For ``jq`` and for ``kubectl apply -f -``."""
    assert [json.loads(line)["metadata"]["name"] for line in _written("json").splitlines()] == ["one", "two", "one"]


def test_nothing_is_nothing() -> None:
    """No release, no byte."""
    out = io.StringIO()
    manifests.write([], "yaml", out)
    assert out.getvalue() == ""
