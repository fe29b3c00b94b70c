"""The way through proxies, from a kubeconfig's ``proxy-url`` and ``tls-server-name`` over the real wire."""

import asyncio
import base64
import json
import pathlib

import pytest

from fleetctl.kube import curl, endpoints, transport
from tests.unit.kube import proxies, wires

CA = wires.Authority("ours")
NAMED = CA.odd(host="edge-17.invalid")
PAIR = CA.server()
SECRET = "s3cretw0rd"  # noqa: S105  # that is the point
SORTS = (proxies.Connect, proxies.Socks)


def _endpoint(folder: pathlib.Path, server: str, **cluster: str) -> transport.Endpoint:
    said = {"server": server, "certificate-authority-data": base64.b64encode(CA.certificate).decode(), **cluster}
    config = {
        "clusters": [{"name": "c", "cluster": said}],
        "users": [{"name": "u", "user": {"token": SECRET}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return endpoints.Endpoints().endpoint([path], None)


def _ask(endpoint: transport.Endpoint) -> list[int]:
    """Send two requests in one session."""

    async def ask() -> list[int]:
        async with curl.CurlTransport(transport.Limits(connect=5, stall=5)) as wire:
            session = wire.session(endpoint)
            try:
                return [(await session.send(transport.Request("GET", "/", 10))).status for _ in range(2)]
            finally:
                session.close()

    return asyncio.run(ask())


def _broken(endpoint: transport.Endpoint) -> transport.Broken:
    with pytest.raises(transport.Broken) as caught:
        _ask(endpoint)
    assert SECRET not in f"{caught.value}{caught.value.message}"
    return caught.value


@pytest.mark.parametrize("sort", SORTS)
def test_the_proxy_looks_names_up(tmp_path: pathlib.Path, sort: type[proxies.Proxy]) -> None:
    """As for kubectl: a name that only the proxy knows is reached, once for a session, and checked; no token on it."""
    with wires.Server(NAMED, wires.answering()) as server, sort({"edge-17.invalid": server.port}) as proxy:
        url = f"{sort.scheme}://{proxy.address}"
        endpoint = _endpoint(tmp_path, "https://edge-17.invalid:6443", **{"proxy-url": url})
        assert _ask(endpoint) == [200, 200]
        assert (proxy.asked, server.connections) == (["edge-17.invalid:6443"], 1)
        assert [one.headers["authorization"] for one in server.seen] == [f"Bearer {SECRET}"] * 2
    assert SECRET.encode() not in proxy.heard


@pytest.mark.parametrize("sort", SORTS)
def test_another_name_is_checked_behind_a_proxy(tmp_path: pathlib.Path, sort: type[proxies.Proxy]) -> None:
    """``tls-server-name`` is for the certificate alone: the proxy is asked for the server's address."""
    with wires.Server(NAMED, wires.answering()) as server, sort() as proxy:
        way = {"proxy-url": f"{sort.scheme}://{proxy.address}"}
        named = _endpoint(tmp_path, server.url, **way, **{"tls-server-name": "edge-17.invalid"})
        assert _ask(named) == [200, 200]
        assert _broken(_endpoint(tmp_path, server.url, **way, **{"tls-server-name": "other.invalid"})).kind == (
            "wrong-name"
        )
        assert _broken(_endpoint(tmp_path, server.url, **way)).kind == "wrong-name"
    assert proxy.asked == [f"127.0.0.1:{server.port}"] * 3


@pytest.mark.parametrize("sort", SORTS)
def test_proxies_may_want_a_login(tmp_path: pathlib.Path, sort: type[proxies.Proxy]) -> None:
    """The name and password of the URL are given; without them, the proxy's refusal is told from the server's."""
    with wires.Server(PAIR, wires.answering()) as server, sort(login=("crew", "pass-w0rd")) as proxy:
        url = f"{sort.scheme}://crew:pass-w0rd@{proxy.address}"
        assert _ask(_endpoint(tmp_path, server.url, **{"proxy-url": url})) == [200, 200]
        broken = _broken(_endpoint(tmp_path, server.url, **{"proxy-url": f"{sort.scheme}://{proxy.address}"}))
        assert (broken.kind, broken.sent, server.connections) == ("proxy", False, 1)


@pytest.mark.parametrize("sort", SORTS)
def test_a_proxy_does_not_vouch_for_a_server(tmp_path: pathlib.Path, sort: type[proxies.Proxy]) -> None:
    """Behind a proxy, too, only the cluster's own authority counts."""
    with wires.Server(wires.Authority("another").server(), wires.answering()) as server, sort() as proxy:
        url = f"{sort.scheme}://{proxy.address}"
        broken = _broken(_endpoint(tmp_path, server.url, **{"proxy-url": url}))
    assert (broken.kind, broken.sent, server.seen) == ("untrusted", False, [])
