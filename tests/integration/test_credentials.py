"""Credentials that are renewed, on a real API server: OpenID Connect and token files."""

import asyncio
import base64
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from fleetctl.kube import answers, client, curl, endpoints, transport
from tests.kubebox import clusters
from tests.unit.kube import issuers, wires

pytestmark = pytest.mark.kubebox

_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_REVIEW = b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}'
_CA = wires.Authority("issuer")


@pytest.fixture(name="restarted")
def _restarted(kubebox: clusters.Fleet) -> Iterator[clusters.Cluster]:
    made = kubebox.cluster()
    yield made
    made.restart()
    made.wait()


def _kubeconfig(path: pathlib.Path, cluster: clusters.Cluster, user: dict[str, Any]) -> pathlib.Path:
    authority = base64.b64encode(cluster.authority).decode()
    config = {
        "clusters": [{"name": "c", "cluster": {"server": cluster.url, "certificate-authority-data": authority}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


async def _known_as(api: client.Client) -> str:
    """Return the user that a server takes us for, or ""."""
    try:
        name: str = json.loads(await api.write_aside("POST", _REVIEWS, _REVIEW))["status"]["userInfo"]["username"]
    except answers.Failure as failure:
        return "" if failure.kind == "credentials" else failure.reason
    return name


def _asked(endpoint: transport.Endpoint) -> str:
    async def ask() -> str:
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(endpoint)) as api:
                return await _known_as(api)

    return asyncio.run(ask())


def test_a_login_is_refreshed_for_a_real_server(restarted: clusters.Cluster, tmp_path: pathlib.Path) -> None:
    """The API server knows the user of a refreshed id-token; the next command finds that token in the kubeconfig."""
    (tmp_path / "ca").write_bytes(_CA.certificate)
    with issuers.Issuer(_CA) as issuer:
        flags = {"issuer-url": issuer.url, "client-id": issuers.CLIENT, "ca-file": tmp_path / "ca"}
        restarted.restart(*(f"--oidc-{name}={value}" for name, value in flags.items()), "--oidc-username-prefix=sso:")
        restarted.wait()
        # The server asks for the issuer's keys a while after it is ready.
        good = {"token": issuer.token()}
        clusters.wait(
            "the issuer's tokens are known", lambda: _asked(_endpoint(tmp_path, restarted, good)) == "sso:ops"
        )
        login = {"auth-provider": {"name": "oidc", "config": issuer.config(_CA.certificate)}}
        path = _kubeconfig(tmp_path / "kubeconfig", restarted, login)
        for _ in range(2):
            assert _asked(endpoints.Endpoints().endpoint([path], None)) == "sso:ops"
        assert len(issuer.forms) == 1


def _endpoint(folder: pathlib.Path, cluster: clusters.Cluster, user: dict[str, Any]) -> transport.Endpoint:
    return endpoints.Endpoints().endpoint([_kubeconfig(folder / "other", cluster, user)], None)


def test_a_token_file_is_renewed_for_a_real_server(kubebox: clusters.Fleet, tmp_path: pathlib.Path) -> None:
    """A real 401 makes us look into the file again, during one visit."""
    cluster, token = kubebox.cluster(), tmp_path / "token"
    token.write_text("outdated", encoding="utf-8")
    endpoint = _endpoint(tmp_path, cluster, {"tokenFile": "token"})

    async def visit() -> list[str]:
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(endpoint)) as api:
                names = [await _known_as(api)]
                for then in (cluster.guest_token, cluster.token):
                    token.write_text(then, encoding="utf-8")
                    names.append(await _known_as(api))
                return names

    # The guest's token is still good when the administrator's is in the file: nobody asks for another one.
    assert asyncio.run(visit()) == ["", clusters.GUEST, clusters.GUEST]
