"""How our client finds kinds that Kubernetes does not have itself, on a real API server: simulated ones have none."""

import asyncio
import functools
import hashlib
import pathlib
import time
from typing import Any

import pytest

from fleetctl.kube import answers, client, curl, discoverycache, kinds, transport
from tests.contract import plainhttp, talking
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox

GROUP = "finding.example.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


def _definition(kind: str, group: str = GROUP, **more: object) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, **more}
    spec = {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": [version]}
    meta = {"name": f"{plural}.{group}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def _serves(api: plainhttp.Api, group: str) -> bool:
    return "tills" in api.call("GET", f"/apis/{group}/v1").text


async def _with_client(
    api: plainhttp.Api, *asked: tuple[str, str, str]
) -> list[kinds.Resource | answers.Failure | None]:
    """Ask how kinds are served, one after another in one visit, with a second for each."""
    found: list[kinds.Resource | answers.Failure | None] = []
    endpoint = transport.Endpoint(f"https://127.0.0.1:{api.port}", api.authority, api.token)
    async with curl.CurlTransport() as wire:
        with client.Client(wire.session(endpoint), deadline=time.monotonic() + 5) as ours:
            for one in asked:
                try:
                    found.append(await ours.resources.of(*one))
                except answers.Failure as failure:
                    found.append(failure)
    return found


def test_a_kind_is_found_as_soon_as_it_is_served(kubebox: clusters.Fleet) -> None:
    """With its plural, its scope, and whether it has a status."""
    api = kubebox.cluster().api()
    for body in (_definition("Till", subresources={"status": {}}), _definition("Price")):
        assert api.call("POST", DEFINITIONS, body).status == 201

    def served() -> list[kinds.Resource]:
        asked = [(GROUP, "Till", f"{GROUP}/v1"), (GROUP, "Price", "")]
        found = asyncio.run(_with_client(api, *asked))
        return [one for one in found if isinstance(one, kinds.Resource)] if None not in found else []

    tills, prices = talking.until(served, "both are served")
    assert (tills.collection("shop"), tills.has_status) == (f"/apis/{GROUP}/v1/namespaces/shop/tills", True)
    assert (prices.collection("shop"), prices.has_status) == (f"/apis/{GROUP}/v1/namespaces/shop/prices", False)


def test_a_group_whose_server_is_away_is_not_taken_for_none(kubebox: clusters.Fleet) -> None:
    """An APIService without a backend: its kinds may be there all the same, and other groups are not held up by it."""
    api = kubebox.cluster().api()
    group = "away.example.com"
    spec = {
        "group": group,
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "insecureSkipTLSVerify": True,
        "service": {"name": "nobody", "namespace": "default"},
    }
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"v1.{group}"}}
    assert api.call("POST", SERVICES, {**body, "spec": spec}).status == 201
    try:
        talking.until(lambda: api.call("GET", f"/apis/{group}").status == 200, "the group is told of")
        other = ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "")
        found, failure = asyncio.run(_with_client(api, other, (group, "Thing", "")))
        assert isinstance(failure, answers.Failure)
        assert (failure.kind, failure.status) == ("busy", 503)
        assert not isinstance(found, answers.Failure)
    finally:
        assert api.call("DELETE", f"{SERVICES}/v1.{group}").status == 200


@pytest.mark.parametrize("minor", clusters.MINORS)
def test_what_a_cluster_said_is_confirmed(kubebox: clusters.Fleet, minor: str, tmp_path: pathlib.Path) -> None:
    """Two groups cost one small answer from the second visit on, and a definition that comes during a visit is seen."""
    api = kubebox.cluster(minor).api()
    names = [f"{name}.{minor.replace('.', '-')}.example.com" for name in ("first", "second", "third")]
    for group in names[:2]:
        assert api.call("POST", DEFINITIONS, _definition("Till", group=group)).status == 201
        talking.until(functools.partial(_serves, api, group), "it is served")
    asked = [(group, "Till", f"{group}/v1") for group in names]

    async def visit(*, late: bool = False) -> tuple[list[bool], int]:
        endpoint = transport.Endpoint(f"https://127.0.0.1:{api.port}", api.authority, api.token)
        async with curl.CurlTransport() as wire:
            known = discoverycache.Cache(tmp_path).of(endpoint)
            with client.Client(wire.session(endpoint), deadline=time.monotonic() + 60, known=known) as ours:
                found = [await ours.resources.of(*one) is not None for one in asked]
                if late:
                    assert api.call("POST", DEFINITIONS, _definition("Till", group=names[2])).status == 201
                    for _ in range(1000):
                        if await ours.resources.of(*asked[2]) is not None:
                            break
                        await asyncio.sleep(0.05)
                    found[2] = await ours.resources.of(*asked[2]) is not None
                return found, ours.requests

    assert asyncio.run(visit()) == ([True, True, False], 3)  # a version, all, and what that lacks
    assert asyncio.run(visit(late=True))[0] == [True, True, True]
    assert asyncio.run(visit()) == ([True, True, True], 1)  # the definition has changed the answer, which comes whole
    assert asyncio.run(visit()) == ([True, True, True], 1)


@pytest.mark.parametrize("minor", clusters.MINORS)
def test_a_document_bears_its_hash(kubebox: clusters.Fleet, minor: str) -> None:
    """The index's hash is the mark of the document and its SHA-512; who has it is told so.

    Simulated clusters have no custom resources and answer 501.
    """
    api = kubebox.cluster(minor).api()
    group = f"hash.{minor.replace('.', '-')}.example.com"
    assert api.call("POST", DEFINITIONS, _definition("Till", group=group)).status == 201
    path = f"apis/{group}/v1"
    talking.until(lambda: "Till" in api.call("GET", f"/openapi/v3/{path}").text, "it is told of")
    plain = api.call("GET", f"/openapi/v3/{path}")
    made = hashlib.sha512(plain.text.encode()).hexdigest().upper()
    assert plain.headers["Etag"] == f'"{made}"'
    told = api.call("GET", "/openapi/v3").json["paths"][path]["serverRelativeURL"]
    assert told == f"/openapi/v3/{path}?hash={made}"
    assert api.call("GET", told).text == plain.text
    known = api.call("GET", f"/openapi/v3/{path}", if_none_match=plain.headers["Etag"])
    assert (known.status, known.text) == (304, "")
    moved = api.call("GET", f"/openapi/v3/{path}?hash=0")
    assert (moved.status, moved.headers["Location"]) == (301, told)
    assert api.call("GET", "/openapi/v3/apis/none.example.com/v1").status == 404
