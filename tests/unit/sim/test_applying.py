"""Server-side apply without a cluster; what is expected here was seen on a real kube-apiserver 1.36."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.sim import applying, fields, kinds, objects, schemas

Object = dict[str, Any]

CONFIG_MAP = schemas.of(kinds.BY_KIND["", "ConfigMap"])
DEPLOYMENT = schemas.of(kinds.BY_KIND["apps", "Deployment"])


def _by(manager: str, operation: str = "Apply") -> applying.Managed:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-01T00:00:00Z"}


def _apply(live: Object | None, wanted: Object, manager: str = "a", *, force: bool = False) -> Object:
    sort = {"Deployment": DEPLOYMENT, "ConfigMap": CONFIG_MAP}[wanted["kind"]]
    return applying.apply(live, wanted, sort, _by(manager), force=force)


def _map(data: dict[str, str | None], **metadata: object) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", **metadata}, "data": data}


def _pods(*containers: Object, **spec: object) -> Object:
    template = {"spec": {"containers": list(containers), **spec}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}}


def _in(found: Object) -> Any:  # noqa: ANN401 - JSON
    return found["spec"]["template"]["spec"]


def _owned(found: Object, manager: str) -> set[str]:
    [entry] = [entry for entry in found["metadata"]["managedFields"] if entry["manager"] == manager]
    return {fields.shown(path) for path in fields.paths(entry["fieldsV1"])}


def _refused(live: Object, wanted: Object, manager: str) -> objects.Refusal:
    with pytest.raises(applying.Conflicts) as caught:
        _apply(live, wanted, manager)
    return caught.value.refusal()


def test_repeated_apply_changes_nothing_whoever_applied_last() -> None:
    """With two managers, either may repeat what it applied: the object is equal, its managed fields included."""
    live = _apply(_apply(None, _map({"x": "1"}), "a"), _map({"y": "1"}), "b")
    assert _apply(live, _map({"x": "1"}), "a") == live
    assert _apply(live, _map({"y": "1"}), "b") == live


def test_item_of_a_list_goes_with_its_last_manager() -> None:
    """An item that nobody names any more is gone, key and all; one that another names stays."""
    env = [{"name": "A", "value": "1"}]
    side = {"name": "side", "image": "b:1"}
    live = _apply(_apply(None, _pods({"name": "app", "image": "a:1", "env": env}, side), "a"), _pods(side), "b")
    left = _apply(live, _pods({"name": "app", "image": "a:1"}), "a")
    assert _in(left)["containers"] == [{"name": "app", "image": "a:1"}, side]
    assert not any("side" in field for field in _owned(left, "a"))
    assert [one["name"] for one in _in(_apply(left, _pods(), "b"))["containers"]] == ["app"]


def test_struct_goes_with_what_the_server_added() -> None:
    """A struct in which nobody names a field any more is gone as a whole, also what no manager owns."""
    live = _apply(None, _pods({"name": "app", "image": "a:1", "securityContext": {"runAsUser": 1}}))
    _in(live)["containers"][0]["securityContext"]["added"] = True
    left = _apply(live, _pods({"name": "app", "image": "a:1"}))
    assert "securityContext" not in _in(left)["containers"][0]


def test_empty_values() -> None:
    """Empty structs are kept and owned; empty maps and lists are owned and left out; nulls in maps are empty texts."""
    found = _apply(None, _pods(volumes=[{"name": "tmp", "emptyDir": {}}], nodeSelector={}, tolerations=[]))
    assert _in(found) == {"volumes": [{"name": "tmp", "emptyDir": {}}]}
    pod = ".spec.template.spec"
    named = {f'{pod}.volumes[name="tmp"].emptyDir', f"{pod}.nodeSelector", f"{pod}.tolerations"}
    assert named <= _owned(found, "a")
    found = _apply(None, _map({"a": None}))
    assert found["data"] == {"a": ""}
    assert _owned(found, "a") == {".data.a"}


def test_empty_struct_does_not_take_anothers_content() -> None:
    """Whoever applies an empty struct leaves alone what others have in it, and is no conflict with them."""
    sized = [{"name": "tmp", "emptyDir": {"sizeLimit": "1Mi"}}]
    live = _apply(_apply(None, _pods(volumes=sized), "a"), _pods(volumes=[{"name": "tmp", "emptyDir": {}}]), "b")
    assert _in(live)["volumes"] == sized


def test_atomic_values_are_owned_whole() -> None:
    """Lists without keys, selectors and references are one field each."""
    wanted = _pods({"name": "app", "image": "a:1", "args": ["x", "y"]}, nodeSelector={"a": "b"})
    pod = ".spec.template.spec"
    assert {f'{pod}.containers[name="app"].args', f"{pod}.nodeSelector"} <= _owned(_apply(None, wanted), "a")
    refusal = _refused(_apply(None, wanted), _pods(nodeSelector={"a": "c"}), "b")
    assert [cause["field"] for cause in refusal.causes] == [f"{pod}.nodeSelector"]


def test_ports_without_a_protocol_are_tcp() -> None:
    """A port is told from others by number and protocol, and TCP need not be said."""
    container = {"name": "app", "image": "a:1", "ports": [{"containerPort": 80}]}
    live = _apply(None, _pods(container))
    container = {**container, "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}
    assert len(_in(_apply(live, _pods(container), "b"))["containers"][0]["ports"]) == 1


@pytest.mark.parametrize(
    ("live", "applied", "order"),
    [
        ("ab", "ba", "ba"),
        ("abc", "ca", "bca"),
        ("axb", "ba", "xba"),
        ("ab", "xab", "xab"),
        ("xy", "ab", "xyab"),
        ("xay", "ab", "xayb"),
    ],
)
def test_applied_order_counts(live: str, applied: str, order: str) -> None:
    """Items stand as they are applied; what only others have stays about where it was."""
    found = _apply(None, _pods(*({"name": name, "image": "a:1"} for name in live)), "other")
    found = _apply(found, _pods(*({"name": name, "image": "a:1"} for name in applied)), "a")
    assert "".join(one["name"] for one in _in(found)["containers"]) == order


def test_one_conflict_in_words() -> None:
    """One conflict is said in one line; who owns nothing of what is changed is no party to it."""
    live = _apply(_apply(None, _map({"x": "1"}), "a"), _map({"y": "1"}), "b")
    refusal = _refused(live, _map({"x": "2"}), "c")
    assert refusal.message == 'Apply failed with 1 conflict: conflict with "a": .data.x'
    assert refusal.causes == [{"reason": "FieldManagerConflict", "message": 'conflict with "a"', "field": ".data.x"}]


def test_many_conflicts_in_words() -> None:
    """More are listed by manager, and a field that two managers own is named twice."""
    live = _apply(_apply(None, _map({"x": "1", "y": "1"}), "a"), _map({"x": "1", "z": "1"}), "b")
    refusal = _refused(live, _map({"x": "2", "y": "2", "z": "2"}), "c")
    assert refusal.message == (
        'Apply failed with 4 conflicts: conflicts with "a":\n- .data.x\n- .data.y\n'
        'conflicts with "b":\n- .data.x\n- .data.z'
    )


def test_conflict_with_an_update_says_when() -> None:
    """One who wrote without apply is named with version and time."""
    made = applying.made(_map({"x": "1"}), CONFIG_MAP, _by("kubectl", "Update"))
    refusal = _refused(made, _map({"x": "2"}), "a")
    assert refusal.causes[0]["message"] == 'conflict with "kubectl" using v1 at 2026-01-01T00:00:00Z'


def test_force_takes_the_field_from_everybody() -> None:
    """After a forced apply only the one who forced owns the field; its old owners may go without it."""
    live = _apply(_apply(None, _map({"x": "1", "y": "1"}), "a"), _map({"x": "1"}), "b")
    forced = _apply(live, _map({"x": "2"}), "c", force=True)
    assert {entry["manager"] for entry in forced["metadata"]["managedFields"]} == {"a", "c"}
    assert _apply(forced, _map({"y": "1"}), "a")["data"] == {"x": "2", "y": "1"}


def test_given_up_fields_are_free() -> None:
    """A field that its owner no longer applies may be set by anybody."""
    live = _apply(None, _map({"x": "1", "y": "1"}), "a")
    assert _apply(_apply(live, _map({"y": "1"}), "a"), _map({"x": "2"}), "b")["data"] == {"x": "2", "y": "1"}


def test_two_empty_maps_are_a_conflict() -> None:
    """Who applies an empty map owns it; the next one is a conflict, as the map is not there."""
    refusal = _refused(_apply(None, _map({}), "a"), _map({}), "b")
    assert [cause["field"] for cause in refusal.causes] == [".data"]


def test_finalizers_are_a_set() -> None:
    """Each manager owns its finalizers, and takes them away alone."""
    live = _apply(None, _map({"a": "1"}, finalizers=["x/a"]), "a")
    live = _apply(live, _map({"b": "1"}, finalizers=["x/b"]), "b")
    assert live["metadata"]["finalizers"] == ["x/a", "x/b"]
    assert _apply(live, _map({"a": "1"}), "a")["metadata"]["finalizers"] == ["x/b"]


_ENV = st.lists(st.sampled_from("ABC"), max_size=3, unique=True)
_CONTAINER = st.fixed_dictionaries({"image": st.sampled_from(["a:1", "a:2"]), "env": _ENV})
_STEP = st.tuples(st.sampled_from("ab"), st.dictionaries(st.sampled_from(["app", "side", "x"]), _CONTAINER, max_size=3))


@given(st.lists(_STEP, min_size=1, max_size=6))
def test_forced_applies_end_with_what_they_say(steps: list[tuple[str, dict[str, Any]]]) -> None:
    """All that is applied is there, and nothing that nobody applies; the live object is not touched."""
    live: Object | None = None
    last: dict[str, set[str]] = {}
    for manager, containers in steps:
        named = [
            {"name": name, "image": one["image"], "env": [{"name": key, "value": "1"} for key in one["env"]]}
            for name, one in containers.items()
        ]
        before = copy.deepcopy(live)
        made = _apply(live, _pods(*named), manager, force=True)
        assert live == before
        last[manager] = set(containers)
        found = {one["name"]: one for one in _in(made).get("containers", ())} if "spec" in made else {}
        assert set(found) == set().union(*last.values())
        assert all(found[name]["image"] == one["image"] for name, one in containers.items())
        assert _apply(made, _pods(*named), manager) == made
        live = made
