"""Differences from what sites got last, after real rollouts to a simulated fleet."""

import json
import pathlib
from typing import Any

from fleetctl.sim import faults
from tests.unit.cli import simulated

_TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: %s}\n"


def _config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_against_the_last_releases(tmp_path: pathlib.Path) -> None:
    """Right after a rollout nothing differs; what was edited since does, and a run that follows takes it away."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()
        same = shop.run("diff", "app", "--against", "last")
        assert (same.exit_code, same.stdout) == (
            0,
            "SIMULATED\napp 1.0.0 against the last releases: nothing differs at 3 sites\n",
        )
        shop.bundle("1.1.0")
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "blue")
        shop.write("inventory/defaults.yaml", "kind: Defaults\nbundles: {app: {}}\nlabels: {env: prod}\n")
        said = shop.run("diff", "app", "--against", "last")
        assert said.exit_code == 1
        assert "3 sites, e.g. s1\n  ~ ConfigMap app/settings   data.color red -> blue" in said.stdout
        assert "    -  color: red\n    +  color: blue\n" in said.stdout
        assert shop.run("diff", "app", "--against", "last", "--site", "s2", "-o", "name").stdout == "s2\n"
        shop.rollout()
        assert shop.run("diff", "app", "--against", "last").exit_code == 0


def test_what_was_not_checked_is_told(tmp_path: pathlib.Path) -> None:
    """As render tells it: a kind without a known definition is a note on standard error, whatever the result is."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", "apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: a}\n")
        said = shop.run("diff", "app", "--against", "last", "-o", "name")
        assert said.stdout == "s1\ns2\ns3\n"
        assert "note: 3 objects of shop.example/v1 Till were not checked: " in said.stderr


def _versions(shop: simulated.Shop) -> dict[str, str]:
    """Return the latest resourceVersion of every cluster."""
    return {site: shop.cluster(site).store.version for site in ("s1", "s2", "s3")}


def _by_hand(shop: simulated.Shop, site: str, plural: str, body: dict[str, Any], manager: str = "kubectl") -> None:
    """Take fields of an object, or make one, as somebody else would."""
    cluster, name = shop.cluster(site), body["metadata"]["name"]
    body = {"apiVersion": "v1", **body}
    path = f"/api/v1/namespaces/app/{plural}/{name}?fieldManager={manager}&force=true"
    headers = {"authorization": f"Bearer {cluster.token}", "content-type": "application/apply-patch+yaml"}
    answer = cluster.answer("PATCH", path, headers, json.dumps(body).encode())
    assert answer.code in {200, 201}, answer


def _delete(shop: simulated.Shop, site: str, path: str) -> None:
    cluster = shop.cluster(site)
    answer = cluster.answer("DELETE", path, {"authorization": f"Bearer {cluster.token}"}, b"")
    assert answer.code == 200, answer


def test_against_live_clusters_that_are_as_they_should_be(tmp_path: pathlib.Path) -> None:
    """Nothing differs, at the price of the parent and one list for each kind; nothing is changed by asking."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout()
        before, asked = _versions(shop), shop.cluster("s1").requests
        said = shop.run("diff", "app", "--against", "live")
        assert (said.exit_code, said.stdout) == (
            0,
            "SIMULATED\napp 1.0.0 against the live clusters: nothing differs at 3 sites\n",
        )
        assert _versions(shop) == before
        assert shop.cluster("s1").requests - asked == 2


def test_against_live_clusters_that_drifted(tmp_path: pathlib.Path) -> None:
    """Fields with their managers and objects that are gone are told, once for all sites where it is the same."""
    with simulated.opened(tmp_path) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red" + "---\n" + _TEMPLATE.replace("settings", "more") % "a")
        shop.rollout()
        for site in ("s1", "s2"):
            _by_hand(shop, site, "configmaps", _config_map("settings", {"color": "blue", "mine": "1"}))
        _delete(shop, "s3", "/api/v1/namespaces/app/configmaps/more")
        before = _versions(shop)
        said = shop.run("diff", "app", "--against", "live")
        assert said.exit_code == 1
        assert said.stdout == (
            "SIMULATED\n"
            "app 1.0.0 against the live clusters: 2 kinds of difference at 3 sites\n"
            "\n"
            "2 sites, e.g. s1\n"
            "  ~ ConfigMap app/settings   kubectl has .data.color   templates/app/a.yaml.j2\n"
            "    @@ -1,6 +1,6 @@\n"
            "     apiVersion: v1\n"
            "     data:\n"
            "    -  color: blue\n"
            "    +  color: red\n"
            "     kind: ConfigMap\n"
            "     metadata:\n"
            "       labels:\n"
            "\n"
            "1 site: s3\n"
            "  + ConfigMap app/more   templates/app/a.yaml.j2\n"
            "    @@ -0,0 +1,7 @@\n"
            "    +apiVersion: v1\n"
            "    +data:\n"
            "    +  color: a\n"
            "    +kind: ConfigMap\n"
            "    +metadata:\n"
            "    +  name: more\n"
            "    +  namespace: app\n"
        )
        assert shop.run("diff", "app", "--against", "live", "-o", "name").stdout == "s1\ns2\ns3\n"
        assert _versions(shop) == before
        item = json.loads(shop.run("diff", "app", "--against", "live", "-o", "json").stdout)["items"][0]
        assert item["objects"][0]["fields"] == [
            {"path": ".data.color", "live": "blue", "wanted": "red", "managers": ["kubectl"]}
        ]


def test_against_live_clusters_with_another_release(tmp_path: pathlib.Path) -> None:
    """Before a rollout: what it would create, configure and prune, and what it would refuse."""
    with simulated.opened(tmp_path, ("s1",)) as shop:
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.write("templates/app/b.yaml.j2", _TEMPLATE.replace("settings", "old") % "grey")
        shop.rollout()
        shop.bundle("1.1.0")
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "blue")
        shop.write("templates/app/b.yaml.j2", _TEMPLATE.replace("settings", "new") % "white")
        shop.write("templates/app/c.yaml.j2", _TEMPLATE.replace("settings", "theirs") % "black")
        shop.write("templates/app/d.yaml.j2", _TEMPLATE.replace("settings", "bad").replace("color", '"a b"') % "x")
        _by_hand(shop, "s1", "configmaps", _config_map("theirs", {"color": "pink"}))
        item = json.loads(shop.run("diff", "app", "--against", "live", "-o", "json").stdout)["items"][0]
        told = {one["object"]: (one["verb"], one["details"]) for one in item["objects"]}
        assert told.keys() == {f"ConfigMap app/{name}" for name in ("settings", "old", "new", "theirs", "bad")}
        assert told["ConfigMap app/settings"] == ("~", "")
        assert told["ConfigMap app/new"] == ("+", "")
        assert told["ConfigMap app/old"] == ("-", "")
        assert told["ConfigMap app/theirs"] == ("!", "exists and is not of this set: a rollout refuses it")
        assert told["ConfigMap app/bad"][0] == "!"
        assert told["ConfigMap app/bad"][1].startswith("Invalid: ")


def test_live_clusters_that_do_not_answer_are_named(tmp_path: pathlib.Path) -> None:
    """Silence ends with 4, though others differ; a refused credential with 6."""
    with simulated.opened(tmp_path) as shop:
        assert shop.fleet
        shop.write("templates/app/a.yaml.j2", _TEMPLATE % "red")
        shop.rollout("--exclude", "s3")
        shop.fleet.suffer("s1", faults.Fault(refuse=True))
        said = shop.run("diff", "app", "--against", "live")
        assert said.exit_code == 4
        assert "\n1 site (s1): ? ConnectionRefused reading the parent: " in said.stdout
        assert "\n1 site: s3\n  + ConfigMap app/settings " in said.stdout
        assert shop.run("diff", "app", "--against", "live", "-o", "name").stdout == "s1\ns3\n"
        shop.fleet.suffer("s2", faults.Fault(status=401))
        said = shop.run("diff", "app", "--against", "live", "-o", "json")
        assert said.exit_code == 6
        told = {one["cause"]["reason"]: (one["sites"], one["unreachable"]) for one in json.loads(said.stdout)["silent"]}
        assert told == {"ConnectionRefused": (["s1"], True), "Unauthorized": (["s2"], False)}
