"""The rights that docs/reference/cluster.md names are enough for a rollout, its failure and its undo."""

import pathlib
import re

import pytest
import yaml

from tests.architecture import sources
from tests.integration import shops
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

PAGE = sources.ROOT / "docs" / "reference" / "cluster.md"
ROLES = "/apis/rbac.authorization.k8s.io/v1/cluster"


@pytest.fixture
def shop(kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> shops.Shop:
    """A project on six clusters, reached as a user who may do what the page says."""
    made = shops.Shop(tmp_path, kubebox, "rights")
    text = re.search(r"```yaml\n(.*?kind: ClusterRole\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text, "the page has no ClusterRole"
    role = yaml.safe_load(text.group(1))
    name = role["metadata"]["name"]
    binding = {
        "apiVersion": role["apiVersion"],
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": clusters.GUEST}],
    }
    for site, cluster in made.sites.items():
        home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fleetctl-system"}}
        assert cluster.api().call("POST", "/api/v1/namespaces", home).status in {201, 409}
        for plural, body in (("roles", role), ("rolebindings", binding)):
            answer = cluster.api().call("POST", f"{ROLES}{plural}", body)
            assert answer.status in {201, 409}, answer.text
        made.access(site, token=cluster.guest_token)
    return made


def test_the_named_rights_are_enough(shop: shops.Shop) -> None:
    """A rollout, one that fails with evidence, its undo and a removal are refused nothing."""
    try:
        shop.release("1.0.0", *shops.standard())
        assert shop.start()["unguarded"] == 0
        shop.release("1.1.0", *shops.standard("app:1.1-missing")[1:])
        bad = shop.start(code=7)
        failed = shop.run("rollout", "status", "--failed", "-o", "name", code=7).out.split()
        assert "ImagePull" in shop.run("why", failed[0]).out
        shop.undo(bad["name"])
        shop.run("rollout", "remove", "app", "--all", "--yes", "--strategy", shop.quick)
    finally:
        shop.close()
        for cluster in shop.sites.values():
            for plural in ("roles", "rolebindings"):
                cluster.api().call("DELETE", f"{ROLES}{plural}/fleetctl")
