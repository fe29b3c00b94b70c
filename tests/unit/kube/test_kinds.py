"""Kinds lead to REST paths: Kubernetes' own by a table, all others as the cluster says at that moment."""

import asyncio

import msgspec
import pytest

from fleetctl.kube import answers, kinds
from fleetctl.model import objects

STATELESS = {"Shop"}
"""Kinds without a status."""


class Cluster:
    """Serves what it is told to, and counts what it is asked."""

    def __init__(self, **groups: dict[str, dict[str, tuple[str, bool]]]) -> None:
        """Take versions by group, each with plural and scope by kind; the first version is the preferred one."""
        self.groups = {name.replace("_", "."): versions for name, versions in groups.items()}
        self.asked: list[str] = []

    async def get_raw(self, path: str) -> bytes:
        """Answer discovery as an API server does."""
        self.asked.append(path)
        group, _, version = path.removeprefix("/apis/").partition("/")
        versions = self.groups.get(group)
        if versions is None or (version and version not in versions):
            raise answers.Failure("missing", "NotFound", "not there", status=404)
        if version:
            served = [
                {"name": plural, "kind": kind, "namespaced": scope}
                for kind, (plural, scope) in versions[version].items()
            ]
            served += [{**one, "name": f"{one['name']}/status"} for one in served if one["kind"] not in STATELESS]
            return msgspec.json.encode({"kind": "APIResourceList", "resources": served})
        named = [{"groupVersion": f"{group}/{one}", "version": one} for one in versions]
        return msgspec.json.encode({"kind": "APIGroup", "versions": named[::-1], "preferredVersion": named[0]})


def _path(cluster: Cluster, one: objects.ObjectId, api_version: str) -> str:
    return asyncio.run(kinds.Resources(cluster).path(one, api_version))


@pytest.mark.parametrize(
    ("api_version", "kind", "namespace", "path"),
    [
        ("v1", "Secret", "shop", "/api/v1/namespaces/shop/secrets/a"),
        ("v1", "Namespace", "", "/api/v1/namespaces/a"),
        ("v1", "Endpoints", "shop", "/api/v1/namespaces/shop/endpoints/a"),
        ("apps/v1", "Deployment", "shop", "/apis/apps/v1/namespaces/shop/deployments/a"),
        ("networking.k8s.io/v1", "Ingress", "shop", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a"),
        ("networking.k8s.io/v1", "NetworkPolicy", "s", "/apis/networking.k8s.io/v1/namespaces/s/networkpolicies/a"),
        ("storage.k8s.io/v1", "StorageClass", "", "/apis/storage.k8s.io/v1/storageclasses/a"),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "s",
            "/apis/autoscaling/v2/namespaces/s/horizontalpodautoscalers/a",
        ),
        ("storage.k8s.io/v1beta1", "CSIDriver", "", "/apis/storage.k8s.io/v1beta1/csidrivers/a"),
    ],
)
def test_kubernetes_own_kinds_need_no_question(api_version: str, kind: str, namespace: str, path: str) -> None:
    """The path of a built-in kind is known, in the version that the object has."""
    cluster = Cluster()
    one = objects.ObjectId(objects.group_of(api_version), kind, namespace, "a")
    assert _path(cluster, one, api_version) == path
    assert cluster.asked == []


def test_names_cannot_leave_their_place() -> None:
    """A name is one step of a path, whatever a cluster calls its objects."""
    resource = kinds.Resource("v1", "Secret", "secrets", namespaced=True)
    assert (
        resource.path("shop", "../x?y=z#\u00e4 \n") == "/api/v1/namespaces/shop/secrets/..%2Fx%3Fy%3Dz%23%C3%A4%20%0A"
    )
    assert resource.path("a/b", "system:x") == "/api/v1/namespaces/a%2Fb/secrets/system:x"
    assert resource.collection() == "/api/v1/secrets"


def test_others_are_asked_for_once() -> None:
    """A custom kind's plural and scope are what the cluster says, once for each version."""
    cluster = Cluster(example_com={"v1": {"Till": ("tills", True), "Shop": ("shops", False)}})
    served = kinds.Resources(cluster)

    async def ask() -> list[str]:
        tills = [objects.ObjectId("example.com", "Till", "s", name) for name in "ab"]
        found = [await served.path(one, "example.com/v1") for one in tills]
        return [*found, await served.path(objects.ObjectId("example.com", "Shop", "", "c"), "example.com/v1")]

    assert asyncio.run(ask()) == [
        "/apis/example.com/v1/namespaces/s/tills/a",
        "/apis/example.com/v1/namespaces/s/tills/b",
        "/apis/example.com/v1/shops/c",
    ]
    assert cluster.asked == ["/apis/example.com/v1"]


def test_a_kind_may_have_no_status() -> None:
    """Where discovery knows no ``shops/status``, nobody will say how a Shop is; built-in kinds are not asked about."""
    cluster = Cluster(example_com={"v1": {"Till": ("tills", True), "Shop": ("shops", False)}})

    async def ask() -> list[bool | None]:
        served = kinds.Resources(cluster)
        wanted = [
            ("example.com", "Till", "example.com/v1"),
            ("example.com", "Shop", "example.com/v1"),
            ("", "Secret", "v1"),
        ]
        found = [await served.of(*one) for one in wanted]
        return [one.has_status if one else None for one in found]

    assert asyncio.run(ask()) == [True, False, True]


def test_a_kind_may_come_during_the_visit() -> None:
    """That a kind was not served is not kept: its definition may be applied a moment later."""
    cluster = Cluster()
    served = kinds.Resources(cluster)
    one = objects.ObjectId("example.com", "Till", "s", "a")

    async def ask() -> str:
        with pytest.raises(answers.Failure) as caught:
            await served.path(one, "example.com/v1")
        assert (caught.value.kind, caught.value.reason) == ("missing", "KindNotServed")
        cluster.groups["example.com"] = {"v1": {"Shop": ("shops", False)}}
        assert await served.of("example.com", "Till") is None
        cluster.groups["example.com"]["v1"]["Till"] = ("tills", True)
        assert await served.of("example.com", "Till") is not None
        return await served.path(one, "example.com/v1")

    assert asyncio.run(ask()) == "/apis/example.com/v1/namespaces/s/tills/a"


def test_a_kind_may_be_served_in_another_version_than_its_group_prefers() -> None:
    """Gateway API has kinds in v1 and kinds in v1alpha2 only: a prune must not miss the latter."""
    versions = {"v1": {"HTTPRoute": ("httproutes", True)}, "v1alpha2": {"TCPRoute": ("tcproutes", True)}}
    served = kinds.Resources(Cluster(gateway_networking_k8s_io=versions))

    async def ask() -> list[str]:
        found = await served.collections("TCPRoute.gateway.networking.k8s.io", {"b", "a"})
        found += await served.collections("HTTPRoute.gateway.networking.k8s.io", {"a"})
        return [one.path for one in found]

    root = "/apis/gateway.networking.k8s.io"
    assert asyncio.run(ask()) == [
        f"{root}/v1alpha2/namespaces/a/tcproutes",
        f"{root}/v1alpha2/namespaces/b/tcproutes",
        f"{root}/v1/namespaces/a/httproutes",
    ]


def test_collections_follow_scope() -> None:
    """A namespaced kind has one collection for each namespace, another kind has one; what is not served has none."""
    served = kinds.Resources(Cluster())

    async def ask() -> list[list[str]]:
        names = ("ConfigMap", "ClusterRole.rbac.authorization.k8s.io", "Gone.example.com")
        return [[one.path for one in await served.collections(name, {"b", "a"})] for name in names]

    assert asyncio.run(ask()) == [
        ["/api/v1/namespaces/a/configmaps", "/api/v1/namespaces/b/configmaps"],
        ["/apis/rbac.authorization.k8s.io/v1/clusterroles"],
        [],
    ]


def test_what_is_listed_has_an_identity() -> None:
    """Group and kind come from the collection, the rest from the item."""
    resource = kinds.Resource("apps/v1", "Deployment", "deployments", namespaced=True)
    meta = answers.Meta(name="a", namespace="shop")
    found = kinds.Collection(resource, "shop").id_of(meta)
    assert found == objects.ObjectId("apps", "Deployment", "shop", "a")


def test_other_failures_are_not_absence() -> None:
    """A cluster that does not answer discovery has not lost the kind."""

    class Away:
        async def get_raw(self, _path: str) -> bytes:
            raise answers.Failure("busy", "HTTP503", "later", status=503)

    with pytest.raises(answers.Failure, match="later"):
        asyncio.run(kinds.Resources(Away()).collections("Till.example.com", {"a"}))
