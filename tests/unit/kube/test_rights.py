"""Asking for rights where a server does not tell all rules, or none; what needs amount to; how gaps are gathered."""

import asyncio
from typing import Any, Literal

import msgspec
import pytest

from fleetctl.kube import answers, needs, rights
from fleetctl.model import objects, releases

_CONFIG_MAPS = rights.Rule(("get",), ("",), ("configmaps",))
_GET = needs.Need("get", "", "configmaps", "app", "a")


class _Server:
    """An authorizer that need not tell its rules; ``granted`` is what it allows, in words: ``get configmaps app a``."""

    def __init__(self, granted: str = "", **rules: dict[str, Any]) -> None:
        self.granted = granted.split(", ")
        self.rules = rules
        self.asked: list[str] = []
        self.failing: dict[str, answers.Failure] = {}

    async def write_aside(self, method: Literal["POST", "PUT"], path: str, body: bytes) -> bytes:
        """Answer a review."""
        assert method == "POST"
        plural = path.rpartition("/")[2]
        if plural in self.failing:
            raise self.failing[plural]
        spec = msgspec.json.decode(body)["spec"]
        if plural == "selfsubjectrulesreviews":
            self.asked.append(f"rules {spec['namespace']}")
            found = self.rules.get(spec["namespace"].replace(rights.NOWHERE, "nowhere"), {})
            return msgspec.json.encode({"status": {"resourceRules": [], "nonResourceRules": [], **found}})
        about = spec["resourceAttributes"]
        keys = ("verb", "group", "resource", "subresource", "namespace", "name")
        words = " ".join(about[key] for key in keys if key in about)
        self.asked.append(words)
        return msgspec.json.encode({"status": {"allowed": words in self.granted}})


def _ask(server: _Server, *wanted: needs.Need) -> rights.Answer:
    async def found() -> tuple[needs.Need, ...]:
        return wanted

    return asyncio.run(rights.ask(server, found))


def test_whoever_may_do_everything_is_asked_once() -> None:
    """What is needed is not even found out."""

    async def never() -> tuple[needs.Need, ...]:
        raise AssertionError

    server = _Server("* * *")
    assert asyncio.run(rights.ask(server, never)) == rights.Answer()
    assert server.asked == ["* * *"]


@pytest.mark.parametrize("said", [{"incomplete": True}, {"evaluationError": "a role is not there"}])
def test_what_rules_do_not_tell_is_asked_one_by_one(said: dict[str, Any]) -> None:
    """A rule that is told is believed; what none grants is asked for: of all objects, then of the one."""
    rules = {**said, "resourceRules": [msgspec.to_builtins(_CONFIG_MAPS)]}
    server = _Server("patch secrets app a, list pods app", nowhere=rules, app=rules)
    patch = needs.Need("patch", "", "secrets", "app", "a")
    found = _ask(server, _GET, patch, needs.Need("list", "", "pods", "app"), needs.Need("list", "", "nodes"))
    assert found == rights.Answer((rights.Gap("nodes", "", ("list",)),))
    single = ["list nodes", "patch secrets app", "patch secrets app a", "list pods app"]
    assert server.asked[:3] == ["* * *", "rules -", "rules app"]
    assert sorted(server.asked[3:]) == sorted(single)


def test_a_server_that_tells_no_rules_is_asked_one_by_one() -> None:
    """Rules reviews may be refused where access reviews are not."""
    server = _Server("get configmaps app")
    server.failing["selfsubjectrulesreviews"] = answers.Failure("forbidden", "Forbidden", "no", status=403)
    assert _ask(server, _GET) == rights.Answer()
    assert server.asked == ["* * *", "get configmaps app"]


def test_questions_are_bounded() -> None:
    """However many objects there are, one site is asked 24 questions at most, and the rest is not known."""
    server = _Server(nowhere={"incomplete": True}, app={"incomplete": True})
    found = _ask(server, *(needs.Need("get", "", "configmaps", "app", f"c{number}") for number in range(100)))
    assert found.unknown is not None
    assert found.unknown.reason == "TooManyQuestions"
    assert len(server.asked) == 3 + 24
    assert [len(gap.names) for gap in found.gaps] == [23]


def test_namespaces_are_bounded() -> None:
    """Rules of a few namespaces are asked for; beyond that, single questions."""
    server = _Server()
    found = _ask(server, *(needs.Need("list", "", "pods", f"n{number:02}") for number in range(12)))
    assert len([one for one in server.asked if one.startswith("rules")]) == 9
    assert len(found.gaps) == 12


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (answers.Failure("forbidden", "Forbidden", "no", status=403), "Forbidden"),
        (answers.Failure("missing", "HTTP404", "404 page not found", status=404), "HTTP404"),
        (answers.Failure("rejected", "NotImplemented", "no such thing", status=501), "NotImplemented"),
        (answers.Failure("unreachable", "ReadTimeout", "silence"), "ReadTimeout"),
    ],
)
def test_a_server_that_does_not_say_is_unknown(failure: answers.Failure, reason: str) -> None:
    """Nothing is taken for missing, and the cause is told."""
    server = _Server()
    server.failing["selfsubjectaccessreviews"] = failure
    found = _ask(server, _GET)
    assert (found.gaps, found.unknown and found.unknown.reason) == ((), reason)


def test_who_has_what_a_role_grants_need_not_escalate() -> None:
    """RBAC lets somebody hand out what they have; where rules are not all told, that cannot be told either."""
    need = needs.Need("escalate", "rbac.authorization.k8s.io", "roles", "app", "r", instead=(_GET,))
    rule = {"resourceRules": [msgspec.to_builtins(_CONFIG_MAPS)]}
    assert _ask(_Server(app=rule), need) == rights.Answer()
    assert [gap.verbs for gap in _ask(_Server(), need).gaps] == [("escalate",)]
    found = _ask(_Server(nowhere={"incomplete": True}, app={"incomplete": True}), need)
    assert (found.gaps, found.unknown and found.unknown.reason) == ((), "RulesIncomplete")


def test_gaps_name_objects_only_where_others_may_be() -> None:
    """Verbs are together; a name is said where another object of the kind has the right."""
    wanted = [needs.Need(verb, "apps", "deployments", "app", name) for verb in ("get", "patch") for name in "ab"]
    assert rights.gaps(wanted, wanted) == (rights.Gap("deployments.apps", "app", ("get", "patch")),)
    assert rights.gaps(wanted[:1], wanted) == (rights.Gap("deployments.apps", "app", ("get",), ("a",)),)


# --- what is needed


def _release(*bodies: dict[str, Any]) -> releases.Release:
    made = []
    for body in bodies:
        meta, group = body["metadata"], objects.group_of(body["apiVersion"])
        identity = objects.ObjectId(group, body["kind"], meta.get("namespace", ""), meta["name"])
        made.append(releases.RenderedObject(identity, msgspec.json.encode(body), "a.yaml.j2"))
    return releases.Release("s1", "pos", "1", releases.digest(made), tuple(made))


def _config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "app"}}


_SERVED: needs.Served = {
    ("", "ConfigMap"): ("configmaps", True),
    ("", "Namespace"): ("namespaces", False),
    ("", "PersistentVolumeClaim"): ("persistentvolumeclaims", True),
    ("apps", "StatefulSet"): ("statefulsets", True),
    ("rbac.authorization.k8s.io", "Role"): ("roles", True),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("rolebindings", True),
}


def _words(step: needs.Step) -> dict[str, set[str]]:
    """Return verbs by what they are for, in words."""
    found: dict[str, set[str]] = {}
    for one in needs.of(step, _SERVED):
        found.setdefault(" ".join(filter(None, (one.qualified, one.namespace, one.name))), set()).add(one.verb)
    return found


def test_a_first_install_makes_everything() -> None:
    """The parent, its namespace and each object are created by name; what an earlier try has left is looked for."""
    found = _words(needs.Step("pos", "app", None, _release(_config_map("a"))))
    assert found["secrets app pos"] == {"get", "patch", "create"}
    assert found["namespaces app app"] == {"get", "patch", "create"}
    assert found["configmaps app a"] == {"get", "patch", "create"}
    assert found["namespaces kube-system kube-system"] == {"get"}
    assert found["leases.coordination.k8s.io fleetctl-system"] == {"create"}
    assert found["leases.coordination.k8s.io fleetctl-system fleetctl-pos"] == {"get", "update", "delete"}
    assert found["configmaps app"] == {"list"}


def test_an_update_creates_what_is_new_and_deletes_what_is_gone() -> None:
    """What stays is patched alone; of what is protected the label is."""
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "app"}}
    old, new = _release(_config_map("a"), _config_map("b"), claim), _release(_config_map("a"), _config_map("c"))
    found = _words(needs.Step("pos", "app", old, new, parent=True))
    assert found["secrets app pos"] == {"get", "patch"}
    assert found["namespaces app app"] == {"get"}
    assert found["configmaps app a"] == {"get", "patch"}
    assert found["configmaps app b"] == {"get", "delete"}
    assert found["configmaps app c"] == {"get", "patch", "create"}
    assert found["configmaps app"] == found["persistentvolumeclaims app"] == {"list"}
    assert found["persistentvolumeclaims app data"] == {"patch"}


def test_where_nothing_is_sure_everything_may_have_to_be_made() -> None:
    """A set that was left half done is listed; one that is known and loses nothing is not."""
    release = _release(_config_map("a"))
    sure = needs.Step("pos", "app", release, release, parent=True)
    assert "configmaps app" not in _words(sure)
    assert _words(msgspec.structs.replace(sure, listed=True))["configmaps app"] == {"list"}
    step = needs.Step("pos", "app", None, _release(_config_map("a")), sure=False, parent=True)
    assert _words(step)["configmaps app a"] == {"get", "patch", "create"}
    assert _words(step)["configmaps app"] == {"list"}


def test_a_removal_deletes_everything() -> None:
    """The parent, too."""
    found = _words(needs.Step("pos", "app", _release(_config_map("a")), None, parent=True))
    assert (found["secrets app pos"], found["configmaps app a"]) == ({"get", "patch", "delete"}, {"get", "delete"})


def test_workloads_ask_for_health_and_evidence() -> None:
    """What verdicts and ``why`` want, and an undo."""
    body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "app"}}
    found = _words(needs.Step("pos", "app", None, _release(body)))
    assert (found["pods app"], found["pods/log app"], found["nodes"]) == ({"list", "delete"}, {"get"}, {"list"})
    assert found["events app"] == {"list"}
    assert "replicasets.apps app" not in found


def test_roles_ask_for_what_they_grant() -> None:
    """Who applies a Role or binds one must have its rights, or ``escalate`` and ``bind``."""
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "r", "namespace": "app"}}
    rules = [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"]}]
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    role, binding = {**head, "kind": "Role", "rules": rules}, {**head, "kind": "RoleBinding", "roleRef": ref}
    atoms = (needs.Need("get", "", "configmaps", "app"), needs.Need("list", "", "configmaps", "app"))
    found = needs.of(needs.Step("pos", "app", None, _release(role, binding)), _SERVED)
    assert {one.verb: one.instead for one in found if one.instead} == {"escalate": atoms, "bind": atoms}
    alone = needs.of(needs.Step("pos", "app", None, _release(binding)), _SERVED)
    assert [one.instead for one in alone if one.verb == "bind"] == [()]
