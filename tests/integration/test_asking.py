"""What real clusters say to a plan: rights that a guest lacks, and a rollout that they rehearse."""

import json
import pathlib

import pytest

from tests.contract import talking
from tests.integration import shops
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox


@pytest.fixture
def shop(kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> shops.Shop:
    """A project on six clusters."""
    return shops.Shop(tmp_path, kubebox, "asking")


def test_a_plan_tells_what_a_guest_may_not_do(shop: shops.Shop) -> None:
    """One site's credential may read and nothing else; the others are told nothing of."""
    role = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-reader"}
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
    site, cluster = next(iter(shop.sites.items()))
    api = cluster.api()
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "cluster-reader"}}
    api.call("POST", role.replace("bindings", "s"), {**head, "kind": "ClusterRole", "rules": [rule]})
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": clusters.GUEST}]
    api.call("POST", role, {**head, "kind": "ClusterRoleBinding", "roleRef": ref, "subjects": subjects})
    try:
        shop.access(site, token=cluster.guest_token)
        shop.release("1.0.0", *shops.standard())
        (lack,) = json.loads(shop.run("rollout", "plan", "app", "--all", "-o", "json").out)["rights"]
        assert lack["sites"] == [site]
        told = {one["resource"]: one["verbs"] for one in lack["missing"] if one["purpose"] == "visit"}
        assert told["deployments.apps"] == told["configmaps"] == told["secrets"] == ["create", "patch"]
        assert "pods" not in told
    finally:
        shop.close()
        for path in (role, role.replace("bindings", "s")):
            api.call("DELETE", f"{path}/cluster-reader")


def test_servers_rehearse_a_rollout(shop: shops.Shop) -> None:
    """What validation refuses and what somebody else has is told; nothing is changed."""
    try:
        shop.release("1.0.0", *shops.standard())
        shop.start()
        web = talking.deployment("web", "app:1.0", replicas=2)
        web["spec"]["selector"]["matchLabels"]["app"] = web["spec"]["template"]["metadata"]["labels"]["app"] = "other"
        greeting = talking.config_map("greeting", {"text": "hello"})
        rest = [one for one in shops.standard() if one["metadata"]["name"] not in {"web", "greeting"}]
        service = shops.standard()[2]
        shop.release("1.1.0", greeting, service, web, *rest, talking.config_map("new", {"a": "b"}))
        done = shop.run("rollout", "plan", "app", "--all", "--dry-run", "server", "-o", "json", code=6)
        (group,) = json.loads(done.out)["dryRun"]["groups"]
        assert len(group["sites"]) == len(shop.sites)
        assert (group["created"], group["configured"], group["unchanged"]) == (1, 1, 4)  # with its Namespace
        (refused,) = group["refused"]
        assert refused["object"].startswith("Deployment ")
        assert "field is immutable" in refused["details"]
    finally:
        shop.close()
