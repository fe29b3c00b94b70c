"""A real server whose API Priority and Fairness turns us away: seen as such, with its word on when to come back."""

import asyncio
from collections.abc import Iterator

import pytest

from fleetctl.kube import answers, client, curl, transport
from tests.contract import plainhttp
from tests.kubebox import clusters

pytestmark = pytest.mark.kubebox
_GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1"
_NAME = "nothing-for-the-rationed"
_LEVEL = {
    "type": "Limited",
    "limited": {
        "nominalConcurrencyShares": 0,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    },
}
_RULES = {
    "subjects": [{"kind": "User", "user": {"name": "rationed"}}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    ],
}
_SCHEMA = {"priorityLevelConfiguration": {"name": _NAME}, "matchingPrecedence": 3, "rules": [_RULES]}


@pytest.fixture
def rationed(kubebox: clusters.Fleet) -> Iterator[transport.Endpoint]:
    """A server that has no room for one user, and us as that user."""
    cluster = kubebox.cluster()
    api = cluster.api()
    made = [
        ("prioritylevelconfigurations", "PriorityLevelConfiguration", _LEVEL),
        ("flowschemas", "FlowSchema", _SCHEMA),
    ]
    for plural, kind, spec in made:
        body = {"apiVersion": _GROUP[6:], "kind": kind, "metadata": {"name": _NAME}, "spec": spec}
        said = api.call("PATCH", f"{_GROUP}/{plural}/{_NAME}?fieldManager=test", body, content=plainhttp.APPLY)
        assert said.status == 201, said.text
    yield transport.Endpoint(
        f"https://127.0.0.1:{api.port}", api.authority, api.token, impersonation=(("Impersonate-User", "rationed"),)
    )
    for plural, _, _ in made[::-1]:
        api.call("DELETE", f"{_GROUP}/{plural}/{_NAME}")


def test_a_server_that_has_no_room_for_us_says_so(rationed: transport.Endpoint) -> None:
    """Of many requests at once it serves one, as it does without any share; each other is a 429 of flowcontrol's."""

    async def ask() -> list[answers.Failure]:
        async with curl.CurlTransport() as wire, asyncio.timeout(60):

            async def one() -> answers.Failure | None:
                with client.Client(wire.session(rationed), pace=client.Pace(undated=0.0)) as api:
                    try:
                        await api.get_raw("/openapi/v2")
                    except answers.Failure as failure:
                        return failure
                    return None

            while True:
                found = await asyncio.gather(*(one() for _ in range(20)))
                if refused := [failure for failure in found if failure is not None]:
                    return refused

    for failure in asyncio.run(ask()):
        assert (failure.status, failure.kind, failure.reason, failure.repeat) == (429, "busy", "HTTP429", "always")
        assert "Priority and Fairness" in failure.message
        assert failure.retry_after
        assert failure.retry_after >= 1
