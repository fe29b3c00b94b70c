"""What API servers tell somebody about their rights, what they refuse without them, and that we read both rightly."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from fleetctl.kube import client, curl, needs, rights, transport
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

_REVIEWS = "/apis/authorization.k8s.io/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_numbers = itertools.count(1)


def _rule(verbs: str, group: str, resources: str, *names: str) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": [resources], "verbs": verbs.split()}
    return {**rule, "resourceNames": list(names)} if names else rule


_MATCHES = [
    # A rule of RBAC; verb, group, resource and name that are asked for; and whether they are granted.
    (_rule("get", "", "configmaps"), ("get", "", "configmaps", "a"), True),
    (_rule("get", "", "configmaps"), ("get", "", "configmaps", ""), True),
    (_rule("get", "", "configmaps"), ("list", "", "configmaps", ""), False),
    (_rule("*", "", "configmaps"), ("patch", "", "configmaps", "a"), True),
    (_rule("get", "*", "deployments"), ("get", "apps", "deployments", "a"), True),
    (_rule("get", "", "deployments"), ("get", "apps", "deployments", "a"), False),
    (_rule("get", "", "*"), ("get", "", "pods/log", "a"), True),
    (_rule("get", "", "pods"), ("get", "", "pods/log", "a"), False),
    (_rule("get", "", "pods/log"), ("get", "", "pods", "a"), False),
    (_rule("get", "", "*/log"), ("get", "", "pods/log", "a"), True),
    (_rule("get", "", "pods/*"), ("get", "", "pods/log", "a"), False),
    (_rule("*", "", "*"), ("*", "*", "*", ""), False),
    (_rule("*", "*", "*"), ("*", "*", "*", ""), True),
    (_rule("get create", "", "secrets", "a", "b"), ("create", "", "secrets", "b"), True),
    (_rule("get", "", "secrets", "a"), ("get", "", "secrets", "b"), False),
    (_rule("list", "", "secrets", "a"), ("list", "", "secrets", ""), False),
]


def _subjects() -> list[dict[str, str]]:
    return [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": clusters.GUEST}]


def _make(api: plainhttp.Api, path: str, kind: str, name: str, **body: object) -> None:
    made = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}, **body}
    answer = api.call("POST", f"{_RBAC}/{path}", made)
    assert answer.status == 201, answer.text


def _let(place: talking.Place, *rules: dict[str, Any], role: str = "some") -> None:
    """Let the guest do something in a place."""
    where = f"namespaces/{place.namespace}"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
    _make(place.api, f"{where}/roles", "Role", role, rules=list(rules))
    _make(place.api, f"{where}/rolebindings", "RoleBinding", role, roleRef=ref, subjects=_subjects())


@contextlib.contextmanager
def _everywhere(api: plainhttp.Api, *rules: dict[str, Any]) -> Iterator[None]:
    """Let the guest do something in all namespaces and outside."""
    name = f"everywhere-{next(_numbers)}"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    _make(api, "clusterroles", "ClusterRole", name, rules=list(rules))
    _make(api, "clusterrolebindings", "ClusterRoleBinding", name, roleRef=ref, subjects=_subjects())
    try:
        yield
    finally:
        for plural in ("clusterrolebindings", "clusterroles"):
            assert api.call("DELETE", f"{_RBAC}/{plural}/{name}").status == 200


def _may(api: plainhttp.Api, **attributes: str) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.call("POST", f"{_REVIEWS}/selfsubjectaccessreviews", body)
    assert answer.status == 201, answer.text
    allowed: bool = answer.json["status"]["allowed"]
    return allowed


def _rules(api: plainhttp.Api, namespace: str) -> list[dict[str, Any]]:
    """Return the rules that somebody is told of a namespace: all, and what is granted to everybody left out."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    answer = api.call("POST", f"{_REVIEWS}/selfsubjectrulesreviews", body)
    assert answer.status == 201, answer.text
    status = answer.json["status"]
    assert status["incomplete"] is False
    assert "evaluationError" not in status
    return [rule for rule in status["resourceRules"] if not rule["apiGroups"][0].startswith("auth")]


def _asked(api: plainhttp.Api, *wanted: needs.Need) -> tuple[rights.Answer, int]:
    """Ask through our own client; return what it found, and in how many requests."""

    async def work() -> tuple[rights.Answer, int]:
        endpoint = transport.Endpoint(f"https://127.0.0.1:{api.port}", ca=api.authority, token=api.token)
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(endpoint)) as talk:

                async def found() -> tuple[needs.Need, ...]:
                    return wanted

                return await rights.ask(talk, found), talk.requests

    return asyncio.run(work())


def test_who_may_do_everything_is_told_so(api: plainhttp.Api, guest: plainhttp.Api) -> None:
    """One question is enough for an administrator; a guest is told no."""
    assert _may(api, verb="*", group="*", resource="*")
    assert not _may(guest, verb="*", group="*", resource="*")
    assert _asked(api, needs.Need("get", "", "secrets", "default", "a")) == (rights.Answer(), 1)


@pytest.mark.parametrize(("rule", "asked", "granted"), _MATCHES)
def test_rules_match_as_rbac_has_it(
    place: talking.Place,
    guest: plainhttp.Api,
    rule: dict[str, Any],
    asked: tuple[str, str, str, str],
    granted: bool,  # noqa: FBT001  # a parameter
) -> None:
    """The server's own verdict on a right, and ours on the rules that it tells, are the same."""
    _let(place, rule)
    verb, group, resource, name = asked
    plural, _, below = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": plural, "subresource": below, "name": name}
    assert _may(guest, namespace=place.namespace, **attributes) == granted
    assert _rules(guest, place.namespace) == [rule]
    wanted = needs.Need(verb, group, resource, place.namespace, name)
    found, requests = _asked(guest, wanted)
    assert (not found.gaps, found.unknown, requests) == (granted, None, 3)


def test_a_namespace_that_cannot_be_tells_what_holds_everywhere(place: talking.Place, guest: plainhttp.Api) -> None:
    """Rules of a Role are told of its namespace alone; those of a ClusterRole of one that nobody can make, too."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": rights.NOWHERE}}
    assert place.api.call("POST", "/api/v1/namespaces", namespace).status == 422
    here = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    there = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}
    _let(place, here)
    with _everywhere(place.api, there):
        assert _rules(guest, rights.NOWHERE) == [there]
        told = _rules(guest, place.namespace)
        assert len(told) == 2
        assert here in told
        assert there in told
        everywhere = needs.Need("list", "apps", "deployments", place.namespace)
        nodes = needs.Need("list", "", "nodes")
        assert _asked(guest, everywhere) == (rights.Answer(), 2)
        assert _asked(guest, everywhere, nodes) == (rights.Answer((rights.Gap("nodes", "", ("list",)),)), 2)


def test_a_role_grants_nothing_outside_its_namespace(place: talking.Place, guest: plainhttp.Api) -> None:
    """A kind outside namespaces in a Role is of no use, save the Role's own namespace."""
    _let(place, {"apiGroups": [""], "resources": ["nodes", "namespaces"], "verbs": ["get", "list"]})
    path = f"/api/v1/namespaces/{place.namespace}"
    assert guest.call("GET", path).status == 200
    assert guest.call("GET", "/api/v1/nodes").status == 403
    own = needs.Need("get", "", "namespaces", place.namespace, place.namespace)
    found, _ = _asked(guest, own, needs.Need("list", "", "nodes"), needs.Need("list", "", "namespaces"))
    assert [one.resource for one in found.gaps] == ["namespaces", "nodes"]


@pytest.mark.parametrize(
    ("asked", "about", "words"),
    [
        (("GET", "/api/v1/nodes"), "nodes is", 'list resource "nodes" in API group "" at the cluster scope'),
        (("GET", "{}/secrets/a"), 'secrets "a" is', 'get resource "secrets" in API group "" in the namespace "{}"'),
        (("GET", "{}/pods?watch=1"), "pods is", 'watch resource "pods" in API group "" in the namespace "{}"'),
        (("GET", "{}/pods/a/log"), 'pods "a" is', 'get resource "pods/log" in API group "" in the namespace "{}"'),
        (("DELETE", "{}/pods/a"), 'pods "a" is', 'delete resource "pods" in API group "" in the namespace "{}"'),
        (("GET", "/api/v1/namespaces/kube-system"), 'namespaces "kube-system" is', 'get resource "namespaces"'),
    ],
)
def test_what_is_not_granted_is_refused(
    place: talking.Place, guest: plainhttp.Api, asked: tuple[str, str], about: str, words: str
) -> None:
    """It is a 403 whose words say what was asked for, whether the object is there or not."""
    method, path = asked
    answer = guest.call(method, path.format(f"/api/v1/namespaces/{place.namespace}"))
    assert (answer.status, answer.json["reason"]) == (403, "Forbidden")
    expected = f'{about} forbidden: User "guest" cannot {words.format(place.namespace)}'
    assert answer.json["message"].startswith(expected)
    assert answer.json["details"]["kind"] == about.split(maxsplit=1)[0]


def test_an_apply_that_creates_needs_create_by_name(place: talking.Place, guest: plainhttp.Api) -> None:
    """``patch`` alone changes what is there; ``create`` counts for the name that is applied."""
    ours = talking.Place(guest, place.namespace)
    _let(place, {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a", "b"], "verbs": ["patch"]})
    refused = ours.apply(talking.config_map("a", {}))
    expected = 'configmaps "a" is forbidden: User "guest" cannot create resource "configmaps" in API group "" in the'
    assert (refused.status, refused.json["message"]) == (403, f'{expected} namespace "{place.namespace}"')
    assert ours.apply(talking.config_map("a", {}), dryRun="All").status == 403
    _let(
        place,
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["create"]},
        role="more",
    )
    assert ours.apply(talking.config_map("a", {})).status == 201
    assert ours.apply(talking.config_map("a", {"x": "y"})).status == 200
    assert ours.apply(talking.config_map("b", {})).status == 403
    assert ours.apply(talking.config_map("c", {})).status == 403


def test_without_a_namespace_rules_are_not_told(guest: plainhttp.Api) -> None:
    """A review must name one."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {}}
    answer = guest.call("POST", f"{_REVIEWS}/selfsubjectrulesreviews", body)
    assert (answer.status, answer.json["message"]) == (400, "no namespace on request")
