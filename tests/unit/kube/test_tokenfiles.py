"""Token files: what is in them is read anew in time, and at once when a server refuses it."""

import asyncio
import json
import os
import pathlib

import pytest
import rich.pretty

from fleetctl.kube import curl, endpoints, tokenfiles, transport
from fleetctl.model import errors
from tests.unit.kube import wires

CA = wires.Authority("ours")
PAIR = CA.server()
SECRET = "s3cretw0rd"  # noqa: S105  # that is the point


class Clock:
    """Stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def _renew(path: pathlib.Path, token: str) -> pathlib.Path:
    """Replace the file as a whole, as the kubelet does."""
    fresh = path.with_name("fresh")
    fresh.write_text(f"{token}\n", encoding="utf-8")
    fresh.replace(path)
    return path


def _made(path: pathlib.Path, clock: Clock) -> tokenfiles.TokenFile:
    return tokenfiles.TokenFile(path, tokenfiles.read(path), clock)


def test_a_token_is_read_anew_in_time(tmp_path: pathlib.Path) -> None:
    """Within the minute in which the kubelet's token is renewed long before its end, and no more often."""
    path, clock = _renew(tmp_path / "token", "a"), Clock()
    found = _made(path, clock)
    first = found.held()
    _renew(path, "b")
    clock.now += 49
    assert found.held() is first
    clock.now += 1
    assert (found.held(), asyncio.run(found.current())) == (transport.Proof("b"),) * 2
    clock.now += 50
    assert found.held() == transport.Proof("b")


@pytest.mark.parametrize("content", [None, "", "\n", "no token", "t\u00e4"])
def test_what_is_no_token_leaves_the_last_one(tmp_path: pathlib.Path, content: str | None) -> None:
    """As for kubectl: a file that is being replaced, or was lost, is no reason to stop."""
    path, clock = _renew(tmp_path / "token", "a"), Clock()
    found = _made(path, clock)
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    clock.now += 50
    assert found.held() == transport.Proof("a")
    assert not found.refuse(found.held())
    _renew(path, "b")
    assert found.refuse(found.held())


def test_a_refused_token_is_compared_with_the_file(tmp_path: pathlib.Path) -> None:
    """Only another token is worth another request; of two sites that refuse the same one, both get it."""
    path = _renew(tmp_path / "token", "a")
    found = _made(path, Clock())
    first = found.held()
    assert not found.refuse(first)
    _renew(path, "b")
    assert found.refuse(first)
    assert found.refuse(first)
    assert found.held() == transport.Proof("b")
    assert not found.refuse(found.held())


def test_only_files_are_read(tmp_path: pathlib.Path) -> None:
    """A pipe would be waited for, now or at the next reading."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(OSError, match=r"not a file|directory"):
            tokenfiles.read(tmp_path / name)


def _endpoint(folder: pathlib.Path, server: str, **user: object) -> transport.Endpoint:
    (folder / "ca").write_bytes(CA.certificate)
    pair = CA.client("rollout")
    (folder / "crt").write_bytes(pair.certificate)
    (folder / "key").write_bytes(pair.key)
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": "ca"}}],
        "users": [{"name": "u", "user": {"tokenFile": "token", **user}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("x", "y")],
    }
    (folder / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    found = endpoints.Endpoints()
    one, other = (found.endpoint([folder / "kubeconfig"], name) for name in ("x", "y"))
    assert one.prover is other.prover  # one reading serves all sites
    return one


def test_a_token_may_change_during_a_visit(tmp_path: pathlib.Path) -> None:
    """The token of the moment is sent; a 401 costs one more request on the same connection; certificates stay."""
    path, valid = _renew(tmp_path / "token", "a"), ["a"]
    shown = []

    def serve(connection: wires.Connection) -> None:
        while (seen := connection.request()) is not None:
            known = seen.headers["authorization"] == f"Bearer {valid[0]}"
            shown.append((connection.user(), seen.headers["authorization"][7:]))
            connection.send(wires.answer(status=200 if known else 401))

    async def visit(endpoint: transport.Endpoint) -> list[int]:
        async with curl.CurlTransport() as wire:
            session, statuses = wire.session(endpoint), []
            for token in ("a", "b", "b", "c"):
                if token != "c":  # noqa: S105  # c is what the server wants and nobody has
                    _renew(path, token)
                valid[0] = token
                statuses.append((await session.send(transport.Request("GET", "/", 10))).status)
            session.close()
            return statuses

    with wires.Server(PAIR, serve, clients=CA.certificate) as server:
        endpoint = _endpoint(tmp_path, server.url, **{"client-certificate": "crt", "client-key": "key"})
        assert asyncio.run(visit(endpoint)) == [200, 200, 200, 401]
        assert server.connections == 1
    assert shown == [("rollout", token) for token in "aabbb"]


def test_nothing_shows_the_token(tmp_path: pathlib.Path) -> None:
    """Neither in a traceback nor in what goes wrong."""
    path = _renew(tmp_path / "token", SECRET)
    shown = [_endpoint(tmp_path, "https://edge"), _made(path, Clock())]
    assert SECRET not in f"{shown!r}{rich.pretty.pretty_repr(shown)}"
    _renew(path, f"{SECRET} {SECRET}")
    with pytest.raises(errors.NotConfigured, match="its token holds") as caught:
        _endpoint(tmp_path, "https://edge")
    assert SECRET not in f"{caught.value!r}{caught.value.hint}"
