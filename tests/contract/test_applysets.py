"""What kubectl, of the API server's own minor, makes of a set's parent. Held against every target of conftest.py."""

import base64
import hashlib

import pytest

from tests.contract import talking

pytestmark = pytest.mark.kubebox  # for its kubectl

_PREFIX = "applyset.kubernetes.io"
# The simulation has no documents about its kinds and checks objects itself, so kubectl is told not to.
_APPLY = ("apply", "--server-side", "--validate=false", "--prune", "--applyset=app", "-f", "-")


def _set_id(place: talking.Place) -> str:
    """Return the id of the set ``app``, as KEP-3659 says."""
    hashed = hashlib.sha256(f"app.{place.namespace}.Secret.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(hashed).decode().rstrip('=')}-v1"


def _lay_out(place: talking.Place, tooling: str) -> None:
    """Apply a set of two ConfigMaps and its parent, which says whose it is."""
    notes = {
        f"{_PREFIX}/tooling": tooling,
        f"{_PREFIX}/contains-group-kinds": "ConfigMap,Service",
        f"{_PREFIX}/additional-namespaces": "",
        "fleetctl.dev/release": "r1:abc",
    }
    meta = {"name": "app", "labels": {f"{_PREFIX}/id": _set_id(place)}, "annotations": notes}
    place.applied({"apiVersion": "v1", "kind": "Secret", "metadata": meta}, "fleetctl-applyset")
    for name in ("kept", "dropped"):
        labels = {f"{_PREFIX}/part-of": _set_id(place)}
        place.applied(talking.config_map(name, {"a": "1"}, labels=labels), "fleetctl:app")


def _names(place: talking.Place) -> set[str]:
    return {one["metadata"]["name"] for one in place.listed("configmaps")} & {"kept", "dropped"}


def test_kubectl_refuses_our_parent(place: talking.Place, kubectl: talking.Kubectl) -> None:
    """A parent that says it is ours is left alone, and so is all of its set."""
    _lay_out(place, "fleetctl/v1.0.0")
    said = kubectl(*_APPLY, body=talking.config_map("kept", {"a": "1"}), code=1)
    assert 'is managed by tooling "fleetctl" instead of "kubectl"' in said
    assert _names(place) == {"kept", "dropped"}


def test_kubectl_takes_what_says_it_is_its(place: talking.Place, kubectl: talking.Kubectl) -> None:
    """With its tooling it prunes what it was not given and narrows the kinds; what else we wrote there stays."""
    _lay_out(place, "kubectl/v1.36.0")
    assert "configmap/dropped pruned" in kubectl(*_APPLY, body=talking.config_map("kept", {"a": "1"}))
    assert _names(place) == {"kept"}
    notes = place.get("secrets", "app")["metadata"]["annotations"]
    assert notes[f"{_PREFIX}/contains-group-kinds"] == "ConfigMap"
    assert notes["fleetctl.dev/release"] == "r1:abc"
