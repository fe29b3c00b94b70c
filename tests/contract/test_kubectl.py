"""What kubectl finds, prints and applies. Held against every target of conftest.py, so that a person may use both."""

import pytest

from tests.contract import talking

pytestmark = pytest.mark.kubebox  # for its kubectl


def test_kubectl_knows_kinds_by_their_short_names(kubectl: talking.Kubectl, place: talking.Place) -> None:
    """Every short name leads to its kind."""
    place.applied(talking.config_map("one", {"a": "b"}))
    place.applied(talking.deployment("web", replicas=0))
    names = kubectl("get", "cm,deploy,po,svc,sts,ds,rs,sa,ev,pvc,netpol,pdb,quota,limits", "-o", "name").split()
    assert {"configmap/one", "deployment.apps/web"} <= set(names)
    assert f"namespace/{place.namespace}" in kubectl("get", "ns,no,sc,pc", "-o", "name").split()


def test_kubectl_lists_what_is_served(kubectl: talking.Kubectl) -> None:
    """``api-resources`` reads discovery whole: short names, scopes, verbs and categories."""
    lines = kubectl("api-resources", "--no-headers", "--categories", "all").splitlines()
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in [line.split() for line in lines]
    assert "configmaps" in kubectl("api-resources", "--verbs", "list,delete", "-o", "name").splitlines()


def test_kubectl_prints_what_is_there(kubectl: talking.Kubectl, place: talking.Place) -> None:
    """A server may leave tables to kubectl, which then shows names and ages; paths into objects work everywhere."""
    uid = place.applied(talking.config_map("one", {"a": "b"}))["metadata"]["uid"]
    assert kubectl("get", "cm", "one", "-o", "wide").split()[0] == "NAME"
    assert kubectl("get", "cm", "one", "-o", "jsonpath={.metadata.uid}") == uid


def test_kubectl_applies_and_deletes(kubectl: talking.Kubectl, place: talking.Place) -> None:
    """Server-side apply, for show and in earnest, and a delete."""
    body = talking.deployment("web", replicas=0)
    options = ("apply", "--server-side", "--validate=false", "-f", "-")
    assert "serverside-applied (server dry run)" in kubectl(*options, "--dry-run=server", body=body)
    assert not place.listed("deployments")
    assert "serverside-applied" in kubectl(*options, body=body)
    assert place.get("deployments", "web")["spec"]["replicas"] == 0
    assert "deleted" in kubectl("delete", "deploy", "web", "--wait=false")


def test_kubectl_waits(kubectl: talking.Kubectl, place: talking.Place) -> None:
    """``wait`` and ``rollout status`` list, then watch."""
    place.applied(talking.deployment("web"))
    assert "condition met" in kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=30s")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=30s")
