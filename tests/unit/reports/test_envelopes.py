"""What machines read: the shape of every result is pinned here, because scripts rely on it."""

import io
import json
from typing import Any

import pytest
import yaml

from fleetctl.inventory import explaining
from fleetctl.model import codes, objects, problems, releases, sites, values
from fleetctl.reports import envelopes

MARK = problems.Mark("inventory/a.yaml", 3, 7)
SITE = sites.Site(
    "store-00412",
    labels={"env": "prod"},
    nodes=(
        sites.Node("n0", "10.0.0.1", taints=(sites.Taint("edge", "NoSchedule"),), vars={"a": 1}),
        sites.Node("n1", "10.0.0.2", role="agent", vars={"a": 2}),
    ),
    bundles={"retail-pos": {}},
    window=sites.Window("0 1 * * *", "4h"),
    vars={"a": 1},
)
NODE = {"address": "10.0.0.1", "arch": "amd64", "labels": {}, "name": "n0", "role": "server", "taints": []}
TAINT = {"key": "edge", "effect": "NoSchedule", "value": ""}
SHOWN: dict[str, Any] = {
    "name": "store-00412",
    "state": "active",
    "labels": {"env": "prod"},
    "location": {"lat": None, "lon": None, "timezone": "UTC"},
    "nodes": [
        {**NODE, "taints": [TAINT]},
        {**NODE, "address": "10.0.0.2", "name": "n1", "role": "agent", "vars": {"a": 2}},
    ],
    "access": {
        "ssh": {"user": None, "port": 22, "jump": None, "hostKey": None},
        "kube": {"via": "direct", "proxy": None, "kubeconfig": None},
    },
    "cluster": {"distribution": "k3s", "version": None, "hardening": None, "config": {}, "endpoint": None},
    "bundles": {"retail-pos": {}},
    "window": {"cron": "0 1 * * *", "duration": "4h"},
    "vars": {"a": 1},
}

OBJECT = releases.RenderedObject(objects.ObjectId("", "ConfigMap", "pos", "x"), b"{}", "x.yaml.j2")
EXPLANATION = explaining.Explanation(
    ("vars", "a"),
    values.UNSET,
    (
        explaining.Contribution("removes", values.UNSET, MARK, "site store-00412", counts=True),
        explaining.Contribution("sets", 1, problems.Mark("d.yaml", 2, 1), "defaults", counts=False),
    ),
)

SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "SiteList": (envelopes.site_list([SITE]), {"items": [SHOWN]}),
    "Site": (envelopes.one_site(SITE), SHOWN),
    "ProblemList": (
        envelopes.problem_list(
            [problems.Problem(codes.Code.YAML_SYNTAX, "wrong", MARK, ("sites", 0, "a.b"), ("a: [",))],
        ),
        {
            "items": [
                {
                    "code": "yaml/syntax",
                    "path": "inventory/a.yaml",
                    "line": 3,
                    "column": 7,
                    "field": 'sites[0]["a.b"]',
                    "message": "wrong",
                    "notes": ["a: ["],
                }
            ]
        },
    ),
    "ReleaseList": (
        envelopes.release_list(
            [releases.Release("store-00412", "retail-pos", "1.2.0", "r1:abc", (OBJECT, OBJECT))],
            releases.Limits((releases.Unchecked("a/v1", "B", 2, 1, "s"),), (releases.Nearest("1.30", "1.34", 1, "s"),)),
        ),
        {
            "items": [
                {
                    "name": "store-00412/retail-pos",
                    "site": "store-00412",
                    "bundle": "retail-pos",
                    "version": "1.2.0",
                    "digest": "r1:abc",
                    "objects": 2,
                }
            ],
            "unchecked": [{"apiVersion": "a/v1", "kind": "B", "objects": 2, "sites": 1, "example": "s"}],
            "nearestVersions": [{"stated": "1.30", "taken": "1.34", "sites": 1, "example": "s"}],
        },
    ),
    "ExplanationList": (
        envelopes.explanation_list("store-00412", [EXPLANATION], {("vars", "a"): [problems.Mark("t.j2", 4)]}),
        {
            "site": "store-00412",
            "items": [
                {
                    "name": "vars.a",
                    "value": None,
                    "layers": [
                        {
                            "verb": "removes",
                            "value": None,
                            "layer": "site store-00412",
                            "place": "inventory/a.yaml:3:7",
                            "counts": True,
                        },
                        {"verb": "sets", "value": 1, "layer": "defaults", "place": "d.yaml:2:1", "counts": False},
                    ],
                    "usedBy": ["t.j2:4"],
                }
            ],
        },
    ),
}
_each = pytest.mark.parametrize("kind", list(SHAPES))


def _written(envelope: dict[str, Any], style: str) -> str:
    out = io.StringIO()
    envelopes.write(envelope, style, out)
    return out.getvalue()


@_each
def test_the_shape(kind: str) -> None:
    """``apiVersion`` and ``kind`` first, then what the result holds, key by key."""
    made, expected = SHAPES[kind]
    assert made == {"apiVersion": "fleetctl.dev/v1alpha1", "kind": kind, **expected}
    assert list(made)[:2] == ["apiVersion", "kind"]


@_each
@pytest.mark.parametrize("style", ["json", "yaml"])
def test_documents_read_back(kind: str, style: str) -> None:
    """JSON and YAML hold the same."""
    text = _written(SHAPES[kind][0], style)
    read = json.loads(text) if style == "json" else yaml.safe_load(text)
    assert read == json.loads(json.dumps(SHAPES[kind][0]))
    assert text.endswith("\n")


@_each
def test_json_lines_read_back(kind: str) -> None:
    """One item a line; a result that is no list is its own line."""
    made = json.loads(json.dumps(SHAPES[kind][0]))
    lines = _written(SHAPES[kind][0], "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == made.get("items", [made])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("SiteList", "store-00412"),
        ("Site", "store-00412"),
        ("ProblemList", "yaml/syntax"),
        ("ReleaseList", "store-00412/retail-pos"),
        ("ExplanationList", "vars.a"),
    ],
)
def test_names(kind: str, name: str) -> None:
    """One name a line and nothing else, for ``xargs`` and ``--site -``."""
    assert _written(SHAPES[kind][0], "name") == f"{name}\n"


def test_names_of_many_sites_need_no_envelope() -> None:
    """The short way writes the same."""
    out = io.StringIO()
    envelopes.write_names([SITE.name, SITE.name], out)
    assert out.getvalue() == _written(envelopes.site_list([SITE, SITE]), "name")


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("json", '{\n  "apiVersion": "fleetctl.dev/v1alpha1",\n  "kind": "SiteList",\n  "items": []\n}\n'),
        ("yaml", "apiVersion: fleetctl.dev/v1alpha1\nkind: SiteList\nitems: []\n"),
        ("jsonl", ""),
        ("name", ""),
    ],
)
def test_nothing_is_an_empty_list(style: str, expected: str) -> None:
    """A script that reads the result needs no case of its own for none."""
    assert _written(envelopes.site_list([]), style) == expected


def test_every_style_is_known() -> None:
    """What ``-o`` hands over to this room."""
    assert {"json", "jsonl", "name", "yaml"} == envelopes.FORMATS


def test_a_problem_without_a_place_has_nulls() -> None:
    """Keys never come and go."""
    item = json.loads(_written(envelopes.problem_list([problems.Problem(codes.Code.USAGE, "wrong")]), "jsonl"))
    assert (item["path"], item["line"], item["column"], item["field"], item["notes"]) == (None, None, None, "", [])


def test_bytes_in_a_file_name_can_be_written() -> None:
    """A name that is not UTF-8 becomes escapes instead of a crash."""
    found = [problems.Problem(codes.Code.USAGE, "in s\udcff.yaml", problems.Mark("s\udcff.yaml"), (), ("s\udcff",))]
    item = json.loads(_written(envelopes.problem_list(found), "jsonl"))
    assert (item["path"], item["message"], item["notes"]) == ("s\\udcff.yaml", "in s\\udcff.yaml", ["s\\udcff"])


@pytest.mark.parametrize("style", ["json", "yaml", "jsonl"])
def test_text_that_looks_like_something_else_stays_text(style: str) -> None:
    """Norway, versions, octal numbers, controls and other scripts come back as they were."""
    texts = [
        "NO",
        "1.10",
        "0644",
        "null",
        "~",
        "12:30",
        "a: b",
        "# x",
        "\x1b[31m",
        "Tromsø ☃",
        "\u2028",
        "two\nlines",
        "",
    ]
    site = sites.Site("a", vars={"texts": list(texts)})
    text = _written(envelopes.one_site(site), style)
    read = yaml.safe_load(text) if style == "yaml" else json.loads(text)
    assert read["vars"]["texts"] == texts
