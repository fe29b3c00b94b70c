"""Custom kinds from definitions, and from what clusters say that they serve."""

import msgspec
import pytest

from fleetctl.openapi import customs

DEFINITION = {
    "spec": {
        "group": "shop.example",
        "scope": "Namespaced",
        "names": {"kind": "Till"},
        "versions": [
            {"name": "v1", "served": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
            {"name": "v1beta1", "served": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    }
}


def test_of_a_definition() -> None:
    """Served versions count, the others do not."""
    assert customs.of_definition(msgspec.json.encode(DEFINITION)) == customs.Custom(
        "shop.example", "Till", namespaced=True, schemas={"shop.example/v1": {"type": "object"}}
    )


@pytest.mark.parametrize("body", [b"{}", b'{"spec": {"group": 1}}', b"nothing"])
def test_of_no_definition(body: bytes) -> None:
    """What is not sound defines nothing; its own faults are told elsewhere."""
    assert customs.of_definition(body) is None


def test_of_a_document() -> None:
    """A document of /openapi/v3 tells kinds by the paths of their objects, and scopes too."""
    till = {"group": "shop.example", "version": "v1", "kind": "Till"}
    shop = {"group": "shop.example", "version": "v1", "kind": "Shop"}
    verbs = {"get": {"x-kubernetes-group-version-kind": till}}
    schema = {"type": "object", "x-kubernetes-group-version-kind": [till]}
    document = {
        "paths": {
            "/apis/shop.example/v1/": {"get": {}},
            "/apis/shop.example/v1/namespaces/{namespace}/tills": verbs,
            "/apis/shop.example/v1/namespaces/{namespace}/tills/{name}": verbs,
            "/apis/shop.example/v1/namespaces/{namespace}/tills/{name}/status": verbs,
            "/apis/shop.example/v1/shops/{name}": {"put": {"x-kubernetes-group-version-kind": shop}},
        },
        "components": {"schemas": {"x": schema}},
    }
    assert list(customs.of_document(document)) == [
        customs.Custom("shop.example", "Shop", namespaced=False, schemas={"shop.example/v1": {}}),
        customs.Custom("shop.example", "Till", namespaced=True, schemas={"shop.example/v1": schema}),
    ]
