"""``--dry-run`` of ``rollout plan`` and ``start``: what is asked of whom, what is told, and how it ends."""

import json
import pathlib
from typing import Any

import pytest

from fleetctl.sim import faults, permissions
from tests.unit.cli import simulated

_MAPS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: {{ vars.color | k }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: more}
data: {a: b}
"""


def _lay_out(shop: simulated.Shop, color: str = "red") -> None:
    shop.write("templates/app/a.yaml.j2", _MAPS)
    shop.write("inventory/defaults.yaml", f"kind: Defaults\nbundles: {{app: {{}}}}\nvars: {{color: {color}}}\n")


def _requests(shop: simulated.Shop) -> int:
    assert shop.fleet
    return sum(shop.fleet.requests().values())


def _asked(shop: simulated.Shop, *more: str, code: int = 0) -> dict[str, Any]:
    said = shop.run("rollout", "plan", "app", "--all", "--dry-run", "server", "-o", "json", *more)
    assert said.exit_code == code, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)["dryRun"]
    return found


@pytest.mark.parametrize("command", ["plan", "start"])
def test_client_contacts_nothing(tmp_path: pathlib.Path, command: str) -> None:
    """The journal says what is there; nothing is begun."""
    with simulated.opened(tmp_path) as shop:
        _lay_out(shop)
        shop.rollout()
        _lay_out(shop, "blue")
        shop.bundle("1.1.0")
        before = _requests(shop)
        said = shop.run("rollout", command, "app", "--all", "--dry-run", "client")
        assert said.exit_code == 0, said.stderr
        assert "app 1.0.0 -> 1.1.0 on 3 sites" in said.stdout
        assert "~ ConfigMap app/settings" in said.stdout
        assert _requests(shop) == before
        assert len(shop.run("rollout", "history", "-o", "name").stdout.split()) == 1


def test_a_plan_without_contact_can_be_started(tmp_path: pathlib.Path) -> None:
    """What the journal said is not held against what visits find."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        _lay_out(shop)
        shop.rollout()
        _lay_out(shop, "blue")
        shop.bundle("1.1.0")
        file = str(tmp_path / "plan.json")
        said = shop.run("rollout", "plan", "app", "--all", "--dry-run", "client", "--out", file)
        assert said.exit_code == 0, said.stderr
        (member,) = json.loads(pathlib.Path(file).read_bytes())["members"]
        assert (member.get("base"), member.get("read", False)) == (None, False)
        assert shop.run("rollout", "start", "--plan", file, "--yes").exit_code == 0


def test_server_tells_what_servers_say(tmp_path: pathlib.Path) -> None:
    """Created and configured and unchanged, as they say it; nothing is changed, and nothing is begun."""
    with simulated.opened(tmp_path) as shop:
        _lay_out(shop)
        shop.rollout()
        _lay_out(shop, "blue")
        shop.bundle("1.1.0")
        before = shop.cluster("s1").store.version
        (group,) = _asked(shop)["groups"]
        assert group == {
            "sites": ["s1", "s2", "s3"],
            "created": 0,
            "configured": 1,
            "unchanged": 1,
            "deleted": 0,
            "conflicts": [],
            "refused": [],
            "unknown": [],
        }
        said = shop.run("rollout", "start", "app", "--all", "--dry-run", "server")
        assert (said.exit_code, "Server  3 sites, e.g. s1: 1 configured, 1 unchanged" in said.stdout) == (0, True)
        assert shop.cluster("s1").store.version == before
        assert len(shop.run("rollout", "history", "-o", "name").stdout.split()) == 1


def test_where_nothing_would_change_no_more_is_asked(tmp_path: pathlib.Path) -> None:
    """The plan's own read is enough."""
    with simulated.opened(tmp_path) as shop:
        _lay_out(shop)
        shop.rollout()
        before = _requests(shop)
        assert _asked(shop, "--exit-code") == {"groups": [], "silent": []}
        assert _requests(shop) == before + 3


def test_what_no_server_can_judge_is_unknown(tmp_path: pathlib.Path) -> None:
    """The namespace comes with the visit."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        _lay_out(shop)
        (group,) = _asked(shop)["groups"]
        assert [one["object"] for one in group["unknown"]] == ["ConfigMap app/more", "ConfigMap app/settings"]
        assert (group["created"], group["unchanged"]) == (0, 0)
        _asked(shop, "--exit-code", code=1)


def test_a_namespace_that_does_not_come_is_a_refusal(tmp_path: pathlib.Path) -> None:
    """The home of the bundle comes with the visit, and what the release holds; no other."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        _lay_out(shop)
        shop.write(
            "templates/app/b.yaml.j2", _MAPS.partition("---")[0].replace("settings}", "settings, namespace: else}")
        )
        (group,) = _asked(shop, code=6)["groups"]
        expected = "NotFound: there is no namespace else, and none comes"
        assert group["refused"] == [{"object": "ConfigMap else/settings", "details": expected}]
        namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: else}\n"
        shop.write("templates/app/c.yaml.j2", namespace)
        (group,) = _asked(shop)["groups"]
        assert (group["refused"], group["created"]) == ([], 1)


def test_conflicts_and_refusals_end_with_6(tmp_path: pathlib.Path) -> None:
    """They say whose the fields are; who may be forced is no conflict."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        _lay_out(shop)
        shop.rollout()
        _lay_out(shop, "blue")
        shop.bundle("1.1.0")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"color": "pink"}}
        path = "/api/v1/namespaces/app/configmaps/settings?fieldManager=kubectl&force=true"
        headers = {
            "authorization": f"Bearer {shop.cluster('s1').token}",
            "content-type": "application/apply-patch+yaml",
        }
        assert shop.cluster("s1").answer("PATCH", path, headers, json.dumps(body).encode()).code == 200
        (group,) = _asked(shop, code=6)["groups"]
        assert group["conflicts"] == [{"object": "ConfigMap app/settings", "details": "kubectl has .data.color"}]
        (group,) = _asked(shop, "--force-conflicts", "kubectl")["groups"]
        assert (group["configured"], group["conflicts"]) == (1, [])


def test_rights_that_are_missing_are_refusals(tmp_path: pathlib.Path) -> None:
    """A dry-run needs what an apply needs; the plan says so, too."""
    with simulated.opened(tmp_path, ("s1", "s2")) as shop:
        _lay_out(shop)
        shop.rollout()
        _lay_out(shop, "blue")
        shop.bundle("1.1.0")
        assert shop.fleet
        view = (permissions.Rule(("get", "list"), ("*",), ("*",)),)
        shop.fleet.suffer("s2", faults.Fault(rights=view))
        said = shop.run("rollout", "plan", "app", "--all", "--dry-run", "server")
        assert said.exit_code == 6
        text = " ".join(said.stdout.split())
        assert "at 1 site we may not patch configmaps in app" in text
        assert '! ConfigMap app/settings: Forbidden: configmaps "settings" is forbidden' in text


def test_who_does_not_answer_is_unknown_and_owed(tmp_path: pathlib.Path) -> None:
    """It is not asked a second time."""
    with simulated.opened(tmp_path) as shop:
        _lay_out(shop)
        assert shop.fleet
        shop.fleet.suffer("s2", faults.Fault(refuse=True))
        (silent,) = _asked(shop, code=4)["silent"]
        assert (silent["sites"], silent["unreachable"]) == (["s2"], True)


def test_whose_credential_is_refused_has_failed(tmp_path: pathlib.Path) -> None:
    """That is no silence: the visit would fail."""
    with simulated.opened(tmp_path) as shop:
        _lay_out(shop)
        assert shop.fleet
        shop.fleet.suffer("s2", faults.Fault(status=401))
        (silent,) = _asked(shop, code=6)["silent"]
        assert (silent["sites"], silent["unreachable"], silent["cause"]["reason"]) == (["s2"], False, "Unauthorized")


def test_a_saved_plan_is_not_rehearsed(tmp_path: pathlib.Path) -> None:
    """It says what is run; a look is for what is to be planned."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        said = shop.run("rollout", "start", "--plan", "plan.json", "--dry-run", "server")
        assert said.exit_code == 2
