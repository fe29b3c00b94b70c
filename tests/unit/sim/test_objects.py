"""What a simulated cluster's objects do together: owners, finalizers, namespaces, statuses."""

from typing import Any

from fleetctl.sim import kinds, objects

Object = dict[str, Any]

MAP = kinds.BY_KIND["", "ConfigMap"]


def _store() -> objects.Objects:
    store = objects.Objects(lambda: 1000.0, "seed")
    store.make("", "Namespace", {"metadata": {"name": "shop"}})
    return store


def _map(store: objects.Objects, name: str, *owners: Object, **meta: object) -> Object:
    references = [{"uid": owner["metadata"]["uid"], "kind": "ConfigMap", "name": "x"} for owner in owners]
    metadata = {"name": name, "namespace": "shop", "ownerReferences": references, **meta}
    return store.make("", "ConfigMap", {"metadata": metadata})


def test_owned_objects_go_with_their_owner() -> None:
    """All the way down; one that has another owner stays."""
    store = _store()
    top, other = _map(store, "top"), _map(store, "other")
    middle = _map(store, "middle", top)
    _map(store, "bottom", middle)
    _map(store, "shared", top, other)
    store.remove(MAP, top)
    assert [one["metadata"]["name"] for one in store.listed(MAP, "shop")] == ["other", "shared"]


def test_a_finalizer_holds_an_object_and_its_namespace() -> None:
    """The namespace is Terminating until nothing is left in it."""
    store = _store()
    namespace = kinds.BY_KIND["", "Namespace"]
    held = _map(store, "held", finalizers=["x/a"])
    _map(store, "free")
    store.remove(namespace, store.get(namespace, "", "shop"))
    assert [one["metadata"]["name"] for one in store.listed(MAP, "shop")] == ["held"]
    assert store.get(namespace, "", "shop")["status"] == {"phase": "Terminating"}
    del held["metadata"]["finalizers"]
    store.remove(MAP, held)
    assert store.find(namespace, "", "shop") is None


def test_versions_only_go_up() -> None:
    """Every change has a version of its own, and the store knows when the last one was."""
    store = _store()
    one = _map(store, "one")
    before = int(one["metadata"]["resourceVersion"])
    store.moment = 2000.0
    store.touch(one)
    assert int(one["metadata"]["resourceVersion"]) > before
    assert (store.changed, store.clock()) == (2000.0, 2000.0)
    store.moment = None
    assert store.clock() == 1000.0


def test_a_status_is_told_once() -> None:
    """An equal status is no change, and conditions keep their times while they say the same."""
    store = _store()
    one = _map(store, "one")

    def say(status: str, reason: str, when: str) -> Object:
        times = {"lastTransitionTime": when, "lastUpdateTime": when}
        store.tell(one, {"conditions": [{"type": "T", "status": status, "reason": reason, "message": "", **times}]})
        [found] = one["status"]["conditions"]
        return dict(found)

    first = say("True", "A", "1")
    version = one["metadata"]["resourceVersion"]
    assert say("True", "A", "2") == first
    assert one["metadata"]["resourceVersion"] == version
    other = say("True", "B", "3")
    assert (other["lastTransitionTime"], other["lastUpdateTime"]) == ("1", "3")
    assert say("False", "B", "4")["lastTransitionTime"] == "4"


def test_ids_are_those_of_the_seed() -> None:
    """A site has the same identity whenever it is served; two sites have different ones."""
    first, again, other = (objects.Objects(lambda: 0.0, seed).new_uid() for seed in ("a", "a", "b"))
    assert first == again != other
