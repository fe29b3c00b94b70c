"""Where placeholders may stand in an object."""

from typing import Any

import pytest

from fleetctl.model import codes, placeholders, secretrefs
from fleetctl.rendering import lints, secrecy

A = secretrefs.Reference("env", "A")
RAW, B64, JSON, HASH = (placeholders.text(A, form) for form in ("secret", "base64", "json", "hash"))
ENCODING, OUTSIDE = codes.Code.OBJECT_SECRET_ENCODING, codes.Code.OBJECT_SECRET_OUTSIDE


def _secret(**contents: Any) -> dict[str, Any]:  # noqa: ANN401  # what a template may make
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **contents}


@pytest.mark.parametrize(
    "contents",
    [
        {"data": {"a": B64}},
        {"stringData": {"a": RAW, "b": f"x{RAW}y{RAW}", "c": B64, "d": JSON, "e": f'{{"a": "{JSON}"}}'}},
        {"stringData": {"a": f"{HASH} {RAW}"}, "metadata": {"name": "s", "annotations": {"a": HASH}}},
    ],
)
def test_what_is_fine(contents: dict[str, Any]) -> None:
    """Secrets in the contents of a Secret; hashes in annotations."""
    assert lints.check(_secret(**contents), allow_literal=False) == []


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        ({"data": {"a": RAW}}, ENCODING),
        ({"data": {"a": JSON}}, ENCODING),
        ({"data": {"a": B64 + B64}}, ENCODING),
        ({"data": {"a": f"x{B64}"}}, ENCODING),
        ({"stringData": {"a": f"x{JSON}"}}, ENCODING),
        ({"stringData": {"a": f'"{JSON}'}}, ENCODING),
        ({"stringData": {"a": RAW[:-1] + RAW}}, ENCODING),
        ({"stringData": {"a": {"b": RAW}}}, OUTSIDE),
        ({"stringData": {RAW: RAW}}, OUTSIDE),
        ({"type": RAW}, OUTSIDE),
        ({"metadata": {"name": RAW}}, OUTSIDE),
        ({"metadata": {"name": HASH}}, OUTSIDE),
        ({"metadata": {"name": "s", "labels": {HASH: "a"}}}, OUTSIDE),
        ({"kind": "ConfigMap", "data": {"a": B64}}, OUTSIDE),
        ({"apiVersion": "example.com/v1", "stringData": {"a": RAW}}, OUTSIDE),
        ({"kind": "ConfigMap", "data": {"list": [{"a": RAW}]}}, OUTSIDE),
    ],
)
def test_what_is_not(contents: dict[str, Any], code: codes.Code) -> None:
    """Everywhere else, and in forms that would not arrive as the value."""
    assert [found for _, found, _ in secrecy.faults(_secret(**contents))] == [code]


def test_literals_beside_secrets_are_named() -> None:
    """In a Secret that holds references, each value without one is a fault, also one of nothing but a hash."""
    data = _secret(data={"a": B64, "b": "eA=="}, stringData={"c": f"x{RAW}", "d": "x", "e": HASH, "f": 1})
    found = lints.check(data, allow_literal=False)
    assert [(field, code) for field, code, _ in found] == [
        (field, codes.Code.OBJECT_LITERAL_SECRET)
        for field in (("data", "b"), ("stringData", "d"), ("stringData", "e"), ("stringData", "f"))
    ]
    assert lints.check(data, allow_literal=True) == []
