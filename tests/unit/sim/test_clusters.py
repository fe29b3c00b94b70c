"""A simulated cluster's API without the wire: what requests do, and what they can never do."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sim import small

Object = dict[str, Any]

ONE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
OTHER = "00000000-0000-0000-0000-000000000000"


def test_dry_runs_change_nothing() -> None:
    """Neither an apply, a POST nor a DELETE that is dry leaves a trace; a dry create has a uid and no version."""
    cluster = small.Small()
    dry = cluster.apply(ONE, dryRun="All")
    assert dry.status == 201
    assert "uid" in dry.json["metadata"]
    assert "resourceVersion" not in dry.json["metadata"]
    assert cluster.call("POST", cluster.path("ConfigMap", dryRun="All"), ONE).status == 201
    assert cluster.listed("ConfigMap") == []
    made = cluster.applied(ONE)
    assert cluster.call("DELETE", cluster.path("ConfigMap", "one", dryRun="All")).status == 200
    assert cluster.call("DELETE", cluster.path("ConfigMap", "one"), {"dryRun": ["All"]}).status == 200
    assert cluster.applied({**ONE, "data": {"a": "2"}}, dryRun="All")["data"] == {"a": "2"}
    assert cluster.get("ConfigMap", "one") == made


def test_dry_run_is_as_the_real_one() -> None:
    """A dry update has the generation and the defaults that the real one has, and is held against the same rules."""
    cluster = small.Small()
    live = cluster.applied(small.workload())
    dry = cluster.applied(small.workload(image="app:2"), dryRun="All")
    assert (live["metadata"]["generation"], dry["metadata"]["generation"]) == (1, 2)
    assert cluster.get("Deployment", "web")["metadata"]["generation"] == 1
    assert dry["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert cluster.apply(small.workload(replicas=-1), dryRun="All").status == 422


def test_answer_is_of_before_the_controllers() -> None:
    """An apply is answered with what it made; status and revision come later, and the version with them."""
    cluster = small.Small()
    made = cluster.applied(small.workload())
    assert "status" not in made
    assert "annotations" not in made["metadata"]
    later = cluster.get("Deployment", "web")
    assert later["status"]["observedGeneration"] == 1
    assert int(later["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_empty_values_are_no_change() -> None:
    """What the server leaves out or adds anyway does not raise the generation."""
    cluster = small.Small()
    before = cluster.applied(small.workload())["metadata"]["generation"]
    body = small.workload()
    body["spec"]["template"]["spec"]["containers"][0] |= {"resources": {"limits": {}}, "env": [], "args": []}
    assert cluster.applied(body)["metadata"]["generation"] == before


def test_uid_and_version_are_preconditions() -> None:
    """Alone and together, on what is there and on what is not. The order of the checks is a real server's."""
    cluster = small.Small()
    old = cluster.applied(ONE)["metadata"]
    new = cluster.applied({**ONE, "data": {"a": "2"}})["metadata"]

    def status(**meta: str) -> int:
        return cluster.apply({**ONE, "metadata": {"name": "one", **meta}}).status

    assert status(resourceVersion=old["resourceVersion"]) == 409
    assert status(uid=OTHER, resourceVersion=old["resourceVersion"]) == 409
    assert status(uid=OTHER, resourceVersion=new["resourceVersion"]) == 422
    assert status(uid=OTHER) == 422
    conflict = cluster.apply({**ONE, "metadata": {"name": "one", "resourceVersion": "1"}}, "b").json
    assert conflict["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    assert status(uid="", resourceVersion="") == 200
    cluster.delete("ConfigMap", "one")
    assert status(uid=old["uid"], resourceVersion=new["resourceVersion"]) == 409
    assert status(resourceVersion=new["resourceVersion"]) == 201


def test_uid_is_looked_at_before_the_namespace() -> None:
    """A known parent whose namespace is gone is a 409, not a 404."""
    cluster = small.Small()
    path = "/api/v1/namespaces/nowhere/configmaps/one?fieldManager=a"
    assert cluster.call("PATCH", path, {**ONE, "metadata": {"name": "one", "uid": "x"}}).status == 409
    missing = cluster.call("PATCH", path, ONE)
    assert (missing.status, missing.json["details"]) == (404, {"name": "nowhere", "kind": "namespaces"})


def test_secrets_take_clear_text() -> None:
    """``stringData`` becomes ``data``, and stays there when it is no longer applied: kubernetes#70281."""
    cluster = small.Small()
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    made = cluster.applied(secret)
    assert (made["data"], made["type"]) == ({"a": base64.b64encode(b"b").decode()}, "Opaque")
    assert "stringData" not in made
    assert cluster.applied(secret)["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    del secret["stringData"]
    assert cluster.applied(secret)["data"] == made["data"]
    assert cluster.apply({**secret, "data": {"a": "%%"}}).status == 500


@pytest.mark.parametrize(
    ("accept", "many", "one"),
    [
        ("", "ConfigMapList", "ConfigMap"),
        ("*/*", "ConfigMapList", "ConfigMap"),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "PartialObjectMetadataList", 406),
        ("application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata", 406, "PartialObjectMetadata"),
        ("application/json;as=Table;g=meta.k8s.io;v=v1,application/json", "ConfigMapList", "ConfigMap"),
        ("application/json;as=Table;g=meta.k8s.io;v=v1", 501, 501),
        ("application/vnd.kubernetes.protobuf", 501, 501),
    ],
)
def test_form_is_by_accept(accept: str, many: str | int, one: str | int) -> None:
    """Metadata alone for who asks for it, in whatever order; what cannot be had is told."""
    cluster = small.Small()
    cluster.applied(ONE)
    for path, wanted in ((cluster.path("ConfigMap"), many), (cluster.path("ConfigMap", "one"), one)):
        answer = cluster.call("GET", path, accept=accept)
        assert (answer.json["kind"] if answer.status == 200 else answer.status) == wanted


def test_apply_may_answer_with_metadata_alone() -> None:
    """Changes heed Accept too."""
    cluster = small.Small()
    path = cluster.path("ConfigMap", "one", fieldManager="a")
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    answer = cluster.call("PATCH", path, ONE, accept=accept).json
    assert answer["kind"] == "PartialObjectMetadata"
    assert "data" not in answer


def test_post_and_apply_meet() -> None:
    """What was posted is owned by its writer, and a conflict for who applies."""
    cluster = small.Small()
    path = cluster.path("ConfigMap", fieldManager="kubectl")
    assert cluster.call("POST", path, ONE, content="application/json").status == 201
    again = cluster.call("POST", path, ONE, content="application/json")
    assert (again.status, again.json["reason"]) == (409, "AlreadyExists")
    [cause] = cluster.apply({**ONE, "data": {"a": "2"}}).json["details"]["causes"]
    assert cause["field"] == ".data.a"
    assert cause["message"].startswith('conflict with "kubectl" using v1 at ')


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/api/v1/namespaces/shop/configmaps?watch=1&sendInitialEvents=true", "", 501),
        ("GET", "/api/v1/namespaces/shop/configmaps?watch=0", "", 200),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/one?fieldManager=a", "application/merge-patch+json", 501),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/one?fieldManager=a", "text/plain", 415),
        ("PATCH", "/api/v1/namespaces/shop/pods/one?fieldManager=a", small.APPLY, 501),
        ("PUT", "/api/v1/namespaces/shop/configmaps/one", "", 501),
        ("PUT", "/api/v1/namespaces/shop/configmaps", "", 405),
        ("OPTIONS", "/api/v1/namespaces/shop/configmaps", "", 405),
        ("DELETE", "/api/v1/namespaces/shop/configmaps", "", 501),
        ("DELETE", "/api/v1/namespaces/kube-system", "", 403),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/web/scale", "", 501),
        ("GET", "/openapi/v3", "", 501),
        ("GET", "/apis/apps/v9/deployments", "", 404),
        ("GET", "/api/v1/namespaces/shop/nodes", "", 404),
        ("GET", "/api/v1/configmaps/one", "", 404),
        ("GET", "/apis/nobody.example/v1/tills", "", 404),
        ("GET", "/api/v1/configmaps", "", 200),
    ],
)
def test_what_is_not_done_is_told(method: str, path: str, content: str, status: int) -> None:
    """Nothing is passed over in silence: 501 for what a simulation leaves out, else what a real server says."""
    answer = small.Small().call(method, path, b"{}" if content else None, content)
    assert answer.status == status, answer.body
    if status == 501:
        assert answer.json["message"].startswith("a simulated cluster does not do ")


def test_yaml_is_not_done() -> None:
    """A real server takes YAML; that is said to be left out, and is not the client's fault. Broken JSON is."""
    cluster = small.Small()
    path = cluster.path("ConfigMap", "one", fieldManager="a")
    assert cluster.call("PATCH", path, b"kind: ConfigMap\n").status == 501
    assert cluster.call("PATCH", path, b"{").status == 400
    assert cluster.call("PATCH", path, b"[1]").status == 400


@pytest.mark.parametrize("policy", ["Foreground", "Orphan"])
def test_other_ways_to_delete_are_not_done(policy: str) -> None:
    """Only Background is."""
    cluster = small.Small()
    cluster.applied(ONE)
    assert cluster.call("DELETE", cluster.path("ConfigMap", "one"), {"propagationPolicy": policy}).status == 501
    assert cluster.call("DELETE", cluster.path("ConfigMap", "one"), {"propagationPolicy": "x"}).status == 422
    assert cluster.get("ConfigMap", "one")


def test_delete_is_held_against_its_preconditions() -> None:
    """With another's UID or an old version nothing is deleted; what is held by a finalizer is answered as it is."""
    cluster = small.Small()
    made = cluster.applied({**ONE, "metadata": {"name": "one", "finalizers": ["x/a"]}})["metadata"]
    path = cluster.path("ConfigMap", "one")
    for wrong in ({"uid": OTHER}, {"resourceVersion": "1"}):
        refused = cluster.call("DELETE", path, {"preconditions": wrong})
        assert (refused.status, refused.json["reason"]) == (409, "Conflict")
    right = {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}
    held = cluster.call("DELETE", path, {"preconditions": right}).json
    assert (held["kind"], "deletionTimestamp" in held["metadata"]) == ("ConfigMap", True)
    assert cluster.applied(ONE)["metadata"]["deletionTimestamp"]
    assert cluster.call("GET", path).status == 404


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer x", "bearer t", "Basic dDp0"])
def test_only_the_token_opens(token: str) -> None:
    """Anything else is a 401, before anything is looked at."""
    cluster = small.Small().cluster
    status, body = cluster.answer("DELETE", "/api/v1/namespaces/shop", {"authorization": token}, b"")[:2]
    assert (status, json.loads(body)["reason"]) == (401, "Unauthorized")


_BROKEN: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, "", "x", -1, 1.5, True, [None], {"x": None}, [[]], "%"]
)


@st.composite
def _mangled(draw: st.DrawFn) -> tuple[str, Object]:
    """Draw a kind, and an object of it in which something, somewhere, is replaced by something odd."""
    bodies = [small.workload(kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job")]
    body: Object = draw(st.sampled_from([*bodies, json.loads(json.dumps(ONE))]))
    kind: str = body["kind"]
    for _ in range(draw(st.integers(1, 2))):
        at: Any = body
        while True:
            key = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            if not isinstance(at[key], dict | list) or not at[key] or draw(st.booleans()):
                at[key] = copy.deepcopy(draw(_BROKEN))
                break
            at = at[key]
    return kind, body


@given(_mangled(), st.booleans())
def test_no_object_breaks_a_cluster(sent: tuple[str, Object], posted: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever is applied is taken or refused, never half taken: everything else works afterwards, and later."""
    cluster = small.Small()
    kind, body = sent
    before = cluster.dump()
    if posted:
        answer = cluster.call("POST", cluster.path(kind), body, content="application/json")
    else:
        name = "one" if kind == "ConfigMap" else "web"
        answer = cluster.call("PATCH", cluster.path(kind, name, fieldManager="a"), body)
    assert b"the simulation itself failed" not in answer.body
    if answer.status not in {200, 201}:
        assert cluster.dump() == before
    for _ in range(3):
        cluster.wait(400)
        assert cluster.call("GET", cluster.path("Pod")).status == 200
    assert cluster.apply({**ONE, "metadata": {"name": "other"}}).status == 201


@given(st.binary(max_size=40), st.sampled_from(["PATCH", "POST", "PUT", "DELETE"]))
def test_no_body_breaks_a_cluster(body: bytes, method: str) -> None:
    """Bytes that are no object are an answer in words, in each method that takes a body."""
    cluster = small.Small()
    cluster.applied(ONE)
    name = "" if method == "POST" else "one"
    path = cluster.path("Lease" if method == "PUT" else "ConfigMap", name, fieldManager="a")
    answer = cluster.call(method, path, body)
    assert answer.status in {200, 400, 404, 501}
    assert b"the simulation itself failed" not in answer.body


@given(st.text(st.sampled_from("/%?&=apis1.vnamcedploy:x"), max_size=30))
def test_no_path_breaks_a_cluster(path: str) -> None:
    """Any path is answered."""
    answer = small.Small().call("GET", f"/{path}")
    assert b"the simulation itself failed" not in answer.body
