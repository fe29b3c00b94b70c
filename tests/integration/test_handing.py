"""Sets that change hands between fleetctl and real kubectl: each takes the other's word, and prunes what was its."""

import json

import pytest

from tests.contract import talking
from tests.integration import shops

pytestmark = pytest.mark.kubebox

_SITE = "store-2"
_NOTES = "applyset.kubernetes.io/"


def _files(shop: shops.Shop, *objects: shops.Object) -> str:
    """Write what kubectl is to apply: the bundle's namespace, which is of the set too, and some objects."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shop.namespace}}
    inside = [{**one, "metadata": {**one["metadata"], "namespace": shop.namespace}} for one in objects]
    path = shop.folder / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [home, *inside]}), encoding="utf-8")
    return str(path)


def _kubectl(shop: shops.Shop, *objects: shops.Object, code: int = 0) -> str:
    """Apply objects as the set ``app``, and prune the rest of it."""
    words = ["apply", "--server-side", "--prune", "--applyset=app", "-n", shop.namespace, "-f", _files(shop, *objects)]
    return shop.kubectl(_SITE, *words, code=code, KUBECTL_APPLYSET="true")


def _names(shop: shops.Shop) -> set[str]:
    """Return the ConfigMaps that are there, but for the cluster's own."""
    found = {one["metadata"]["name"] for one in shop.place(_SITE).listed("configmaps")}
    return found - {"kube-root-ca.crt"}


def _owners(shop: shops.Shop) -> dict[str, set[str]]:
    """Return the managers of the parent's notes, by annotation."""
    found: dict[str, set[str]] = {}
    for entry in shop.place(_SITE).get("secrets", "app")["metadata"]["managedFields"]:
        for field in entry["fieldsV1"].get("f:metadata", {}).get("f:annotations", {}):
            if field != ".":
                found.setdefault(field.removeprefix("f:"), set()).add(entry["manager"])
    return found


def test_a_set_that_was_handed_over_is_kubectls(shop: shops.Shop) -> None:
    """Kubectl refuses our set; handed over, it prunes what we applied and nothing else, and has nothing to force."""
    kept, legacy = talking.config_map("greeting", {"text": "hello"}), talking.config_map("legacy", {"old": "1"})
    shop.release("1.0.0", kept, legacy)
    shop.start()
    release = shop.parent(_SITE)["release"]
    shop.place(_SITE).applied(talking.config_map("neighbour", {"mine": "1"}), manager="somebody")
    said = _kubectl(shop, kept, code=1)
    assert 'is managed by tooling "fleetctl" instead of "kubectl"' in said

    assert "run/needs-confirmation" in shop.run("applyset", "handover", _SITE, "app", code=9).err
    done = shop.run("applyset", "handover", _SITE, "app", "--yes", "-o", "json").json
    assert (done["outcome"], done["protected"]) == ("changed", [f"Namespace {shop.namespace}"])
    assert shop.parent(_SITE).keys() & {"release", "previous", "applying"} == {"previous"}
    assert shop.parent(_SITE)["previous"] == release
    shared = {key: names for key, names in _owners(shop).items() if key.startswith(_NOTES)}
    assert set(map(frozenset, shared.values())) == {frozenset({"kubectl-applyset"})}
    again = shop.run("applyset", "handover", _SITE, "app", "--yes", "-o", "json").json
    assert again["outcome"] == "unchanged"

    said = _kubectl(shop, kept)
    assert "configmap/legacy pruned" in said
    assert said.count("pruned") == 1
    assert "WARNING" not in said
    assert _names(shop) == {"greeting", "neighbour"}
    run = shop.start(code=6)
    assert shop.outcomes(run["name"]) == {**dict.fromkeys(shops.SITES, "unchanged"), _SITE: "failed"}
    cause = shop.rows(run["name"])[_SITE].cause
    assert cause
    assert cause.reason == "ForeignParent"


def test_what_kubectl_applied_is_ours_once_adopted(shop: shops.Shop) -> None:
    """A set that kubectl made is foreign to us; adopted, the next rollout applies in full and prunes what was its."""
    shop.kubectl(_SITE, "create", "namespace", shop.namespace)
    theirs = [talking.config_map("greeting", {"text": "hello"}), talking.config_map("prices", {"by": "kubectl"})]
    _kubectl(shop, *theirs)
    shop.place(_SITE).applied(talking.config_map("neighbour", {"mine": "1"}), manager="somebody")
    shop.release("1.0.0", talking.config_map("greeting", {"text": "hello"}), talking.config_map("site", {"a": "b"}))
    assert shop.outcomes(shop.start(code=6)["name"]) == {**dict.fromkeys(shops.SITES, "changed"), _SITE: "failed"}

    done = shop.run("applyset", "adopt", _SITE, "app", "--yes", "-o", "json").json
    assert (done["outcome"], done["tooling"].partition("/")[0]) == ("changed", "fleetctl")
    assert all("kubectl-applyset" not in names for names in _owners(shop).values())
    assert shop.run("applyset", "adopt", _SITE, "app", "--yes", "-o", "json").json["outcome"] == "unchanged"
    assert 'is managed by tooling "fleetctl"' in _kubectl(shop, *theirs, code=1)

    run = shop.start()
    assert shop.outcomes(run["name"]) == {**dict.fromkeys(shops.SITES, "unchanged"), _SITE: "changed"}
    assert _names(shop) == {"greeting", "neighbour", "site"}


def test_a_set_goes_there_and_back(shop: shops.Shop) -> None:
    """What kubectl added in between is pruned when the set comes home, and an undo goes to the release before."""
    ours = talking.config_map("greeting", {"text": "hello"})
    shop.release("1.0.0", ours)
    first = shop.start()
    release = shop.rows(first["name"])[_SITE].after
    shop.run("applyset", "handover", _SITE, "app", "--yes")
    _kubectl(shop, ours, talking.config_map("prices", {"by": "kubectl"}))
    shop.run("applyset", "adopt", _SITE, "app", "--yes")
    assert _names(shop) == {"greeting", "prices"}
    shop.release("1.1.0", ours, talking.config_map("site", {"a": "b"}))
    run = shop.start()
    assert shop.outcomes(run["name"]) == dict.fromkeys(shops.SITES, "changed")
    assert _names(shop) == {"greeting", "site"}
    assert shop.rows(run["name"])[_SITE].previous == release
    shop.undo(run["name"])
    assert _names(shop) == {"greeting"}
