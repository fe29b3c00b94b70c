"""Secrets on real clusters of both minors: rolled out, rotated, and kept out of what a cluster quotes."""

import base64
import contextlib
import functools
import json
import pathlib
from collections.abc import Iterator

import pytest

from tests.contract import talking
from tests.integration import shops

pytestmark = pytest.mark.kubebox

_VALUES = "correct-horse-battery", "staple-and-rotated"
_SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "till"},
    "data": {"token": "{{ secret('token') | b64enc }}"},
    "stringData": {"url": "https://till:{{ secret('token') }}@db"},
}


@pytest.fixture
def guarded(shop: shops.Shop, tmp_path_factory: pytest.TempPathFactory) -> shops.Shop:
    """Return a shop with a project key, whose bundle may ask for a token."""
    _rotate(shop, _VALUES[0])
    shop.run("keys", "init", "--provider", "file", "--key", str(tmp_path_factory.mktemp("keys") / "project.key"))
    reference = "{secretRef: {provider: file, key: token}}"
    shop.write("inventory/defaults.yaml", f"kind: Defaults\nvars: {{app: {{token: {reference}}}}}\n")
    return shop


def _rotate(shop: shops.Shop, value: str) -> None:
    path = shop.folder / "token"
    path.write_text(f"{value}\n", encoding="utf-8")
    path.chmod(0o600)


def _deployment() -> shops.Object:
    body = talking.deployment("web", replicas=1)
    body["spec"]["template"]["metadata"]["annotations"] = {"checksum/till": "{{ secret_hash('token') }}"}
    return body


def _data(place: talking.Place) -> dict[str, str]:
    found = place.get("secrets", "till")["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def _spilt(shop: shops.Shop) -> list[pathlib.Path]:
    """Return the files of the project that hold a value, the store of the values aside."""
    forms = [one.encode() for one in _VALUES]
    forms += [base64.b64encode(one).rstrip(b"=") for one in forms]
    files = [path for path in shop.folder.rglob("*") if path.is_file() and path.name != "token"]
    assert len(files) > 5
    return [path for path in files if any(form in path.read_bytes() for form in forms)]


def test_a_rotated_secret_is_rolled_out(guarded: shops.Shop) -> None:
    """Rotation is a change of exactly what holds the value; pods that go by its hash are made anew."""
    shop = guarded
    shop.release("1.0.0", *shops.standard(), _SECRET, _deployment() | {"metadata": {"name": "till"}})
    events = str(shop.folder / "events.jsonl")
    shop.run("--events", events, *shop.starting())
    wanted = {"token": _VALUES[0], "url": f"https://till:{_VALUES[0]}@db"}
    assert shop.everywhere(_data) == dict.fromkeys(shops.SITES, wanted)
    before = shop.everywhere(shops.versions)
    assert set(shop.outcomes(shop.start()["name"]).values()) == {"unchanged"}
    assert shop.everywhere(shops.versions) == before
    shop.run("diff", "app", "--against", "live")

    _rotate(shop, _VALUES[1])
    planned = shop.run("rollout", "plan", "app", "--all")
    assert f"~ Secret {shop.namespace}/till   another value of file token" in planned.out
    assert set(shop.outcomes(shop.start()["name"]).values()) == {"changed"}
    assert {found["token"] for found in shop.everywhere(_data).values()} == {_VALUES[1]}
    after = shop.everywhere(shops.versions)
    for site in shops.SITES:
        moved = {key.split()[1] for key, version in after[site].items() if before[site].get(key) != version}
        assert moved == {"app", "till"}
    assert _spilt(shop) == []


@contextlib.contextmanager
def _quoting(shop: shops.Shop) -> Iterator[None]:
    """Have every site's API server refuse the Secret, and quote in its message what it was sent."""
    kind = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    name = f"quotes-{shop.namespace}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}
    space = {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": space},
            "validations": [
                {
                    "expression": "object.metadata.name != 'till'",
                    "messageExpression": "'not ' + object.data.token + ' nor ' + object.data.url",
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    for site in shops.SITES:
        place = shop.place(site)
        assert place.api.call("POST", kind, policy).status == 201
        assert place.api.call("POST", kind.replace("policies", "policybindings"), binding).status == 201
        talking.until(functools.partial(_refused, place), "the policy")
    try:
        yield
    finally:
        for site in shops.SITES:
            for path in (kind, kind.replace("policies", "policybindings")):
                shop.place(site).api.call("DELETE", f"{path}/{name}")


def _refused(place: talking.Place) -> bool:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "till"}, "data": {"token": "", "url": ""}}
    return place.apply(body, dryRun="All").status == 422


def test_what_a_cluster_quotes_is_not_told(guarded: shops.Shop) -> None:
    """A policy that quotes the value in base64: the cause is told without it, on screen and in the journal."""
    shop = guarded
    shop.release("1.0.0", talking.config_map("greeting", {"text": "hello"}))
    shop.start()
    shop.release("1.1.0", talking.config_map("greeting", {"text": "hello"}), _SECRET)
    with _quoting(shop):
        events = str(shop.folder / "events.jsonl")
        halted = shop.run("--events", events, *shop.starting(), code=7)
    rows = [row for row in shop.rows(shop.latest()).values() if row.cause]
    assert [str(row.outcome) for row in rows] == ["failed"]
    assert "not (secret)" in str(rows[0].cause), rows[0].cause
    why = shop.run("why", rows[0].site)
    said = json.dumps([halted.out, halted.err, why.out, why.err])
    assert [one for one in _VALUES if one in said or base64.b64encode(one.encode()).decode() in said] == []
    assert _spilt(shop) == []
