"""What an API server answers to server-side apply. Held against every target of conftest.py."""

import itertools
from typing import Any

import pytest

from tests.contract import plainhttp, talking

DATA = {"greeting": "hello"}


def test_apply_creates_then_updates(place: talking.Place) -> None:
    """The first apply answers 201, one that changes something 200 with a new resourceVersion; the uid stays."""
    first = place.apply(talking.config_map("one", DATA))
    assert first.status == 201
    second = place.apply(talking.config_map("one", {"greeting": "hi"}))
    assert second.status == 200
    before, after = first.json["metadata"], second.json["metadata"]
    assert before["uid"] == after["uid"]
    assert before["resourceVersion"] != after["resourceVersion"]
    assert second.json["data"] == {"greeting": "hi"}


def test_apply_of_the_same_changes_nothing(place: talking.Place) -> None:
    """A repeated apply keeps the resourceVersion, and the generation where there is one."""
    for body in (talking.config_map("one", DATA), talking.deployment("web", paused=True, replicas=0)):
        place.applied(body)
        settled = _settled(place, body)
        again = place.apply(body)
        assert again.status == 200
        assert again.json["metadata"]["resourceVersion"] == settled["resourceVersion"]
        assert again.json["metadata"].get("generation") == settled.get("generation")


def _settled(place: talking.Place, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return an object's metadata, once its controller has said all that it will."""
    if body["kind"] == "ConfigMap":
        return place.get("configmaps", "one")["metadata"]

    def done() -> bool:
        found = place.get("deployments", "web")
        told = {condition["type"] for condition in found.get("status", {}).get("conditions", ())}
        return {"Available", "Progressing"} <= told

    talking.until(done, "its controller has seen it")
    return place.get("deployments", "web")["metadata"]


def test_generation_counts_changes_of_the_spec(place: talking.Place) -> None:
    """A Deployment's generation goes up with its spec and not with its labels; a ConfigMap and a Secret have none."""
    body = talking.deployment("web", paused=True, replicas=0)
    assert place.applied(body)["metadata"]["generation"] == 1
    body["metadata"]["labels"] = {"a": "1"}
    assert place.applied(body)["metadata"]["generation"] == 1
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2.0"
    assert place.applied(body)["metadata"]["generation"] == 2
    assert "generation" not in place.applied(talking.config_map("one", DATA))["metadata"]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    assert "generation" not in place.applied(secret)["metadata"]


def test_apply_drops_what_it_no_longer_says(place: talking.Place) -> None:
    """A field that its only owner leaves out is removed; what others own is left alone."""
    place.applied(talking.config_map("one", {"ours": "1", "shared": "1"}), "a")
    place.applied(talking.config_map("one", {"theirs": "2", "shared": "1"}), "b")
    assert place.applied(talking.config_map("one", {}), "a")["data"] == {"theirs": "2", "shared": "1"}
    assert "data" not in place.applied(talking.config_map("one", {}), "b")


def test_apply_merges_lists_by_their_keys(place: talking.Place) -> None:
    """Two managers each own their container of a pod template; one's list does not replace the other's."""
    place.applied(talking.deployment("web", replicas=0), "a")
    theirs = talking.deployment("web", replicas=0)
    theirs["spec"]["template"]["spec"]["containers"] = [{"name": "sidecar", "image": "proxy:1.0"}]
    merged = place.applied(theirs, "b")
    assert {c["name"] for c in merged["spec"]["template"]["spec"]["containers"]} == {"app", "sidecar"}


def test_conflict_names_the_other_and_the_field(place: talking.Place) -> None:
    """A field that another manager owns with another value is a 409 with one cause per field; force takes it."""
    place.applied(talking.config_map("one", {"x": "1", "y": "1"}), "a")
    refused = place.apply(talking.config_map("one", {"x": "2", "y": "1"}), "b")
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")
    assert refused.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "a"', "field": ".data.x"}
    ]
    assert place.get("configmaps", "one")["data"] == {"x": "1", "y": "1"}
    forced = place.applied(talking.config_map("one", {"x": "2", "y": "1"}), "b", force="true")
    assert forced["data"] == {"x": "2", "y": "1"}
    owners = {entry["manager"]: entry["fieldsV1"]["f:data"] for entry in forced["metadata"]["managedFields"]}
    assert "f:x" not in owners["a"]
    assert set(owners["b"]) >= {"f:x", "f:y"}


def test_stale_resource_version_is_refused(place: talking.Place) -> None:
    """An apply with an old resourceVersion is a 409 without causes, so it can serve as a precondition."""
    old = place.applied(talking.config_map("one", DATA))["metadata"]
    now = place.applied(talking.config_map("one", {"greeting": "hi"}))["metadata"]
    version = old["resourceVersion"]
    refused = place.apply(talking.config_map("one", DATA, uid=old["uid"], resourceVersion=version))
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")
    assert not refused.json["details"].get("causes")
    assert "the object has been modified" in refused.json["message"]
    taken = place.apply(talking.config_map("one", DATA, uid=old["uid"], resourceVersion=now["resourceVersion"]))
    assert taken.status == 200


def test_uid_keeps_an_apply_from_creating(place: talking.Place) -> None:
    """Where the object is gone, a resourceVersion alone creates it anew; with its uid the answer is 409."""
    old = place.applied(talking.config_map("one", DATA))["metadata"]
    assert place.delete("configmaps", "one").status == 200
    version = old["resourceVersion"]
    refused = place.apply(talking.config_map("one", DATA, uid=old["uid"], resourceVersion=version))
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")
    assert place.apply(talking.config_map("one", DATA, resourceVersion=version)).status == 201


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("replicaz", 1, "field not declared in schema"),
        ("ports", [{"containerPort": 80}, {"containerPort": 80}], "duplicate entries for key"),
        ("env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], "duplicate entries for key"),
    ],
)
def test_strict_apply_refuses_with_500(place: talking.Place, field: str, value: object, said: str) -> None:
    """An unknown field and doubled list keys are a 500 without a reason: final, whatever 500 says elsewhere."""
    body = talking.deployment("web", replicas=0)
    (body["spec"] if field == "replicaz" else body["spec"]["template"]["spec"]["containers"][0])[field] = value
    answer = place.apply(body)
    assert (answer.status, answer.json.get("reason", "")) == (500, "")
    assert said in answer.json["message"]
    assert place.api.call("GET", place.path("deployments", "web")).status == 404


def test_null_in_data_becomes_empty(place: talking.Place) -> None:
    """A null in a ConfigMap's data is silently an empty text, which is why we refuse it before."""
    assert place.applied(talking.config_map("one", {"a": None}))["data"] == {"a": ""}


def test_selector_cannot_change(place: talking.Place) -> None:
    """An immutable field is a 422 whose causes name it."""
    body = talking.deployment("web", replicas=0)
    place.applied(body)
    body["spec"]["selector"]["matchLabels"] = {"app": "other"}
    body["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    answer = place.apply(body, force="true")
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    assert "spec.selector" in {cause["field"] for cause in answer.json["details"]["causes"]}


def test_field_manager_has_a_limit(place: talking.Place) -> None:
    """A manager's name may be 128 bytes long and hold a colon; longer or missing ones are refused."""
    assert place.apply(talking.config_map("one", DATA), "fleetctl:retail-pos").status == 201
    assert place.apply(talking.config_map("two", DATA), "m" * 128).status == 201
    answer = place.apply(talking.config_map("three", DATA), "m" * 129)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    path = place.path("configmaps", "three")
    assert place.api.call("PATCH", path, talking.config_map("three", DATA), content=plainhttp.APPLY).status == 422


def test_takes_a_timeout(place: talking.Place) -> None:
    """The server takes the client's deadline as ?timeout=."""
    assert place.apply(talking.config_map("one", DATA), timeout="1s").status == 201


def test_dry_run_stores_nothing(place: talking.Place) -> None:
    """A dry create answers 201 with a uid and without resourceVersion, a dry update as the real one would."""
    dry = place.apply(talking.config_map("one", DATA), dryRun="All")
    assert dry.status == 201
    assert dry.json["metadata"]["uid"]
    assert "resourceVersion" not in dry.json["metadata"]
    assert place.api.call("GET", place.path("configmaps", "one")).status == 404
    place.applied(talking.config_map("one", DATA))
    assert place.applied(talking.config_map("one", {"greeting": "hi"}), dryRun="All")["data"] == {"greeting": "hi"}
    assert place.get("configmaps", "one")["data"] == DATA


def test_large_config_map_is_refused(place: talking.Place) -> None:
    """More than 1 MiB of data in a ConfigMap is a 422."""
    answer = place.apply(talking.config_map("one", {"a": "x" * ((1 << 20) + 1)}))
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")


def test_body_must_fit_its_path(place: talking.Place) -> None:
    """An object sent to another's path is a bad request, and content that is no patch is a 415."""
    path = place.path("configmaps", "two", fieldManager="test")
    answer = place.api.call("PATCH", path, talking.config_map("one", DATA), content=plainhttp.APPLY)
    assert (answer.status, answer.json["reason"]) == (400, "BadRequest")
    answer = place.api.call("PATCH", path, talking.config_map("two", DATA), content="text/plain")
    assert answer.status == 415


def test_finalizer_holds_an_object(place: talking.Place) -> None:
    """An object being deleted is still applied to, with 200: its deletionTimestamp says that it is going."""
    held = talking.config_map("one", DATA, finalizers=["fleetctl.dev/test"])
    place.applied(held)
    assert place.delete("configmaps", "one").status == 200
    applied = place.apply(talking.config_map("one", {"greeting": "hi"}, finalizers=["fleetctl.dev/test"]))
    assert applied.status == 200
    assert applied.json["metadata"]["deletionTimestamp"]
    place.apply(talking.config_map("one", DATA))
    assert place.api.call("GET", place.path("configmaps", "one")).status == 404


def test_namespace_that_ends_takes_nothing_new(place: talking.Place, api: plainhttp.Api) -> None:
    """While a namespace is being deleted, a new object in it is a 403 with the cause NamespaceTerminating."""
    place.applied(talking.config_map("one", DATA, finalizers=["fleetctl.dev/test"]))
    namespace = f"/api/v1/namespaces/{place.namespace}"
    assert api.call("DELETE", namespace).status == 200
    answer = place.apply(talking.config_map("two", DATA))
    assert (answer.status, answer.json["reason"]) == (403, "Forbidden")
    assert "NamespaceTerminating" in {cause["reason"] for cause in answer.json["details"]["causes"]}
    place.apply(talking.config_map("one", DATA))


def test_an_entry_says_when_its_manager_changed_something_last(place: talking.Place) -> None:
    """Its time stays with a repeated apply and with a dry-run, and moves with a value, its fields as they were."""

    def entry() -> Any:  # noqa: ANN401 - JSON
        return place.get("configmaps", "one")["metadata"]["managedFields"][0]

    place.applied(talking.config_map("one", DATA))
    first = entry()
    place.applied(talking.config_map("one", {"greeting": "hi"}), dryRun="All", force="true")
    numbers = itertools.count()

    def moved() -> bool:
        place.applied(talking.config_map("one", DATA))
        assert entry() == first
        place.applied(talking.config_map("one", {"greeting": f"hi {next(numbers)}"}))
        if entry()["time"] != first["time"]:
            return True
        place.applied(talking.config_map("one", DATA))
        return bool(entry()["time"] != first["time"])

    talking.until(moved, "the time of the entry moves")
    assert {**entry(), "time": first["time"]} == first
