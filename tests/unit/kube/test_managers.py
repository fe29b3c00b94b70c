"""The manager of a field is found in the managed fields, never in a message."""

import hypothesis
import msgspec
import pytest
from hypothesis import strategies

from fleetctl.kube import managers

BODY = msgspec.json.encode(
    {
        "metadata": {
            "managedFields": [
                {
                    "manager": "kubectl",
                    "fieldsV1": {
                        "f:spec": {
                            "f:replicas": {},
                            "f:template": {
                                "f:spec": {
                                    "f:containers": {'k:{"name":"gateway"}': {"f:image": {}, ".": {}}},
                                }
                            },
                        }
                    },
                },
                {
                    "manager": "hpa",
                    "fieldsV1": {
                        "f:metadata": {"f:finalizers": {'v:"a/b"': {}}, "f:annotations": {"f:example.com/note": {}}},
                        "f:data": {"f:app": {}, "f:app.yaml": {}},
                        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {}}},
                    },
                },
            ]
        }
    }
)


@pytest.mark.parametrize(
    ("field", "manager"),
    [
        (".spec.replicas", "kubectl"),
        ('.spec.template.spec.containers[name="gateway"].image', "kubectl"),
        ('.spec.template.spec.containers[name="gateway"]', "kubectl"),
        ('.spec.ports[port=80,protocol="TCP"]', "hpa"),
        ('.metadata.finalizers[="a/b"]', "hpa"),
        (".metadata.annotations.example.com/note", "hpa"),
        (".data.app.yaml", "hpa"),
        (".data.app", "hpa"),
        (".data.app.yam", None),
        (".data.ap", None),
        (".spec.paused", None),
        ('.spec.template.spec.containers[name="other"].image', None),
        (".spec.replicas.deeper", None),
    ],
)
def test_managers_are_found(field: str, manager: str | None) -> None:
    """A field as a conflict's cause names it leads to the entry that holds it."""
    assert managers.owners_of(managers.entries(BODY), (field,)) == ({field: (manager,)} if manager else {})


def test_a_field_of_several_is_told_with_all() -> None:
    """A field that two managers share would be taken from both; our own name is not one of them."""
    entry: dict[str, object] = {"fieldsV1": {"f:data": {"f:x": {}}}}
    names = ("a", "fleetctl:shop", "b", "a")
    body = msgspec.json.encode({"metadata": {"managedFields": [{"manager": name, **entry} for name in names]}})
    assert managers.owners_of(managers.entries(body), (".data.x",), "fleetctl:shop") == {".data.x": ("a", "b")}
    assert managers.owners_of(managers.entries(body), (".data.x",), "b") == {".data.x": ("a", "fleetctl:shop")}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"metadata":{"managedFields":[{"fieldsV1":7}]}}'])
def test_nothing_is_found_in_nothing(body: bytes) -> None:
    """An object without managed fields, or none at all, names nobody."""
    assert managers.owners_of(managers.entries(body), (".spec.replicas", "", "[[", "..")) == {}


@hypothesis.given(strategies.binary(), strategies.text())
def test_foreign_text_never_breaks_it(body: bytes, field: str) -> None:
    """Body and field both come from a server: whatever they are, the answer is a map."""
    assert managers.owners_of(managers.entries(body), (field,)) == {}
    managers.owners_of(managers.entries(BODY), (field,))
