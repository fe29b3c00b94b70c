"""Our label selectors beside those of a real kube-apiserver: the same texts are refused, the same labels match."""

import random
import urllib.parse

import pytest

from fleetctl.model import selectors
from tests.contract import plainhttp
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

_LABELS: dict[str, dict[str, str]] = {
    "none": {},
    "prod": {"env": "prod", "ring": "1", "hw": "rpi4"},
    "dev": {"env": "dev", "ring": "2", "example.com/tier": "a"},
    "empty": {"env": "", "in": "notin", "notin": "in"},
    "numbers": {"ring": "5", "hw": "007", "env": "10"},
    "large": {"ring": "9223372036854775807", "hw": "1.5", "env": "in"},
    "text": {"ring": "two", "exists": "x", "env": "a.b_c-d"},
}
_KEYS = ("env", "ring", "hw", "in", "notin", "exists", "example.com/tier", "nope")
_VALUES = ("prod", "dev", "", "1", "2", "-7", "007", "10", "in", "notin", "a", "two", "a.b_c-d", "9223372036854775808")
_OPERATORS = ("=", "==", "!=", "!=", ">", "<", " in ", " in ", " notin ", " notin ", "", "!", "!")
_ODDITIES = (
    *("(", ")", ",", "!", "=", "==", "!=", "<", ">", " ", "\t", "\n", "in", "notin", "&", "'", '"', "/", ".", "-", "_"),
    *("env", "prod", "é", "$", "a/b/c", "-x", "x-", "A" * 64, "a" * 63, "+1", "0x1", "1e3", "~", "^", "exists", "(a)"),
)


def _requirement(draw: random.Random) -> str:
    key, operator = draw.choice(_KEYS), draw.choice(_OPERATORS)
    if operator == "!":
        return f"!{draw.choice(['', ' '])}{key}"
    if operator in {" in ", " notin "}:
        return f"{key}{operator}({','.join(draw.choices(_VALUES, k=draw.randint(0, 3)))})"
    return f"{key}{operator}{draw.choice(_VALUES) if operator else ''}"


def _texts(count: int) -> list[str]:
    """Make selectors, selectors with one thing wrong, and soup; the same ones every time."""
    draw = random.Random(20261128)  # noqa: S311  # texts, not secrets
    made: list[str] = []
    while len(made) < count:
        text = draw.choice([",", " , "]).join(_requirement(draw) for _ in range(draw.choice((1, 1, 2, 3))))
        kind = len(made) % 6
        if kind in {3, 4}:
            at = draw.randrange(len(text) + 1)
            text = text[:at] + draw.choice(_ODDITIES) + text[at + draw.randint(0, 1) :]
        elif kind == 5:
            text = "".join(draw.choices(_ODDITIES, k=draw.randint(1, 6)))
        made.append(text)
    return made


def _ours(text: str) -> set[str] | None:
    try:
        selector = selectors.parse(text)
    except selectors.SelectorError:
        return None
    return {name for name, labels in _LABELS.items() if selector.matches(labels)}


def _theirs(api: plainhttp.Api, namespace: str, text: str) -> set[str] | None:
    answer = api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector={urllib.parse.quote(text)}")
    if answer.status == 400:
        return None
    assert answer.status == 200, answer.text
    return {item["metadata"]["name"] for item in answer.json["items"]} & _LABELS.keys()


def test_selectors_mean_what_the_api_server_means(kubebox: clusters.Fleet) -> None:
    """Of a few hundred texts the same are refused, and the others find the same objects."""
    api, namespace = kubebox.clusters(1)[0].api(), "selectors"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    path = f"/api/v1/namespaces/{namespace}"
    assert api.call("PATCH", f"{path}?fieldManager=test", body, content=plainhttp.APPLY).status in {200, 201}
    for name, labels in _LABELS.items():
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        answer = api.call("PATCH", f"{path}/configmaps/{name}?fieldManager=test", body, content=plainhttp.APPLY)
        assert answer.status in {200, 201}, answer.text
    texts = _texts(450)
    expected = {text: _theirs(api, namespace, text) for text in texts}
    assert {text: _ours(text) for text in expected} == expected
    refused = sum(found is None for found in expected.values())
    matching = sum(bool(found) for found in expected.values())
    assert min(refused, matching) > len(expected) // 6  # the texts try both
